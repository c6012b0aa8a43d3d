/** machdep.ts — the slab allocator as a machine uses it: what workload/allocator.ts chooses from. */
import { slabCleanup } from './slab_cleanup.js';
import { slabInit } from './slab_init.js';
import { remoteFlush } from './slab_batch.js';
import { Z_CHUNKSIZE } from './slaballoc.layout.js';
import { myslgd, zoneOf } from './slglobaldata.js';

export { mallocTypeCreate } from '../kern/malloc_type.js';
export { kmalloc } from './kern_slaballoc.js';
export { kfree } from './kern_slabfree.js';
export { kmallocRaiseLimit, kmallocUsable, krealloc, kstrdup, mallocUninit } from './krealloc.js';

export const kmeminit = slabInit;

export function reclaim(): void {
  slabCleanup(true);
}

export function flush(): void {
  remoteFlush(myslgd());
}

export function sizeAt(block: number): number {
  return ((zoneOf(block) >>> 2) + Z_CHUNKSIZE) >>> 1;
}
