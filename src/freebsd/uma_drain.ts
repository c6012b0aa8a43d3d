/**
 * uma_drain.ts — giving memory back (FreeBSD sys/vm/uma_core.c: bucket_drain, bucket_cache_drain, cache_drain,
 * zone_drain, uma_reclaim, zone_timeout, uma_timeout).
 *
 *   zone's full buckets ──► items to their slabs ──► whole slabs ──► pages
 *
 * The CPUs' own buckets are not touched: nobody may, but their CPU. Only the end of a zone empties them.
 * A first reclaim leaves a keg as many free items as it has handed out between the last two looks of uma_timeout, its
 * working set; a second one leaves none.
 */
import { D_R19 } from '../base/defects.js';
import { P_BOTCHED_PTR } from '../base/panics_freebsd.js';
import { racy, racyDouble } from '../hw/atomics.js';
import { defect } from '../hw/defect.js';
import { i32, i64 } from '../hw/heap.js';
import { SB_UPTIME } from '../hw/superblock.layout.js';
import { curcpu } from '../hw/curcpu.js';
import { FREEBSD } from '../kern/alloc.js';
import { NCPU } from '../kern/globaldata.js';
import { panic } from '../kern/panic.js';
import { wakeup } from '../kern/sleep.js';
import { hardclockRegister } from '../kern/splz.js';
import { SKIP_DTOR, UMA_SLAB_BOOT, UMA_TIMEOUT, UMA_ZONE_HASH, UMA_ZONE_NOFREE } from './uma.js';
import { bucketEnable, bucketFree } from './uma_bucket.js';
import { fold, setBuckets } from './uma_core.js';
import { hashRemove, hashTimeout } from './uma_hash.js';
import {
  NBUCKET_ZONES, UB_BUCKET, UB_CNT, UB_LINK, UC_ALLOCBUCKET, UC_ALLOCS, UC_FREEBUCKET, UC_WORDS, UK_FLAGS, UK_FREE,
  UK_FREE_SLAB, UK_IPERS, UK_LINK, UK_LOCK, UK_OALLOCS, UK_PAGES, UK_PPERA, UK_WSSIZE, UK_ZONES, UMA_BUCKET_ZONES,
  UMA_KEGS, UMA_LAST_TIMEOUT, UMA_MTX, UMA_SLABREFZONE, UMA_SLABZONE, US_FLAGS, US_NEXT, UZ_ALLOCS, UZ_CPU,
  UZ_FREE_BUCKET, UZ_FULL_BUCKET, UZ_KEG, UZ_LINK, UZ_LOCK,
} from './uma_int.layout.js';
import { UMA, zoneLock, zoneUnlock } from './uma_int.js';
import { fullNoLonger, umaZfreeInternal } from './uma_item.js';
import { finiItems, releaseSlab, slabRemove } from './uma_slab.js';
import { lowmemRegister } from './vm_kern.js';

declare const DEFECTS: boolean;
declare const INVARIANTS: boolean;

const R19 = DEFECTS && defect(D_R19);

/** uma_reclaim: what zones hoard goes back. Thread context. @param hard keep no working set */
export function umaReclaim(hard: boolean): void {
  bucketEnable();
  zoneForeach((zone) => zoneDrain(zone, hard));
  // what was given back above had headers and buckets
  zoneDrain(i32[UMA + UMA_SLABZONE], hard);
  zoneDrain(i32[UMA + UMA_SLABREFZONE], hard);
  for (let n = 0; n < NBUCKET_ZONES; n++) zoneDrain(i32[UMA + UMA_BUCKET_ZONES + n], hard);
}

/** uma_mtx is held all the while: a zone that is being destroyed is off the list before its memory goes (R19). */
function zoneForeach(act: (zone: number) => void): void {
  if (!R19) zoneLock(UMA + UMA_MTX);
  for (let keg = i32[UMA + UMA_KEGS]; keg !== 0; keg = i32[(keg >>> 2) + UK_LINK]) {
    for (let zone = i32[(keg >>> 2) + UK_ZONES]; zone !== 0; zone = i32[(zone >>> 2) + UZ_LINK]) act(zone);
  }
  if (!R19) zoneUnlock(UMA + UMA_MTX);
}

/** zone_drain: full buckets, then whole slabs. Lock not held. */
export function zoneDrain(zone: number, hard: boolean): void {
  const zw = zone >>> 2;
  bucketCacheDrain(zone);
  const kw = i32[zw + UZ_KEG] >>> 2;
  if ((i32[kw + UK_FLAGS] & UMA_ZONE_NOFREE) !== 0) return;
  zoneLock(kw + UK_LOCK);
  const freed = takeFreeSlabs(kw, hard ? 0 : i32[kw + UK_WSSIZE]);
  const wake = freed !== 0 && fullNoLonger(kw);
  zoneUnlock(kw + UK_LOCK);
  for (let slab = freed; slab !== 0; ) {
    const next = i32[(slab >>> 2) + US_NEXT];
    finiItems(kw, slab);
    releaseSlab(kw, slab);
    slab = next;
  }
  if (wake) wakeup(kw << 2);
}

