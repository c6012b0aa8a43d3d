/**
 * kern_slabzone.ts — a zone's life: made, kept in reserve, given back.
 *
 * Follows   DragonFly sys/kern/kern_slaballoc.c: the zone set-up of kmalloc, check_zone_free, slab_cleanup, FreeZones.
 *
 *   kmem_slab_alloc ──► ZoneAry (NFree > 0) ◄──► off the list (NFree = 0, waits for a free)
 *          ▲                 │ NFree = NMax and the class has another zone, nothing pins it
 *          │                 ▼
 *          └── over ──── FreeZones (kern.zone_cache of them; header magic -1, ku_pagecnt 0)
 *
 * Runs in   a critical section of the zone's CPU; zonesRelease makes its own.
 * Differs   the kernel gives pages back in thread context only, because kernel_map may sleep; ours is a spin mutex.
 */
import { isPowerOf2, roundUp } from '../base/bits.js';
import { D_R38, D_R42, D_R43 } from '../base/defects.js';
import { FREE_RBATCH, FREE_RCHUNKS, FREE_RCOUNT, FREE_RSIGNAL2, FREE_RTAGGED } from '../base/policy.js';
import { cas, load } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { defect } from '../hw/defect.js';
import { f64, i32, i64 } from '../hw/heap.js';
import { bzero } from '../hw/mem.js';
import { SB_ZONE_CACHE } from '../hw/superblock.layout.js';
import { critEnter, critExit } from '../kern/critical.js';
import { KTR, ktr } from '../kern/ktr.js';
import { KTR_ZONE_ALLOC, KTR_ZONE_FREE } from '../kern/ktr.layout.js';
import { kassert } from '../kern/panic.js';
import { A_OVSZ_MAGIC, A_ZONE_MAGIC } from '../base/panics.js';
import { btokup } from '../vm/kmemusage.js';
import { slabLock, slabUnlock } from './kern_slablock.js';
import { kmemSlabAlloc, kmemSlabFree } from './kmem_slab.js';
import { ZALLOC_MAX_ZONE_SIZE, ZALLOC_SLAB_SLIDE } from './malloc.js';
import {
  RSIGNAL_BIT, SL_FREEOVZONES, SL_FREEZONES, SL_JUNKINDEX, SL_NFREEZONES, SLC_BIGALLOC, SLC_GENALLOC,
  SLC_ZONES, SLC_ZONES_FREED, SLC_ZONES_PEAK, SLZF_UNOTZEROD, Z_BASEPTR, Z_CHUNKSIZE, Z_CPU, Z_FLAGS,
  Z_LCHUNKS, Z_MAGIC, Z_NEXT, Z_NFREE, Z_NMAX, Z_OVBYTES, Z_PREV, Z_RCHUNKS, Z_RCOUNT, Z_SIGNALED,
  Z_UENDINDEX, Z_UINDEX, Z_WORDS, Z_ZONEINDEX, ZALLOC_FREE_MAGIC, ZALLOC_OVSZ_MAGIC, ZALLOC_SLAB_MAGIC,
} from './slaballoc.layout.js';
import { FREE, slCount, ZONE_MASK, ZONE_SIZE, zoneOf, zoneInsertHead, zoneRemove } from './slglobaldata.js';

declare const INVARIANTS: boolean;
declare const DEFECTS: boolean;

/** kern.zone_cache: spare zones a CPU keeps */
const ZONE_CACHE = i32[SB_ZONE_CACHE];
const R38 = DEFECTS && defect(D_R38);
const R42 = DEFECTS && defect(D_R42);
const R43 = DEFECTS && defect(D_R43);
const TAGGED = FREE === FREE_RTAGGED || FREE === FREE_RBATCH;
const COUNTED = (FREE === FREE_RCOUNT || FREE === FREE_RSIGNAL2) && !R38;

/**
 * A new zone at the head of its class. Its chunk at z_UIndex is the caller's.
 * @param sl SLGlobalData of this CPU
 * @param zi class
 * @param chunkSize bytes
 * @returns the zone, or 0 when there is no memory
 */
export function zoneCreate(sl: number, zi: number, chunkSize: number): number {
  let z = i32[sl + SL_FREEZONES];
  let flags = SLZF_UNOTZEROD;
  if (z !== 0) {
    if (i32[(z >>> 2) + Z_MAGIC] !== ZALLOC_FREE_MAGIC) kassert(A_ZONE_MAGIC, z);
    i32[sl + SL_FREEZONES] = i32[(z >>> 2) + Z_NEXT];
    i32[sl + SL_NFREEZONES]--;
  } else {
    const got = kmemSlabAlloc(ZONE_SIZE);
    if (got === 0) return 0;
    z = zoneOf(got & ~1);
    if ((got & 1) !== 0) flags = 0;
    slCount(sl, SLC_GENALLOC, ZONE_SIZE / 1024);
  }
  zoneInit(sl, z, zi, chunkSize, flags);
  const live = ++f64[(sl + SLC_ZONES) >>> 1];
  if (live > f64[(sl + SLC_ZONES_PEAK) >>> 1]) f64[(sl + SLC_ZONES_PEAK) >>> 1] = live;
  if (KTR) ktr(KTR_ZONE_ALLOC, z, zi, chunkSize);
  return z;
}

