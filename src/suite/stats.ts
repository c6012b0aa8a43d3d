/**
 * stats.ts — the claim of FreeBSD's 2005 commit: per-CPU statistics in critical sections against a mutex a type.
 *
 * Twice: the update alone, and inside malloc and free, which is where the commit measured it. Rounds of all policies in
 * turn; ratios are of the same round and allocator. Locked operations are counted by the invariants flavour, its debug
 * layers off, in a pass of its own.
 */
import type { StatsPolicy } from '../base/policy.js';
import type { Machine } from '../host/machine.js';
import type { BootOptions } from '../host/options.js';
import { mallocProfile, type ProfileRow, profileSince } from '../observe/malloc_profile.js';
import type { Lap } from '../workload/phases.js';
import { failedSince, narrowFailures, noSuchType } from './failures.js';
import { countingOptions, perOp } from './sample.js';
import {
  addKnown, auditText, calibrate, type Contender, contenderOptions, contenders, defineType, median,
  pairedRatio, phase, type RowBase, rounds, suiteMemory, type SuiteOptions, withMachines,
} from './suite.js';

export interface StatsRow extends RowBase {
  suite: 'stats';
  /** the update alone, or a malloc and a free around two of them */
  where: 'update' | 'malloc';
  /** updates (or malloc/free pairs) per microsecond, all CPUs together */
  mops: number;
  /** mops of each round, in order */
  samples: number[];
  /** time of this policy over time of `critical` on the same allocator, median of rounds, with its 95 % interval */
  ratioToCritical: number;
  ratioLow: number;
  ratioHigh: number;
  /** locked operations an update (or pair), counted */
  lockedPerOp: number;
  rounds: number;
  /** time of the rounds, and CPU time the threads really got in them */
  wallSeconds: number;
  cpuSeconds: number | null;
}

export const STATS_POLICIES: readonly StatsPolicy[] = ['critical', 'unpadded', 'atomic', 'mutex', 'mutex-up', 'none'];
const ROUNDS = 21;
const TRIAL_OPS = 20_000;
const WARM_UP_MS = 250;
const COUNT_OPS = 10_000;
const BLOCK_BYTES = 64;
const MEMORY = '32MiB';

type Where = StatsRow['where'];

export async function statsSuite(o: SuiteOptions): Promise<StatsRow[]> {
  const counts = o.cpus === 1 ? [1] : [1, o.cpus];
  const rows: StatsRow[] = [];
  for (const [index, cpus] of counts.entries()) {
    if (o.signal.aborted) break;
    try {
      rows.push(...(await atCpus(o, cpus, index / counts.length, counts.length)));
    } catch (cause) {
      if (!o.signal.aborted) throw cause;
    }
  }
  return rows;
}

async function atCpus(o: SuiteOptions, cpus: number, done: number, parts: number): Promise<StatsRow[]> {
  const policies = withCritical(o.stats ?? STATS_POLICIES).filter((stats) => stats !== 'mutex-up' || cpus === 1);
  const count = o.rounds ?? ROUNDS;
  const field = contenders(o, [o.free?.[0] ?? 'rbatch'], policies);
  const memory = suiteMemory(o, cpus, MEMORY);
  const options = field.map((contender) => contenderOptions(o, contender, { cpus, ...memory }));
  const locked = await countLocked(o, options);
  return withMachines(options, async (machines) => {
    const loops: Loop[] = [];
    for (const machine of machines) loops.push(await Loop.prepare(machine, o));
    const times: Record<Where, number[][]> = { update: machines.map(() => []), malloc: machines.map(() => []) };
    await rounds(o, count, async (round) => {
      o.progress(done + round / count / parts, 1, `${cpus} CPU${cpus > 1 ? 's' : ''}, round ${round + 1} of ${count}`);
      const row: Record<Where, number[]> = { update: [], malloc: [] };
      for (const where of ['update', 'malloc'] as const) {
        for (const loop of loops) row[where].push(await loop.nsPerOp(where));
      }
      // a round counts whole or not at all: ratios are of one round
      for (const where of ['update', 'malloc'] as const) {
        for (const [n, ns] of row[where].entries()) times[where][n]!.push(ns);
      }
    });
    if (times.malloc[0]!.length === 0) return [];
    const rows: StatsRow[] = [];
    for (const where of ['update', 'malloc'] as const) {
      for (const [n, { alloc, free, stats }] of field.entries()) {
        const ns = times[where][n]!;
        const samples = ns.map((one) => (1000 * cpus) / one);
        const { ratio, low, high } = pairedRatio(ns, times[where][criticalOf(field, n)]!);
        const { text } = await auditText(machines[n]!, o);
        rows.push({
          suite: 'stats', alloc, free, stats, cpus, audit: text, where, mops: median(samples), samples,
          ratioToCritical: ratio, ratioLow: low, ratioHigh: high, lockedPerOp: locked[where][n]!, rounds: ns.length,
          wallSeconds: loops[n]!.wallSeconds(where), cpuSeconds: loops[n]!.cpuSeconds(where),
          ...(where === 'malloc' && loops[n]!.requests()),
        });
      }
    }
    return rows;
  });
}

