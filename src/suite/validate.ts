/**
 * validate.ts — is the model right? The same workloads natively and in the model under the profile `host`, at as many
 * CPUs as this host has (1 and 2): of each pair of policies the ratio that was predicted, and the one that was measured.
 *
 * Ratios, not times: what the model knows of is lines, locked operations, interrupts and sleep. What a pair of policies
 * does the same cancels out.
 */
import type { StatsPolicy } from '../base/policy.js';
import type { CostProfile } from '../lab/model/profile.js';
import type { ModelRow } from '../lab/model/row.js';
import { loopSuite } from './loop_suite.js';
import type { LoopName } from './loops.js';
import { type ModelOptions, modelCells, modelSuite } from './model.js';
import { statsSuite } from './stats.js';
import type { FreeName, SuiteOptions } from './suite.js';

/** A configuration, as predicted and as measured, in operations per microsecond. */
export interface Both {
  readonly workload: string;
  readonly cpus: number;
  readonly alloc: string;
  readonly free: FreeName;
  readonly stats: StatsPolicy;
  readonly predicted: number;
  readonly measured: number;
  /** medians of rounds are this far apart, as a share of their median: what a ratio is worth */
  readonly spread: number;
}

/** Two policies of one workload, how much faster the first is. */
export interface Pair {
  readonly workload: string;
  readonly cpus: number;
  readonly a: string;
  readonly b: string;
  readonly predicted: number;
  readonly measured: number;
  /** predicted / measured */
  readonly off: number;
}

/** a prediction further off than this is one the docs have to explain */
export const WITHIN = 2;

/** the model's name of a native suite with the same parameters */
const SAME: Readonly<Record<string, string>> = { larson: 'larson-long', ring: 'ring-short' };
const LOOPS: readonly { readonly name: LoopName; readonly cpus: readonly number[] }[] = [
  { name: 'pair', cpus: [1, 2] }, { name: 'local', cpus: [1, 2] }, { name: 'larson', cpus: [1, 2] },
  { name: 'xmalloc', cpus: [2] }, { name: 'ring', cpus: [2] },
];
const FREES = ['rbatch', 'rchunks', 'ipi', 'locked'] as const;
const STATISTICS: readonly StatsPolicy[] = ['critical', 'unpadded', 'atomic', 'mutex', 'none'];
/** an update that does nothing makes no access, and there is nothing to predict */
const NOTHING = (where: string, stats: StatsPolicy): boolean => where === 'update' && stats === 'none';

/** @param native of the native runs; their CPUs are not heard */
export async function validate(native: SuiteOptions, model: ModelOptions, profile: CostProfile): Promise<Both[]> {
  const most = Math.min(2, native.cpus);
  const both: Both[] = [];
  const predicted = await predictions(model, profile, most);
  const find = (workload: string, row: { cpus: number; alloc: string; free: string; stats: string }) =>
    predicted.find((one) => one.workload === workload && one.cpus === row.cpus && one.alloc === row.alloc &&
      one.free === row.free && one.stats === row.stats);
  const add = (workload: string, modelled: string, row: Omit<Both, 'predicted' | 'workload'>) => {
    const cell = find(modelled, row);
    // an update of two is one operation of the model
    const perOp = modelled === 'stats-update' ? 2 : 1;
    if (cell) both.push({ ...row, workload, predicted: cell.opsPerUs * perOp });
  };
  const stats = await statsSuite({ ...native, cpus: most, cpusGiven: true, free: ['rbatch'], stats: STATISTICS });
  for (const { where, cpus, alloc, free, stats: policy, mops, samples } of stats) {
    if (NOTHING(where, policy)) continue;
    const row = { cpus, alloc, free, stats: policy, measured: mops, spread: spreadOf(samples ?? []) };
    add(`stats-${where}`, `stats-${where}`, row);
  }
  for (const { name, cpus } of LOOPS) {
    for (const n of cpus.filter((count) => count <= most)) {
      if (native.signal.aborted) return both;
      const rows = await loopSuite(name, { ...native, cpus: n, cpusGiven: true, free: FREES, stats: ['critical'] });
      for (const { alloc, free, stats: policy, mops, samples, cpus: count } of rows) {
        const row = { cpus: count, alloc, free, stats: policy, measured: mops, spread: spreadOf(samples ?? []) };
        add(name, SAME[name] ?? name, row);
      }
    }
  }
  return both;
}

async function predictions(model: ModelOptions, profile: CostProfile, most: number): Promise<ModelRow[]> {
  const o = { ...model, profiles: [profile], cpus: most === 1 ? [1] : [1, 2], signalDelays: null };
  const loops = modelSweep({ ...o, workloads: LOOPS.map(({ name }) => SAME[name] ?? name), free: FREES, stats: null });
  const stats = modelSweep({
    ...o, workloads: ['stats-update', 'stats-malloc'], free: ['rbatch'], stats: STATISTICS,
  });
  return [...(await loops), ...(await stats)];
}

function modelSweep(o: ModelOptions): Promise<ModelRow[]> {
  return modelSuite(o, modelCells(o));
}

function spreadOf(samples: readonly number[]): number {
  if (samples.length < 4) return 0;
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  return (at(0.75) - at(0.25)) / at(0.5);
}

/** Each policy against each other of the same workload and number of CPUs. */
export function pairs(both: readonly Both[]): Pair[] {
  const result: Pair[] = [];
  for (const [n, a] of both.entries()) {
    for (const b of both.slice(n + 1)) {
      if (a.workload !== b.workload || a.cpus !== b.cpus) continue;
      const predicted = a.predicted / b.predicted;
      const measured = a.measured / b.measured;
      result.push({
        workload: a.workload, cpus: a.cpus, a: nameOf(a), b: nameOf(b), predicted, measured, off: predicted / measured,
      });
    }
  }
  return result;
}

export function isWithin({ off }: Pair): boolean {
  return off <= WITHIN && off >= 1 / WITHIN;
}

function nameOf({ workload, alloc, free, stats }: Both): string {
  if (workload.startsWith('stats')) return alloc === 'dragonfly' ? stats : `${alloc} ${stats}`;
  return free === '-' ? alloc : free;
}
