/**
 * shadow.ts — what is known of each word beside its value: who accessed it when (vector clocks), whose it is (KASAN),
 * who may write it (the layouts' line rules).
 *
 * Happens-before, by CPU: an atomic store publishes the CPU's clock in the word, replacing what was there; a
 * read-modify-write joins and publishes; an atomic load joins. A bell joins like a read-modify-write. Two accesses race
 * when neither happens before the other, one writes, and not both are atomic (ECMA-262 29; everything atomic is SeqCst).
 * An execution without a race under sequential consistency is all a processor with weaker memory can show, too.
 *
 * Kept by slot (journal.ts): four clocks a CPU, of its last plain read, plain write, atomic read, atomic write.
 */
import type { FailureClass } from '../../base/failures.js';
import { PAGE_SHIFT } from '../../base/param.js';
import { KASAN_ALLOCATOR, KASAN_CLIENT, KASAN_FREED, KASAN_PAGE_FREE } from '../kasan.js';
import { i32 } from '../heap.js';
import { SB_FIRST_PAGE, SB_NPAGES } from '../superblock.layout.js';
import { execution, fail } from './failure.js';
import { HEAP_WORDS, slotOf, wordOf } from './journal.js';

const MAX_CPUS = 8;
const PLAIN_READ = 0;
const PLAIN_WRITE = 8;
const ATOMIC_READ = 16;
const ATOMIC_WRITE = 24;
const RELEASED = 32;
/** words a slot: four clocks and the published one, 8 CPUs each */
const SLOT_WORDS = 40;

let clocks = new Int32Array(SLOT_WORDS << 12);
let stamps = new Int32Array(1 << 12);
/** CPUs that touched the slot in this execution */
let touched = new Uint8Array(1 << 12);
let stamp = 1;
let ncpu = 1;
const cpuClock = new Int32Array(MAX_CPUS * MAX_CPUS);

/** bit c: CPU c touched the word in some execution; SEVERAL: two entities did; WRITTEN: somebody wrote it */
const SEVERAL = 0x100;
const WRITTEN = 0x200;
let sharing = new Uint16Array(1 << 12);
let lastEntity = new Int8Array(1 << 12).fill(-1);
/** how often `sharing` has learned something: a search begins again when it has */
export const learned = { count: 0 };
/** what the execution under way has taught: slot, its bits before, its last entity before */
let lessons: number[] = [];

export const checks = { races: true, kasan: true };

/** Starts a new execution for `cpus` CPUs. */
export function shadowReset(cpus: number): void {
  stamp++;
  ncpu = cpus;
  if (lessons.length > 0) lessons = [];
  cpuClock.fill(0);
  for (let cpu = 0; cpu < cpus; cpu++) cpuClock[cpu * MAX_CPUS + cpu] = 1;
}

function slotFor(word: number): number {
  const slot = slotOf(word);
  if (slot >= stamps.length) growTo(slot);
  if (stamps[slot] !== stamp) {
    stamps[slot] = stamp;
    touched[slot] = 0;
    clocks.fill(0, slot * SLOT_WORDS, slot * SLOT_WORDS + SLOT_WORDS);
  }
  return slot;
}

function growTo(slot: number): void {
  const length = Math.max(slot + 1, stamps.length * 2);
  const grown = <T extends { set(from: T): void }>(to: T, from: T): T => {
    to.set(from);
    return to;
  };
  clocks = grown(new Int32Array(length * SLOT_WORDS), clocks);
  stamps = grown(new Int32Array(length), stamps);
  touched = grown(new Uint8Array(length), touched);
  sharing = grown(new Uint16Array(length), sharing);
  lastEntity = grown(new Int8Array(length).fill(-1), lastEntity);
}

/** Learns who shares the word: scheduling points may be left out at words nobody else touches, or nobody writes. */
export function noteSharing(word: number, cpu: number, entity: number, write: boolean): void {
  const slot = slotOf(word);
  if (slot >= stamps.length) growTo(slot);
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
  return slot >= stamps.length ? 0 : classOf(sharing[slot]);
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
    if (slot >= stamps.length) growTo(slot);
    sharing[slot] |= pairs[n + 1];
  }
}

