/**
 * cpufunc.ts — what only the processor itself can do (FreeBSD machine/cpufunc.h): hold still, and wait a moment.
 *
 * The stepped flavour has another file in this one's place: there the scheduler decides who goes on.
 */
import { intrHalt } from './intr.js';

const SPINS = 200;
/** milliseconds */
const NAP = 0.05;

/**
 * Masks interrupts and preemption on this CPU up to intrUnmask, for a few accesses and no call that waits. Natively
 * there is nothing to do: JavaScript is not interrupted between two polls. Stepped, the scheduler holds still.
 */
export function intrMask(): void {}

export function intrUnmask(): void {}

/**
 * One turn of a wait loop. With more virtual CPUs than cores the one that is waited for may need this core: after some
 * turns each is a short halt.
 * @param spins how many turns the loop has made
 * @param most see cpuPause
 * @returns how many it has made now
 */
export function cpuSpinwait(spins: number, _most?: number): number {
  if (spins >= SPINS) intrHalt(NAP);
  return spins + 1;
}
