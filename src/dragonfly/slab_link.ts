/**
 * slab_link.ts — the freer's half of a remote free, one function a policy. The table of policies and the protocol stand
 * in slab_remote.ts.
 *
 * Rule      after its link a freer does not touch the zone again, unless its policy pinned it. linkRchunks breaks the
 *           rule, as the commit it follows did; the others do where a defect is switched on (base/defects.ts).
 * Runs in   a critical section, any context.
 */
import { D_R34, D_R38, D_R40 } from '../base/defects.js';
import { IPIF_FREE_REMOTE, IPIF_KFREE_REMOTE } from '../base/ipif.js';
import { A_ZONE_CPU } from '../base/panics.js';
import { SIGNAL_TICK } from '../base/policy.js';
import { add, cas, load } from '../hw/atomics.js';
import { defect } from '../hw/defect.js';
import { i32 } from '../hw/heap.js';
import { SB_SIGNAL } from '../hw/superblock.layout.js';
import { NCPU } from '../kern/globaldata.js';
import { lwktSendIpiq, lwktSendIpiqPassive } from '../kern/lwkt_ipiq.js';
import { kassert } from '../kern/panic.js';
import {
  CHUNK_MASK, RSIGNAL_BIT, SLC_CASFAILS, SLC_CASTRIES, SLC_SIGNALS, Z_CPU, Z_RCHUNKS, Z_RCOUNT, Z_RSIGNAL,
} from './slaballoc.layout.js';
import { slCount } from './slglobaldata.js';

declare const DEFECTS: boolean;

/** a signal delay of `tick` is DragonFly's passive message: seen at the next interrupt of any kind */
const PASSIVE = i32[SB_SIGNAL] === SIGNAL_TICK;
const R34 = DEFECTS && defect(D_R34);
const R38 = DEFECTS && defect(D_R38);
const R40 = DEFECTS && defect(D_R40);

/** 2005, but for R34: there the type rode in the chunk's own first word, where a late writer can change it. */
export function sendChunk(sl: number, z: number, chunk: number, type: number): void {
  if (R34) i32[chunk >>> 2] = type;
  slCount(sl, SLC_SIGNALS, 1);
  signal(i32[(z >>> 2) + Z_CPU], IPIF_FREE_REMOTE, chunk, R34 ? 0 : type);
}

/** 5fee07e6. */
export function linkRchunks(sl: number, z: number, chunk: number): void {
  const zw = z >>> 2;
  const rsignal = load(zw + Z_RSIGNAL);
  if (linkChunk(sl, zw, chunk) === 0 && rsignal !== 0) {
    // R38: by now the owner may have taken the chunk, given the zone back, and somebody else its pages
    const owner = i32[zw + Z_CPU];
    if (owner >>> 0 >= NCPU) kassert(A_ZONE_CPU, z);
    slCount(sl, SLC_SIGNALS, 1);
    signal(owner, IPIF_KFREE_REMOTE, z, 0);
  }
}

/** df9daea8: z_RCount pins the zone, where a signal was seen. */
export function linkRcount(sl: number, z: number, chunk: number): void {
  if (R38) return linkRchunks(sl, z, chunk);
  const zw = z >>> 2;
  const owner = i32[zw + Z_CPU];
  const rsignal = load(zw + Z_RSIGNAL);
  if (rsignal !== 0) add(zw + Z_RCOUNT, 1);
  const before = linkChunk(sl, zw, chunk);
  if (rsignal === 0) return;
  if (before === 0) {
    slCount(sl, SLC_SIGNALS, 1);
    signal(owner, IPIF_KFREE_REMOTE, z, 0);
  } else {
    add(zw + Z_RCOUNT, -1);
  }
}

/** R40 cured by a second look: pin, link, read the signal again. */
export function linkRsignal2(sl: number, z: number, chunk: number): void {
  if (R38) return linkRchunks(sl, z, chunk);
  const zw = z >>> 2;
  const owner = i32[zw + Z_CPU];
  add(zw + Z_RCOUNT, 1);
  const early = R40 ? load(zw + Z_RSIGNAL) : 0;
  if (linkChunk(sl, zw, chunk) === 0 && (R40 ? early : load(zw + Z_RSIGNAL)) !== 0) {
    slCount(sl, SLC_SIGNALS, 1);
    signal(owner, IPIF_KFREE_REMOTE, z, 0);
  } else {
    add(zw + Z_RCOUNT, -1);
  }
}

/** @returns the head it was linked before */
function linkChunk(sl: number, zw: number, chunk: number): number {
  for (;;) {
    slCount(sl, SLC_CASTRIES, 1);
    const before = load(zw + Z_RCHUNKS);
    i32[chunk >>> 2] = before;
    if (cas(zw + Z_RCHUNKS, before, chunk)) return before;
    slCount(sl, SLC_CASFAILS, 1);
  }
}

/**
 * Hangs a chain of chunks of one zone before its remote list, and tells the owner if it wanted to know.
 * @param head first chunk of the chain, linked through to `tail`
 */
export function linkTagged(sl: number, z: number, head: number, tail: number): void {
  const zw = z >>> 2;
  const owner = i32[zw + Z_CPU];
  for (;;) {
    slCount(sl, SLC_CASTRIES, 1);
    const before = load(zw + Z_RCHUNKS);
    i32[tail >>> 2] = before & CHUNK_MASK;
    if (cas(zw + Z_RCHUNKS, before, head)) {
      if ((before & RSIGNAL_BIT) === 0) return;
      slCount(sl, SLC_SIGNALS, 1);
      return signal(owner, IPIF_KFREE_REMOTE, z, 0);
    }
    slCount(sl, SLC_CASFAILS, 1);
  }
}

function signal(owner: number, func: number, arg1: number, arg2: number): void {
  if (PASSIVE) lwktSendIpiqPassive(owner, func, arg1, arg2);
  else lwktSendIpiq(owner, func, arg1, arg2);
}
