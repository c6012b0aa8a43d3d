/**
 * larson.ts — blocks that outlive their allocator's turn: each generation another CPU goes on with an array of blocks,
 * and frees what its predecessor allocated (Larson and Krishnan 1998; parameters of mimalloc-bench).
 *
 *   generation g:  CPU of rank r works on array (r + g) % parties: `laps` x blocks replacements of a random slot
 */
import { xorshift32 } from '../base/prng.js';
import { i32 } from '../hw/heap.js';
import { gangBarrier } from '../kern/gang.js';
import { kfree, kmalloc, MAY_FAIL, WAIT } from './allocator.js';

export const LARSON_BLOCKS = 5000;

/**
 * Fills an array of LARSON_BLOCKS pointers, 0 where malloc failed.
 * @param slots word index
 * @returns the random state
 */
export function larsonFill(type: number, slots: number, x: number): number {
  for (let n = 0; n < LARSON_BLOCKS; n++) {
    x = xorshift32(x);
    i32[slots + n] = kmalloc(8 + ((x >>> 0) % 992), type, WAIT);
  }
  return x;
}

/**
 * @param arrays word index of each rank's array
 * @param laps replacements a generation, in multiples of LARSON_BLOCKS
 * @param first number of the first generation
 * @returns the random state
 */
export function larsonRun(
  type: number, arrays: readonly number[], rank: number, laps: number, first: number, generations: number, x: number,
): number {
  for (let generation = first; generation < first + generations; generation++) {
    x = larsonGeneration(type, arrays[(rank + generation) % arrays.length], laps * LARSON_BLOCKS, x);
    gangBarrier(arrays.length);
  }
  return x;
}

function larsonGeneration(type: number, slots: number, replacements: number, x: number): number {
  for (let n = 0; n < replacements; n++) x = larsonReplace(type, slots, n, x);
  return x;
}

/** One replacement, the n-th. @returns the random state */
export function larsonReplace(type: number, slots: number, n: number, x: number): number {
  x = xorshift32(x);
  const slot = slots + ((x >>> 10) % LARSON_BLOCKS);
  const old = i32[slot];
  if (!MAY_FAIL || old !== 0) kfree(old, type);
  const p = kmalloc(8 + ((x >>> 0) % 992), type, WAIT);
  i32[slot] = p;
  if (MAY_FAIL && p === 0) return x;
  i32[p >>> 2] = n;
  i32[(p >>> 2) + 1] = n;
  return x;
}