/** Takes whole slabs off the keg while it has more than `keep` free items. @returns the first, linked by US_NEXT */
function takeFreeSlabs(kw: number, keep: number): number {
  let taken = 0;
  let slab = i32[kw + UK_FREE_SLAB];
  while (slab !== 0 && i32[kw + UK_FREE] - i32[kw + UK_IPERS] >= keep) {
    const next = i32[(slab >>> 2) + US_NEXT];
    // boot pages stay
    if ((i32[(slab >>> 2) + US_FLAGS] & UMA_SLAB_BOOT) === 0) {
      slabRemove(kw, UK_FREE_SLAB, slab);
      i32[kw + UK_PAGES] -= i32[kw + UK_PPERA];
      i32[kw + UK_FREE] -= i32[kw + UK_IPERS];
      if ((i32[kw + UK_FLAGS] & UMA_ZONE_HASH) !== 0) hashRemove(kw, slab);
      i32[(slab >>> 2) + US_NEXT] = taken;
      taken = slab;
    }
    slab = next;
  }
  return taken;
}

/** The zone's own buckets: those of nobody's cache. */
function bucketCacheDrain(zone: number): void {
  const zw = zone >>> 2;
  const lock = i32[zw + UZ_LOCK];
  for (const list of [zw + UZ_FULL_BUCKET, zw + UZ_FREE_BUCKET]) {
    for (;;) {
      zoneLock(lock);
      const bucket = i32[list];
      if (bucket !== 0) i32[list] = i32[(bucket >>> 2) + UB_LINK];
      zoneUnlock(lock);
      if (bucket === 0) break;
      bucketDrain(zone, bucket);
      bucketFree(bucket);
    }
  }
}

/** Every item of a bucket that is nobody else's goes to its slab. */
function bucketDrain(zone: number, bucket: number): void {
  const bw = bucket >>> 2;
  while (i32[bw + UB_CNT] > 0) {
    const cnt = i32[bw + UB_CNT] - 1;
    const item = i32[bw + UB_BUCKET + cnt];
    if (INVARIANTS && item === 0) panic(P_BOTCHED_PTR, bucket);
    i32[bw + UB_BUCKET + cnt] = 0;
    i32[bw + UB_CNT] = cnt;
    umaZfreeInternal(zone, item, 0, SKIP_DTOR, 0);
  }
}

/** cache_drain: all CPUs' buckets, when the zone is nobody's any more. */
export function cacheDrain(zone: number): void {
  for (let cpu = 0; cpu < NCPU; cpu++) cpuDrain(zone, cpu);
}

/** The buckets of a CPU that uses the zone no longer. */
function cpuDrain(zone: number, cpu: number): void {
  const cache = (zone >>> 2) + UZ_CPU + cpu * UC_WORDS;
  const buckets = [i32[cache + UC_ALLOCBUCKET], i32[cache + UC_FREEBUCKET]];
  zoneLock(i32[(zone >>> 2) + UZ_LOCK]);
  fold(zone >>> 2, cache);
  setBuckets(cache, 0, 0);
  zoneUnlock(i32[(zone >>> 2) + UZ_LOCK]);
  for (const bucket of buckets) {
    if (bucket === 0) continue;
    bucketDrain(zone, bucket);
    bucketFree(bucket);
  }
}

/** This CPU goes: what is in its buckets goes back. */
export function umaOffline(): void {
  zoneForeach((zone) => cpuDrain(zone, curcpu));
}

/** uma_timeout: each UMA_TIMEOUT seconds, on CPU 0. Interrupt context: takes locks, never sleeps. */
function umaTimeout(): void {
  const uptime = racy(SB_UPTIME);
  if (curcpu !== 0 || uptime - i32[UMA + UMA_LAST_TIMEOUT] < UMA_TIMEOUT) return;
  i32[UMA + UMA_LAST_TIMEOUT] = uptime;
  bucketEnable();
  zoneForeach(zoneTimeout);
}

export function zoneTimeout(zone: number): void {
  const zw = zone >>> 2;
  const kw = i32[zw + UZ_KEG] >>> 2;
  hashTimeout(kw);
  if (i32[kw + UK_ZONES] !== zone) return;
  zoneLock(kw + UK_LOCK);
  let allocs = 0n;
  for (let z = zone; z !== 0; z = i32[(z >>> 2) + UZ_LINK]) allocs += zoneAllocs(z >>> 2);
  i32[kw + UK_WSSIZE] = Number(allocs - i64[(kw + UK_OALLOCS) >>> 1]);
  i64[(kw + UK_OALLOCS) >>> 1] = allocs;
  zoneUnlock(kw + UK_LOCK);
}

/** With the CPUs' own counts, read as they are, without what their buckets have seen since: an estimate. */
function zoneAllocs(zw: number): bigint {
  let allocs = i64[(zw + UZ_ALLOCS) >>> 1];
  for (let cpu = 0; cpu < NCPU; cpu++) allocs += BigInt(racyDouble((zw + UZ_CPU + cpu * UC_WORDS + UC_ALLOCS) >>> 1));
  return allocs;
}

lowmemRegister(umaReclaim);
if (FREEBSD) hardclockRegister(umaTimeout);
