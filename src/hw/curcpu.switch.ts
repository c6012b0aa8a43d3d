/**
 * curcpu.switch.ts — curcpu for one thread that plays several CPUs in turn (unit tests, later the scheduler).
 * Takes the place of curcpu.ts; the live binding makes every reader see the switch.
 */
import { ticket } from './bind.js';

export let curcpu: number = ticket.cpu;

export function switchCpu(cpu: number): void {
  curcpu = cpu;
}
