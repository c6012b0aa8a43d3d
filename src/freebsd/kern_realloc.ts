/** kern_realloc.ts — blocks that change size (FreeBSD kern_malloc.c realloc, reallocf; libkern/strdup.c). */
import { P_BAD_REALLOC_TYPE, P_REALLOC_RANGE } from '../base/panics_freebsd.js';
import { i32, u8 } from '../hw/heap.js';
import { bcopy } from '../hw/mem.js';
import { KS_MAGIC, M_MAGIC } from '../kern/malloc_type.layout.js';
import { panic } from '../kern/panic.js';
import { free, malloc } from './kern_malloc.js';
import { MINALLOCSIZE, REALLOC_FRACTION } from './malloc.js';
import { UMA_SLAB_MALLOC } from './uma.js';
import { UK_SIZE, US_FLAGS, US_KEG, US_SIZE } from './uma_int.layout.js';
import { vtoslab } from './uma_int.js';

/** Bytes a caller may use of a block. @throws panic realloc: address out of range */
export function mallocUsable(addr: number): number {
  const slab = vtoslab(addr);
  if (slab === 0) panic(P_REALLOC_RANGE, addr);
  // not us_keg: a large block's header does not set it, and has the one of whoever had the header before
  if ((i32[(slab >>> 2) + US_FLAGS] & UMA_SLAB_MALLOC) !== 0) return i32[(slab >>> 2) + US_SIZE];
  return i32[(i32[(slab >>> 2) + US_KEG] >>> 2) + UK_SIZE];
}

/**
 * Changes a block's size; it stays where it is while more than half of it is wanted.
 * @param addr a block, or 0 for a new one
 * @returns the block; 0 without memory: the old one is unchanged
 */
export function realloc(addr: number, size: number, type: number, flags: number): number {
  if (addr === 0) return malloc(size, type, flags);
  if (i32[(type >>> 2) + KS_MAGIC] !== M_MAGIC) panic(P_BAD_REALLOC_TYPE, type);
  const alloc = mallocUsable(addr);
  if (size <= alloc && (size > alloc >> REALLOC_FRACTION || alloc === MINALLOCSIZE)) return addr;
  const moved = malloc(size, type, flags);
  if (moved === 0) return 0;
  bcopy(addr, moved, Math.min((size + 3) & ~3, alloc));
  free(addr, type);
  return moved;
}

/** realloc, and without memory the old block is freed too. */
export function reallocf(addr: number, size: number, type: number, flags: number): number {
  const moved = realloc(addr, size, type, flags);
  if (moved === 0 && addr !== 0) free(addr, type);
  return moved;
}

/** strdup: a copy of a string of ASCII characters, with a 0 behind it. @returns its address or 0 */
export function strdup(text: string, type: number, flags: number): number {
  const copy = malloc(text.length + 1, type, flags);
  if (copy === 0) return 0;
  for (let n = 0; n < text.length; n++) u8[copy + n] = text.charCodeAt(n);
  u8[copy + text.length] = 0;
  return copy;
}
