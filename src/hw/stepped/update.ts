/**
 * update.ts — `i32[e]++` and its like: an access that reads, and one that writes. What the build's rewriting calls,
 * over stepped accesses and over those of a worker that waits for its turn (hw/baton).
 */
import { ld32, ld64, ld8, ldf, st32, st64, st8, stf } from './access.js';

export function pre32(word: number, delta: number): number {
  return st32(word, ld32(word) + delta);
}

export function post32(word: number, delta: number): number {
  const old = ld32(word);
  st32(word, old + delta);
  return old;
}

export function pre8(byte: number, delta: number): number {
  return st8(byte, ld8(byte) + delta);
}

export function post8(byte: number, delta: number): number {
  const old = ld8(byte);
  st8(byte, old + delta);
  return old;
}

export function pre64(dword: number, delta: number): bigint {
  return st64(dword, ld64(dword) + BigInt(delta));
}

export function post64(dword: number, delta: number): bigint {
  const old = ld64(dword);
  st64(dword, old + BigInt(delta));
  return old;
}

export function pref(dword: number, delta: number): number {
  return stf(dword, ldf(dword) + delta);
}

export function postf(dword: number, delta: number): number {
  const old = ldf(dword);
  stf(dword, old + delta);
  return old;
}
