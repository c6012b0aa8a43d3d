/**
 * uma_core.ts — items through the CPU's two buckets (FreeBSD sys/vm/uma_core.c 1.136: uma_zalloc_arg, uma_zfree_arg,
 * uma_zalloc_bucket).
 *
 *      allocate                                       free
 *   1  pop from the alloc bucket                      push to the free bucket               critical section, no lock
 *   2  it is empty: swap it with the free bucket      it is full: swap with the alloc bucket
 *   3  a full bucket of the zone                      the zone keeps the full one, gives an empty one     uk_lock
 *   4  fill a bucket from slabs                       a new bucket
 *   5  one item from a slab (uma_item.ts)             one item to its slab
 *
 * Rules
 *   I1  a CPU's buckets are touched in a critical section on that CPU. Between 2 and 3 the section is left: after the
 *       lock the buckets are looked for again and looked at again, another thread may have been here (R14).
 *   I2  a bucket on a zone's list is the lock holder's; one that is being filled, the filler's alone.
 *   I3  at most mp_ncpus fills of a zone at once (uz_fills).
 *   I4  uc_allocs and uc_frees go to the zone's counts when the lock is taken anyway. They are brought up to date
 *       when a bucket changes, from how far it is from its mark (uma_int.layout.ts).
 * Runs in   thread context with M_WAITOK, any with M_NOWAIT.
 * Differs   a critical section of a few accesses masks interrupts instead of counting (kern.soft_critical: RELENG_5's).
 */
import { D_R14, D_R15, D_UMA_CROSSDOMAIN } from '../base/defects.js';
import {
  P_BUCKET_MANGLED, P_FREE_LIST_NOT_EMPTY, P_FREEING_NONFREE, P_INSERT_EMPTY, P_NONFREE_INDEX, P_RETURNING_EMPTY,
  P_WAITOK_INTR,
} from '../base/panics_freebsd.js';
import { MSG_FORCING_NOWAIT } from '../base/messages.js';
import { curcpu } from '../hw/curcpu.js';
import { defect } from '../hw/defect.js';
import { f64, i32, i64 } from '../hw/heap.js';
import { SB_NOSLEEPWITHLOCKS, SB_SOFT_CRITICAL } from '../hw/superblock.layout.js';
import { critEnter, critExit, intrDisable, intrRestore } from '../kern/critical.js';
import { mycpu, NCPU } from '../kern/globaldata.js';
import { GD_NESTING } from '../kern/globaldata.layout.js';
import { panic } from '../kern/panic.js';
import { kprintf } from '../kern/subr_prf.js';
import { M_NOVM, M_NOWAIT, M_WAITOK, M_ZERO } from './malloc.js';
import {
  BUCKET_MAX, SKIP_DTOR, SKIP_FINI, UMA_ZFLAG_CACHEONLY, UMA_ZONE_MALLOC, ZFREE_STATFAIL, ZFREE_STATFREE,
} from './uma.js';
import { bucketAlloc, bucketFree } from './uma_bucket.js';
import { umaDbgAlloc, umaDbgFree, UMA_DBG } from './uma_dbg.js';
import { umaDtor, umaInit } from './uma_func.js';
import {
  UB_BUCKET, UB_CNT, UB_ENTRIES, UB_LINK, UC_ALLOCBUCKET, UC_ALLOCMARK, UC_ALLOCS, UC_FREEBUCKET,
  UC_FREEMARK, UC_FREES, UC_WORDS, UK_FLAGS, UK_SIZE, US_FREECOUNT, UZ_ALLOCS, UZ_COUNT, UZ_CPU, UZ_DTOR,
  UZ_FILLS, UZ_FREE_BUCKET, UZ_FREES, UZ_FULL_BUCKET, UZ_INIT, UZ_KEG, UZ_LOCK, UZ_NAME,
} from './uma_int.layout.js';
import { mayWait, zoneLock, zoneUnlock } from './uma_int.js';
import { construct, umaZallocInternal, umaZfreeInternal } from './uma_item.js';
import { kegFull, kegSlab, slabAlloc } from './uma_slab.js';

declare const DEFECTS: boolean;
declare const INVARIANTS: boolean;

const R14 = DEFECTS && defect(D_R14);
const R15 = DEFECTS && defect(D_R15);
const SOFT = i32[SB_SOFT_CRITICAL] !== 0;
/** uma-crossdomain: a bucket is made with the lock held */
const CROSSDOMAIN = DEFECTS && defect(D_UMA_CROSSDOMAIN);
const NOSLEEPWITHLOCKS = i32[SB_NOSLEEPWITHLOCKS] !== 0;

/** A critical section of a few accesses. */
export function cacheEnter(): void {
  if (SOFT) critEnter();
  else intrDisable();
}

