/**
 * sleep.ts — waiting for somebody's news: tsleep and wakeup on a channel.
 *
 * Follows   DragonFly sys/kern/kern_synch.c: tsleep_interlock, tsleep, wakeup, wakeup_one. A channel is an address.
 *
 *   sleeper                               waker
 *     tsleepInterlock(ch)  GD_WCHAN = ch    change the condition
 *     look at the condition again           for each CPU with GD_WCHAN == ch: swap it to 0, raise INTR_WAKE
 *     tsleep(ms)           halt
 *
 * All four are sequentially consistent, so either the sleeper sees the new condition or the waker sees the sleeper.
 * A sleeping CPU goes on serving its interrupts: it sleeps on its own interrupt line and nowhere else.
 *
 * Runs in   thread context, no critical section held.
 */
import { P_CRIT_SLEEP } from '../base/panics.js';
import { cas, load, store } from '../hw/atomics.js';
import { intrMask, intrUnmask } from '../hw/cpufunc.js';
import { i32 } from '../hw/heap.js';
import { intrHalt, intrRaise } from '../hw/intr.js';
import { INTR_WAKE } from '../hw/intr.layout.js';
import { nowMs } from '../hw/time.js';
import { globaldataFind, mycpu, NCPU } from './globaldata.js';
import { GD_CRIT, GD_WCHAN } from './globaldata.layout.js';
import { KTR, ktr } from './ktr.js';
import { KTR_SLEEP, KTR_WAKEUP } from './ktr.layout.js';
import { checkStop, panic } from './panic.js';
import { splzWaiting } from './splz.js';

/** longest single halt, so that a stopped machine is left soon even if its last bell was missed */
const HALT_MS = 100;

/** Announces that this CPU is about to sleep on `wchan`. Look at the condition next, then tsleep or tsleepAbort. */
export function tsleepInterlock(wchan: number): void {
  store(mycpu() + GD_WCHAN, wchan);
}

export function tsleepAbort(): void {
  store(mycpu() + GD_WCHAN, 0);
}

/** Sleeps until woken or `ms` milliseconds are over. @returns true when woken */
export function tsleep(ms: number): boolean {
  const gd = mycpu();
  if (i32[gd + GD_CRIT] !== 0) panic(P_CRIT_SLEEP, i32[gd + GD_CRIT]);
  if (KTR) ktr(KTR_SLEEP, load(gd + GD_WCHAN), 0, 0);
  const end = nowMs() + ms;
  for (;;) {
    splzWaiting();
    // cli; look; sti and hlt: an interrupt that was served between the look and the halt would not end the halt
    intrMask();
    const woken = load(gd + GD_WCHAN) === 0;
    const left = end - nowMs();
    if (!woken && left > 0) intrHalt(Math.min(left, HALT_MS));
    intrUnmask();
    if (woken) return true;
    if (left <= 0) break;
    checkStop();
  }
  // the waker may swap it in this very moment: whoever gets the channel decides
  const wchan = load(gd + GD_WCHAN);
  return wchan === 0 || !cas(gd + GD_WCHAN, wchan, 0);
}

/** Wakes every CPU that sleeps on `wchan`. */
export function wakeup(wchan: number): void {
  for (let cpu = 0; cpu < NCPU; cpu++) wakeCpu(cpu, wchan);
}

/** Wakes one of them, the lowest numbered. */
export function wakeupOne(wchan: number): void {
  for (let cpu = 0; cpu < NCPU; cpu++) if (wakeCpu(cpu, wchan)) return;
}

function wakeCpu(cpu: number, wchan: number): boolean {
  const word = globaldataFind(cpu) + GD_WCHAN;
  if (load(word) !== wchan || !cas(word, wchan, 0)) return false;
  if (KTR) ktr(KTR_WAKEUP, wchan, cpu, 0);
  intrRaise(cpu, INTR_WAKE);
  return true;
}
