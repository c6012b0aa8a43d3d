/**
 * interval.ts — the time between two samples of a machine: what was counted in it, a second, and what there is now.
 *
 * A rate nobody can know is null: there was no sample before, the counter went backwards (another machine has taken the
 * place of the first, or a type was destroyed and defined again), or the machine's policy does not count it.
 */
import type { CpuCounters, CpuState, PageCounts } from './cpu_counters.js';
import type { Calls, Sample, TypeSample, ZoneSample } from './sample.js';
import type { SlabZones } from './slab_zones.js';
import type { MachineFacts } from './sysctl.js';

/** a second; null: not known */
export type Rate = number | null;

/** What happened to a CPU, or to all, a second. */
export interface Traffic {
  readonly allocs: Rate;
  readonly frees: Rate;
  /** frees of chunks of another CPU; UMA knows none */
  readonly remoteFrees: Rate;
  /** chunks that came home through RChunks, and remote-free signals sent */
  readonly drained: Rate;
  readonly signals: Rate;
  /** compare-and-swaps on RChunks, and those that were too late */
  readonly casTries: Rate;
  readonly casFails: Rate;
  /** IPI messages sent, those among them that raise no interrupt, interrupts raised, and found raised already */
  readonly messages: Rate;
  readonly passive: Rate;
  readonly interrupts: Rate;
  readonly avoided: Rate;
  /** runs of the IPI handler, and messages done in them */
  readonly runs: Rate;
  readonly handled: Rate;
  /** messages that found their queue more than half full and waited */
  readonly fifoFull: Rate;
}

export interface CpuRow {
  readonly cpu: number;
  readonly state: CpuState;
  readonly queued: number;
  readonly spareZones: number;
  readonly perSecond: Traffic;
}

export interface TypeRow {
  readonly name: string;
  /** blocks and bytes in use; never negative */
  readonly inuse: number;
  readonly memuse: number;
  readonly requests: number;
  /** bytes of an allocation, mean since the last sample; null without one */
  readonly meanSize: number | null;
  readonly perSecond: { readonly allocs: Rate; readonly frees: Rate; readonly growth: Rate };
}

export interface ZoneRow extends Omit<ZoneSample, keyof Calls> {
  readonly perSecond: { readonly allocs: Rate; readonly frees: Rate; readonly fails: Rate };
}

export interface Interval {
  /** between the samples; null: there is one only */
  readonly seconds: number | null;
  readonly machine: MachineFacts;
  readonly panic: string;
  readonly perSecond: Traffic;
  readonly cpus: readonly CpuRow[];
  readonly types: readonly TypeRow[];
  /** UMA's zones; of the slab allocator, its classes */
  readonly zones: readonly ZoneRow[];
  readonly classes: readonly SlabZones[];
  readonly pages: PageCounts;
}

type Counted = Exclude<keyof Traffic, keyof Calls>;

const NAMES: Readonly<Record<Counted, string>> = {
  remoteFrees: 'kern.slab.remote_frees', drained: 'kern.slab.drained', signals: 'kern.slab.signals',
  casTries: 'kern.slab.cas_tries', casFails: 'kern.slab.cas_fails',
  messages: 'lwkt.ipiq_count', passive: 'lwkt.ipiq_passive', interrupts: 'lwkt.ipiq_interrupts',
  avoided: 'lwkt.ipiq_avoided', runs: 'lwkt.ipiq_runs', handled: 'lwkt.ipiq_done', fifoFull: 'lwkt.ipiq_fifofull',
};
const OF_ZONES: readonly Counted[] = ['remoteFrees', 'drained', 'signals', 'casTries', 'casFails'];

/** policies whose counters say which CPU it was, and those whose bytes freed are not counted (malloc_types.ts) */
const OWN_SLOT = ['critical', 'unpadded'];
const LIVE_BYTES = ['mutex', 'mutex-up'];
const NOT_COUNTED = 'none';

/** @param before an earlier sample of the same source; null: none yet */
export function intervalBetween(before: Sample | null, now: Sample): Interval {
  const seconds = before && sameMachine(before, now) ? (now.at - before.at) / 1000 : null;
  const old = seconds === null ? null : before;
  const rate: RateOf = (from, to) => (from === undefined || seconds === null ? null : perSecond(from, to, seconds));
  return {
    seconds, machine: now.machine, panic: now.panic, pages: now.pages, classes: now.classes,
    perSecond: total(old, now, rate),
    cpus: now.cpus.map((cpu, n) => cpuRow(old, now, cpu, n, rate)),
    types: pairs(old?.types, now.types).map(([from, to]) => typeRow(from, to, now.machine, rate)),
    zones: pairs(old?.zones, now.zones).map(([from, to]) => zoneRow(from, to, rate)),
  };
}

