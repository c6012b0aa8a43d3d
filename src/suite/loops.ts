/**
 * loops.ts — pair, local, larson, xmalloc, ring: the allocator at work. How each is set up and run; loop_suite.ts does
 * the experiment. Parameters: bench/peers/README.md.
 */
import type { Machine } from '../host/machine.js';
import type { Lap } from '../workload/phases.js';
import { phase, type RowBase, type SuiteOptions, type Traffic, WORKLOADS } from './suite.js';

export type LoopName = 'pair' | 'local' | 'larson' | 'xmalloc' | 'ring';
export const LOOP_NAMES: readonly LoopName[] = ['pair', 'local', 'larson', 'xmalloc', 'ring'];

export interface LoopRow extends RowBase, Traffic {
  suite: LoopName;
  /** pair and local: nanoseconds of a malloc and a free; the others: the same figure, an operation of one CPU */
  nsPerPair: number;
  nsMin: number;
  nsMax: number;
  /** nanoseconds of each round, in order */
  samples: number[];
  mops: number;
  ipiMessages: number;
  ipiInterrupts: number;
  zonesPeak: number;
  rounds: number;
  /** time of the rounds, and CPU time the threads really got in them */
  wallSeconds: number;
  cpuSeconds: number | null;
  /** of another allocator's row: its time over that of dragonfly in the same round, median, with its 95 % interval */
  ratioToDragonfly?: number;
  ratioLow?: number;
  ratioHigh?: number;
  /** nanoseconds of the C allocators in the same rounds, by name */
  peers?: Record<string, number>;
}

/** A round's times, and the locked operations of all CPUs. */
export interface Round {
  readonly ms: number;
  readonly cpuMs: number | null;
  readonly locked: number;
}

/** Runs `ops` operations a CPU. */
export type Runner = (ops: number) => Promise<Round>;

/** How one workload is set up and run. */
export interface Loop {
  /** CPUs it runs on */
  cpus(o: SuiteOptions): number;
  memory: string;
  /** operations of the first trial, per CPU, and the granularity of a round */
  trial: number;
  step: number;
  /** CPUs of `cpus` that count operations */
  working(cpus: number): number;
  /** blocks freed by another CPU than allocated them, when `cpus` have done `ops` operations each */
  remote(ops: number, cpus: number): number;
  /** bytes alive at once that were asked for; null: depends on who is faster */
  live(cpus: number): number | null;
  setup(machine: Machine, o: SuiteOptions, type: number): Promise<Runner>;
}

const PAIR_BYTES = 64;
export const XMALLOC_BATCH = 4096;
const LARSON_BLOCKS = 5000;
const LARSON_LAPS = 10;
/** replacements of one generation of larson */
export const LARSON_STEP = LARSON_LAPS * LARSON_BLOCKS;
/** sizes of local: 16 to 1024; of larson: 8 to 999 */
const LOCAL_BYTES = 1024 * 520;
const LARSON_BYTES = LARSON_BLOCKS * 503.5;
const RING_DEPTH = 1024;

/** A measured phase, as a round. */
async function timed(
  machine: Machine, o: SuiteOptions, name: string, ...args: unknown[]
): Promise<{ round: Round; laps: Lap[] }> {
  const { values, cpuMs } = await machine.measure(WORKLOADS, name, args, { timeout: o.timeout, signal: o.signal });
  const laps = values as Lap[];
  const locked = laps.reduce((sum, lap) => sum + lap.locked, 0);
  return { round: { ms: Math.max(...laps.map(({ ms }) => ms)), cpuMs, locked }, laps };
}

const everyCpu = (cpus: number): number => cpus;

export const LOOPS: Record<LoopName, Loop> = {
  pair: {
    cpus: (o) => (o.cpusGiven ? o.cpus : 1), memory: '32MiB', trial: 20_000, step: 1,
    working: everyCpu, remote: () => 0, live: (cpus) => PAIR_BYTES * cpus,
    setup: async (machine, o, type) => async (ops) =>
      (await timed(machine, o, 'pair', type, PAIR_BYTES, ops)).round,
  },
  local: {
    cpus: (o) => (o.cpusGiven ? o.cpus : 1), memory: '64MiB', trial: 20_000, step: 1,
    working: everyCpu, remote: () => 0, live: (cpus) => LOCAL_BYTES * cpus,
    setup: async (machine, o, type) => {
      const areas = await phase<number>(machine, o, 'allocateArea', 4096, type);
      let x = areas.map(() => 0);
      return async (ops) => {
        const { round, laps } = await timed(machine, o, 'local', type, areas, ops, x);
        x = (laps as (Lap & { x: number })[]).map((lap) => lap.x);
        return round;
      };
    },
  },
  larson: {
    cpus: (o) => o.cpus, memory: '256MiB', trial: LARSON_STEP, step: LARSON_STEP,
    working: everyCpu, live: (cpus) => LARSON_BYTES * cpus,
    // a generation replaces all blocks of its predecessor but one in twenty thousand
    remote: (ops, cpus) => (cpus > 1 ? (ops / LARSON_STEP) * LARSON_BLOCKS * cpus : 0),
    setup: async (machine, o, type) => {
      const areas = await phase<number>(machine, o, 'allocateArea', LARSON_BLOCKS * 4, type);
      let x = await phase<number>(machine, o, 'larsonSetup', type, areas, o.seed);
      let generation = 0;
      return async (ops) => {
        const generations = ops / LARSON_STEP;
        const { round, laps } = await timed(
          machine, o, 'larson', type, areas, LARSON_LAPS, generation, generations, x,
        );
        generation += generations;
        x = (laps as (Lap & { x: number })[]).map((lap) => lap.x);
        return round;
      };
    },
  },
  xmalloc: {
    cpus: (o) => Math.max(2, o.cpus & ~1), memory: '256MiB', trial: XMALLOC_BATCH, step: XMALLOC_BATCH,
    working: (cpus) => cpus / 2, remote: (ops, cpus) => ops * (cpus / 2), live: () => null,
    setup: async (machine, o, type) => {
      const [queue] = await phase<number>(machine, o, 'allocateArea', 128, type);
      const producers = machine.configuration.cpus / 2;
      return async (ops) =>
        (await timed(machine, o, 'xmalloc', type, queue, PAIR_BYTES, ops / XMALLOC_BATCH, producers)).round;
    },
  },
  ring: {
    cpus: (o) => o.cpus, memory: '128MiB', trial: 5000, step: 1,
    working: everyCpu, remote: (ops, cpus) => (cpus > 1 ? ops * cpus : 0), live: () => null,
    setup: async (machine, o, type) => {
      const rings = await phase<number>(machine, o, 'allocateArea', (32 + RING_DEPTH) * 4, type);
      return async (ops) => (await timed(machine, o, 'ring', type, rings, RING_DEPTH, PAIR_BYTES, ops)).round;
    },
  },
};
