/** run.ts — one entity's part in an order that is known: takes the place of stepped/run.ts. */
import { curcpu, switchCpu } from '../stepped/curcpu.js';
import { cpuOf, critWord, layout, type Operation } from '../stepped/entity.js';
import type { Program } from '../stepped/run.js';
import { interruptLook } from './access.js';

let programs: readonly Program[] = [];
let serve: Operation = () => undefined;
export const results: unknown[][] = [];
export const texts = { panic: (): string => 'panic' };

export function prepare(
  threads: readonly Program[], ncpu: number, service: Operation, critical: readonly number[],
  modes: { readonly interrupts: boolean },
): void {
  programs = threads;
  serve = service;
  layout.threads = threads.length;
  layout.ncpu = ncpu;
  layout.irq0 = threads.length;
  layout.drain0 = threads.length + ncpu;
  layout.interrupts = modes.interrupts;
  for (let e = 0; e < layout.drain0; e++) cpuOf[e] = e < layout.irq0 ? threads[e].cpu : e - layout.irq0;
  for (let cpu = 0; cpu < ncpu; cpu++) critWord[cpu] = critical[cpu];
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

export function asCpu<T>(cpu: number, act: () => T): T {
  const before = curcpu;
  switchCpu(cpu);
  try {
    return act();
  } finally {
    switchCpu(before);
  }
}
