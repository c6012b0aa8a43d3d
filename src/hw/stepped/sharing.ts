/**
 * sharing.ts — which words are shared, as far as the executions so far have shown: plain accesses to others need no
 * scheduling point. Kept by slot (journal.ts).
 */
import { slotOf, wordOf } from './journal.js';

/** bit c: CPU c touched the word in some execution; SEVERAL: two entities did; WRITTEN: somebody wrote it */
const SEVERAL = 0x100;
const WRITTEN = 0x200;
let sharing = new Uint16Array(1 << 12);
let lastEntity = new Int8Array(1 << 12).fill(-1);
/** how often `sharing` has learned something: a search begins again when it has */
export const learned = { count: 0 };
/** what the execution under way has taught: slot, its bits before, its last entity before */
let lessons: number[] = [];

/** Starts a new execution: what the ones before taught stays. */
export function sharingReset(): void {
  if (lessons.length > 0) lessons = [];
}

function growTo(slot: number): void {
  const bits = new Uint16Array(Math.max(slot + 1, sharing.length * 2));
  bits.set(sharing);
  const last = new Int8Array(bits.length).fill(-1);
  last.set(lastEntity);
  sharing = bits;
  lastEntity = last;
}

/** Learns who shares the word: scheduling points may be left out at words nobody else touches, or nobody writes. */
export function noteSharing(word: number, cpu: number, entity: number, write: boolean): void {
  const slot = slotOf(word);
  if (slot >= sharing.length) growTo(slot);
  let bits = sharing[slot] | (1 << cpu);
  if (write) bits |= WRITTEN;
  const last = lastEntity[slot];
  if (last !== entity && (bits & SEVERAL) === 0) {
    if (last >= 0) bits |= SEVERAL;
    lessons.push(slot, sharing[slot], last);
    lastEntity[slot] = entity;
  } else if (bits !== sharing[slot]) lessons.push(slot, sharing[slot], last);
  if (bits === sharing[slot]) return;
  if (classOf(bits) !== classOf(sharing[slot])) learned.count++;
  sharing[slot] = bits;
}

/** Memory goes back to the page allocator: who reads it meets that like a write. */
export function noteGone(address: number, bytes: number, cpu: number, entity: number): void {
  for (let slot = wordOf.length - 1; slot > 0; slot--) {
    if (wordOf[slot] >>> 0 >= address >>> 2 && wordOf[slot] < (address + bytes) >>> 2) {
      noteSharing(wordOf[slot], cpu, entity, true);
    }
  }
}

function classOf(bits: number): number {
  if ((bits & WRITTEN) === 0) return 0;
  const cpus = bits & 0xff;
  return (cpus & (cpus - 1)) !== 0 ? 2 : (bits & SEVERAL) >>> 8;
}

/** 0: nobody else's, or never written; 1: more than one entity of one CPU; 2: more than one CPU. */
export function sharedBy(word: number): number {
  const slot = slotOf(word);
  return slot >= sharing.length ? 0 : classOf(sharing[slot]);
}

/**
 * Takes back what the last execution taught. What it learned on its way moved the scheduling points behind that; only
 * who knows as little as it did can run its schedule again.
 */
export function unlearn(): void {
  for (let n = lessons.length - 3; n >= 0; n -= 3) {
    sharing[lessons[n]] = lessons[n + 1];
    lastEntity[lessons[n]] = lessons[n + 2];
  }
  if (lessons.length > 0) learned.count++;
  lessons = [];
}

/** What is known of who shares what, as pairs of word and bits: shards of one search have to agree on it. */
export function exportSharing(): number[] {
  const pairs: number[] = [];
  for (let slot = 1; slot < Math.min(wordOf.length, sharing.length); slot++) {
    if (classOf(sharing[slot]) !== 0) pairs.push(wordOf[slot], sharing[slot]);
  }
  return pairs;
}

export function importSharing(pairs: readonly number[]): void {
  for (let n = 0; n < pairs.length; n += 2) {
    const slot = slotOf(pairs[n]);
    if (slot >= sharing.length) growTo(slot);
    sharing[slot] |= pairs[n + 1];
  }
}
