/** curcpu.ts — the CPU that executes now: the scheduler sets it. */
import { ticket } from '../bind.js';

export let curcpu: number = ticket.cpu;

export function switchCpu(cpu: number): void {
  curcpu = cpu;
}
