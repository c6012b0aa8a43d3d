/**
 * atomics.ts — every access that another CPU may meet at the same moment; the only file that names Atomics.
 *
 * All orders are sequentially consistent, as JavaScript has no other. Each call costs 7 to 10 ns where a plain access
 * costs 0.6, so words a CPU owns are never touched through here. The invariants flavour counts the locked operations
 * (stores and read-modify-writes; on x86 an atomic load takes no lock) in the CPU's HWC line.
 */
import { curcpu } from './curcpu.js';
import { f64, i32, i64 } from './heap.js';
import { HWC_LOADS, HWC_LOCKED, INTR_WORDS } from './intr.layout.js';
import { SB_INTR } from './superblock.layout.js';

declare const INVARIANTS: boolean;

const HWC = i32[SB_INTR] >>> 2;

function countLocked(): void {
  if (INVARIANTS) i32[HWC + curcpu * INTR_WORDS + HWC_LOCKED]++;
}

/** @param word word index. The reader may conclude whatever the writer did before its store. */
export function load(word: number): number {
  if (INVARIANTS) i32[HWC + curcpu * INTR_WORDS + HWC_LOADS]++;
  return Atomics.load(i32, word);
}

/**
 * A plain read of a word others write: may be late, never torn. Only where a late value costs time, not correctness,
 * and the comment at the call says why.
 */
export function racy(word: number): number {
  return i32[word];
}

/**
 * A plain read of a 64-bit counter its owner may be writing: may be late, and torn where counters are two 32-bit words.
 * @param dword dword index
 */
export function racy64(dword: number): bigint {
  return i64[dword];
}

/** The same of a double. */
export function racyDouble(dword: number): number {
  return f64[dword];
}

export function store(word: number, value: number): void {
  countLocked();
  Atomics.store(i32, word, value);
}

/** @returns true when the word held `expected` and now holds `value` */
export function cas(word: number, expected: number, value: number): boolean {
  countLocked();
  return Atomics.compareExchange(i32, word, expected, value) === expected;
}

/** @returns the old value, for all of these */
export function xchg(word: number, value: number): number {
  countLocked();
  return Atomics.exchange(i32, word, value);
}

export function add(word: number, delta: number): number {
  countLocked();
  return Atomics.add(i32, word, delta);
}

export function or(word: number, bits: number): number {
  countLocked();
  return Atomics.or(i32, word, bits);
}

export function and(word: number, bits: number): number {
  countLocked();
  return Atomics.and(i32, word, bits);
}

/** Sleeps while the word holds `expected`, `ms` milliseconds at most. */
export function wait(word: number, expected: number, ms: number): void {
  Atomics.wait(i32, word, expected, ms);
}

/** Like wait, without blocking the isolate: resolves when notified. */
export function waitAsync(word: number, expected: number, ms: number): Promise<unknown> | undefined {
  const { async, value } = (Atomics as unknown as AtomicsWithWaitAsync).waitAsync(i32, word, expected, ms);
  return async ? (value as Promise<unknown>) : undefined;
}

export function notify(word: number): void {
  Atomics.notify(i32, word);
}

/** Node has had Atomics.waitAsync since 16; TypeScript declares it in a later lib than ours. */
interface AtomicsWithWaitAsync {
  waitAsync(
    view: Int32Array,
    word: number,
    expected: number,
    ms: number,
  ): { async: boolean; value: Promise<unknown> | string };
}
