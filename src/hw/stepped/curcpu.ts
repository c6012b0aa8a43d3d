/** curcpu.ts — the CPU that executes now: the scheduler sets it. */
import { ticket } from '../bind.js';

export let curcpu: number = ticket.cpu;

export function switchCpu(cpu: number): void {
  curcpu = cpu;
}

/** Does `act` as CPU `cpu`, outside of any schedule. */
export function asCpu<T>(cpu: number, act: () => T): T {
  const before = curcpu;
  switchCpu(cpu);
  try {
    return act();
  } finally {
    switchCpu(before);
  }
}
