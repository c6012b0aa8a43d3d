/** pair.ts — will-it-scale malloc2, slab_test (2): allocate a block, write one word, free it. */
import { i32 } from '../hw/heap.js';
import { kfree, kmalloc, MAY_FAIL, WAIT } from './allocator.js';

/** @param size bytes @param ops pairs */
export function pairLoop(type: number, size: number, ops: number): void {
  for (let n = 0; n < ops; n++) pairOnce(type, size, n);
}

export function pairOnce(type: number, size: number, n: number): void {
  const p = kmalloc(size, type, WAIT);
  if (MAY_FAIL && p === 0) return;
  i32[p >>> 2] = n;
  kfree(p, type);
}
