/**
 * slab_cleanup.ts — looking after a CPU's zones from time to time, and giving back what it hoards.
 *
 * Follows  DragonFly sys/kern/kern_slaballoc.c slab_cleanup (each 10 s per CPU): takes home chunks nobody signalled,
 *          lets go of zones that are whole. Ours also visits the first zone of each class, and has a shortage form.
 *
 *   each tick      send the open batches of remote frees                     slabTick
 *   each 10 s      clean every listed zone, keep kern.zone_cache spares      slabCleanup
 *   memory short   the same, and keep no spare at all (IPI from the CPU that is short)
 *   going offline  the same, so that no chunk stays behind
 */
import { IPIF_REMOTE_FLUSH } from '../base/ipif.js';
import { FREE_IPI, FREE_LOCKED, FREE_RBATCH } from '../base/policy.js';
import { curcpu } from '../hw/curcpu.js';
import { i32 } from '../hw/heap.js';
import { critEnter, critExit } from '../kern/critical.js';
import { ipiqRegister } from '../kern/lwkt_ipiq.js';
import { hardclockRegister } from '../kern/splz.js';
import { slabLock, slabUnlock } from './kern_slablock.js';
import { checkZoneFree, zonesKeep, zonesRelease } from './kern_slabzone.js';
import { remoteFlush } from './slab_batch.js';
import { takeHome } from './slab_remote.js';
import { NZONES, SL_ZONEARY, Z_NEXT } from './slaballoc.layout.js';
import { FREE, myslgd, SLAB } from './slglobaldata.js';

/** ticks (10 ms each) between two clean-ups */
const CLEANUP_TICKS = 1000;
const LINKED = FREE !== FREE_IPI && FREE !== FREE_LOCKED;

/**
 * Brings this CPU's chunks home and lets whole zones go. Any context.
 * @param shortage give back everything that can be spared
 */
export function slabCleanup(shortage: boolean): void {
  critEnter();
  if (FREE === FREE_RBATCH) remoteFlush(myslgd());
  const sl = slabLock(curcpu);
  for (let zi = 0; zi < NZONES; zi++) {
    let z = i32[sl + SL_ZONEARY + zi];
    while (z !== 0) {
      const next = i32[(z >>> 2) + Z_NEXT];
      if (LINKED) takeHome(sl, z);
      checkZoneFree(sl, z, shortage);
      z = next;
    }
  }
  slabUnlock(sl);
  critExit();
  zonesRelease(shortage ? 0 : zonesKeep());
}

function slabTick(ticks: number): void {
  if (FREE === FREE_RBATCH) remoteFlush(myslgd());
  if (ticks % CLEANUP_TICKS === 0) slabCleanup(false);
}

if (SLAB) {
  hardclockRegister(slabTick);
  ipiqRegister(IPIF_REMOTE_FLUSH, () => slabCleanup(true));
}
