/**
 * access.ts — an access by a CPU on a thread of its own that waits for its turn: takes the place of stepped/access.ts.
 *
 * The same kinds in the same order as there, but nothing is decided, logged or run again: who holds the baton really
 * makes the access, atomic ones by Atomics, plain ones plainly, and hands the baton on. Without `baton.turns`
 * (switching on, setting up) accesses happen at once.
 */
import {
  ADD, AND, CAS, LD, LD64, LD8, LDF, LOAD, LOOK, MARK, NOTIFY, OR, PAUSE, RACY, RACY64, ST, ST64, ST8, STF, STORE, WAIT,
  WAKE, XCHG,
} from '../../base/access.js';
import { highHalf, joined, lowHalf } from '../../base/bits.js';
import { curcpu } from '../stepped/curcpu.js';
import { f64, i32, i64, u8 } from '../heap.js';

/** Who goes when. `before` returns when it is this thread's turn, and throws when its part is over. */
export interface Turns {
  before(kind: number, word: number): void;
  after(kind: number, word: number, result: number): void;
  /** is there nothing to wait for any more? */
  due(): boolean;
}

export const baton = { turns: null as Turns | null };

// what the lab sets on a stepped machine: of these only `torn` says what an access is
export const hooks = { decide: (): number => -1, watch: null, rule: null, invariant: null };
export const options = { allPoints: false, stepLimit: 0, torn: false };
export const casBudget = { fails: 0, cut: false };

const WORDS = i32.length;
const NAP_MS = 5;

function turn<T>(kind: number, word: number, act: () => T, resultOf: (value: T) => number): T {
  const { turns } = baton;
  if (turns === null) return act();
  turns.before(kind, word);
  const value = act();
  turns.after(kind, word, resultOf(value));
  return value;
}

const itself = (value: number): number => value;
const nothing = (): number => 0;

// ---- plain accesses

export const ld32 = (word: number): number => turn(LD, word, () => i32[word], itself);

export function st32(word: number, to: number): number {
  turn(ST, word, () => (i32[word] = to), () => to | 0);
  return to;
}

export const ld8 = (byte: number): number => turn(LD8, byte >>> 2, () => u8[byte], itself);

export function st8(byte: number, to: number): number {
  turn(ST8, byte >>> 2, () => (u8[byte] = to), () => to & 0xff);
  return to;
}

export function ld64(dword: number): bigint {
  const word = dword << 1;
  if (options.torn && baton.turns) return joined(ld32(word), ld32(word + 1));
  return turn(LD64, word, () => i64[dword], lowHalf);
}

export function st64(dword: number, to: bigint): bigint {
  const word = dword << 1;
  if (options.torn && baton.turns) {
    st32(word, lowHalf(to));
    st32(word + 1, highHalf(to));
  } else turn(ST64, word, () => (i64[dword] = to), lowHalf);
  return to;
}

export const ldf = (dword: number): number => turn(LDF, dword << 1, () => f64[dword], nothing);
export const stf = (dword: number, value: number): number => turn(STF, dword << 1, () => (f64[dword] = value), nothing);

// ---- what stepped/atomics.ts, cpufunc.ts, mem.ts and kasan.ts offer above

export const racy32 = (word: number): number => turn(RACY, word, () => i32[word], itself);

export function racyBig(dword: number): bigint {
  const word = dword << 1;
  if (options.torn && baton.turns) return joined(racy32(word), racy32(word + 1));
  return turn(RACY64, word, () => i64[dword], lowHalf);
}

export const atomicLoad = (word: number): number => turn(LOAD, word, () => Atomics.load(i32, word), itself);

export function atomicStore(word: number, to: number): void {
  turn(STORE, word, () => Atomics.store(i32, word, to), () => to | 0);
}

export function atomicCas(word: number, expected: number, to: number): boolean {
  return turn(CAS, word, () => Atomics.compareExchange(i32, word, expected, to) === expected, Number);
}

export function atomicXchg(word: number, to: number): number {
  return turn(XCHG, word, () => Atomics.exchange(i32, word, to), itself);
}

export function atomicAdd(word: number, delta: number): number {
  return turn(ADD, word, () => Atomics.add(i32, word, delta), itself);
}

export function atomicOr(word: number, bits: number): number {
  return turn(OR, word, () => Atomics.or(i32, word, bits), itself);
}

export function atomicAnd(word: number, bits: number): number {
  return turn(AND, word, () => Atomics.and(i32, word, bits), itself);
}

/** Really sleeps; when it is to go on is said by the order, whether or not the bell was in time. */
export function futexWait(word: number, expected: number): void {
  const { turns } = baton;
  if (turns === null) return;
  if (turn(WAIT, word, () => Atomics.load(i32, word), (value) => Number(value === expected)) !== expected) return;
  while (!turns.due() && Atomics.wait(i32, word, expected, NAP_MS) === 'timed-out');
  turn(WAKE, word, nothing, nothing);
}

export function futexNotify(word: number): void {
  turn(NOTIFY, word, () => Atomics.notify(i32, word), nothing);
}

export function waitTurn(): void {
  turn(PAUSE, WORDS + 32, nothing, nothing);
}

export function maskChange(kind: number): void {
  turn(kind, WORDS + curcpu, nothing, nothing);
}

export function interruptLook(critical: number): void {
  turn(LOOK, WORDS + curcpu, nothing, nothing);
  ld32(critical);
}

export function mark(address: number, _bytes: number, code: number): void {
  turn(MARK, address >>> 2, nothing, () => code);
}

export function clientAccess(): void {}
