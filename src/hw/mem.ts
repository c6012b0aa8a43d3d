/**
 * mem.ts — moving and filling blocks of memory. Blocks belong to the caller alone while this runs.
 * Addresses and lengths are multiples of 4.
 */
import { i32, u8 } from './heap.js';

/** Below this many bytes a loop beats the call of a builtin. */
const SMALL_BYTES = 256;

export function bzero(address: number, bytes: number): void {
  fill32(address, 0, bytes);
}

/** Sets every 32-bit word of the block to `value`. */
export function fill32(address: number, value: number, bytes: number): void {
  const from = address >>> 2;
  const to = from + (bytes >>> 2);
  if (bytes > SMALL_BYTES) i32.fill(value, from, to);
  else for (let word = from; word < to; word++) i32[word] = value;
}

/** Copies `bytes` bytes; the blocks do not overlap. */
export function bcopy(from: number, to: number, bytes: number): void {
  if (bytes > SMALL_BYTES) u8.copyWithin(to, from, from + bytes);
  else for (let byte = 0; byte < bytes; byte++) u8[to + byte] = u8[from + byte];
}
