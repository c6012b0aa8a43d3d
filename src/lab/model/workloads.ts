/**
 * workloads.ts — how each workload is set up on a modelled machine, and its programs. The same loops as the native
 * suites' (suite/loops.ts), with as many operations as are asked for.
 */
import { seedOf } from '../../base/prng.js';
import { Z_NMAX } from '../../dragonfly/slaballoc.layout.js';
import type { ModelledMachine } from './machine.js';

export const MODEL_WORKLOADS = [
  'stats-update', 'stats-malloc', 'pair', 'local', 'larson', 'larson-long', 'xmalloc', 'ring', 'ring-short',
] as const;
export type ModelWorkload = (typeof MODEL_WORKLOADS)[number];

export type Program = ReturnType<ModelledMachine['engine']['programs']['pairProgram']>;

export interface Prepared {
  /** Programs of `ops` operations a CPU, which begin where the ones before ended. */
  programs(ops: number): Program[];
  /** operations a CPU come in multiples of this */
  readonly step: number;
  /** operations a CPU before anything is measured, at least; else half as many as are measured */
  readonly warmUp?: number;
}

interface Workload {
  /** CPUs it can run on, of those asked for */
  cpus(wanted: number): number;
  /** operations a CPU that are measured, unless somebody says otherwise */
  readonly ops: number;
  prepare(m: ModelledMachine, type: number, seed: number): Prepared;
}

const PAIR_BYTES = 64;
const RING_DEPTH = 1024;
/** zones of a CPU whose blocks are in flight all the time, all of them */
const RING_ZONES = 2;
/** of a ring that holds as much; and blocks in flight of an allocator without zones */
const RING_SLOTS = 8192;
const RING_BEHIND = 4095;
const LOCAL_WORDS = 1024;
const LARSON_BLOCKS = 5000;
const XMALLOC_BATCH = 4096;
const XQ_BYTES = 128;
const any = (wanted: number): number => wanted;

export const WORKLOADS: Readonly<Record<ModelWorkload, Workload>> = {
  'stats-update': {
    cpus: any, ops: 1000,
    prepare({ engine, memory, as }, type) {
      const sizes = eachCpu(memory.ncpu, (cpu) => as(cpu, () => engine.sizeAt(block(engine, type))));
      return { step: 2, programs: (ops) => sizes.map((at) => engine.programs.statsUpdateProgram(type, at, ops)) };
    },
  },
  'stats-malloc': {
    cpus: any, ops: 500,
    prepare({ engine, memory }, type) {
      const one = (ops: number) => engine.programs.statsMallocProgram(type, PAIR_BYTES, ops);
      return { step: 1, programs: (ops) => eachCpu(memory.ncpu, () => one(ops)) };
    },
  },
  pair: {
    cpus: any, ops: 2000,
    prepare({ engine, memory }, type) {
      const one = (ops: number) => engine.programs.pairProgram(type, PAIR_BYTES, ops);
      return { step: 1, programs: (ops) => eachCpu(memory.ncpu, () => one(ops)) };
    },
  },
  local: {
    cpus: any, ops: 4000,
    prepare(m, type, seed) {
      const { engine, memory } = m;
      const areas = allocateAreas(m, LOCAL_WORDS * 4, type);
      const states = eachCpu(memory.ncpu, (cpu): [number] => [seedOf(seed, cpu)]);
      const one = (cpu: number, ops: number) =>
        engine.programs.localProgram(type, areas[cpu]! >>> 2, ops, states[cpu]!);
      return { step: 1, programs: (ops) => eachCpu(memory.ncpu, (cpu) => one(cpu, ops)) };
    },
  },
  larson: larsonOf(1),
  'larson-long': larsonOf(10),
  xmalloc: {
    cpus: (wanted) => Math.max(2, wanted & ~1), ops: 2 * XMALLOC_BATCH,
    prepare(m, type) {
      const { engine, memory } = m;
      const queue = allocateAreas(m, XQ_BYTES, type)[0]! >>> 2;
      const producers = memory.ncpu / 2;
      const { ProducerProgram, ConsumerProgram } = engine.programs;
      return {
        step: XMALLOC_BATCH,
        programs(ops) {
          const batches = ops / XMALLOC_BATCH;
          memory.i32[queue + engine.XQ_LEFT] = batches * producers;
          return eachCpu(memory.ncpu, (cpu) =>
            cpu < producers
              ? new ProducerProgram(type, queue, PAIR_BYTES, batches)
              : new ConsumerProgram(type, queue));
        },
      };
    },
  },
  ring: ringOf(RING_SLOTS, inFlight, 1000),
  'ring-short': ringOf(RING_DEPTH, () => 0, 4000),
};

