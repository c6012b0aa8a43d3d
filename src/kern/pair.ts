/**
 * pair.ts — 64-bit counts in two 32-bit words, lo and hi, that any CPU adds to: there is no 64-bit add for all of them
 * that would be as cheap. For counts of at most 2^53; the words are zeroed memory at first.
 */
import { add, load } from '../hw/atomics.js';

/** Adds 0..2^32-1: the carry is whoever's add wrapped the low word. */
export function addPair(word: number, delta: number): void {
  const old = add(word, delta) >>> 0;
  if (old + delta >= 0x100000000) add(word + 1, 1);
}

/** The high word is read on both sides of the low one; a carry under way may still be missing (the sum is a hint). */
export function readPair(word: number): number {
  for (;;) {
    const high = load(word + 1);
    const low = load(word) >>> 0;
    if (load(word + 1) === high) return high * 0x100000000 + low;
  }
}
