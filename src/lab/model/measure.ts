/**
 * measure.ts — a cell of the model's grid: what it is, its machine, and its counts. What runs on the machine is a
 * synthetic workload's (cell.ts) or a trace's (trace.ts).
 */
import type { AllocName, FreePolicy, StatsPolicy } from '../../base/policy.js';
import type { BootOptions } from '../../host/options.js';
import { lineCounts } from './line_counts.js';
import { bootModelled, type ModelledMachine, panicOf } from './machine.js';
import type { CostProfile } from './profile.js';
import type { ModelCounts, ModelRow, ModelTime } from './row.js';
import type { Program } from './workloads.js';
import { ZoneSampler } from './zone_map.js';

/** What a cell is, as it travels to a job. */
export interface Cell {
  readonly cell: number;
  readonly workload: string;
  readonly alloc: AllocName;
  readonly free: FreePolicy | '-';
  readonly stats: StatsPolicy;
  /** null: as many as the trace has threads */
  readonly cpus: number | null;
  readonly signalDelay: number | 'tick' | 'profile';
  readonly profile: CostProfile;
  readonly seed: number;
  /** operations measured a CPU, null: the workload's own number */
  readonly ops: number | null;
  /** bytes, or '' for the default */
  readonly memory: string;
  readonly tunables: Readonly<Record<string, number>>;
}

/** Told how far a cell is, and asked whether to go on. */
export interface CellWatcher {
  /** @param done operations of what is under way */
  goesOn(done: number): boolean;
  begins?(what: 'warm-up' | 'measurement' | 'audit'): void;
}

/** What is run on a machine: a synthetic workload, or the windows of a trace. */
export interface Subject {
  readonly machine: ModelledMachine;
  /** programs that warm up, null: it begins cold */
  warmUp(): Program[] | null;
  /** what is measured, one after the other */
  readonly parts: readonly (() => Program[])[];
  /** the zones are looked at now and then */
  readonly zones: boolean;
}

export function bootCell(cell: Cell, cpus: number): Promise<ModelledMachine> {
  const { alloc, free, stats, signalDelay, seed, memory, tunables } = cell;
  const options: BootOptions = {
    alloc, stats, cpus, seed, tunables, mutex: 'adaptive', ...(free !== '-' && { free }),
    memory: memory === '' ? memoryFor(cpus) : memory,
    signalDelay: signalDelay === 'profile' ? 0 : signalDelay,
  };
  // a delay in polls takes the place of what the hardware takes
  return bootModelled(options, cell.profile, typeof signalDelay === 'number' ? 0 : null);
}

const MIB = 2 ** 20;

/** A zone of every class for every CPU, and as much again: memory that is short is another experiment. */
function memoryFor(cpus: number): number {
  return Math.min(2048, Math.max(64, 2 ** Math.ceil(Math.log2(16 * cpus)))) * MIB;
}

/** Runs the subject's programs and counts. @throws Error what the machine panicked of, or that it stood still */
export function measure(cell: Cell, watcher: CellWatcher, subject: Subject): ModelRow {
  const { machine } = subject;
  const { engine, memory } = machine;
  const { run, tally } = engine;
  run.hooks.goesOn = () => watcher.goesOn(tally.tally[tally.OPS]!);
  try {
    const warmUp = subject.warmUp();
    if (warmUp) {
      watcher.begins?.('warm-up');
      run.run(warmUp);
    }
    watcher.begins?.('measurement');
    const before = counters(machine);
    const sampler = subject.zones ? new ZoneSampler(memory, run.hooks) : null;
    let ns = 0;
    for (const [n, programs] of subject.parts.entries()) ns += run.run(programs(), n > 0);
    const after = counters(machine);
    watcher.begins?.('audit');
    const counts = countsOf(machine, before, after);
    return {
      suite: 'model', cell: cell.cell, workload: cell.workload, alloc: cell.alloc, free: cell.free, stats: cell.stats,
      costs: cell.profile.name, signalDelay: cell.signalDelay, cpus: memory.ncpu,
      ops: tally.tally[tally.OPS]!, ns, opsPerUs: (1000 * tally.tally[tally.OPS]!) / ns,
      counts, time: timeOf(machine, ns, counts), lines: lineCounts(machine),
      ...(counts.remoteFrees > 0 && { remote: remoteFrees(machine) }),
      latency: latencyOf(machine),
      ...(sampler && { zones: sampler.map() }),
      audit: auditOf(machine),
    };
  } catch (cause) {
    const panic = panicOf(machine);
    throw panic === null ? cause : new Error(`${cell.workload}, ${memory.ncpu} CPUs: ${panic}`, { cause });
  }
}

