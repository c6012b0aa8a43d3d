/**
 * machdep.ts — malloc(9) as a machine uses it: what workload/allocator.ts chooses from.
 */
import { i32 } from '../hw/heap.js';
import { free } from './kern_malloc.js';
import { realloc } from './kern_realloc.js';
import { UK_SIZE, US_KEG } from './uma_int.layout.js';
import { vtoslab } from './uma_int.js';
import { umaOffline, umaReclaim } from './uma_drain.js';

export { free, malloc as kmalloc } from './kern_malloc.js';
export { mallocUsable as usable, strdup as kstrdup } from './kern_realloc.js';
export { kmeminit } from './kmeminit.js';
export { mallocTypeCreate, mallocUninit } from './malloc_init.js';

/** realloc, and size 0 frees the block. */
export function krealloc(addr: number, size: number, type: number, flags: number): number {
  if (addr === 0 || size !== 0) return realloc(addr, size, type, flags);
  free(addr, type);
  return 0;
}

/** malloc(9) has no limit a type. */
export function kmallocRaiseLimit(_type: number, _bytes: number): void {}

export function reclaim(): void {
  umaReclaim(true);
}

/** A CPU leaves: its buckets are emptied, and what is whole goes back. */
export function offline(): void {
  umaOffline();
  umaReclaim(true);
}

/** Nothing of UMA's is on its way from CPU to CPU. */
export function flush(): void {}

export function sizeAt(block: number): number {
  return ((i32[(vtoslab(block) >>> 2) + US_KEG] >>> 2) + UK_SIZE) >>> 1;
}