/** The contender whose times are this one's unit. */
function criticalOf(field: readonly Contender[], n: number): number {
  return field.findIndex(({ alloc, stats }) => alloc === field[n]!.alloc && stats === 'critical');
}

/** Ratios are to `critical`: it runs along, asked for or not. */
function withCritical(policies: readonly StatsPolicy[]): readonly StatsPolicy[] {
  return policies.includes('critical') ? policies : ['critical', ...policies];
}

/** A machine's two loops, each as long as a round. */
class Loop {
  readonly #machine: Machine;
  readonly #o: SuiteOptions;
  readonly #type: number;
  readonly #ops: Record<Where, number> = { update: TRIAL_OPS, malloc: TRIAL_OPS };
  #wallMs: Record<Where, number> = { update: 0, malloc: 0 };
  #cpuMs: Record<Where, number | null> = { update: 0, malloc: 0 };
  #failedBefore = 0;
  #profileBefore: readonly ProfileRow[] = [];

  private constructor(machine: Machine, o: SuiteOptions, type: number) {
    this.#machine = machine;
    this.#o = o;
    this.#type = type;
  }

  /** Warms both loops up, for as long as V8 needs to settle, and finds how many operations fill a round. */
  static async prepare(machine: Machine, o: SuiteOptions): Promise<Loop> {
    const loop = new Loop(machine, o, await defineType(machine, o, 'temp'));
    if (!narrowFailures(o, machine)) throw noSuchType(o, machine);
    for (const where of ['update', 'malloc'] as const) {
      for (let warm = 0; warm < (o.warmUpMs ?? WARM_UP_MS); ) {
        const ops = loop.#ops[where];
        const ms = ((await loop.nsPerOp(where)) * ops) / 1e6;
        warm += Math.max(ms, 1);
        if (o.ops === null) loop.#ops[where] = calibrate(ops, ms, o.roundMs);
        else if (loop.#ops[where] === o.ops) break;
        else loop.#ops[where] = o.ops;
      }
    }
    loop.#wallMs = { update: 0, malloc: 0 };
    loop.#cpuMs = { update: 0, malloc: 0 };
    loop.#failedBefore = machine.mallocFailures;
    if (o.profile) loop.#profileBefore = mallocProfile(machine.memory);
    return loop;
  }

  /** Mallocs since the rounds began: how many failed, and what was asked for. */
  requests(): Pick<RowBase, 'failed' | 'profile'> {
    const failed = failedSince(this.#o, this.#machine, this.#failedBefore);
    if (!this.#o.profile) return failed;
    return { ...failed, profile: profileSince(mallocProfile(this.#machine.memory), this.#profileBefore) };
  }

  wallSeconds(where: Where): number {
    return this.#wallMs[where] / 1000;
  }

  cpuSeconds(where: Where): number | null {
    const ms = this.#cpuMs[where];
    return ms === null ? null : ms / 1000;
  }

  /** One round: wall nanoseconds an operation of one CPU. */
  async nsPerOp(where: Where): Promise<number> {
    const [name, args] = call(where, this.#type, this.#ops[where]);
    const limits = { timeout: this.#o.timeout, signal: this.#o.signal };
    const { values, cpuMs } = await this.#machine.measure('smpalloc:workloads', name, args, limits);
    this.#cpuMs[where] = addKnown(this.#cpuMs[where], cpuMs);
    const ms = Math.max(...(values as Lap[]).map((lap) => lap.ms));
    this.#wallMs[where] += ms;
    return (ms * 1e6) / this.#ops[where];
  }
}

function call(where: Where, type: number, ops: number): [name: string, args: unknown[]] {
  return where === 'update' ? ['statsUpdate', [type, ops]] : ['statsMalloc', [type, BLOCK_BYTES, ops]];
}

/** Locked operations an operation, per policy: from machines of the flavour that counts them, one CPU at work. */
async function countLocked(o: SuiteOptions, options: readonly BootOptions[]): Promise<Record<Where, number[]>> {
  return withMachines(options.map((option) => ({ ...countingOptions(option), cpus: 1 })), async (machines) => {
    const locked: Record<Where, number[]> = { update: [], malloc: [] };
    for (const machine of machines) {
      const type = await defineType(machine, o, 'temp');
      for (const where of ['update', 'malloc'] as const) {
        const [name, args] = call(where, type, COUNT_OPS);
        await phase(machine, o, name, ...args);
        const [lap] = await phase<Lap>(machine, o, name, ...args);
        locked[where].push(perOp(lap!.locked, COUNT_OPS));
      }
    }
    return locked;
  });
}
