/** workloads.ts — larson, xmalloc and ring in small: what they allocate is counted, so nothing may be lost. */
import { expect } from 'vitest';
import type { BootOptions, Machine } from '../../../src/index.js';
import type { Lap } from '../../../src/workload/phases.js';
import { audited, defineType, machine, smpalloc, workload } from './machine.js';

const LARSON_BLOCKS = 5000;
const XMALLOC_BATCH = 4096;
const XQ_BYTES = 128;
const RING_SLOTS = 32;
const RING_DEPTH = 256;

/** A workload laid out on a machine. */
export interface Load {
  readonly type: number;
  /** runs it once more */
  go(): Promise<void>;
  /** blocks that are out when it rests */
  readonly resting: number;
  /** gives everything back */
  clear(): Promise<void>;
}

/** Every CPU replaces blocks of an array that was another CPU's a generation before. */
export async function larson(m: Machine, generations = 4): Promise<Load> {
  const cpus = m.configuration.cpus;
  const type = await defineType(m);
  const areas = await workload<number>(m, 'allocateArea', [LARSON_BLOCKS * 4, type]);
  let x = await workload<number>(m, 'larsonSetup', [type, areas, 1]);
  let generation = 0;
  return {
    type,
    resting: cpus * (LARSON_BLOCKS + 1),
    async go() {
      const laps = await workload<Lap & { x: number }>(m, 'larson', [type, areas, 1, generation, generations, x]);
      generation += generations;
      x = laps.map((lap) => lap.x);
    },
    async clear() {
      await workload(m, 'freeSlots', [type, areas, LARSON_BLOCKS]);
      for (const [cpu, area] of areas.entries()) await workload(m, 'freeArea', [area, type], { cpus: [cpu] });
    },
  };
}

/** Half of the CPUs allocate, the others free. */
export async function xmalloc(m: Machine, batches = 4): Promise<Load> {
  const type = await defineType(m);
  const producers = m.configuration.cpus >>> 1;
  const [queue] = await workload<number>(m, 'allocateArea', [XQ_BYTES, type], { cpus: [0] });
  return {
    type,
    resting: 1,
    async go() {
      const laps = await workload<Lap & { freed: number }>(m, 'xmalloc', [type, queue, 64, batches, producers]);
      const freed = laps.reduce((sum, lap) => sum + lap.freed, 0);
      if (freed !== batches * producers * XMALLOC_BATCH) throw new Error(`xmalloc freed ${freed} blocks`);
    },
    clear: async () => void (await workload(m, 'freeArea', [queue, type], { cpus: [1] })),
  };
}

/** Every CPU frees what its neighbour allocates. */
export async function ring(m: Machine, ops = 10_000): Promise<Load> {
  const cpus = m.configuration.cpus;
  const type = await defineType(m);
  const rings = await workload<number>(m, 'allocateArea', [(RING_SLOTS + RING_DEPTH) * 4, type]);
  return {
    type,
    resting: cpus,
    go: async () => void (await workload(m, 'ring', [type, rings, RING_DEPTH, 64, ops])),
    async clear() {
      for (const [cpu, area] of rings.entries()) await workload(m, 'freeArea', [area, type], { cpus: [cpu] });
    },
  };
}

export const LOADS = { larson, xmalloc, ring } as const;
export type LoadName = keyof typeof LOADS;

/** Runs a workload twice, audits each time, gives everything back. */
export async function conserves(name: LoadName, options: BootOptions): Promise<void> {
  const m = await machine(options);
  const load = await LOADS[name](m);
  for (let round = 0; round < 2; round++) {
    await load.go();
    expect(await audited(m)).toBe(load.resting);
  }
  expect(m.sysctl('lwkt.ipiq_done')).toBe(m.sysctl('lwkt.ipiq_count'));
  await load.clear();
  expect(await audited(m)).toBe(0);
  const used = options.stats === 'none' ? {} : { inuse: 0, memuse: 0 };
  expect(smpalloc.mallocTypes(m.memory)).toMatchObject([used]);
}
