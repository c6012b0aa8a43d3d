/** atomic.ts — atomic accesses. All are sequentially consistent; under TSO all but a load wait for the store buffer. */
import { ADD, AND, CAS, LOAD, OR, STORE, XCHG } from '../../base/access.js';
import { i32 } from '../heap.js';
import { layout } from './entity.js';
import { casBudget } from './hooks.js';
import { length, me, pos, retries } from './log.js';
import { setWord } from './plain.js';
import { after, before, live, replay, replayWrite, stop } from './step.js';
import { drainAll, seen } from './storebuffer.js';

export function atomicLoad(word: number): number {
  if (pos < length) return replay(LOAD, word);
  if (!live) return i32[word];
  before(LOAD, word, 0);
  // a load does not wait for the store buffer, and sees what is in it
  const value = layout.tso ? seen(word) : i32[word];
  after(LOAD, word, value, value, value);
  return value;
}

export function atomicStore(word: number, to: number): void {
  const value = to | 0;
  if (pos < length) return replayWrite(STORE, word, value);
  if (!live) return setWord(word, value);
  before(STORE, word, value);
  drainAll();
  const old = i32[word];
  setWord(word, value);
  after(STORE, word, value, old, value);
}

export function atomicCas(word: number, expected: number, to: number): boolean {
  if (pos < length) return replay(CAS, word) === 1;
  if (!live) {
    if (i32[word] !== expected) return false;
    setWord(word, to | 0);
    return true;
  }
  before(CAS, word, expected);
  drainAll();
  const old = i32[word];
  const ok = old === expected;
  if (ok) setWord(word, to | 0);
  else if (casBudget.fails !== Number.POSITIVE_INFINITY && retries(me, word, pos) >= casBudget.fails) {
    casBudget.cut = true;
    stop(-1);
  }
  after(CAS, word, ok ? 1 : 0, old, ok ? to | 0 : old);
  return ok;
}

function readModifyWrite(kind: number, word: number, operand: number): number {
  if (pos < length) return replay(kind, word);
  if (live) {
    before(kind, word, operand);
    drainAll();
  }
  const old = i32[word];
  const value = modified(kind, old, operand);
  setWord(word, value);
  if (live) after(kind, word, old, old, value);
  return old;
}

function modified(kind: number, old: number, operand: number): number {
  if (kind === XCHG) return operand | 0;
  if (kind === ADD) return (old + operand) | 0;
  return kind === OR ? old | operand : old & operand;
}

export function atomicXchg(word: number, value: number): number {
  return readModifyWrite(XCHG, word, value);
}

export function atomicAdd(word: number, delta: number): number {
  return readModifyWrite(ADD, word, delta);
}

export function atomicOr(word: number, bits: number): number {
  return readModifyWrite(OR, word, bits);
}

export function atomicAnd(word: number, bits: number): number {
  return readModifyWrite(AND, word, bits);
}