/** A plain access of CPU `cpu`. */
export function plainAccess(word: number, cpu: number, write: boolean): void {
  const slot = slotFor(word);
  const base = slot * SLOT_WORDS;
  if (touched[slot] >>> 0 !== 1 << cpu && touched[slot] !== 0) {
    const mine = cpu * MAX_CPUS;
    for (let q = 0; q < ncpu; q++) {
      if (q === cpu) continue;
      const known = cpuClock[mine + q];
      if (clocks[base + PLAIN_WRITE + q] > known) return race(word, cpu, write, false, q, true, false);
      if (clocks[base + ATOMIC_WRITE + q] > known) return race(word, cpu, write, false, q, true, true);
      if (!write) continue;
      if (clocks[base + PLAIN_READ + q] > known) return race(word, cpu, write, false, q, false, false);
      if (clocks[base + ATOMIC_READ + q] > known) return race(word, cpu, write, false, q, false, true);
    }
  }
  touched[slot] |= 1 << cpu;
  clocks[base + (write ? PLAIN_WRITE : PLAIN_READ) + cpu] = cpuClock[cpu * MAX_CPUS + cpu];
}

/** An atomic access: joins what the word published if it reads, publishes if it writes. */
export function atomicAccess(word: number, cpu: number, read: boolean, write: boolean): void {
  const slot = slotFor(word);
  const base = slot * SLOT_WORDS;
  const mine = cpu * MAX_CPUS;
  if (read) {
    for (let q = 0; q < ncpu; q++) {
      if (clocks[base + RELEASED + q] > cpuClock[mine + q]) cpuClock[mine + q] = clocks[base + RELEASED + q];
    }
  }
  if (touched[slot] >>> 0 !== 1 << cpu && touched[slot] !== 0) {
    for (let q = 0; q < ncpu; q++) {
      if (q === cpu) continue;
      const known = cpuClock[mine + q];
      if (clocks[base + PLAIN_WRITE + q] > known) return race(word, cpu, write, true, q, true, false);
      if (write && clocks[base + PLAIN_READ + q] > known) return race(word, cpu, write, true, q, false, false);
    }
  }
  touched[slot] |= 1 << cpu;
  if (read) clocks[base + ATOMIC_READ + cpu] = cpuClock[mine + cpu];
  if (!write) return;
  clocks[base + ATOMIC_WRITE + cpu] = cpuClock[mine + cpu];
  for (let q = 0; q < ncpu; q++) clocks[base + RELEASED + q] = cpuClock[mine + q];
  cpuClock[mine + cpu]++;
}

function race(
  word: number, cpu: number, write: boolean, atomic: boolean, otherCpu: number, otherWrite: boolean,
  otherAtomic: boolean,
): void {
  const how = (w: boolean, a: boolean) => `${a ? 'atomic' : 'plain'} ${w ? 'write' : 'read'}`;
  fail({
    cls: 'data-race',
    message: `${how(write, atomic)} by cpu${cpu} and ${how(otherWrite, otherAtomic)} by cpu${otherCpu} are not ordered`,
    cpu,
    step: execution.steps,
    other: { cpu: otherCpu, word, write: otherWrite, atomic: otherAtomic },
  });
}

// ---- KASAN: whose memory is it

/** with a code: a block begins here */
const BEGINS = 0x10;
/** of a chunk, so many words are marked: callers in scenarios touch the first few */
const MARKED_WORDS = 16;
const FIRST_WORD = i32[SB_FIRST_PAGE] << (PAGE_SHIFT - 2);
const pageMarks = new Uint8Array(i32[SB_NPAGES]);
const wordMarks = new Uint8Array(HEAP_WORDS);
let undoWhere = new Int32Array(1 << 12);
let undoMark = new Uint8Array(1 << 12);
let undoLength = 0;

/** who wants to know that pages went back to the page allocator: address, bytes */
export const onPagesFreed = { call: null as ((address: number, bytes: number) => void) | null };

