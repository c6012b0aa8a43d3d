/**
 * pause.ts — one turn of a wait loop.
 *
 * A waiter spins first, because what it waits for usually takes less than a trip to the scheduler; then it halts for
 * moments, because with more virtual CPUs than cores the one it waits for may need this core. Every turn looks at
 * SB_STOP, so no wait outlives a panic.
 */
import { cpuSpinwait } from '../hw/cpufunc.js';
import { checkStop } from './panic.js';

/** @param spins how many turns the loop has made. Interrupts are for the caller to serve. */
export function cpuPause(spins: number): void {
  checkStop();
  cpuSpinwait(spins);
}
