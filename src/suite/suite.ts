/**
 * suite.ts — what all measurements share: options, policies taken round by round, medians and their intervals.
 *
 * Counts first, time second. Times are ratios of policies taken in turn (A B C A B C ...), so that a drifting host
 * drifts under all of them; each policy has a machine of its own, so that each is compiled for itself.
 */
import { median, quantileSorted } from 'simple-statistics';
import type { AllocName, FreePolicy, StatsPolicy } from '../base/policy.js';
import { xorshift32 } from '../base/prng.js';
import { SB_VM } from '../hw/superblock.layout.js';
import type { Audit } from '../workload/audit.js';
import { VM_WIRE_PEAK } from '../vm/vm_page.layout.js';
import type { MallocFailure } from '../host/fail_malloc.js';
import { boot, type Machine } from '../host/machine.js';
import type { BootOptions } from '../host/options.js';
import type { ProfileRow } from '../observe/malloc_profile.js';

export const WORKLOADS = 'smpalloc:workloads';

export interface SuiteOptions {
  readonly cpus: number;
  /** the user said how many; else one-CPU workloads take one */
  readonly cpusGiven: boolean;
  /** '' for the suite's own choice */
  readonly memory: number | string;
  /** null: the suite's own choice, which is dragonfly alone */
  readonly alloc: readonly AllocName[] | null;
  readonly free: readonly FreePolicy[] | null;
  readonly stats: readonly StatsPolicy[] | null;
  readonly signalDelay: number | 'tick' | null;
  readonly seed: number;
  /** timed rounds a policy; null: the suite's own choice */
  readonly rounds: number | null;
  /** operations a round and CPU; null: as many as take `roundMs` */
  readonly ops: number | null;
  /** milliseconds of a round */
  readonly roundMs: number;
  /** milliseconds a contestant works before it is measured; null or not given: until V8 has settled */
  readonly warmUpMs?: number | null;
  readonly invariants: boolean;
  readonly tunables: Readonly<Record<string, number>>;
  /** count requests by size (MALLOC_PROFILE) */
  readonly profile: boolean;
  /** mallocs that are made to fail; freebsd only */
  readonly fail: MallocFailure | null;
  /** gets what the machines' kernels print */
  readonly console?: (line: string) => void;
  /** events kept in each CPU's ring, 0: none. Events are recorded on the slow paths, which everything takes then */
  readonly ktr?: number;
  /** socket at which the first machine of a suite may be looked at; null: none */
  readonly listen?: string | null;
  /** milliseconds a phase may take */
  readonly timeout: number;
  /** measure the C allocators too */
  readonly peers: boolean;
  readonly signal: AbortSignal;
  progress(done: number, of: number, what: string): void;
}

/** What every row of a record says. */
export interface RowBase {
  suite: string;
  alloc: AllocName;
  free: FreeName;
  stats: StatsPolicy;
  cpus: number;
  /** 'ok', or the violations */
  audit: string;
  /** with --fail: mallocs that were made to fail in what was measured */
  failed?: number;
  /** with --profile: the requests of what was measured */
  profile?: ProfileRow[];
}

/** What a loop or a trace took, of memory and of other CPUs. */
export interface Traffic {
  /** blocks freed by another CPU than the one that allocated them */
  remoteFrees: number;
  /** who says so: the zones' owners (dragonfly), the trace, or what the loop does by construction */
  remoteFrom: 'zones' | 'trace' | 'loop';
  /** pages wired at most, over the machine's life */
  pagesPeak: number;
  /** bytes that were asked for and alive at once, at most; null: not known beforehand */
  askedPeak: number | null;
  /** percentage of the bytes given that nobody had asked for; null: interrupted */
  waste: number | null;
  /** locked operations of an operation, counted in a pass of its own; null: interrupted */
  lockedPerOp: number | null;
}

/** UMA has no remote-free policy: a block goes into the bucket of whoever frees it. */
export const NO_FREE = '-';
export type FreeName = FreePolicy | typeof NO_FREE;

/** One machine of a suite: an allocator under its policies. */
export interface Contender {
  readonly alloc: AllocName;
  readonly free: FreeName;
  readonly stats: StatsPolicy;
}

/** A contender for each allocator, each of its remote-free policies, each statistics policy, in this order. */
export function contenders(
  o: Pick<SuiteOptions, 'alloc'>, frees: readonly FreePolicy[], statistics: readonly StatsPolicy[],
): Contender[] {
  return (o.alloc ?? ['dragonfly' as const]).flatMap((alloc) => {
    const own: readonly FreeName[] = alloc === 'dragonfly' ? frees : [NO_FREE];
    return own.flatMap((free) => statistics.map((stats) => ({ alloc, free, stats })));
  });
}

/** What the progress line calls it. */
export function contenderName({ alloc, free }: Contender): string {
  return free === NO_FREE ? alloc : free;
}