export function cacheExit(): void {
  if (SOFT) critExit();
  else intrRestore();
}

/** Word index of this CPU's uma_cache of a zone. */
function cacheOf(zw: number): number {
  return zw + UZ_CPU + curcpu * UC_WORDS;
}

/**
 * Allocates an item.
 * @param zone its address
 * @param udata for the constructor
 * @param flags M_* of malloc.ts
 * @returns its address; 0 when there is none (M_NOWAIT), or its constructor refused
 */
export function umaZallocArg(zone: number, udata: number, flags: number): number {
  const zw = zone >>> 2;
  const wait = mayWait(flags) ? mayReallyWait(zw, flags) : flags;
  for (;;) {
    const item = bucketPop(zw);
    if (item !== 0) {
      if (UMA_DBG === 2) umaDbgAlloc(zone, 0, item);
      return construct(zone, item, udata, wait);
    }
    if (!refill(zw, wait)) return umaZallocInternal(zone, udata, wait);
  }
}

/** Frees an item. @param udata for the destructor; of a malloc zone the slab header */
export function umaZfreeArg(zone: number, item: number, udata: number): void {
  const zw = zone >>> 2;
  const kw = i32[zw + UZ_KEG] >>> 2;
  umaDtor(i32[zw + UZ_DTOR], item, i32[kw + UK_SIZE], udata);
  if (UMA_DBG === 2) umaDbgFree(zone, (i32[kw + UK_FLAGS] & UMA_ZONE_MALLOC) !== 0 ? udata : 0, item);
  while (!kegFull(kw)) {
    if (bucketPush(zw, item)) return;
    if (!drainFull(zw)) break;
  }
  if (UMA_DBG === 1) umaDbgFree(zone, (i32[kw + UK_FLAGS] & UMA_ZONE_MALLOC) !== 0 ? udata : 0, item);
  umaZfreeInternal(zone, item, udata, SKIP_DTOR, ZFREE_STATFAIL | ZFREE_STATFREE);
}

/** Steps 1 and 2. @returns an item, or 0 */
function bucketPop(zw: number): number {
  cacheEnter();
  const cache = cacheOf(zw);
  let bw = i32[cache + UC_ALLOCBUCKET] >>> 2;
  if (bw === 0 || i32[bw + UB_CNT] === 0) {
    const free = i32[cache + UC_FREEBUCKET];
    if (free === 0 || i32[(free >>> 2) + UB_CNT] === 0) {
      cacheExit();
      return 0;
    }
    setBuckets(cache, free, i32[cache + UC_ALLOCBUCKET]);
    bw = free >>> 2;
  }
  const cnt = i32[bw + UB_CNT] - 1;
  const item = i32[bw + UB_BUCKET + cnt];
  i32[bw + UB_CNT] = cnt;
  if (INVARIANTS) {
    if (item === 0) panic(P_BUCKET_MANGLED, bw << 2, cnt);
    i32[bw + UB_BUCKET + cnt] = 0;
  }
  cacheExit();
  return item;
}

/** Step 2 of an allocation by itself. @returns false when the free bucket has nothing either */
export function swapBuckets(zw: number): boolean {
  cacheEnter();
  const cache = cacheOf(zw);
  const free = i32[cache + UC_FREEBUCKET];
  const swaps = hasItems(free);
  if (swaps) setBuckets(cache, free, i32[cache + UC_ALLOCBUCKET]);
  cacheExit();
  return swaps;
}

/** The same for a free. @returns false when both buckets are full, or there is none */
function bucketPush(zw: number, item: number): boolean {
  cacheEnter();
  const cache = cacheOf(zw);
  let bw = i32[cache + UC_FREEBUCKET] >>> 2;
  // buckets differ in size: the one that comes by the swap may be full as well
  while (bw === 0 || i32[bw + UB_CNT] === i32[bw + UB_ENTRIES]) {
    if (!swapWorth(cache)) {
      cacheExit();
      return false;
    }
    setBuckets(cache, bw << 2, i32[cache + UC_ALLOCBUCKET]);
    bw = i32[cache + UC_FREEBUCKET] >>> 2;
  }
  const cnt = i32[bw + UB_CNT];
  if (INVARIANTS && i32[bw + UB_BUCKET + cnt] !== 0) panic(P_NONFREE_INDEX, bw << 2, cnt);
  i32[bw + UB_BUCKET + cnt] = item;
  i32[bw + UB_CNT] = cnt + 1;
  cacheExit();
  return true;
}

/** The free bucket is full: has the alloc bucket less, so that frees may go on there? */
function swapWorth(cache: number): boolean {
  const alloc = i32[cache + UC_ALLOCBUCKET] >>> 2;
  const free = i32[cache + UC_FREEBUCKET] >>> 2;
  return alloc !== 0 && free !== 0 && i32[alloc + UB_CNT] < i32[free + UB_CNT];
}

