/**
 * sharing.ts — which words are shared, as far as the executions so far have shown: plain accesses to others need no
 * scheduling point. Kept by slot (journal.ts).
 */
import { classOfUsers, WRITTEN } from '../../base/sharing.js';
import { neighbourhood } from './entity.js';
import { grown } from './grown.js';
import { slotOf, wordOf } from './journal.js';

/** users of the word in the executions so far (base/sharing) */
let users = new Int32Array(1 << 12);
/** what that means */
let classes = new Uint8Array(1 << 12);
/** how often a class has changed: a search begins again when one has */
export const learned = { count: 0 };
/** what the execution under way has taught: slots and their users before */
let lessons: number[] = [];

/** Starts a new execution: what the ones before taught stays. */
export function sharingReset(): void {
  if (lessons.length > 0) lessons = [];
}

/** Learns who shares a slot's word. Words nobody else touches, or nobody writes, need no scheduling points. */
export function noteSharing(slot: number, entity: number, write: boolean): void {
  if (slot >= users.length) growTo(slot);
  const before = users[slot];
  const now = before | (1 << entity) | (write ? WRITTEN : 0);
  if (now === before) return;
  lessons.push(slot, before);
  setUsers(slot, now);
}

function setUsers(slot: number, now: number): void {
  users[slot] = now;
  const cls = classOfUsers(now, neighbourhood);
  if (cls !== classes[slot]) learned.count++;
  classes[slot] = cls;
}

function growTo(slot: number): void {
  const length = Math.max(slot + 1, users.length * 2);
  users = grown(users, length);
  classes = grown(classes, length);
}

/** Memory goes back to the page allocator: who reads it meets that like a write. */
export function noteGone(address: number, bytes: number, entity: number): void {
  for (let slot = wordOf.length - 1; slot > 0; slot--) {
    if (wordOf[slot] >>> 0 >= address >>> 2 && wordOf[slot] < (address + bytes) >>> 2) {
      noteSharing(slot, entity, true);
    }
  }
}

/** PRIVATE, SHARED_ON_CPU, SHARED of base/sharing. */
export function sharedBy(word: number): number {
  const slot = slotOf(word);
  return slot >= classes.length ? 0 : classes[slot];
}

/**
 * Takes back what the last execution taught. What it learned on its way moved the scheduling points behind that; only
 * who knows as little as it did can run its schedule again.
 */
export function unlearn(): void {
  for (let n = lessons.length - 2; n >= 0; n -= 2) {
    users[lessons[n]] = lessons[n + 1];
    classes[lessons[n]] = classOfUsers(lessons[n + 1], neighbourhood);
  }
  if (lessons.length > 0) learned.count++;
  lessons = [];
}

/** What is known of who touches what, as pairs of word and users: shards of one search have to agree on it. */
export function exportSharing(): number[] {
  const pairs: number[] = [];
  for (let slot = 1; slot < Math.min(wordOf.length, users.length); slot++) {
    if (users[slot] !== 0) pairs.push(wordOf[slot], users[slot]);
  }
  return pairs;
}

export function importSharing(pairs: readonly number[]): void {
  for (let n = 0; n < pairs.length; n += 2) {
    const slot = slotOf(pairs[n]);
    if (slot >= users.length) growTo(slot);
    const now = users[slot] | pairs[n + 1];
    if (now !== users[slot]) setUsers(slot, now);
  }
}
