/**
 * phase.ts — a CPU's frame around a phase: counted in, run, counted out.
 *
 * SB_NRUNNING counts the CPUs inside a phase: it is what vm_wait compares its sleepers with. A phase that leaves a
 * critical section open has a bug, and is told so at once.
 */
import { P_CRIT_UNBALANCED } from '../base/panics.js';
import { add, store } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { i32 } from '../hw/heap.js';
import { intrLine, intrPending, intrRaise } from '../hw/intr.js';
import { INTR_IDLE, INTR_TICK } from '../hw/intr.layout.js';
import { SB_NRUNNING } from '../hw/superblock.layout.js';
import { mycpu } from '../kern/globaldata.js';
import { GD_CRIT, GD_RUNNING } from '../kern/globaldata.layout.js';
import { panic } from '../kern/panic.js';
import { splzWaiting } from '../kern/splz.js';

export function phaseEnter(): void {
  add(SB_NRUNNING, 1);
  i32[mycpu() + GD_RUNNING] = 1;
  store(intrLine(curcpu) + INTR_IDLE, 0);
}

export function phaseLeave(): void {
  const depth = i32[mycpu() + GD_CRIT];
  if (depth !== 0) panic(P_CRIT_UNBALANCED, depth, 0);
  i32[mycpu() + GD_RUNNING] = 0;
  add(SB_NRUNNING, -1);
  // the clock stops for this CPU: one last tick, or its open batches would wait for a phase that may never come
  intrRaise(curcpu, INTR_TICK);
  // from here on the event loop serves this CPU: raisers have to ring, and what came before that is served now
  store(intrLine(curcpu) + INTR_IDLE, 1);
  do splzWaiting();
  while (intrPending() !== 0);
}
