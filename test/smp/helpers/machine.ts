/**
 * machine.ts — machines for tests on real workers: what was built, stopped when the test is over, and no run that has
 * no end.
 */
import { expect, onTestFinished } from 'vitest';
import type * as Smpalloc from '../../../src/index.js';
import type { Audit } from '../../../src/workload/audit.js';

/** the built package, with the types of its source */
export const smpalloc: typeof Smpalloc = await import(new URL('../../../dist/index.js', import.meta.url).href);

export const WORKLOADS = 'smpalloc:workloads';
/** a run that takes longer is a hang */
const LIMIT_MS = 20_000;

/** an event loop that is not rung looks for itself this often (idle.ts) */
export const UNRUNG_MS = 1000;

/** URL of a phase module of ours. */
export function phases(name: string): string {
  return new URL(`../phases/${name}.mjs`, import.meta.url).href;
}

/** Boots a machine that stops when the test is over. */
export async function machine(options: Smpalloc.BootOptions = {}): Promise<Smpalloc.Machine> {
  const booted = await smpalloc.boot({ cpus: 2, memory: '64MiB', ...options });
  onTestFinished(() => booted.stop());
  return booted;
}

/** Runs a phase within the limit. @returns what each CPU returned */
export async function run<T = unknown>(
  m: Smpalloc.Machine, module: string, name: string, args: readonly unknown[] = [], options: Smpalloc.RunOptions = {},
): Promise<T[]> {
  return (await m.run(module, name, args, { timeout: LIMIT_MS, ...options })) as T[];
}

/** A built-in phase. */
export function workload<T = unknown>(
  m: Smpalloc.Machine, name: string, args: readonly unknown[] = [], options: Smpalloc.RunOptions = {},
): Promise<T[]> {
  return run<T>(m, WORKLOADS, name, args, options);
}

export async function defineType(m: Smpalloc.Machine, name = 'temp'): Promise<number> {
  const [types] = await workload<number[]>(m, 'defineTypes', [[name]]);
  return types![0]!;
}

/** Quiesces and audits; everything must be where it belongs. @returns blocks that are out */
export async function audited(m: Smpalloc.Machine): Promise<number> {
  const [audit] = await workload<Audit>(m, 'audit');
  expect(audit!.violations).toEqual([]);
  return audit!.blocks;
}

/** The panic of a run that must panic. */
export async function panicOf(running: Promise<unknown>): Promise<Smpalloc.MachinePanic> {
  const error = await running.then(
    () => new Error('the run did not panic'),
    (cause: unknown) => cause,
  );
  if (error instanceof smpalloc.MachinePanic) return error;
  throw error;
}

export async function millisecondsOf(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}
