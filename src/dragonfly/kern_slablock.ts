/**
 * kern_slablock.ts — policy `locked`, the baseline: a CPU's slab data under a mutex that owner and freers share.
 *
 * Every other policy needs none, and these two calls are compiled away. Inside a critical section, so it spins.
 */
import { FREE_LOCKED } from '../base/policy.js';
import { mtxLock, mtxUnlock } from '../kern/kern_mutex.js';
import { SL_MTX } from './slaballoc.layout.js';
import { FREE, slgdFind } from './slglobaldata.js';

/** @returns SLGlobalData of `cpu`, which is the caller's to change until slabUnlock */
export function slabLock(cpu: number): number {
  const sl = slgdFind(cpu);
  if (FREE === FREE_LOCKED) mtxLock(sl + SL_MTX);
  return sl;
}

export function slabUnlock(sl: number): void {
  if (FREE === FREE_LOCKED) mtxUnlock(sl + SL_MTX);
}
