/**
 * access.ts — an access by a CPU on a thread of its own, made at once: takes the place of stepped/access.ts.
 *
 * Plain accesses are plain, atomic ones are by Atomics: what meets here meets as it does natively. What is added to
 * each is the same everywhere: a count, a look at the page's mark, and where a word is written its name in the log.
 *
 *   a window    before access N of an operation the thread is held up for a while, so that others get in between
 *   waiting     a wait loop naps after some turns; when nobody does anything but wait, it is left by throwing HANG
 *   no end      an operation of millions of accesses is left by throwing ENDLESS
 */
import { highHalf, joined, lowHalf } from '../../base/bits.js';
import { LOG_COUNT, ST_BELLS, ST_NBELLS } from '../../base/stress.js';
import { curcpu } from '../stepped/curcpu.js';
import { f64, i32, i64, u8 } from '../heap.js';
import { clientCheck, kasanChange, kasanCheck } from '../stepped/marks.js';
import { logged } from './log.js';
import { ENDLESS, meeting } from './meeting.js';

// what the lab sets on a stepped machine: of these only `torn` and `invariant` mean something here
export const hooks = { decide: (): number => -1, watch: null, rule: null, invariant: null as (() => string) | null };
export const options = { allPoints: false, stepLimit: 0, torn: false };
export const casBudget = { fails: 0, cut: false };

/** accesses after which an operation counts as endless */
const MOST = 1_000_000;
/** turns of a wait loop that are not slept through */
const SPINS = 300;

/** inside a sample */
let live = false;
/** accesses of the operation under way, and the one before which something is to be done */
let made = 0;
let next = MOST;
let held = 0;
let asClient = false;
let turns = 0;

/** A sample begins, or ends. */
export function goLive(on: boolean): void {
  live = on;
  turns = 0;
}

/** An operation begins. @param access before which it is held up, 0: nowhere @param hold turns of an idle loop */
export function begin(access: number, hold: number): void {
  made = 0;
  next = access === 0 ? MOST : access;
  held = hold;
  asClient = false;
}

function access(word: number): void {
  if (++made >= next) holdUp();
  kasanCheck(word, curcpu);
  if (asClient) {
    asClient = false;
    clientCheck(word, curcpu);
  }
}

function event(): void {
  if (++made >= next) holdUp();
}

function holdUp(): void {
  if (next === MOST) {
    // once: what cleans up behind it may go on
    next = Number.POSITIVE_INFINITY;
    throw ENDLESS;
  }
  next = MOST;
  meeting.idle(held);
}

// ---- plain accesses

export function ld32(word: number): number {
  access(word);
  return i32[word];
}

export function st32(word: number, to: number): number {
  access(word);
  logged(word);
  i32[word] = to;
  return to;
}

export function ld8(byte: number): number {
  access(byte >>> 2);
  return u8[byte];
}

export function st8(byte: number, to: number): number {
  access(byte >>> 2);
  logged(byte >>> 2);
  u8[byte] = to;
  return to;
}

export function ld64(dword: number): bigint {
  const word = dword << 1;
  if (options.torn && live) return joined(ld32(word), ld32(word + 1));
  access(word);
  return i64[dword];
}

export function st64(dword: number, to: bigint): bigint {
  const word = dword << 1;
  if (options.torn && live) {
    st32(word, lowHalf(to));
    st32(word + 1, highHalf(to));
    return to;
  }
  access(word);
  logged(word);
  logged(word + 1);
  i64[dword] = to;
  return to;
}

export function ldf(dword: number): number {
  event();
  return f64[dword];
}

export function stf(dword: number, value: number): number {
  event();
  logged(LOG_COUNT | (dword << 1));
  logged(LOG_COUNT | ((dword << 1) + 1));
  f64[dword] = value;
  return value;
}

// ---- what stepped/atomics.ts, cpufunc.ts, mem.ts and kasan.ts offer above

export const racy32 = ld32;
export const racyBig = ld64;

export function atomicLoad(word: number): number {
  access(word);
  return Atomics.load(i32, word);
}

export function atomicStore(word: number, to: number): void {
  access(word);
  logged(word);
  Atomics.store(i32, word, to);
}

export function atomicCas(word: number, expected: number, to: number): boolean {
  access(word);
  if (Atomics.compareExchange(i32, word, expected, to) !== expected) return false;
  logged(word);
  return true;
}

export function atomicXchg(word: number, to: number): number {
  access(word);
  logged(word);
  return Atomics.exchange(i32, word, to);
}

export function atomicAdd(word: number, delta: number): number {
  access(word);
  logged(word);
  return Atomics.add(i32, word, delta);
}

export function atomicOr(word: number, bits: number): number {
  access(word);
  logged(word);
  return Atomics.or(i32, word, bits);
}

export function atomicAnd(word: number, bits: number): number {
  access(word);
  logged(word);
  return Atomics.and(i32, word, bits);
}

/**
 * Sleeps until somebody rings for the word, and not merely until it changes: a bell that nobody rings is what some
 * races are about. Bells are counted, by the word's number, so that one that rings just now is not missed.
 */
export function futexWait(word: number, expected: number): void {
  access(word);
  if (!live) return;
  const { control } = meeting;
  const bell = ST_BELLS + (word % ST_NBELLS);
  const rung = Atomics.load(control, bell);
  if (Atomics.load(i32, word) !== expected) return;
  while (Atomics.load(control, bell) === rung) meeting.nap(bell, rung);
  event();
}

export function futexNotify(word: number): void {
  event();
  if (!live) return;
  const bell = ST_BELLS + (word % ST_NBELLS);
  Atomics.add(meeting.control, bell, 1);
  Atomics.notify(meeting.control, bell);
}

export function waitTurn(): void {
  event();
  if (!live) return;
  // a wait is no endless operation
  made = 0;
  if (++turns > (meeting.crowded ? 1 : SPINS)) meeting.nap(-1, 0);
}

/** A worker is not interrupted between two polls. */
export function maskChange(_kind: number): void {
  event();
}

export function interruptLook(_critical: number): void {}

export function mark(address: number, bytes: number, code: number): void {
  event();
  kasanChange(address, bytes, code, curcpu);
}

export function clientAccess(): void {
  asClient = live;
}
