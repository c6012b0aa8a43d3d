/**
 * walk_uma.ts — UMA's structures from outside: kegs, their zones and slabs, buckets, and which items are where.
 *
 * Two indices for the way back from an address: malloc's slabs by their page (PG_SLAB, PG_OBJECT), all others by the
 * lists of their keg.
 */
import { PAGE_SHIFT, PAGE_SIZE } from '../base/param.js';
import { ALLOC_FREEBSD } from '../base/policy.js';
import { UMA_SLAB_MALLOC, UMA_ZONE_REFCNT } from '../freebsd/uma.js';
import * as U from '../freebsd/uma_int.layout.js';
import { SB_ALLOC, SB_FIRST_PAGE, SB_NPAGES, SB_PGA, SB_UMA } from '../hw/superblock.layout.js';
import { PG_FLAGS, PG_OBJECT, PG_SLAB, PG_WORDS } from '../vm/vm_page.layout.js';
import type { Memory } from './memory.js';
import { chain, peek, readable } from './peek.js';

const KEG_BYTES = U.UK_WORDS * 4;
const SLAB_BYTES = U.US_FREELIST * 4;
const BUCKET_BYTES = U.UB_BUCKET * 4;
/** more than any bucket has, and than any slab has items */
const MOST_ITEMS = 1024;

export interface Bucket {
  readonly address: number;
  /** -1: a list of the zone */
  readonly cpu: number;
  /** which place it has: 'alloc', 'free', 'full' */
  readonly place: 'alloc' | 'free' | 'full';
  readonly items: readonly number[];
}

export interface Slabs {
  readonly part: readonly number[];
  readonly free: readonly number[];
  readonly full: readonly number[];
}

export function isFreebsd(memory: Memory): boolean {
  return memory.sb(SB_ALLOC) === ALLOC_FREEBSD;
}

/** uma_kegs, in its order. */
export function umaKegs(memory: Memory): number[] {
  if (!isFreebsd(memory)) return [];
  return chain(memory, memory.i32[(memory.sb(SB_UMA) >>> 2) + U.UMA_KEGS]!, U.UK_LINK, KEG_BYTES);
}

/** Zones of a keg, the primary one first. */
export function kegZones(memory: Memory, keg: number): number[] {
  return chain(memory, peek(memory, keg, U.UK_ZONES), U.UZ_LINK, U.umaZoneBytes(memory.ncpu));
}

export function kegSlabs(memory: Memory, keg: number): Slabs {
  const list = (head: number) => chain(memory, peek(memory, keg, head), U.US_NEXT, SLAB_BYTES);
  return { part: list(U.UK_PART_SLAB), free: list(U.UK_FREE_SLAB), full: list(U.UK_FULL_SLAB) };
}

export function allSlabs({ part, free, full }: Slabs): number[] {
  return [...part, ...full, ...free];
}

/** Items of a keg's slab, allocated or not. */
export function slabItems(memory: Memory, keg: number, slab: number): number[] {
  const count = Math.min(MOST_ITEMS, Math.max(0, peek(memory, keg, U.UK_IPERS)));
  const data = peek(memory, slab, U.US_DATA);
  const rsize = peek(memory, keg, U.UK_RSIZE);
  return Array.from({ length: count }, (_, n) => data + n * rsize);
}

/** Indices on a slab's free list, in its order. */
export function slabFreeIndices(memory: Memory, keg: number, slab: number): number[] {
  const words = (peek(memory, keg, U.UK_FLAGS) & UMA_ZONE_REFCNT) !== 0;
  const ipers = peek(memory, keg, U.UK_IPERS);
  const seen = new Set<number>();
  let index = peek(memory, slab, U.US_FIRSTFREE);
  while (seen.size < peek(memory, slab, U.US_FREECOUNT) && index >= 0 && index < ipers && !seen.has(index)) {
    seen.add(index);
    index = words
      ? peek(memory, slab, U.US_FREELIST + index * U.US_REFCNT_WORDS)
      : (memory.u8[slab + U.US_FREELIST * 4 + index] ?? -1);
  }
  return [...seen];
}

