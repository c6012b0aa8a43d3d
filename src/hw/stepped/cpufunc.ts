/** cpufunc.ts — hw/cpufunc.ts for stepped CPUs: here the mask masks, and a wait loop is not run in vain. */
import { MASK, UNMASK } from '../../base/access.js';
import { maskChange, waitTurn } from './access.js';

export function intrMask(): void {
  maskChange(MASK);
}

export function intrUnmask(): void {
  maskChange(UNMASK);
}

export function cpuSpinwait(spins: number, _most?: number): number {
  waitTurn();
  return spins + 1;
}