const COUNTERS = {
  remoteFrees: 'kern.slab.remote_frees', ipiMessages: 'lwkt.ipiq_count', ipiInterrupts: 'lwkt.ipiq_interrupts',
  handlerRuns: 'lwkt.ipiq_runs', handled: 'lwkt.ipiq_done', casTries: 'kern.slab.cas_tries',
  casFails: 'kern.slab.cas_fails',
} as const;
type Counters = Record<keyof typeof COUNTERS, number>;

function counters({ memory }: ModelledMachine): Counters {
  const read = Object.entries(COUNTERS).map(([name, variable]) => [name, memory.sysctl(variable)]);
  return Object.fromEntries(read) as Counters;
}

function countsOf({ engine: { tally: t } }: ModelledMachine, before: Counters, after: Counters): ModelCounts {
  const since = (name: keyof Counters) => after[name] - before[name];
  const count = (n: number) => t.tally[n]!;
  return {
    accesses: count(t.ACCESSES), locked: count(t.LOCKED_OPS), transfers: count(t.TRANSFERS),
    upgrades: count(t.UPGRADES), invalidations: count(t.INVALIDATIONS), misses: count(t.MISSES),
    remoteFrees: since('remoteFrees'), ipiMessages: since('ipiMessages'), ipiInterrupts: since('ipiInterrupts'),
    handlerRuns: since('handlerRuns'), handled: since('handled'), casTries: since('casTries'),
    casFails: since('casFails'), sleeps: count(t.SLEEPS),
  };
}

/** What is not accounted for otherwise is waiting for the others to be done. */
function timeOf({ engine, memory }: ModelledMachine, ns: number, counts: ModelCounts): ModelTime {
  const { spent, ...t } = engine.tally;
  const of = (n: number) => spent[n]!;
  const known = {
    own: counts.accesses * engine.costs.cost[engine.costs.ACCESS]!,
    locked: of(t.LOCKED_NS), memory: of(t.MEMORY_NS), transfer: of(t.TRANSFER_NS), queue: of(t.QUEUE_NS),
    ipi: of(t.IPI_NS), spin: of(t.SPIN_NS), sleep: of(t.SLEEP_NS),
  };
  const sum = Object.values(known).reduce((a, b) => a + b, 0);
  return { ...known, idle: Math.max(0, memory.ncpu * ns - sum) };
}

function remoteFrees({ engine, memory: { ncpu } }: ModelledMachine): number[][] {
  return Array.from({ length: ncpu }, (_, cpu) => [...engine.remote.frees.subarray(cpu * ncpu, (cpu + 1) * ncpu)]);
}

function latencyOf({ engine: { tally } }: ModelledMachine): { ns: number[]; count: number[] } {
  const ns: number[] = [];
  const count: number[] = [];
  for (const [n, ops] of tally.latency.entries()) {
    if (ops === 0) continue;
    ns.push(tally.latencyBound(n));
    count.push(ops);
  }
  return { ns, count };
}

/** rounds in which messages may send further ones */
const SETTLE_ROUNDS = 3;

function auditOf({ engine, memory, as }: ModelledMachine): string {
  for (let round = 0; round < SETTLE_ROUNDS; round++) {
    for (let cpu = 0; cpu < memory.ncpu; cpu++) as(cpu, engine.auditDrain);
  }
  const { violations } = as(0, engine.auditMachine);
  return violations.length === 0 ? 'ok' : violations.slice(0, 5).join('; ');
}