export function bucketItems(memory: Memory, bucket: number): number[] {
  const count = Math.min(MOST_ITEMS, Math.max(0, peek(memory, bucket, U.UB_CNT)));
  if (!readable(memory, bucket, BUCKET_BYTES + count * 4)) return [];
  return Array.from({ length: count }, (_, n) => peek(memory, bucket, U.UB_BUCKET + n));
}

/** Every bucket a zone has, those of its CPUs first. */
export function zoneBuckets(memory: Memory, zone: number): Bucket[] {
  const found: Bucket[] = [];
  const add = (address: number, cpu: number, place: Bucket['place']) => {
    if (readable(memory, address, BUCKET_BYTES)) {
      found.push({ address, cpu, place, items: bucketItems(memory, address) });
    }
  };
  for (let cpu = 0; cpu < memory.ncpu; cpu++) {
    const cache = U.UZ_CPU + cpu * U.UC_WORDS;
    add(peek(memory, zone, cache + U.UC_ALLOCBUCKET), cpu, 'alloc');
    add(peek(memory, zone, cache + U.UC_FREEBUCKET), cpu, 'free');
  }
  for (const [head, place] of [[U.UZ_FULL_BUCKET, 'full'], [U.UZ_FREE_BUCKET, 'free']] as const) {
    for (const address of chain(memory, peek(memory, zone, head), U.UB_LINK, BUCKET_BYTES)) add(address, -1, place);
  }
  return found;
}

/** vtoslab: header of the slab of malloc's that an address lies in, 0 without one. */
export function vtoslab(memory: Memory, address: number): number {
  const page = address >>> PAGE_SHIFT;
  if (page < memory.sb(SB_FIRST_PAGE) || page >= memory.sb(SB_NPAGES)) return 0;
  const at = (memory.sb(SB_PGA) >>> 2) + page * PG_WORDS;
  if ((memory.i32[at + PG_FLAGS]! & PG_SLAB) === 0) return 0;
  const slab = memory.i32[at + PG_OBJECT]!;
  return readable(memory, slab, SLAB_BYTES) ? slab : 0;
}

/** A block beyond the zones: its header has a size where others have a list. */
export function isLarge(memory: Memory, slab: number): boolean {
  return (peek(memory, slab, U.US_FLAGS) & UMA_SLAB_MALLOC) !== 0;
}

/** Is there a keg at this address? Asked of what a slab header says. */
export function isKeg(memory: Memory, keg: number): boolean {
  return readable(memory, keg, KEG_BYTES) && umaKegs(memory).includes(keg);
}

export interface Found {
  readonly keg: number;
  readonly slab: number;
  /** first byte of the item, and which it is; -1: between header and items */
  readonly item: number;
  readonly index: number;
}

/** The slab an address lies in, by its page, else by the lists of all kegs. */
export function findSlab(memory: Memory, address: number): Found | null {
  if (!isFreebsd(memory)) return null;
  const slab = vtoslab(memory, address);
  if (slab !== 0 && !isLarge(memory, slab)) return placed(memory, peek(memory, slab, U.US_KEG), slab, address);
  if (slab !== 0) return { keg: 0, slab, item: peek(memory, slab, U.US_DATA), index: 0 };
  for (const keg of umaKegs(memory)) {
    const bytes = Math.max(1, peek(memory, keg, U.UK_PPERA)) * PAGE_SIZE;
    for (const one of allSlabs(kegSlabs(memory, keg))) {
      const data = peek(memory, one, U.US_DATA);
      if (address >= data && address < (data & -PAGE_SIZE) + bytes) return placed(memory, keg, one, address);
    }
  }
  return null;
}

function placed(memory: Memory, keg: number, slab: number, address: number): Found {
  const data = peek(memory, slab, U.US_DATA);
  const rsize = peek(memory, keg, U.UK_RSIZE);
  const index = rsize > 0 ? Math.floor((address - data) / rsize) : -1;
  const inside = index >= 0 && index < peek(memory, keg, U.UK_IPERS);
  return { keg, slab, item: inside ? data + index * rsize : 0, index: inside ? index : -1 };
}