function hasItems(bucket: number): boolean {
  return bucketCnt(bucket) > 0;
}

/** Steps 3 and 4 of an allocation. @returns true: look at the buckets again; false: there is no bucket with items */
function refill(zw: number, flags: number): boolean {
  const stale = R14 ? cacheOf(zw) : 0;
  const lock = i32[zw + UZ_LOCK];
  zoneLock(lock);
  // I1: the CPU may be another, and its buckets other ones
  const cache = R14 ? stale : cacheOf(zw);
  if (!R14 && (hasItems(i32[cache + UC_ALLOCBUCKET]) || hasItems(i32[cache + UC_FREEBUCKET]))) {
    zoneUnlock(lock);
    return true;
  }
  fold(zw, cache);
  const empty = i32[cache + UC_ALLOCBUCKET];
  if (empty !== 0) {
    if (INVARIANTS && i32[(empty >>> 2) + UB_CNT] !== 0) panic(P_FREEING_NONFREE, empty);
    insert(zw + UZ_FREE_BUCKET, empty);
    setBuckets(cache, 0, i32[cache + UC_FREEBUCKET]);
  }
  const full = i32[zw + UZ_FULL_BUCKET];
  if (full !== 0) {
    if (INVARIANTS && i32[(full >>> 2) + UB_CNT] === 0) panic(P_RETURNING_EMPTY, full);
    i32[zw + UZ_FULL_BUCKET] = i32[(full >>> 2) + UB_LINK];
    setBuckets(cache, full, i32[cache + UC_FREEBUCKET]);
    zoneUnlock(lock);
    return true;
  }
  if (i32[zw + UZ_COUNT] < BUCKET_MAX) i32[zw + UZ_COUNT]++;
  const filled = zallocBucket(zw, flags);
  zoneUnlock(lock);
  return filled;
}

/** Steps 3 and 4 of a free. @returns true: look at the buckets again */
function drainFull(zw: number): boolean {
  const lock = i32[zw + UZ_LOCK];
  zoneLock(lock);
  const cache = cacheOf(zw);
  const free = i32[cache + UC_FREEBUCKET];
  if ((free !== 0 && i32[(free >>> 2) + UB_CNT] < i32[(free >>> 2) + UB_ENTRIES]) || swapWorth(cache)) {
    zoneUnlock(lock);
    return true;
  }
  fold(zw, cache);
  setBuckets(cache, i32[cache + UC_ALLOCBUCKET], 0);
  if (free !== 0) {
    if (INVARIANTS && i32[(free >>> 2) + UB_CNT] === 0) panic(P_INSERT_EMPTY, free);
    insert(zw + UZ_FULL_BUCKET, free);
  }
  const empty = i32[zw + UZ_FREE_BUCKET];
  if (empty !== 0) {
    i32[zw + UZ_FREE_BUCKET] = i32[(empty >>> 2) + UB_LINK];
    setBuckets(cache, i32[cache + UC_ALLOCBUCKET], empty);
    zoneUnlock(lock);
    return true;
  }
  const wanted = i32[zw + UZ_COUNT];
  if (!CROSSDOMAIN || wanted === 0) zoneUnlock(lock);
  if (wanted === 0) return false;
  const bucket = bucketAlloc(wanted, M_NOWAIT | cacheOnly(zw));
  if (CROSSDOMAIN && bucket === 0) zoneUnlock(lock);
  if (bucket === 0) return false;
  if (!CROSSDOMAIN) zoneLock(lock);
  insert(zw + UZ_FREE_BUCKET, bucket);
  zoneUnlock(lock);
  return true;
}

/**
 * uma_zalloc_bucket: fills a bucket from slabs and puts it on uz_full_bucket. Zone locked, before and after.
 * @returns whether there is one now
 */
function zallocBucket(zw: number, flags: number): boolean {
  const lock = i32[zw + UZ_LOCK];
  let bucket = i32[zw + UZ_FREE_BUCKET];
  if (bucket !== 0) {
    if (INVARIANTS && i32[(bucket >>> 2) + UB_CNT] !== 0) panic(P_FREE_LIST_NOT_EMPTY, bucket);
    i32[zw + UZ_FREE_BUCKET] = i32[(bucket >>> 2) + UB_LINK];
  } else {
    const wanted = i32[zw + UZ_COUNT];
    if (!CROSSDOMAIN) zoneUnlock(lock);
    bucket = bucketAlloc(wanted, (flags & ~M_ZERO) | cacheOnly(zw));
    if (!CROSSDOMAIN) zoneLock(lock);
  }
  if (bucket === 0) return false;
  // I3, looked at after the bucket was made, as it was: the bucket goes back (R15)
  if (R15 || i32[zw + UZ_FILLS] < NCPU) {
    i32[zw + UZ_FILLS]++;
    fill(zw, bucket >>> 2, flags);
    initItems(zw, bucket >>> 2, flags);
    i32[zw + UZ_FILLS]--;
    if (i32[(bucket >>> 2) + UB_CNT] > 0) {
      insert(zw + UZ_FULL_BUCKET, bucket);
      return true;
    }
  }
  bucketFree(bucket);
  return false;
}

