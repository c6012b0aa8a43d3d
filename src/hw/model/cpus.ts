/**
 * cpus.ts — where each CPU stands in virtual time, and who waits for what.
 *
 *   READY    goes on at wakeAt, which is its clock
 *   PARKED   in a wait loop whose next turn would be like the last: goes on when somebody writes a line it reads, when an
 *            interrupt arrives, or when the loop has had all its turns
 *   ASLEEP   halted until an interrupt arrives
 *   DONE     its program is over; interrupts are still served
 *
 * One CPU's access is made when it is the earliest there is: `t[NOW] <= t[HORIZON]`, the next CPU's time. Accesses to
 * lines a CPU has need not wait for that, nobody sees them; so a CPU runs ahead until it needs something of others.
 */
import { MAXCPU } from '../../base/param.js';

export const READY = 0;
export const PARKED = 1;
export const ASLEEP = 2;
export const DONE = 3;

/** Thrown to leave an operation that will be run again over its log. */
export const STOP = { stop: true };

/** doubles in an array: a variable of a module would be a new object at each change */
export const NOW = 0;
export const HORIZON = 1;
export const t = new Float64Array(2);

export const stateOf = new Uint8Array(MAXCPU);
/** virtual nanoseconds: how far the CPU has come; when it goes on */
export const clock = new Float64Array(MAXCPU);
export const wakeAt = new Float64Array(MAXCPU);
/** since when it is parked or asleep, and what a turn of its loop takes */
export const since = new Float64Array(MAXCPU);
export const turnNs = new Float64Array(MAXCPU);
/** line it waits for, 0: none */
export const waitLine = new Int32Array(MAXCPU);

/** CPU `cpu`, parked or asleep, may go on at `at`, if it does not sooner. */
export function wake(cpu: number, at: number): void {
  const when = Math.max(at, clock[cpu]);
  if (when >= wakeAt[cpu]) return;
  wakeAt[cpu] = when;
  if (when < t[HORIZON]) t[HORIZON] = when;
}
