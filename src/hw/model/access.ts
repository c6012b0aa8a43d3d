/**
 * access.ts — what a modelled CPU does to memory: takes the place of stepped/access.ts. An access is charged by what
 * its line costs this CPU (lines.ts), made, and kept in the log of the operation.
 *
 * With `live` off (booting, setting up, auditing) accesses happen at once and cost nothing.
 */
import { f64, i32, i64, u8 } from '../heap.js';
import { lockLine, readLine, writeLine } from './lines.js';
import { again, againBig, againDouble, keep, keepBig, keepDouble, length, pos } from './log.js';

export let live = false;

export function goLive(on: boolean): void {
  live = on;
}

// ---- plain

export function ld32(word: number): number {
  if (pos < length) return again(word);
  if (!live) return i32[word];
  readLine(word >>> 4);
  const value = i32[word];
  keep(word, value);
  return value;
}

export function st32(word: number, to: number): number {
  if (pos < length) again(word);
  else if (live) {
    writeLine(word >>> 4);
    i32[word] = to;
    keep(word, to);
  } else i32[word] = to;
  return to;
}

export function ld8(byte: number): number {
  if (pos < length) return again(byte >>> 2);
  if (!live) return u8[byte];
  readLine(byte >>> 6);
  const value = u8[byte];
  keep(byte >>> 2, value);
  return value;
}

export function st8(byte: number, to: number): number {
  if (pos < length) again(byte >>> 2);
  else if (live) {
    writeLine(byte >>> 6);
    u8[byte] = to;
    keep(byte >>> 2, to);
  } else u8[byte] = to;
  return to;
}

export function ld64(dword: number): bigint {
  if (pos < length) return againBig(dword << 1);
  if (!live) return i64[dword];
  readLine(dword >>> 3);
  const value = i64[dword];
  keepBig(dword << 1, value);
  return value;
}

export function st64(dword: number, to: bigint): bigint {
  if (pos < length) againBig(dword << 1);
  else if (live) {
    writeLine(dword >>> 3);
    i64[dword] = to;
    keepBig(dword << 1, to);
  } else i64[dword] = to;
  return to;
}

export function ldf(dword: number): number {
  if (pos < length) return againDouble(dword << 1);
  if (!live) return f64[dword];
  readLine(dword >>> 3);
  const value = f64[dword];
  keepDouble(dword << 1, value);
  return value;
}

export function stf(dword: number, to: number): number {
  if (pos < length) againDouble(dword << 1);
  else if (live) {
    writeLine(dword >>> 3);
    f64[dword] = to;
    keepDouble(dword << 1, to);
  } else f64[dword] = to;
  return to;
}

export const racy32 = ld32;
export const racyBig = ld64;

// ---- atomic: a load is a read like any other (it takes no lock), everything else locks its line

export const atomicLoad = ld32;

export function atomicStore(word: number, value: number): void {
  if (pos < length) again(word);
  else if (live) {
    lockLine(word >>> 4);
    i32[word] = value;
    keep(word, value);
  } else i32[word] = value;
}

export function atomicCas(word: number, expected: number, to: number): boolean {
  if (pos < length) return again(word) === 1;
  if (live) lockLine(word >>> 4);
  const ok = i32[word] === expected;
  if (ok) i32[word] = to;
  if (live) keep(word, ok ? 1 : 0);
  return ok;
}

export function atomicXchg(word: number, value: number): number {
  if (pos < length) return again(word);
  if (live) lockLine(word >>> 4);
  const old = i32[word];
  i32[word] = value;
  if (live) keep(word, old);
  return old;
}

export function atomicAdd(word: number, delta: number): number {
  if (pos < length) return again(word);
  if (live) lockLine(word >>> 4);
  const old = i32[word];
  i32[word] = old + delta;
  if (live) keep(word, old);
  return old;
}

export function atomicOr(word: number, bits: number): number {
  if (pos < length) return again(word);
  if (live) lockLine(word >>> 4);
  const old = i32[word];
  i32[word] = old | bits;
  if (live) keep(word, old);
  return old;
}

export function atomicAnd(word: number, bits: number): number {
  if (pos < length) return again(word);
  if (live) lockLine(word >>> 4);
  const old = i32[word];
  i32[word] = old & bits;
  if (live) keep(word, old);
  return old;
}

// ---- at start-up only: a modelled CPU sleeps on its interrupt line (intr.ts), and nobody watches its memory

export function futexWait(): void {
  if (live) throw new Error('a modelled CPU sleeps on its interrupt line');
}
export const futexNotify = futexWait;

export function mark(): void {}
