/**
 * uma_hash.ts — from an item to its slab where no page says it: a hash of slab addresses (FreeBSD sys/vm/uma_core.c:
 * hash_alloc, hash_expand, hash_free; uma_int.h UMA_HASH_INSERT, hash_sfind).
 *
 *   uh_slab_hash[(address >> UMA_SLAB_SHIFT) & mask] ──► header ──us_hlink──► header ──► 0
 *
 * The table belongs to uk_lock. It grows by its double when there are more slabs than chains: the new one is made with
 * the lock dropped, and every slab is put into it under the lock, so that none is missed (R21).
 * Differs  a table larger than the first takes whole pages, not malloc(9), which stands above.
 */
import { roundUp } from '../base/bits.js';
import { D_R21 } from '../base/defects.js';
import { PAGE_SIZE } from '../base/param.js';
import { defect } from '../hw/defect.js';
import { i32 } from '../hw/heap.js';
import { bzero } from '../hw/mem.js';
import { M_NOWAIT, M_WAITOK } from './malloc.js';
import { SKIP_NONE, UMA_HASH_SIZE_INIT, UMA_SLAB_SHIFT, ZFREE_STATFREE } from './uma.js';
import {
  UH_HASHSIZE, UH_SLAB_HASH, UK_LOCK, UK_PAGES, UK_PPERA, UMA_HASHZONE, US_DATA, US_HLINK,
} from './uma_int.layout.js';
import { UMA, zoneLock, zoneUnlock } from './uma_int.js';
import { umaZallocInternal, umaZfreeInternal } from './uma_item.js';
import { kmemFree, kmemMalloc } from './vm_kern.js';

declare const DEFECTS: boolean;

const R21 = DEFECTS && defect(D_R21);

/** The first table of a keg that nobody knows yet. */
export function hashInit(kw: number): void {
  const table = umaZallocInternal(i32[UMA + UMA_HASHZONE], 0, M_WAITOK);
  bzero(table, UMA_HASH_SIZE_INIT * 4);
  i32[kw + UH_SLAB_HASH] = table;
  i32[kw + UH_HASHSIZE] = UMA_HASH_SIZE_INIT;
}

/** uk_lock held, for these three. */
export function hashInsert(kw: number, slab: number): void {
  tableInsert(i32[kw + UH_SLAB_HASH], i32[kw + UH_HASHSIZE], slab);
}

export function hashRemove(kw: number, slab: number): void {
  let at = chainOf(i32[kw + UH_SLAB_HASH], i32[kw + UH_HASHSIZE], i32[(slab >>> 2) + US_DATA]);
  while (i32[at] !== slab) at = (i32[at] >>> 2) + US_HLINK;
  i32[at] = i32[(slab >>> 2) + US_HLINK];
}

/** @returns header of the slab an item lies in, 0 when the keg has none there */
export function hashFind(kw: number, item: number): number {
  const page = item & -(1 << UMA_SLAB_SHIFT);
  let slab = i32[chainOf(i32[kw + UH_SLAB_HASH], i32[kw + UH_HASHSIZE], page)];
  while (slab !== 0 && i32[(slab >>> 2) + US_DATA] !== page) slab = i32[(slab >>> 2) + US_HLINK];
  return slab;
}

function tableInsert(table: number, size: number, slab: number): void {
  const chain = chainOf(table, size, i32[(slab >>> 2) + US_DATA]);
  i32[(slab >>> 2) + US_HLINK] = i32[chain];
  i32[chain] = slab;
}

function chainOf(table: number, size: number, address: number): number {
  return (table >>> 2) + ((address >>> UMA_SLAB_SHIFT) & (size - 1));
}

/** The hash half of zone_timeout: doubles a table that has more slabs than chains. uk_lock not held. */
export function hashTimeout(kw: number): void {
  zoneLock(kw + UK_LOCK);
  const size = i32[kw + UH_HASHSIZE];
  const wanted = size !== 0 && i32[kw + UK_PAGES] / i32[kw + UK_PPERA] >= size;
  zoneUnlock(kw + UK_LOCK);
  if (!wanted) return;
  const larger = kmemMalloc(roundUp(size * 8, PAGE_SIZE), M_NOWAIT);
  if (larger === 0) return;
  bzero(larger, size * 8);
  if (!R21) zoneLock(kw + UK_LOCK);
  // another CPU's timeout may have been quicker
  const mine = i32[kw + UH_HASHSIZE] === size;
  const old = mine ? hashExpand(kw, larger, size * 2) : larger;
  if (!R21) zoneUnlock(kw + UK_LOCK);
  hashFree(old, mine ? size : size * 2);
}

/** Gives a table back that no keg has any more. */
export function hashFree(table: number, size: number): void {
  if (size === UMA_HASH_SIZE_INIT) {
    umaZfreeInternal(i32[UMA + UMA_HASHZONE], table, 0, SKIP_NONE, ZFREE_STATFREE);
  } else kmemFree(table, roundUp(size * 4, PAGE_SIZE));
}

/** Moves every slab into the larger table. @returns the old one */
function hashExpand(kw: number, larger: number, size: number): number {
  const old = i32[kw + UH_SLAB_HASH];
  const chains = i32[kw + UH_HASHSIZE];
  for (let n = 0; n < chains; n++) {
    let slab = i32[(old >>> 2) + n];
    while (slab !== 0) {
      const next = i32[(slab >>> 2) + US_HLINK];
      tableInsert(larger, size, slab);
      slab = next;
    }
  }
  i32[kw + UH_SLAB_HASH] = larger;
  i32[kw + UH_HASHSIZE] = size;
  return old;
}