function zoneInit(sl: number, z: number, zi: number, chunkSize: number, flags: number): void {
  const zw = z >>> 2;
  const headerBytes = (Z_WORDS + (INVARIANTS ? (ZONE_SIZE / chunkSize + 31) >>> 5 : 0)) * 4;
  // a power-of-two size is aligned to itself: old users of malloc count on it
  const first = roundUp(z + headerBytes, isPowerOf2(chunkSize) ? chunkSize : 8);
  const nmax = Math.floor(((z & ZONE_MASK) + ZONE_SIZE - first) / chunkSize);
  const junk = i32[sl + SL_JUNKINDEX];
  if (flags !== 0) bzero(z, headerBytes);
  i32[zw + Z_CPU] = curcpu;
  i32[zw + Z_NMAX] = nmax;
  i32[zw + Z_BASEPTR] = first;
  i32[zw + Z_ZONEINDEX] = zi;
  i32[zw + Z_FLAGS] = flags;
  i64[(zw + Z_CHUNKSIZE) >>> 1] = BigInt(chunkSize);
  i32[zw + Z_NFREE] = nmax - 1;
  i32[zw + Z_LCHUNKS] = 0;
  // colouring: zones begin to hand out at different places, so that their first chunks do not meet in one cache set
  i32[zw + Z_UINDEX] = junk % nmax;
  i32[zw + Z_UENDINDEX] = junk % nmax;
  i32[sl + SL_JUNKINDEX] = (junk + ZALLOC_SLAB_SLIDE) & (ZALLOC_MAX_ZONE_SIZE - 1);
  i32[zw + Z_MAGIC] = ZALLOC_SLAB_MAGIC;
  i32[btokup(z)] = -(curcpu + 1);
  zoneInsertHead(sl, z);
}

/**
 * check_zone_free: a zone with all chunks home goes to FreeZones, if its class has another and nothing pins it.
 * The zone is listed: it has free chunks.
 * Also from IPI context: it never gives pages back itself.
 * @param shortage memory is short: let go of the last zone of a class too
 */
export function checkZoneFree(sl: number, z: number, shortage: boolean): void {
  const zw = z >>> 2;
  if (i32[zw + Z_NFREE] !== i32[zw + Z_NMAX]) return;
  if (!shortage && i32[zw + Z_NEXT] === 0 && i32[zw + Z_PREV] === 0) return;
  if (pinned(zw)) return;
  zoneRemove(sl, z);
  i32[zw + Z_MAGIC] = ZALLOC_FREE_MAGIC;
  // before anybody else can own these pages and write its own word (R43)
  if (!R43) i32[btokup(z)] = 0;
  i32[zw + Z_NEXT] = i32[sl + SL_FREEZONES];
  i32[sl + SL_FREEZONES] = z;
  i32[sl + SL_NFREEZONES]++;
  slCount(sl, SLC_ZONES, -1);
  slCount(sl, SLC_ZONES_FREED, 1);
  if (KTR) ktr(KTR_ZONE_FREE, z, 0, 0);
}

/** May a message about this zone, or a CPU that still looks at it, be on its way? */
function pinned(zw: number): boolean {
  if (R42) return false;
  if (COUNTED) return load(zw + Z_RCOUNT) !== 0;
  if (FREE === FREE_RCHUNKS || !TAGGED || i32[zw + Z_SIGNALED] === 0) return false;
  // the signal bit is out. If it is still in the word nobody took it, and we take it back; else a message is coming.
  if (!cas(zw + Z_RCHUNKS, RSIGNAL_BIT, 0)) return true;
  i32[zw + Z_SIGNALED] = 0;
  return false;
}

/** Gives spare zones and queued oversized blocks back to the page allocator. Any context. */
export function zonesRelease(keep: number): void {
  for (;;) {
    critEnter();
    const sl = slabLock(curcpu);
    const z = i32[sl + SL_NFREEZONES] > keep ? i32[sl + SL_FREEZONES] : 0;
    if (z !== 0) {
      i32[sl + SL_FREEZONES] = i32[(z >>> 2) + Z_NEXT];
      i32[sl + SL_NFREEZONES]--;
      slCount(sl, SLC_GENALLOC, -ZONE_SIZE / 1024);
    }
    const ov = z === 0 ? i32[sl + SL_FREEOVZONES] : 0;
    if (ov !== 0) {
      if (i32[(ov >>> 2) + Z_MAGIC] !== ZALLOC_OVSZ_MAGIC) kassert(A_OVSZ_MAGIC, ov);
      i32[sl + SL_FREEOVZONES] = i32[(ov >>> 2) + Z_NEXT];
      slCount(sl, SLC_BIGALLOC, -i32[(ov >>> 2) + Z_OVBYTES] / 1024);
    }
    slabUnlock(sl);
    critExit();
    if (z !== 0) zoneReturn(z);
    else if (ov !== 0) kmemSlabFree(ov, i32[(ov >>> 2) + Z_OVBYTES]);
    else return;
  }
}

/** A spare zone's pages go back. */
function zoneReturn(z: number): void {
  kmemSlabFree(z & ZONE_MASK, ZONE_SIZE);
  if (R43) i32[btokup(z)] = 0;
}

/** Is there anything kmalloc should give back before it takes more? */
export function zonesOver(sl: number): boolean {
  return i32[sl + SL_NFREEZONES] > ZONE_CACHE || i32[sl + SL_FREEOVZONES] !== 0;
}

export function zonesKeep(): number {
  return ZONE_CACHE;
}
