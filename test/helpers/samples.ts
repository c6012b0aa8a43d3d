/** samples.ts — samples of a machine as tests want them: everything still, but for what they say. */
import { intervalBetween, type Interval } from '../../src/observe/interval.js';
import type { Sample, TypeSample, ZoneSample } from '../../src/observe/sample.js';
import { GD_COUNTERS } from '../../src/kern/sysctl.js';
import { SL_COUNTERS } from '../../src/dragonfly/sysctl.js';

const NOTHING = Object.fromEntries([...Object.keys(GD_COUNTERS), ...Object.keys(SL_COUNTERS)].map((name) => [name, 0]));

export interface Counted {
  at?: number;
  ncpu?: number;
  machine?: Partial<Sample['machine']>;
  panic?: string;
  /** of each CPU */
  counters?: readonly Readonly<Record<string, number>>[];
  types?: readonly TypeSample[];
  zones?: readonly ZoneSample[];
  classes?: Sample['classes'];
}

export function sample({ at = 0, ncpu = 2, machine, panic = '', counters = [], ...lists }: Counted = {}): Sample {
  return {
    at, panic,
    machine: { alloc: 'dragonfly', ncpu, stats: 'critical', free: 'rbatch', uptime: Math.trunc(at / 1000), ...machine },
    cpus: Array.from({ length: ncpu }, (_, cpu) => ({
      state: 'run', queued: 0, spareZones: 0, counters: { ...NOTHING, ...counters[cpu] },
    })),
    types: [], zones: [], classes: [],
    pages: { size: 4096, total: 1000, free: 750, wired: 250, peak: 300, blocks: [2, 0, 3, 0] },
    ...lists,
  };
}

/** A type: allocations and frees of each CPU, blocks of 100 bytes. */
export function type(name: string, ...cpus: readonly (readonly [allocs: number, frees: number])[]): TypeSample {
  const allocs = cpus.reduce((sum, [count]) => sum + count, 0);
  const frees = cpus.reduce((sum, [, count]) => sum + count, 0);
  return {
    name, allocs, frees, allocated: allocs * 100, freed: frees * 100,
    cpus: cpus.map(([a, f]) => ({ allocs: a, frees: f })),
  };
}

export function zone(name: string, fields: Partial<ZoneSample> = {}): ZoneSample {
  const empty = { allocs: 0, frees: 0, size: 64, used: 0, cached: 0, bucketed: 0, slabbed: 0, fails: 0, sleeps: 0 };
  return { name, ...empty, cpus: [0, 0], ...fields };
}

/** Two seconds of a busy machine of so many CPUs. */
export function busy(ncpu = 2, names: readonly string[] = ['temp', 'devbuf']): Interval {
  const each = (allocs: number, frees: number) =>
    Array.from({ length: ncpu }, (_, cpu): [number, number] => [allocs * (cpu + 1), frees * (cpu + 1)]);
  const classes = [8, 64, 1024].map((size, n) => ({
    size, zones: ncpu * (n + 1), out: 100 * n, free: 300, bytes: ncpu * (n + 1) * 131072,
    cpus: Array.from({ length: ncpu }, () => n + 1),
  }));
  const at = (ms: number, times: number) => sample({
    at: ms, ncpu, classes, types: names.map((name, n) => type(name, ...each(times * (n + 1), times))),
    counters: Array.from({ length: ncpu }, () => ({
      'kern.slab.remote_frees': times, 'lwkt.ipiq_count': times / 10, 'lwkt.ipiq_interrupts': times / 20,
      'lwkt.ipiq_avoided': times / 20, 'lwkt.ipiq_runs': times / 20, 'lwkt.ipiq_done': times / 10,
    })),
  });
  return intervalBetween(at(1000, 0), at(3000, 20_000));
}
