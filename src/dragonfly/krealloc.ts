/**
 * krealloc.ts — blocks that change size, strings, types that come and go.
 *
 * Follows  DragonFly sys/kern/kern_slaballoc.c krealloc, kstrdup, kmalloc_raise_limit, malloc_uninit.
 */
import { D_R52 } from '../base/defects.js';
import { A_REALLOC_ZERO, P_UNINIT_TYPE } from '../base/panics.js';
import { defect } from '../hw/defect.js';
import { i32, u8 } from '../hw/heap.js';
import { bcopy } from '../hw/mem.js';
import { lwktSynchronizeIpiqs } from '../kern/lwkt_ipiq.js';
import { mallocTypeMemuse } from '../kern/malloc_stats.js';
import { mallocTypeDestroy } from '../kern/malloc_type.js';
import { KS_LIMIT, KS_MAGIC, M_MAGIC } from '../kern/malloc_type.layout.js';
import { kassert, panic } from '../kern/panic.js';
import { btokup, KVA_BYTES } from '../vm/kmemusage.js';
import { roundPage } from './kmem_slab.js';
import { kmalloc } from './kern_slaballoc.js';
import { kfree, ownerZone } from './kern_slabfree.js';
import { M_ZERO, ZERO_LENGTH_PTR } from './malloc.js';
import { Z_CHUNKSIZE } from './slaballoc.layout.js';
import { ZONE_LIMIT } from './slglobaldata.js';
import { zoneChunkSize } from './zoneindex.js';

declare const DEFECTS: boolean;

const R52 = DEFECTS && defect(D_R52);

/**
 * Changes a block's size, in place when its class stays the same.
 * @param ptr a block, or 0 for a new one
 * @param size bytes wanted; 0 frees the block
 * @returns the block's address; 0 when size is 0, or when there is no memory: then the old block is unchanged
 */
export function krealloc(ptr: number, size: number, type: number, flags: number): number {
  if ((flags & M_ZERO) !== 0) kassert(A_REALLOC_ZERO, ptr);
  if (ptr === 0 || ptr === ZERO_LENGTH_PTR) return kmalloc(size, type, flags);
  if (size === 0) {
    kfree(ptr, type);
    return 0;
  }
  const old = kmallocUsable(ptr);
  if (sameBlock(ptr, old, size)) return ptr;
  const moved = kmalloc(size, type, flags);
  if (moved === 0) return 0;
  bcopy(ptr, moved, Math.min(old, (size + 7) & ~7));
  kfree(ptr, type);
  return moved;
}

/** @returns bytes a caller may use of a block: its chunk size, or whole pages */
export function kmallocUsable(ptr: number): number {
  const z = ownerZone(ptr);
  return z === 0 ? i32[btokup(ptr)] << 12 : i32[(z >>> 2) + Z_CHUNKSIZE];
}

function sameBlock(ptr: number, old: number, size: number): boolean {
  if (i32[btokup(ptr)] > 0) return roundPage(size) === old;
  return size < ZONE_LIMIT && ((size & 4095) !== 0 || size <= 8192) && zoneChunkSize(size) === old;
}

/** Copies a string of ASCII characters into new memory, with a 0 behind it. @returns its address or 0 */
export function kstrdup(text: string, type: number, flags: number): number {
  const ptr = kmalloc(text.length + 1, type, flags);
  if (ptr === 0) return 0;
  for (let n = 0; n < text.length; n++) u8[ptr + n] = text.charCodeAt(n);
  u8[ptr + text.length] = 0;
  return ptr;
}

/** Raises a type's limit; it is never lowered. @param bytes 0: the whole of memory */
export function kmallocRaiseLimit(type: number, bytes: number): void {
  const limit = (type >>> 2) + KS_LIMIT;
  const wanted = bytes === 0 ? KVA_BYTES : bytes;
  if (wanted > i32[limit] >>> 0) i32[limit] = wanted | 0;
}

/**
 * malloc_uninit: a type goes. Waits until all CPUs have executed the frees sent to them.
 * @returns bytes still allocated: not 0 is the leak the kernel prints as
 *   "malloc_uninit: %ld bytes of '%s' still allocated on cpu %d"
 */
export function mallocUninit(type: number): number {
  if (i32[(type >>> 2) + KS_MAGIC] !== M_MAGIC) panic(P_UNINIT_TYPE, type);
  if (!R52) lwktSynchronizeIpiqs();
  const leaked = mallocTypeMemuse(type);
  mallocTypeDestroy(type);
  return leaked;
}
