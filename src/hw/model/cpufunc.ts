/** cpufunc.ts — hw/cpufunc.ts for modelled CPUs. Interrupts come where they are asked for: masking is nothing. */
export { waitTurn as cpuSpinwait } from './waits.js';

export function intrMask(): void {}

export function intrUnmask(): void {}
