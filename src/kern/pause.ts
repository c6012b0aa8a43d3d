/**
 * pause.ts — one turn of a wait loop.
 *
 * A waiter spins first, because what it waits for usually takes less than a trip to the scheduler; then it halts for
 * moments, because with more virtual CPUs than cores the one it waits for may need this core. Every turn looks at
 * SB_STOP, so no wait outlives a panic.
 */
import { cpuSpinwait } from '../hw/cpufunc.js';
import { checkStop } from './panic.js';

/**
 * Interrupts are for the caller to serve.
 * @param spins how many turns the loop has made
 * @param most given by a loop whose turns differ in nothing but their number, and that goes on with what this returns: the
 *   turns after which it does something else, or Infinity. Where time is virtual, turns in vain are not made
 * @returns how many turns it has made now
 */
export function cpuPause(spins: number, most?: number): number {
  checkStop();
  return cpuSpinwait(spins, most);
}