/** Boot options of a contender. */
export function contenderOptions(o: SuiteOptions, contender: Contender, own: BootOptions = {}): BootOptions {
  const { alloc, free, stats } = contender;
  return bootOptions(o, { alloc, stats, ...(free !== NO_FREE && { free }), ...own });
}

/** Boot options of a suite, with a policy's own. */
export function bootOptions(o: SuiteOptions, own: BootOptions): BootOptions {
  return {
    cpus: o.cpus,
    ...(o.memory !== '' && { memory: o.memory }),
    seed: o.seed,
    invariants: o.invariants,
    tunables: {
      ...o.tunables,
      ...(o.profile && { 'debug.malloc.profile': 1 }),
      ...(o.fail && { 'debug.malloc.failure_rate': o.fail.rate }),
    },
    ...(o.signalDelay !== null && { signalDelay: o.signalDelay }),
    ...(o.console && { console: o.console }),
    ...(o.ktr && { ktr: o.ktr }),
    ...(o.listen && { listen: o.listen }),
    ...own,
  };
}

/** CPUs from which on a suite's own small memory would not hold the image */
const MANY_CPUS = 16;

/** The user's memory, else the suite's own choice; a machine of very many CPUs gets boot's default. */
export function suiteMemory(o: SuiteOptions, cpus: number, choice: string): Pick<BootOptions, 'memory'> {
  if (o.memory !== '') return { memory: o.memory };
  return cpus > MANY_CPUS ? {} : { memory: choice };
}

/** Runs `body` with a machine a policy, all up at once, all stopped at the end; a socket is for the first of them. */
export async function withMachines<T>(
  options: readonly BootOptions[],
  body: (machines: Machine[]) => Promise<T>,
): Promise<T> {
  const machines: Machine[] = [];
  const listen = options.find((option) => option.listen)?.listen ?? '';
  try {
    for (const { listen: _, ...option } of options) machines.push(await boot(option));
    if (listen !== '') await machines[0]!.listen(listen);
    return await body(machines);
  } finally {
    await Promise.all(machines.map((machine) => machine.stop()));
  }
}

/** A phase with the suite's time limit and interruption. */
export async function phase<T>(machine: Machine, o: SuiteOptions, name: string, ...args: unknown[]): Promise<T[]> {
  return (await machine.run(WORKLOADS, name, args, { timeout: o.timeout, signal: o.signal })) as T[];
}

/** Pages a machine had wired at most. */
export function pagesPeak({ memory }: Machine): number {
  return memory.i32[(memory.sb(SB_VM) >>> 2) + VM_WIRE_PEAK]!;
}

/** a + b, where null is "the host cannot tell". */
export function addKnown(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

/** A type for the workload; its limit is all of memory. */
export async function defineType(machine: Machine, o: SuiteOptions, name: string): Promise<number> {
  const [types] = await phase<number[]>(machine, o, 'defineTypes', [name]);
  return types![0]!;
}

/** Audit of a run that was interrupted: its machine has been stopped in the middle. */
export const NOT_AUDITED = 'not audited: interrupted';

/** Runs `body` for each round, until it is interrupted: then what has been measured stands. */
export async function rounds(o: SuiteOptions, count: number, body: (round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < count && !o.signal.aborted; round++) {
    try {
      await body(round);
    } catch (cause) {
      if (!o.signal.aborted) throw cause;
    }
  }
}

/** Brings the machine to rest and checks it. @returns 'ok' or what is wrong */
export async function auditText(machine: Machine, o: SuiteOptions): Promise<{ text: string; audit: Audit }> {
  const none = { text: NOT_AUDITED, audit: { violations: [], zones: 0, stranded: 0, blocks: 0, bytes: 0 } };
  if (o.signal.aborted) return none;
  try {
    const [audit] = await phase<Audit>(machine, o, 'audit');
    const text = audit!.violations.length === 0 ? 'ok' : audit!.violations.slice(0, 5).join('; ');
    return { text, audit: audit! };
  } catch (cause) {
    if (!o.signal.aborted) throw cause;
    return none;
  }
}

/** Operations that take about `ms` milliseconds, from a trial of `ops` that took `took`. */
export function calibrate(ops: number, took: number, ms: number): number {
  const wanted = Math.min(200_000_000, Math.round((ops * ms) / Math.max(took, 0.05)));
  return Math.max(2, wanted & ~1);
}

export interface Ratio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** Median of the per-round ratios a / b, with a 95 % bootstrap interval (seeded, 1000 resamples). */
export function pairedRatio(a: readonly number[], b: readonly number[]): Ratio {
  const ratios = a.map((value, round) => value / b[round]!);
  const medians: number[] = [];
  let x = 0x9e3779b9 | 0;
  for (let n = 0; n < 1000; n++) {
    const sample = ratios.map(() => {
      x = xorshift32(x);
      return ratios[(x >>> 0) % ratios.length]!;
    });
    medians.push(median(sample));
  }
  medians.sort((p, q) => p - q);
  return { ratio: median(ratios), low: quantileSorted(medians, 0.025), high: quantileSorted(medians, 0.975) };
}

export { median };
