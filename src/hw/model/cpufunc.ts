/** cpufunc.ts — hw/cpufunc.ts for modelled CPUs. Interrupts arrive where the engine asks for them: masking is nothing. */
export { waitTurn as cpuSpinwait } from './waits.js';

export function intrMask(): void {}

export function intrUnmask(): void {}
