/**
 * replay.ts — a recorded trace, run again: each CPU its own events, in their order.
 *
 * The programs' format and who may touch which pointer stand in replay.layout.ts. Where mallocs are made to fail, an
 * object that was never born is FAILED in the table, and its other events are left out; a realloc that failed leaves
 * the old block, under the new name.
 */
import { EV_ALLOC, EV_FREE, EV_OP_MASK, EV_SHARED, EV_TYPE_SHIFT, EV_WORDS } from './replay.layout.js';
import { kfree, kmalloc, krealloc, MAY_FAIL, PATIENT, WAIT } from './allocator.js';
import { load, store } from '../hw/atomics.js';
import { i32 } from '../hw/heap.js';
import { nowMs } from '../hw/time.js';
import { cpuPause } from '../kern/pause.js';
import { splzWaiting } from '../kern/splz.js';

/** how long a CPU without memory waits for others to free some */
const PATIENCE_MS = 2000;
/** in the table: no block. Not 0, for which another CPU would wait */
const FAILED = 1;

/**
 * @param program the CPU's events
 * @param events how many
 * @param table word index of the pointer table
 * @param types malloc_type addresses by number
 */
export function replayRun(program: Int32Array, events: number, table: number, types: readonly number[]): void {
  for (let n = 0; n < events * EV_WORDS; n += EV_WORDS) replayEvent(program, n, table, types);
}

/** The event at word `n` of the program. */
export function replayEvent(program: Int32Array, n: number, table: number, types: readonly number[]): void {
  const word = program[n];
  const slot = table + program[n + 1];
  const type = types[word >>> EV_TYPE_SHIFT];
  const shared = (word & EV_SHARED) !== 0;
  const op = word & EV_OP_MASK;
  if (op === EV_FREE) {
    const p = shared ? awaitPointer(slot) : i32[slot];
    if (!MAY_FAIL || p !== FAILED) kfree(p, type);
    i32[slot] = 0;
    return;
  }
  const p = op === EV_ALLOC
    ? allocate(program[n + 2], type)
    : reallocate(table + program[n + 3], program[n + 2], type);
  if (shared) store(slot, p);
  else i32[slot] = p;
}

/** Frees every object still in the table. @param slots how many words it has */
export function replayFree(
  table: number, from: number, slots: number, step: number, types: readonly number[], typeOf: Int32Array,
): void {
  for (let n = from; n < slots; n += step) {
    const p = i32[table + n];
    if (p !== 0 && p !== FAILED) kfree(p, types[typeOf[n]]);
    i32[table + n] = 0;
  }
}

function allocate(size: number, type: number): number {
  const p = kmalloc(size, type, PATIENT);
  if (p !== 0) return p;
  return MAY_FAIL ? FAILED : persist(() => kmalloc(size, type, PATIENT), size);
}

/** The old object's pointer may belong to another CPU's event; realloc in a trace follows its birth, so it is there. */
function reallocate(oldSlot: number, size: number, type: number): number {
  const old = awaitPointer(oldSlot);
  i32[oldSlot] = 0;
  if (MAY_FAIL && old === FAILED) return allocate(size, type);
  if (size === 0) {
    kfree(old, type);
    return kmalloc(0, type, WAIT) || FAILED;
  }
  const p = krealloc(old, size, type, PATIENT);
  if (p !== 0) return p;
  return MAY_FAIL ? old : persist(() => krealloc(old, size, type, PATIENT), size);
}

function awaitPointer(slot: number): number {
  for (let spins = 0; ; ) {
    const p = load(slot);
    if (p !== 0) return p;
    splzWaiting();
    spins = cpuPause(spins, Number.POSITIVE_INFINITY);
  }
}

/** Memory is short: others may free some. A CPU may not sleep here for ever, for another may wait for its pointer. */
function persist(attempt: () => number, size: number): number {
  const end = nowMs() + PATIENCE_MS;
  for (let spins = 0; nowMs() < end; spins++) {
    splzWaiting();
    cpuPause(spins);
    const p = attempt();
    if (p !== 0) return p;
  }
  throw new Error(`replay: no memory for ${size} bytes; give the machine more (--memory)`);
}
