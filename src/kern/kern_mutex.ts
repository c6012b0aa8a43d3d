/**
 * kern_mutex.ts — mutual exclusion between CPUs: one word with its owner in it.
 *
 * Follows   FreeBSD sys/kern/kern_mutex.c (mtx_lock word: owner | MTX_CONTESTED), by idea.
 *
 *   mtx_lock   0                       free
 *              cpu + 1                 held by cpu
 *              cpu + 1 | MTX_CONTESTED held, somebody may sleep on it: the unlock has to wake one
 *
 * The word stands on an `atomic` line of the structure it belongs to; what it protects stands on `lock` lines.
 * Three forms of waiting, chosen at boot: `spin`, `adaptive` (spin for a while, then sleep), `futex` (sleep).
 * A waiter goes on serving its interrupts. A woken waiter takes the lock marked contested, because others may still
 * sleep behind it; the price is one wake-up too many.
 *
 * Runs in   thread context. In a critical section only the spin form may wait (mtxLockSpin).
 */
import { P_MTX_NOTOWNED, P_MTX_RECURSED } from '../base/panics.js';
import { MTX_FUTEX, MTX_SPIN } from '../base/policy.js';
import { cas, load, store } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { i32 } from '../hw/heap.js';
import { SB_MUTEX } from '../hw/superblock.layout.js';
import { mycpu } from './globaldata.js';
import { GD_CRIT } from './globaldata.layout.js';
import { panic } from './panic.js';
import { cpuPause } from './pause.js';
import { tsleep, tsleepAbort, tsleepInterlock, wakeupOne } from './sleep.js';
import { splzWaiting } from './splz.js';

const FORM = i32[SB_MUTEX];
const MTX_CONTESTED = 0x10000;
const MTX_OWNER_MASK = 0xffff;
/** turns an adaptive waiter spins before it sleeps */
const ADAPTIVE_SPINS = 100;
const SLEEP_MS = 1000;

/** @param mtx word index of the mutex */
export function mtxLock(mtx: number): void {
  if (!cas(mtx, 0, curcpu + 1)) mtxLockSlow(mtx);
}

export function mtxTrylock(mtx: number): boolean {
  return cas(mtx, 0, curcpu + 1);
}

export function mtxUnlock(mtx: number): void {
  if (!cas(mtx, curcpu + 1, 0)) mtxUnlockSlow(mtx);
}

/** Owned by the CPU that asks? */
export function mtxOwned(mtx: number): boolean {
  return (load(mtx) & MTX_OWNER_MASK) === curcpu + 1;
}

function mtxLockSlow(mtx: number): void {
  if (mtxOwned(mtx)) panic(P_MTX_RECURSED, mtx << 2);
  const spinsOnly = FORM === MTX_SPIN || i32[mycpu() + GD_CRIT] !== 0;
  // once we have announced ourselves as a sleeper, a wake-up meant for another may have come to us
  let mine = curcpu + 1;
  const most = spinsOnly ? Number.POSITIVE_INFINITY : FORM === MTX_FUTEX ? 0 : ADAPTIVE_SPINS;
  for (let spins = 0; ; ) {
    if (load(mtx) === 0 && cas(mtx, 0, mine)) return;
    if (spins < most) {
      if (i32[mycpu() + GD_CRIT] === 0) splzWaiting();
      spins = cpuPause(spins, most);
    } else {
      mine |= MTX_CONTESTED;
      sleepOn(mtx);
    }
  }
}

/** Sleeps until the lock may be free. */
function sleepOn(mtx: number): void {
  const held = load(mtx);
  if (held === 0) return;
  if ((held & MTX_CONTESTED) === 0 && !cas(mtx, held, held | MTX_CONTESTED)) return;
  tsleepInterlock(mtx << 2);
  if ((load(mtx) & MTX_CONTESTED) === 0) tsleepAbort();
  else tsleep(SLEEP_MS);
}

function mtxUnlockSlow(mtx: number): void {
  if (!mtxOwned(mtx)) panic(P_MTX_NOTOWNED, mtx << 2);
  store(mtx, 0);
  wakeupOne(mtx << 2);
}
