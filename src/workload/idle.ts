/**
 * idle.ts — between phases a CPU sits in its event loop: the interrupt line wakes it for messages.
 *
 * Atomics.waitAsync arms the line; when it is rung the pending interrupts are served and it is armed again. The CPU
 * marks itself idle (INTR_IDLE) so that raisers notify. When the event loop turns, no engine operation is under way on
 * this CPU; only a phase that awaits in the middle of a critical section is let alone. A rung stop ends it.
 */
import { store, waitAsync } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { intrLine } from '../hw/intr.js';
import { INTR_IDLE, INTR_PENDING } from '../hw/intr.layout.js';
import { mycpu } from '../kern/globaldata.js';
import { GD_CRIT } from '../kern/globaldata.layout.js';
import { splzWaiting } from '../kern/splz.js';
import { i32 } from '../hw/heap.js';

const REARM_MS = 1000;

/**
 * Serves this CPU's interrupts from the event loop until the machine stops.
 * @param onStop called once, when it has stopped
 */
export async function idleLoop(onStop: () => void): Promise<void> {
  const line = intrLine(curcpu);
  try {
    for (;;) {
      if (i32[mycpu() + GD_CRIT] === 0) {
        store(line + INTR_IDLE, 1);
        splzWaiting();
      }
      const rung = waitAsync(line + INTR_PENDING, 0, REARM_MS);
      // pending already: a turn for the event loop, then serve
      await (rung ?? new Promise((resolve) => setImmediate(resolve)));
    }
  } catch {
    onStop();
  }
}