/** @param laps replacements a generation, in multiples of the blocks */
function larsonOf(laps: number): Workload {
  const step = laps * LARSON_BLOCKS;
  return {
    cpus: any, ops: step,
    prepare(m, type, seed) {
      const { engine, memory, as } = m;
      const areas = allocateAreas(m, LARSON_BLOCKS * 4, type);
      const arrays = areas.map((area) => area >>> 2);
      const fill = (cpu: number) => engine.larsonFill(type, arrays[cpu]!, seedOf(seed, cpu));
      const states = eachCpu(memory.ncpu, (cpu): [number] => [as(cpu, () => fill(cpu))]);
      let generation = 0;
      return {
        step,
        programs(ops) {
          const [first, generations] = [generation, ops / step];
          generation += generations;
          return eachCpu(memory.ncpu, (rank) =>
            new engine.programs.LarsonProgram(
              type, arrays, rank, step, first, generations, states[rank]!,
            ));
        },
      };
    },
  };
}

/**
 * @param depth of the rings @param inFlight blocks in flight all the time, 0: as many as happen to be
 * @param ops operations a CPU that are measured
 */
function ringOf(depth: number, inFlight: InFlight, ops: number): Workload {
  return {
    cpus: any, ops,
    prepare(m, type) {
      const { engine, memory: { ncpu } } = m;
      const rings = allocateAreas(m, engine.phases.ringBytes(depth), type).map((area) => area >>> 2);
      const from = (cpu: number) => rings[(cpu + ncpu - 1) % ncpu]!;
      const behind = inFlight(m, type);
      const one = (cpu: number, count: number) =>
        new engine.programs.RingProgram(type, rings[cpu]!, from(cpu), depth, PAIR_BYTES, count, behind);
      return { step: 1, warmUp: behind + ops / 2, programs: (count) => eachCpu(ncpu, (cpu) => one(cpu, count)) };
    },
  };
}

type InFlight = (m: ModelledMachine, type: number) => number;

/** One less than some zones hold: the next block is the last, and all zones are full. */
function inFlight({ engine, memory, as, configuration }: ModelledMachine, type: number): number {
  if (configuration.alloc !== 'dragonfly') return RING_BEHIND;
  const p = as(0, () => block(engine, type));
  const chunks = memory.i32[(memory.zoneHeader(p) >>> 2) + Z_NMAX]!;
  as(0, () => engine.engine.kfree(p, type));
  return RING_ZONES * chunks - 1;
}

function eachCpu<T>(ncpu: number, of: (cpu: number) => T): T[] {
  return Array.from({ length: ncpu }, (_, cpu) => of(cpu));
}

function block(engine: ModelledMachine['engine'], type: number): number {
  return engine.engine.kmalloc(PAIR_BYTES, type, engine.engine.M_WAITOK);
}

/** A zeroed block of each CPU's. */
function allocateAreas({ engine, memory, as }: ModelledMachine, bytes: number, type: number): number[] {
  const part = { cpu: 0, rank: 0, parties: 1 };
  return eachCpu(memory.ncpu, (cpu) => as(cpu, () => engine.phases.allocateArea(part, bytes, type)));
}