function setMark(where: number, mark: number): void {
  if (undoLength === undoWhere.length) {
    const w = new Int32Array(undoLength * 2);
    const m = new Uint8Array(undoLength * 2);
    w.set(undoWhere);
    m.set(undoMark);
    undoWhere = w;
    undoMark = m;
  }
  undoWhere[undoLength] = where;
  undoMark[undoLength++] = where < 0 ? pageMarks[~where] : wordMarks[where];
  if (where < 0) pageMarks[~where] = mark;
  else wordMarks[where] = mark;
}

/** blocks that callers hold, now and at the baseline */
export const clients = { count: 0 };
let clientsBefore = 0;

export function kasanUndo(): void {
  clients.count = clientsBefore;
  while (undoLength > 0) {
    const where = undoWhere[--undoLength];
    if (where < 0) pageMarks[~where] = undoMark[undoLength];
    else wordMarks[where] = undoMark[undoLength];
  }
}

/** The machine has just been switched on: nobody holds anything. */
export function kasanForget(): void {
  pageMarks.fill(0);
  wordMarks.fill(0);
  undoLength = 0;
  clients.count = 0;
}

export function kasanBaseline(): void {
  clientsBefore = clients.count;
  undoLength = 0;
}

/** Memory changes hands (hw/kasan): whole pages are marked by page, chunks by word. A block's first mark says so. */
export function kasanChange(address: number, bytes: number, code: number, cpu: number): void {
  const first = address >>> PAGE_SHIFT;
  const pages = bytes >>> PAGE_SHIFT;
  if (code === KASAN_ALLOCATOR || code === KASAN_PAGE_FREE) {
    for (let page = first; page < first + pages; page++) setMark(~page, code);
    if (code === KASAN_PAGE_FREE) onPagesFreed.call?.(address, bytes);
    return;
  }
  const word = address >>> 2;
  const whole = pages > 0 && (address & 4095) === 0 && (bytes & 4095) === 0 && pageMarks[first] !== 0 && wordMarks[word] === 0;
  const before = whole ? pageMarks[first] : wordMarks[word];
  if (!mayChange(before, code, address, cpu)) return;
  clients.count += code === KASAN_CLIENT ? 1 : -1;
  if (whole) for (let page = first; page < first + pages; page++) setMark(~page, page === first ? code | BEGINS : code);
  else {
    const end = word + Math.min(bytes >>> 2, MARKED_WORDS);
    for (let n = word; n < end; n++) setMark(n, n === word ? code | BEGINS : code);
  }
}

function mayChange(before: number, code: number, address: number, cpu: number): boolean {
  const held = (before & ~BEGINS) === KASAN_CLIENT;
  if (code === KASAN_CLIENT) {
    if (held) broken('double-alloc', 'is handed out twice', address, cpu);
    return !held;
  }
  if (before === (KASAN_CLIENT | BEGINS)) return true;
  if (held) broken('foreign-free', 'is freed, but it is inside a block', address, cpu);
  else if ((before & ~BEGINS) === KASAN_FREED) broken('double-free', 'is freed twice', address, cpu);
  else broken('foreign-free', 'is freed, but was never handed out', address, cpu);
  return false;
}

/** Any access to memory that may have gone back to the page allocator. */
export function kasanCheck(word: number, cpu: number): void {
  if (word < FIRST_WORD || word >= HEAP_WORDS || pageMarks[word >>> (PAGE_SHIFT - 2)] !== KASAN_PAGE_FREE) return;
  broken('use-after-free', 'was given back to the page allocator', word << 2, cpu);
}

/** An access of a caller to a block it was given. */
export function clientCheck(word: number, cpu: number): void {
  const page = pageMarks[word >>> (PAGE_SHIFT - 2)] & ~BEGINS;
  if (page === KASAN_CLIENT || ((wordMarks[word] & ~BEGINS) === KASAN_CLIENT && page !== KASAN_PAGE_FREE)) return;
  broken('use-after-free', 'is not allocated', word << 2, cpu);
}

/** Does a block that a caller holds begin here? */
export function isClient(address: number): boolean {
  const begins = KASAN_CLIENT | BEGINS;
  return pageMarks[address >>> PAGE_SHIFT] === begins || wordMarks[address >>> 2] === begins;
}

function broken(cls: FailureClass, what: string, address: number, cpu: number): void {
  fail({ cls, message: `0x${(address >>> 0).toString(16)} ${what}`, cpu, step: execution.steps });
}
