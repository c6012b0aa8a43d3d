/**
 * storebuffer.ts — TSO: plain stores of a CPU wait here, first in, first out; atomic accesses wait until they are out.
 *
 * A load sees the youngest store of its own CPU. When a store reaches memory is a decision like any other.
 */
import { DRAIN } from '../../base/access.js';
import { curcpu } from './curcpu.js';
import { i32 } from '../heap.js';
import { layout, MAX_ENTITIES } from './entity.js';
import { hooks } from './hooks.js';
import { journal } from './journal.js';

const BUFFER = 64;
const CPUS = 8;
const bufferWord = Array.from({ length: CPUS }, () => new Int32Array(BUFFER));
const bufferValue = Array.from({ length: CPUS }, () => new Int32Array(BUFFER));
export const bufferCount = new Int32Array(MAX_ENTITIES);

export function buffered(word: number, value: number): void {
  const cpu = curcpu;
  if (bufferCount[cpu] === BUFFER) drainOldest(cpu);
  bufferWord[cpu][bufferCount[cpu]] = word;
  bufferValue[cpu][bufferCount[cpu]++] = value;
}

/** What this CPU sees in the word: its own youngest store, or memory. */
export function seen(word: number): number {
  const cpu = curcpu;
  for (let n = bufferCount[cpu] - 1; n >= 0; n--) if (bufferWord[cpu][n] === word) return bufferValue[cpu][n];
  return i32[word];
}

export function drainOldest(cpu: number): void {
  const word = bufferWord[cpu][0];
  const value = bufferValue[cpu][0];
  bufferWord[cpu].copyWithin(0, 1, bufferCount[cpu]);
  bufferValue[cpu].copyWithin(0, 1, bufferCount[cpu]);
  bufferCount[cpu]--;
  const old = i32[word];
  journal(word, value);
  i32[word] = value;
  if (hooks.watch !== null) hooks.watch(layout.drain0 + cpu, DRAIN, word, value, old, value);
}

/** Word of the store that reaches memory next. */
export function oldestStore(cpu: number): number {
  return bufferWord[cpu][0];
}

/** Hash of a store buffer, for state merging. */
export function bufferHash(cpu: number): number {
  let h = bufferCount[cpu];
  for (let n = 0; n < bufferCount[cpu]; n++) {
    h = Math.imul(h ^ bufferWord[cpu][n], 0x01000193) ^ (h >>> 15);
    h = Math.imul(h ^ bufferValue[cpu][n], 0x85ebca6b) ^ (h >>> 13);
  }
  return h;
}

export function drainAll(): void {
  if (layout.tso) while (bufferCount[curcpu] > 0) drainOldest(curcpu);
}
