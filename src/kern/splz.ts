/**
 * splz.ts — serving the interrupts that are pending on this CPU.
 *
 *   INTR_STOP    leave for good
 *   INTR_IPIQ    run lwkt_process_ipiq; with a signal delay of N, only after N polls that saw it
 *   INTR_URGENT  a sender waits for room in its FIFO: no delay
 *   INTR_TICK    the clock: passive messages, then whatever was registered with hardclock
 *   INTR_WAKE    nothing to do: being awake is the service
 *
 * Follows  DragonFly platform splz(), lwkt_ipiq's use of it; the delay is an experiment's parameter of ours.
 * Runs in  thread context, outside critical sections.
 */
import { i32 } from '../hw/heap.js';
import { intrPending, intrTake } from '../hw/intr.js';
import { INTR_IPIQ, INTR_STOP, INTR_TICK, INTR_URGENT, INTR_WAKE } from '../hw/intr.layout.js';
import { SB_SIGNAL } from '../hw/superblock.layout.js';
import { mycpu } from './globaldata.js';
import { GD_CRIT, GD_SIGNAL, GD_TICKS } from './globaldata.layout.js';
import { lwktProcessIpiq } from './lwkt_ipiq.js';
import { checkStop } from './panic.js';

const SIGNAL_DELAY = i32[SB_SIGNAL];

/** Functions called at each clock tick, in order of registration. */
const clockFuncs: ((ticks: number) => void)[] = [];

/** Link-time registration by modules above; never called after the module graph is loaded. */
export function hardclockRegister(func: (ticks: number) => void): void {
  clockFuncs.push(func);
}

export function splz(): void {
  for (;;) {
    const bits = intrPending();
    if ((bits & INTR_STOP) !== 0) checkStop();
    if (bits === 0 || signalDelayed(bits)) return;
    serve(intrTake(INTR_IPIQ | INTR_URGENT | INTR_TICK | INTR_WAKE));
  }
}

/** While waiting there is nothing to delay for: serves everything now. */
export function splzWaiting(): void {
  i32[mycpu() + GD_SIGNAL] = 1;
  splz();
  i32[mycpu() + GD_SIGNAL] = 0;
}

/** True while a lone signal has polls left to wait. */
function signalDelayed(bits: number): boolean {
  if (SIGNAL_DELAY <= 0 || bits !== INTR_IPIQ) return false;
  const gd = mycpu();
  const left = i32[gd + GD_SIGNAL];
  i32[gd + GD_SIGNAL] = left <= 0 ? SIGNAL_DELAY : left - 1;
  return left !== 1;
}

/** Interrupt context: critical count and all. */
function serve(bits: number): void {
  const gd = mycpu();
  i32[gd + GD_CRIT]++;
  if ((bits & (INTR_IPIQ | INTR_URGENT | INTR_TICK)) !== 0) {
    i32[gd + GD_SIGNAL] = 0;
    lwktProcessIpiq();
  }
  if ((bits & INTR_TICK) !== 0) {
    const ticks = ++i32[gd + GD_TICKS];
    for (const func of clockFuncs) func(ticks);
  }
  i32[gd + GD_CRIT]--;
}