type RateOf = (from: number | undefined, to: number) => Rate;

/** A machine that has been up for less time than before is another one; and no time is no measure. */
function sameMachine(before: Sample, now: Sample): boolean {
  return now.at > before.at && now.machine.uptime >= before.machine.uptime &&
    now.machine.alloc === before.machine.alloc && now.cpus.length === before.cpus.length;
}

function perSecond(from: number, to: number, seconds: number): Rate {
  return to < from ? null : (to - from) / seconds;
}

/** Entries with what they were before, by name: of types that share one, the first. */
function pairs<T extends { readonly name: string }>(
  before: readonly T[] | undefined, now: readonly T[],
): [from: T | undefined, to: T][] {
  const old = new Map([...(before ?? [])].reverse().map((one) => [one.name, one]));
  return now.map((one) => [old.get(one.name), one]);
}

function traffic({ alloc }: MachineFacts, calls: Pick<Traffic, keyof Calls>, count: (name: string) => Rate): Traffic {
  const counted = Object.entries(NAMES).map(([key, name]) => {
    const unknown = alloc !== 'dragonfly' && OF_ZONES.includes(key as Counted);
    return [key, unknown ? null : count(name)];
  });
  return { ...calls, ...(Object.fromEntries(counted) as Record<Counted, Rate>) };
}

function total(old: Sample | null, now: Sample, rate: RateOf): Traffic {
  const sum = (sample: Sample | null, name: string) =>
    sample?.cpus.reduce((all, { counters }) => all + (counters[name] ?? 0), 0);
  const uncounted = now.machine.stats === NOT_COUNTED;
  const calls = (of: keyof Calls) => {
    const all = (sample: Sample | null) => sample?.types.reduce((count, type) => count + type[of], 0);
    return uncounted ? null : rate(all(old), all(now)!);
  };
  return traffic(
    now.machine, { allocs: calls('allocs'), frees: calls('frees') }, (name) => rate(sum(old, name), sum(now, name)!),
  );
}

function cpuRow(
  old: Sample | null, now: Sample, { state, queued, spareZones, counters }: CpuCounters, cpu: number, rate: RateOf,
): CpuRow {
  const own = OWN_SLOT.includes(now.machine.stats);
  const calls = (of: keyof Calls) => {
    const all = (sample: Sample | null) => sample?.types.reduce((count, type) => count + type.cpus[cpu]![of], 0);
    return own ? rate(all(old), all(now)!) : null;
  };
  const before = old?.cpus[cpu]?.counters;
  return {
    cpu, state, queued, spareZones,
    perSecond: traffic(
      now.machine, { allocs: calls('allocs'), frees: calls('frees') },
      (name) => rate(before?.[name], counters[name] ?? 0),
    ),
  };
}

function typeRow(from: TypeSample | undefined, to: TypeSample, { stats }: MachineFacts, rate: RateOf): TypeRow {
  const inuse = to.allocs - to.frees;
  const memuse = to.allocated - to.freed;
  const allocs = rate(from?.allocs, to.allocs);
  const bytes = LIVE_BYTES.includes(stats) ? null : rate(from?.allocated, to.allocated);
  // what is in use may grow or shrink, unless the type began anew
  const growth = from && allocs !== null ? signedRate(from.allocated - from.freed, memuse, rate) : null;
  return {
    name: to.name, inuse: Math.max(0, inuse), memuse: Math.max(0, memuse), requests: to.allocs,
    meanSize: bytes !== null && allocs !== null && allocs > 0 ? bytes / allocs : null,
    perSecond: { allocs, frees: rate(from?.frees, to.frees), growth },
  };
}

function signedRate(from: number, to: number, rate: RateOf): Rate {
  const size = rate(Math.min(from, to), Math.max(from, to));
  return size === null || size === 0 ? size : Math.sign(to - from) * size;
}

function zoneRow(from: ZoneSample | undefined, to: ZoneSample, rate: RateOf): ZoneRow {
  const { allocs, frees, ...gauges } = to;
  return {
    ...gauges,
    perSecond: {
      allocs: rate(from?.allocs, allocs), frees: rate(from?.frees, frees), fails: rate(from?.fails, to.fails),
    },
  };
}
