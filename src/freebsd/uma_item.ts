/**
 * uma_item.ts — one item straight from a slab, and straight back: what is left when there is no bucket
 * (FreeBSD sys/vm/uma_core.c: uma_zalloc_internal, uma_zfree_internal).
 *
 *   keg init ──► zone init ──► ( ctor ──► dtor )* ──► zone fini ──► keg fini
 *   slab made    item leaves    handed    comes        item goes      slab goes
 *                the slab       out       back         to the slab
 */
import { D_R16 } from '../base/defects.js';
import { load, store } from '../hw/atomics.js';
import { defect } from '../hw/defect.js';
import { i32, i64 } from '../hw/heap.js';
import { bzero } from '../hw/mem.js';
import { wakeup, wakeupOne } from '../kern/sleep.js';
import { M_ZERO } from './malloc.js';
import { SKIP_DTOR, SKIP_FINI, ZFREE_STATFAIL, ZFREE_STATFREE } from './uma.js';
import { umaCtor, umaDtor, umaFini, umaInit } from './uma_func.js';
import {
  UK_FULL, UK_MAXPAGES, UK_PAGES, UK_SIZE, UK_SLEEPERS, UZ_ALLOCS, UZ_CTOR, UZ_DTOR, UZ_FAILS, UZ_FINI, UZ_FREES,
  UZ_INIT, UZ_KEG, UZ_LOCK,
} from './uma_int.layout.js';
import { zoneLock, zoneUnlock } from './uma_int.js';
import { kegSlab, slabAlloc, slabFree, slabOf } from './uma_slab.js';

declare const DEFECTS: boolean;

const R16 = DEFECTS && defect(D_R16);

/**
 * @param zone its address
 * @param udata for the constructor
 * @returns an item, constructed; 0 when there is none, or one of its functions refused
 */
export function umaZallocInternal(zone: number, udata: number, flags: number): number {
  const zw = zone >>> 2;
  const kw = i32[zw + UZ_KEG] >>> 2;
  zoneLock(i32[zw + UZ_LOCK]);
  const slab = kegSlab(zw, flags);
  const item = slab === 0 ? 0 : slabAlloc(kw, slab);
  i64[(zw + (slab === 0 ? UZ_FAILS : UZ_ALLOCS)) >>> 1] += 1n;
  zoneUnlock(i32[zw + UZ_LOCK]);
  if (item === 0) return 0;
  if (umaInit(i32[zw + UZ_INIT], item, i32[kw + UK_SIZE], flags) !== 0) {
    umaZfreeInternal(zone, item, udata, SKIP_FINI, ZFREE_STATFAIL | ZFREE_STATFREE);
    return 0;
  }
  return construct(zone, item, udata, flags);
}

/** The last steps of an allocation: constructor, zeroes. @returns the item, 0 when its constructor refused */
export function construct(zone: number, item: number, udata: number, flags: number): number {
  const zw = zone >>> 2;
  const size = i32[(i32[zw + UZ_KEG] >>> 2) + UK_SIZE];
  if (i32[zw + UZ_CTOR] !== 0 && umaCtor(i32[zw + UZ_CTOR], item, size, udata, flags) !== 0) {
    umaZfreeInternal(zone, item, udata, SKIP_DTOR, ZFREE_STATFAIL | ZFREE_STATFREE);
    return 0;
  }
  if ((flags & M_ZERO) !== 0) bzero(item, (size + 3) & ~3);
  return item;
}

/**
 * @param udata for the destructor; of a malloc zone the slab header, 0 to look for it
 * @param skip SKIP_*
 * @param stats ZFREE_*
 */
export function umaZfreeInternal(zone: number, item: number, udata: number, skip: number, stats: number): void {
  const zw = zone >>> 2;
  const kw = i32[zw + UZ_KEG] >>> 2;
  const size = i32[kw + UK_SIZE];
  if (skip < SKIP_DTOR) umaDtor(i32[zw + UZ_DTOR], item, size, udata);
  if (skip < SKIP_FINI) umaFini(i32[zw + UZ_FINI], item, size);
  zoneLock(i32[zw + UZ_LOCK]);
  if ((stats & ZFREE_STATFAIL) !== 0) i64[(zw + UZ_FAILS) >>> 1] += 1n;
  if ((stats & ZFREE_STATFREE) !== 0) i64[(zw + UZ_FREES) >>> 1] += 1n;
  slabFree(kw, slabOf(kw, item, udata), item);
  const wake = roomAgain(kw);
  zoneUnlock(i32[zw + UZ_LOCK]);
  if (wake > 1) wakeup(kw << 2);
  else if (wake > 0) wakeupOne(kw << 2);
}

/**
 * A zone at its limit has an item or pages again: who is to be told? While it stays full, one sleeper for one item.
 * When it is full no longer, all of them: frees go to buckets from then on and wake nobody (R16). uk_lock held.
 * @returns how many of the sleepers, 2 for all
 */
export function roomAgain(kw: number): number {
  if (load(kw + UK_FULL) === 0) return 0;
  if (i32[kw + UK_PAGES] < i32[kw + UK_MAXPAGES] || i32[kw + UK_MAXPAGES] === 0) {
    store(kw + UK_FULL, 0);
    return i32[kw + UK_SLEEPERS] > 0 ? (R16 ? 1 : 2) : 0;
  }
  return i32[kw + UK_SLEEPERS] > 0 ? 1 : 0;
}

/** Pages went back or the limit rose: nobody else tells the sleepers. uk_lock held. @returns are they to be told? */
export function fullNoLonger(kw: number): boolean {
  return !R16 && roomAgain(kw) === 2;
}
