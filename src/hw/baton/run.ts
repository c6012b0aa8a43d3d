/** run.ts — one entity's part in an order that is known: takes the place of stepped/run.ts. */
import { asCpu, switchCpu } from '../stepped/curcpu.js';
import { cpuOf, critWord, layout, layOut, type Modes, type Operation, type Program } from '../stepped/entity.js';
import { interruptLook } from './access.js';

let programs: readonly Program[] = [];
let serve: Operation = () => undefined;
export const results: unknown[][] = [];
export const texts = { panic: (): string => 'panic' };

export function prepare(
  threads: readonly Program[], ncpu: number, service: Operation, critical: readonly number[], modes: Modes,
): void {
  programs = threads;
  serve = service;
  layOut(threads, ncpu, critical, modes);
}

/** A thread's operations, or its CPU's interrupt again and again; ends by what the turns throw, at the latest. */
export function play(e: number): void {
  const cpu = cpuOf[e];
  switchCpu(cpu);
  if (e < layout.irq0) {
    results[e].length = 0;
    for (const operation of programs[e].operations) results[e].push(operation());
    return;
  }
  for (;;) {
    interruptLook(critWord[cpu]);
    serve();
  }
}

export { asCpu };
