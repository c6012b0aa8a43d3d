/**
 * critical.ts — critical sections: no interrupt, no preemption on this CPU while the count is above zero.
 *
 * They cost two plain accesses and take no lock: that is what the 2005 and 2010 commits are about. They nest; the
 * outermost exit runs splz, which serves what arrived meanwhile. JavaScript cannot be interrupted, so natively an IPI
 * arrives exactly there, at explicit polls and while waiting; the stepped executions deliver it anywhere outside.
 *
 * Follows  DragonFly sys/thread2.h crit_enter, crit_exit, crit_exit_quick.
 */
import { P_CRIT_UNBALANCED } from '../base/panics.js';
import { intrMask, intrUnmask } from '../hw/cpufunc.js';
import { i32 } from '../hw/heap.js';
import { intrPoll } from '../hw/intr.js';
import { mycpu } from './globaldata.js';
import { GD_CRIT } from './globaldata.layout.js';
import { panic } from './panic.js';
import { splz } from './splz.js';

declare const INVARIANTS: boolean;

export function critEnter(): void {
  i32[mycpu() + GD_CRIT]++;
}

export function critExit(): void {
  const gd = mycpu();
  const depth = i32[gd + GD_CRIT] - 1;
  if (INVARIANTS && depth < 0) panic(P_CRIT_UNBALANCED, depth, 0);
  i32[gd + GD_CRIT] = depth;
  if (depth === 0 && intrPoll() !== 0) splz();
}

/**
 * A hard critical section: interrupts are masked, not counted, so it costs a poll and not four accesses. For a few
 * accesses in a row that call nothing; it may stand inside a counted one. intr_disable and intr_restore of the kernel.
 */
export function intrDisable(): void {
  intrMask();
}

export function intrRestore(): void {
  intrUnmask();
  if (intrPoll() !== 0) intrRestoreSlow();
}

function intrRestoreSlow(): void {
  if (i32[mycpu() + GD_CRIT] === 0) splz();
}

/** Leaves without looking for interrupts: for code that serves them itself. */
export function critExitQuick(): void {
  i32[mycpu() + GD_CRIT]--;
}
