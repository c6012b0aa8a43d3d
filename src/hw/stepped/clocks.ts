/**
 * clocks.ts — who accessed each word when: vector clocks, and the data races they show.
 *
 * Happens-before, by CPU: an atomic store publishes the CPU's clock in the word, replacing what was there; a
 * read-modify-write joins and publishes; an atomic load joins. A bell joins like a read-modify-write. Two accesses race
 * when neither happens before the other, one writes, and not both are atomic (ECMA-262 29: everything atomic is
 * SeqCst). An execution without a race under sequential consistency is all a processor with weaker memory can show.
 *
 * Kept by slot (journal.ts): four clocks a CPU, of its last plain read, plain write, atomic read, atomic write.
 */
import { MAX_ENTITIES } from './entity.js';
import { execution, fail } from './failure.js';
import { grown } from './grown.js';

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
/** by thread: what its CPU knew when it was taken from there */
const travelling = new Int32Array(MAX_ENTITIES * MAX_CPUS);

/** Starts a new execution for `cpus` CPUs. */
export function clocksReset(cpus: number): void {
  stamp++;
  ncpu = cpus;
  cpuClock.fill(0);
  for (let cpu = 0; cpu < cpus; cpu++) cpuClock[cpu * MAX_CPUS + cpu] = 1;
}

/** Thread `e` is taken from CPU `cpu` ... */
export function clockLeaves(e: number, cpu: number): void {
  const mine = cpu * MAX_CPUS;
  for (let q = 0; q < ncpu; q++) travelling[e * MAX_CPUS + q] = cpuClock[mine + q];
  cpuClock[mine + cpu]++;
}

/** ... and goes on on CPU `cpu`: the context switches order what it did there before what is done here. */
export function clockArrives(e: number, cpu: number): void {
  const mine = cpu * MAX_CPUS;
  for (let q = 0; q < ncpu; q++) {
    const known = travelling[e * MAX_CPUS + q];
    if (q !== cpu && known > cpuClock[mine + q]) cpuClock[mine + q] = known;
  }
}

/** The slot's clocks are of this execution. */
function renew(slot: number): void {
  if (slot >= stamps.length) growTo(slot);
  if (stamps[slot] !== stamp) {
    stamps[slot] = stamp;
    touched[slot] = 0;
    clocks.fill(0, slot * SLOT_WORDS, slot * SLOT_WORDS + SLOT_WORDS);
  }
}

function growTo(slot: number): void {
  const length = Math.max(slot + 1, stamps.length * 2);
  clocks = grown(clocks, length * SLOT_WORDS);
  stamps = grown(stamps, length);
  touched = grown(touched, length);
}

/** A plain access of CPU `cpu`. */
export function plainAccess(word: number, slot: number, cpu: number, write: boolean): void {
  if (slot >= stamps.length || stamps[slot] !== stamp) renew(slot);
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
export function atomicAccess(word: number, slot: number, cpu: number, read: boolean, write: boolean): void {
  if (slot >= stamps.length || stamps[slot] !== stamp) renew(slot);
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
