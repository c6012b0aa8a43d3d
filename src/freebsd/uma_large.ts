/**
 * uma_large.ts — blocks past the zones: whole pages, and a slab header that says how many (FreeBSD sys/vm/uma_core.c
 * uma_large_malloc, uma_large_free).
 *
 * Only the first page knows its slab. us_keg is not set, and what was there before is some keg's: whether a block is
 * large is asked of UMA_SLAB_MALLOC alone.
 */
import { i32, i64 } from '../hw/heap.js';
import { M_ZERO } from './malloc.js';
import {
  SKIP_NONE, UMA_SLAB_KMEM, UMA_SLAB_MALLOC, UMA_SLAB_OFFP, ZFREE_STATFAIL, ZFREE_STATFREE,
} from './uma.js';
import { UMA_SLABZONE, US_DATA, US_FLAGS, US_SIZE, US_SIZE64 } from './uma_int.layout.js';
import { UMA, vsetobj, vsetslab } from './uma_int.js';
import { umaZallocInternal, umaZfreeInternal } from './uma_item.js';
import { kmemMalloc, pageFree } from './vm_kern.js';

/** @param bytes whole pages @returns address of the block, 0 without memory */
export function umaLargeMalloc(bytes: number, flags: number): number {
  const slab = umaZallocInternal(i32[UMA + UMA_SLABZONE], 0, flags & ~M_ZERO);
  if (slab === 0) return 0;
  const mem = kmemMalloc(bytes, flags);
  if (mem === 0) {
    umaZfreeInternal(i32[UMA + UMA_SLABZONE], slab, 0, SKIP_NONE, ZFREE_STATFAIL | ZFREE_STATFREE);
    return 0;
  }
  vsetslab(mem, slab, 0);
  i32[(slab >>> 2) + US_DATA] = mem;
  i32[(slab >>> 2) + US_FLAGS] = UMA_SLAB_KMEM | UMA_SLAB_OFFP | UMA_SLAB_MALLOC;
  i32[(slab >>> 2) + US_SIZE] = bytes;
  i64[((slab >>> 2) + US_SIZE64) >>> 1] = BigInt(bytes);
  return mem;
}

/** @param slab header of the block */
export function umaLargeFree(slab: number): void {
  const sw = slab >>> 2;
  vsetobj(i32[sw + US_DATA]);
  pageFree(i32[sw + US_DATA], i32[sw + US_SIZE], i32[sw + US_FLAGS]);
  umaZfreeInternal(i32[UMA + UMA_SLABZONE], slab, 0, SKIP_NONE, ZFREE_STATFREE);
}
