/**
 * interrupts.ts — which interrupt arrives when: the wires between CPUs. A bit that is up in INTR_PENDING has been sent;
 * its CPU sees it from the time it arrives.
 */
import { MAXCPU } from '../../base/param.js';
import { i32 } from '../heap.js';
import { INTR_PENDING, INTR_STOP, INTR_WORDS } from '../intr.layout.js';
import { SB_INTR } from '../superblock.layout.js';
import { ASLEEP, DONE, NOW, stateOf, t, wake } from './cpus.js';
import { cost, FUTEX_WAKE, IPI_DELIVER } from './costs.js';

const BITS = 5;
const INTR = i32[SB_INTR] >>> 2;
const arrival = new Float64Array(MAXCPU * BITS);

export const pendingWord = (cpu: number): number => INTR + cpu * INTR_WORDS + INTR_PENDING;

/** The bits CPU `cpu` sees at this moment. */
export function arrived(cpu: number): number {
  const bits = i32[pendingWord(cpu)];
  if (bits === 0) return 0;
  let seen = bits & INTR_STOP;
  for (let n = 0; n < BITS; n++) if ((bits & (1 << n)) !== 0 && arrival[cpu * BITS + n] <= t[NOW]) seen |= 1 << n;
  return seen;
}

/** When the next one that is on its way arrives, infinity when none is: one that is there and not taken is masked. */
export function nextArrival(cpu: number): number {
  const bits = i32[pendingWord(cpu)];
  let next = Number.POSITIVE_INFINITY;
  for (let n = 0; n < BITS; n++) {
    const at = arrival[cpu * BITS + n];
    if ((bits & (1 << n)) !== 0 && at > t[NOW] && at < next) next = at;
  }
  return next;
}

/** Sends `bits`, at `at`. A CPU that sleeps is woken, which takes longer than being interrupted. */
export function send(cpu: number, bits: number, at: number): void {
  const word = pendingWord(cpu);
  const asleep = stateOf[cpu] === ASLEEP || stateOf[cpu] === DONE;
  const when = at + (asleep ? Math.max(cost[FUTEX_WAKE], cost[IPI_DELIVER]) : cost[IPI_DELIVER]);
  for (let n = 0; n < BITS; n++) {
    if ((bits & (1 << n)) === 0) continue;
    if ((i32[word] & (1 << n)) === 0 || when < arrival[cpu * BITS + n]) arrival[cpu * BITS + n] = when;
  }
  i32[word] |= bits;
  wake(cpu, when);
}

/** Takes those of `bits` that have arrived. */
export function take(cpu: number, bits: number): number {
  const taken = arrived(cpu) & bits;
  i32[pendingWord(cpu)] &= ~taken;
  return taken;
}
