/**
 * journal.ts — what an execution wrote, so that the next one starts from the same memory: an undo journal, because
 * copying megabytes of heap would be the whole cost of an execution.
 *
 * Each word that is touched gets a small number, its slot, for good; whatever is kept a word (clocks, marks, rules) is
 * kept by slot, densely. `stamp` tells in which execution a slot's data were written.
 */
import { mix, spread } from '../../base/hash.js';
import { i32 } from '../heap.js';
import { grown } from './grown.js';

/** words beyond the heap that stand for what is no memory: interrupt masks and such */
export const VIRTUAL_WORDS = 64;
export const HEAP_WORDS = i32.length;

const slots = new Int32Array(HEAP_WORDS + VIRTUAL_WORDS);
/** slot -> word; slot 0 is none */
export const wordOf: number[] = [-1];

export function slotOf(word: number): number {
  const slot = slots[word];
  return slot !== 0 ? slot : newSlot(word);
}

function newSlot(word: number): number {
  const slot = wordOf.length;
  slots[word] = slot;
  wordOf.push(word);
  return slot;
}

let words = new Int32Array(1 << 12);
let olds = new Int32Array(1 << 12);
let length = 0;
let hashLow = 0;
let hashHigh = 0;

/** Before any write of `value` to `word`. */
export function journal(word: number, value: number): void {
  const old = i32[word];
  if (length === words.length) grow();
  words[length] = word;
  olds[length++] = old;
  if (old !== value) {
    const before = mix(word, old);
    const now = mix(word, value);
    hashLow ^= before ^ now;
    hashHigh ^= spread(before) ^ spread(now);
  }
}

/** The same for a count of events, which belongs to no state. */
export function journalCount(word: number): void {
  if (length === words.length) grow();
  words[length] = word;
  olds[length++] = i32[word];
}

function grow(): void {
  words = grown(words, length * 2);
  olds = grown(olds, length * 2);
}

/** Hash of all memory but counts, 52 bits in a number: equal memories have equal ones. */
export function heapHash(): number {
  return (hashHigh & 0xfffff) * 0x100000000 + (hashLow >>> 0);
}

export function undo(): void {
  while (length > 0) {
    length--;
    i32[words[length]] = olds[length];
  }
  hashLow = 0;
  hashHigh = 0;
}

/** The memory as it is now is where every execution starts. */
export function baseline(): void {
  length = 0;
  hashLow = 0;
  hashHigh = 0;
}

/** The same as text. */
export function finalHash(): string {
  return heapHash().toString(16);
}

/** Words that differ from the baseline. */
export function changedWords(): Map<number, number> {
  const first = new Map<number, number>();
  for (let n = 0; n < length; n++) if (!first.has(words[n])) first.set(words[n], olds[n]);
  const changed = new Map<number, number>();
  for (const [word, old] of first) if (i32[word] !== old) changed.set(word, i32[word]);
  return changed;
}
