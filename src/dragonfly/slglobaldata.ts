/** slglobaldata.ts — a CPU's slab data, its lists of zones, and the constants of this machine's slabs. */
import { FREE_LOCKED, FREE_RBATCH, FREE_RTAGGED } from '../base/policy.js';
import { curcpu } from '../hw/curcpu.js';
import { f64, i32 } from '../hw/heap.js';
import { SB_FREE, SB_SLGD, SB_ZONE_SIZE } from '../hw/superblock.layout.js';
import { FREEBSD } from '../kern/alloc.js';
import { ZALLOC_ZONE_LIMIT } from './malloc.js';
import {
  SL_WORDS, SL_ZONEARY, SL_ZONETAIL, Z_LISTED, Z_NEXT, Z_NMAX, Z_NSPAN, Z_PREV, Z_ZONEINDEX,
} from './slaballoc.layout.js';

export const FREE = i32[SB_FREE];
export const ZONE_SIZE = i32[SB_ZONE_SIZE];
export const ZONE_MASK = ~(ZONE_SIZE - 1);
/** zone number times 256, modulo 16 places: see zoneOf */
const COLOUR_SHIFT = 31 - Math.clz32(ZONE_SIZE) - 8;
const COLOUR_MASK = 0xf00;
/** sizes from here on are oversized */
export const ZONE_LIMIT = Math.min(ZONE_SIZE / 4, ZALLOC_ZONE_LIMIT);

const SLGD = i32[SB_SLGD] >>> 2;
/** this machine runs the slab allocator */
export const SLAB = !FREEBSD;

/** Word index of this CPU's SLGlobalData. */
export function myslgd(): number {
  return SLGD + curcpu * SL_WORDS;
}

export function slgdFind(cpu: number): number {
  return SLGD + cpu * SL_WORDS;
}

/**
 * Address of the header of the zone that a chunk lies in, whoever's. Zones are aligned to their size, so headers at
 * their first bytes would all fall into one set of the caches and throw each other out (larson on one CPU: 34 ns
 * instead of 19); they stand at one of 16 places.
 */
export function zoneOf(chunk: number): number {
  const base = chunk & ZONE_MASK;
  return base + ((base >>> COLOUR_SHIFT) & COLOUR_MASK);
}

/** Counts an event of the CPU whose SLGlobalData is `sl`. @param counter SLC_* */
export function slCount(sl: number, counter: number, delta: number): void {
  f64[(sl + counter) >>> 1] += delta;
}

// ---- ZoneAry: per class a doubly linked list; chunks are taken from its head

export function zoneInsertHead(sl: number, z: number): void {
  const zw = z >>> 2;
  const head = sl + SL_ZONEARY + i32[zw + Z_ZONEINDEX];
  const next = i32[head];
  i32[zw + Z_NEXT] = next;
  i32[zw + Z_PREV] = 0;
  i32[zw + Z_LISTED] = 1;
  if (next !== 0) i32[(next >>> 2) + Z_PREV] = z;
  else i32[sl + SL_ZONETAIL + i32[zw + Z_ZONEINDEX]] = z;
  i32[head] = z;
  setSpan(z);
}

function zoneInsertTail(sl: number, z: number): void {
  const zw = z >>> 2;
  const tail = sl + SL_ZONETAIL + i32[zw + Z_ZONEINDEX];
  const prev = i32[tail];
  i32[zw + Z_NEXT] = 0;
  i32[zw + Z_PREV] = prev;
  i32[zw + Z_LISTED] = 1;
  if (prev !== 0) i32[(prev >>> 2) + Z_NEXT] = z;
  else i32[sl + SL_ZONEARY + i32[zw + Z_ZONEINDEX]] = z;
  i32[tail] = z;
  i32[zw + Z_NSPAN] = i32[zw + Z_NMAX] - 2;
  setSpan(i32[sl + SL_ZONEARY + i32[zw + Z_ZONEINDEX]]);
}

/**
 * A zone that ran out has chunks again. The kernel put it at the head, where its one chunk is taken next and the
 * zone goes back and forth; at the tail it gathers more before it is used (docs/design/remote-free.md). The historic
 * policies keep to history.
 */
export function zoneRelist(sl: number, z: number): void {
  if (FREE === FREE_RTAGGED || FREE === FREE_RBATCH || FREE === FREE_LOCKED) zoneInsertTail(sl, z);
  else zoneInsertHead(sl, z);
}

export function zoneRemove(sl: number, z: number): void {
  const zw = z >>> 2;
  const zi = i32[zw + Z_ZONEINDEX];
  const next = i32[zw + Z_NEXT];
  const prev = i32[zw + Z_PREV];
  if (next !== 0) i32[(next >>> 2) + Z_PREV] = prev;
  else i32[sl + SL_ZONETAIL + zi] = prev;
  if (prev !== 0) i32[(prev >>> 2) + Z_NEXT] = next;
  else i32[sl + SL_ZONEARY + zi] = next;
  i32[zw + Z_LISTED] = 0;
  setSpan(i32[sl + SL_ZONEARY + zi]);
}

/**
 * After a change of a class's list: its only zone may be whole without anybody looking, two or more may not.
 * @param head first zone of the list, or 0
 */
function setSpan(head: number): void {
  if (head === 0) return;
  const hw = head >>> 2;
  const second = i32[hw + Z_NEXT];
  i32[hw + Z_NSPAN] = i32[hw + Z_NMAX] - (second === 0 ? 0 : 2);
  if (second !== 0) i32[(second >>> 2) + Z_NSPAN] = i32[(second >>> 2) + Z_NMAX] - 2;
}