function fill(zw: number, bw: number, flags: number): void {
  const kw = i32[zw + UZ_KEG] >>> 2;
  const max = Math.min(i32[bw + UB_ENTRIES], i32[zw + UZ_COUNT]);
  for (let wait = flags; i32[bw + UB_CNT] < max; ) {
    const slab = kegSlab(zw, wait);
    if (slab === 0) return;
    for (let left = i32[(slab >>> 2) + US_FREECOUNT]; left > 0 && i32[bw + UB_CNT] < max; left--) {
      i32[bw + UB_BUCKET + i32[bw + UB_CNT]] = slabAlloc(kw, slab);
      i32[bw + UB_CNT]++;
    }
    // what is there is enough: nobody sleeps for a second slab
    wait |= M_NOWAIT;
  }
}

/** The zone's init on what the bucket got; from the first refusal on, the items go back. Lock dropped meanwhile. */
function initItems(zw: number, bw: number, flags: number): void {
  const init = i32[zw + UZ_INIT];
  if (init === 0) return;
  const lock = i32[zw + UZ_LOCK];
  const size = i32[(i32[zw + UZ_KEG] >>> 2) + UK_SIZE];
  zoneUnlock(lock);
  const cnt = i32[bw + UB_CNT];
  let good = 0;
  while (good < cnt && umaInit(init, i32[bw + UB_BUCKET + good], size, flags) === 0) good++;
  for (let n = good; n < cnt; n++) {
    umaZfreeInternal(zw << 2, i32[bw + UB_BUCKET + n], 0, SKIP_FINI, 0);
    i32[bw + UB_BUCKET + n] = 0;
  }
  i32[bw + UB_CNT] = good;
  zoneLock(lock);
}

/** The CPU's buckets become these. What the old ones have seen is counted first. Critical section. */
export function setBuckets(cache: number, alloc: number, free: number): void {
  const oldAlloc = i32[cache + UC_ALLOCBUCKET];
  const oldFree = i32[cache + UC_FREEBUCKET];
  f64[(cache + UC_ALLOCS) >>> 1] += i32[cache + UC_ALLOCMARK] - bucketCnt(oldAlloc);
  f64[(cache + UC_FREES) >>> 1] += bucketCnt(oldFree) - i32[cache + UC_FREEMARK];
  i32[cache + UC_ALLOCBUCKET] = alloc;
  i32[cache + UC_FREEBUCKET] = free;
  i32[cache + UC_ALLOCMARK] = bucketCnt(alloc);
  i32[cache + UC_FREEMARK] = bucketCnt(free);
}

/** @returns items in the bucket, 0 for none at all */
export function bucketCnt(bucket: number): number {
  return bucket === 0 ? 0 : i32[(bucket >>> 2) + UB_CNT];
}

/** I4 */
export function fold(zw: number, cache: number): void {
  setBuckets(cache, i32[cache + UC_ALLOCBUCKET], i32[cache + UC_FREEBUCKET]);
  i64[(zw + UZ_ALLOCS) >>> 1] += BigInt(f64[(cache + UC_ALLOCS) >>> 1]);
  i64[(zw + UZ_FREES) >>> 1] += BigInt(f64[(cache + UC_FREES) >>> 1]);
  f64[(cache + UC_ALLOCS) >>> 1] = 0;
  f64[(cache + UC_FREES) >>> 1] = 0;
}

function insert(head: number, bucket: number): void {
  i32[(bucket >>> 2) + UB_LINK] = i32[head];
  i32[head] = bucket;
}

function cacheOnly(zw: number): number {
  return (i32[(i32[zw + UZ_KEG] >>> 2) + UK_FLAGS] & UMA_ZFLAG_CACHEONLY) !== 0 ? M_NOVM : 0;
}

/** Step 0 of a request that may sleep: not in an interrupt, and under debug.nosleepwithlocks not at all (R29). */
function mayReallyWait(zw: number, flags: number): number {
  if (INVARIANTS && i32[mycpu() + GD_NESTING] !== 0) panic(P_WAITOK_INTR, zw << 2);
  if (!NOSLEEPWITHLOCKS) return flags;
  kprintf(MSG_FORCING_NOWAIT, 0, 0, 0, 0, zw + UZ_NAME);
  return (flags & ~M_WAITOK) | M_NOWAIT;
}
