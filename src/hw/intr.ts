/**
 * intr.ts — interrupt lines: raise, poll, take, sleep. The protocol stands in intr.layout.ts.
 */
import { and, load, notify, or, racy, store, wait } from './atomics.js';
import { curcpu } from './curcpu.js';
import { i32 } from './heap.js';
import { INTR_IDLE, INTR_PENDING, INTR_WORDS } from './intr.layout.js';
import { SB_INTR } from './superblock.layout.js';

const INTR = i32[SB_INTR] >>> 2;

/** Word index of a CPU's interrupt line. */
export function intrLine(cpu: number): number {
  return INTR + cpu * INTR_WORDS;
}

/** Raises `bits` at `cpu` and wakes it if it sleeps. Any CPU, any context. */
export function intrRaise(cpu: number, bits: number): void {
  const line = intrLine(cpu);
  or(line + INTR_PENDING, bits);
  if (load(line + INTR_IDLE) !== 0) notify(line + INTR_PENDING);
}

/** The pending bits, read plainly: this stands at every critExit. Racy by design, see the protocol. */
export function intrPoll(): number {
  return racy(intrLine(curcpu) + INTR_PENDING);
}

export function intrPending(): number {
  return load(intrLine(curcpu) + INTR_PENDING);
}

/** Clears `bits` and returns those that were up. */
export function intrTake(bits: number): number {
  return and(intrLine(curcpu) + INTR_PENDING, ~bits) & bits;
}

/** Halts until an interrupt is pending or `ms` milliseconds are over. */
export function intrHalt(ms: number): void {
  const line = intrLine(curcpu);
  // in the event loop a CPU is idle, and has to be rung, before and after a handler that had to wait
  const idle = racy(line + INTR_IDLE);
  store(line + INTR_IDLE, 1);
  wait(line + INTR_PENDING, 0, ms);
  store(line + INTR_IDLE, idle);
}
