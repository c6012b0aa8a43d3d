/**
 * gang.ts — a barrier for the CPUs of a phase: all start, turn over and stop together.
 *
 * SB_GANG_COUNT counts arrivals, SB_GANG_GEN the completed rounds. The last one to arrive clears the count BEFORE it
 * advances the generation, so an early bird of the next round finds it empty. Waiters spin, then sleep; they serve
 * interrupts all the while.
 */
import { add, load, store } from '../hw/atomics.js';
import { SB_GANG_COUNT, SB_GANG_GEN } from '../hw/superblock.layout.js';
import { cpuPause } from './pause.js';
import { tsleep, tsleepAbort, tsleepInterlock, wakeup } from './sleep.js';
import { splzWaiting } from './splz.js';

const GANG_SPINS = 150;
const WCHAN = SB_GANG_GEN << 2;

/** @param parties how many CPUs take part; all must give the same number */
export function gangBarrier(parties: number): void {
  const generation = load(SB_GANG_GEN);
  if (add(SB_GANG_COUNT, 1) + 1 === parties) {
    store(SB_GANG_COUNT, 0);
    add(SB_GANG_GEN, 1);
    wakeup(WCHAN);
    return;
  }
  for (let spins = 0; load(SB_GANG_GEN) === generation; ) {
    splzWaiting();
    if (spins < GANG_SPINS) spins = cpuPause(spins, GANG_SPINS);
    else sleepFor(generation);
  }
}

function sleepFor(generation: number): void {
  tsleepInterlock(WCHAN);
  if (load(SB_GANG_GEN) !== generation) tsleepAbort();
  else tsleep(50);
}
