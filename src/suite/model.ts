/**
 * model.ts — a sweep of the model: cells of workload x allocator x policies x delay x profile x CPUs, run side by side.
 *
 * Cells are numbered in one order, whatever part of them is run: a sweep that is spread over machines by shards comes
 * together as the same record (report/merge.ts).
 */
import type { AllocName, FreePolicy, StatsPolicy } from '../base/policy.js';
import { ModelFarm } from '../host/model_farm.js';
import type { Cell } from '../lab/model/measure.js';
import type { CostProfile } from '../lab/model/profile.js';
import type { ModelRow } from '../lab/model/row.js';
import { TRACE } from '../lab/model/trace.js';
import { type ModelWorkload, WORKLOADS } from '../lab/model/workloads.js';
import { contenders } from './suite.js';

export interface Shard {
  /** 1 .. of */
  readonly part: number;
  readonly of: number;
}

export interface ModelOptions {
  /** names of workloads, or trace:NAME */
  readonly workloads: readonly string[];
  readonly cpus: readonly number[];
  /** null: dragonfly alone */
  readonly alloc: readonly AllocName[] | null;
  /** null: what the workload is about */
  readonly free: readonly FreePolicy[] | null;
  readonly stats: readonly StatsPolicy[] | null;
  readonly signalDelays: readonly (number | 'tick' | 'profile')[] | null;
  readonly profiles: readonly CostProfile[];
  readonly seed: number;
  readonly ops: number | null;
  readonly memory: string;
  readonly tunables: Readonly<Record<string, number>>;
  readonly shard: Shard | null;
  readonly jobs: number;
  readonly signal: AbortSignal;
  progress(done: number, of: number, what: string): void;
}

const REMOTE: readonly FreePolicy[] = ['ipi', 'rchunks', 'rbatch'];
const COUNTED: readonly StatsPolicy[] = ['critical', 'unpadded', 'atomic', 'mutex'];
/** workloads in which nobody frees what another allocated */
const LOCAL = new Set(['stats-update', 'stats-malloc', 'pair', 'local']);

/** All cells of a sweep, in their order. */
export function modelCells(o: ModelOptions): Cell[] {
  const cells: Cell[] = [];
  for (const workload of o.workloads) {
    const statistics = o.stats ?? (workload.startsWith('stats-') ? COUNTED : (['critical'] as const));
    const frees = o.free ?? (LOCAL.has(workload) ? (['rbatch'] as const) : REMOTE);
    for (const cpus of cpusOf(workload, o.cpus)) {
      for (const { alloc, free, stats } of contenders(o, frees, statistics)) {
        for (const profile of o.profiles) {
          for (const signalDelay of o.signalDelays ?? [delayOf(free)]) {
            cells.push({
              cell: cells.length, workload, alloc, free, stats, cpus, signalDelay, profile, seed: o.seed, ops: o.ops,
              memory: o.memory, tunables: o.tunables,
            });
          }
        }
      }
    }
  }
  return cells;
}

/** As natively: the historic policies sent passive messages, ours want a prompt signal. */
function delayOf(free: FreePolicy | '-'): 'tick' | 'profile' {
  return free === 'rtagged' || free === 'rbatch' || free === '-' ? 'profile' : 'tick';
}

/** Numbers of CPUs a workload can have, once each; a trace also as it was recorded. */
function cpusOf(workload: string, wanted: readonly number[]): (number | null)[] {
  if (workload.startsWith(TRACE)) return [null, ...wanted];
  return [...new Set(wanted.map((cpus) => WORKLOADS[workload as ModelWorkload].cpus(cpus)))];
}

/** The cells of a shard: dealt out one by one, so that every shard has some of the large ones. */
export function cellsOfShard(cells: readonly Cell[], shard: Shard | null): Cell[] {
  return cells.filter((_, n) => shard === null || n % shard.of === shard.part - 1);
}

/** @returns rows of the cells that were finished, in order */
export async function modelSuite(o: ModelOptions, cells: readonly Cell[]): Promise<ModelRow[]> {
  const rows: ModelRow[] = [];
  const mine = cellsOfShard(cells, o.shard);
  const farm = new ModelFarm(o.jobs);
  // what a cell takes grows with its CPUs, and with how they are in each other's way
  const tasks = mine.map((cell) => ({ ...cell, weight: (cell.cpus ?? 2) * (cell.stats === 'mutex' ? 8 : 1) }));
  const all = tasks.reduce((sum, { weight }) => sum + weight, 0);
  const timer = setInterval(() => {
    o.progress(farm.done, all, `${rows.length} of ${mine.length} cells`);
  }, 100);
  try {
    await farm.run<ModelRow>('modelJob', tasks, o.signal, (row) => rows.push(row));
  } finally {
    clearInterval(timer);
  }
  return rows.sort((a, b) => a.cell - b.cell);
}
