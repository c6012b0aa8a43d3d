/** local.ts — a live set of one CPU: replace a random one of the slots by a block of a random size. */
import { xorshift32 } from '../base/prng.js';
import { i32 } from '../hw/heap.js';
import { kfree, kmalloc, MAY_FAIL, WAIT } from './allocator.js';

export const LOCAL_SLOTS = 1024;

/**
 * @param slots word index of LOCAL_SLOTS words: pointers, 0 where empty
 * @param x random state, carried on from call to call
 * @returns the random state
 */
export function localLoop(type: number, slots: number, ops: number, x: number): number {
  for (let n = 0; n < ops; n++) x = localReplace(type, slots, n, x);
  return x;
}

/** One replacement, the n-th. @returns the random state */
export function localReplace(type: number, slots: number, n: number, x: number): number {
  x = xorshift32(x);
  const slot = slots + (x & (LOCAL_SLOTS - 1));
  const old = i32[slot];
  if (old !== 0) kfree(old, type);
  const p = kmalloc(16 + ((x >>> 10) % 1009), type, WAIT);
  i32[slot] = p;
  if (!MAY_FAIL || p !== 0) i32[p >>> 2] = n;
  return x;
}
