/** malloc(9) on real workers: nothing lost under load, no hang without memory, and failures that are survived. */
import { describe, expect, test } from 'vitest';
import { P_ALL_WAIT } from '../../src/base/panics.js';
import { P_KMEM_MAP } from '../../src/base/panics_freebsd.js';
import { STATS_NAMES } from '../../src/base/policy.js';
import { KERN_MALLOC, MF_FAILURE_COUNT } from '../../src/freebsd/kern_malloc.layout.js';
import { SB_UMA } from '../../src/hw/superblock.layout.js';
import type { BootOptions, Machine } from '../../src/index.js';
import { attached } from './helpers/attached.js';
import { audited, defineType, machine, panicOf, phases, run, smpalloc, workload } from './helpers/machine.js';
import { conserves, LOADS, type LoadName } from './helpers/workloads.js';

const MEMORY = phases('memory');
const NAMES: readonly LoadName[] = ['larson', 'xmalloc', 'ring'];
const SMALL = { alloc: 'freebsd', memory: '16MiB' } as const;
const BLOCK = 64 * 1024;

const freebsd = (options: BootOptions = {}): BootOptions => ({ alloc: 'freebsd', ...options });
const failures = (m: Machine): number => m.memory.i32[(m.memory.sb(SB_UMA) >>> 2) + KERN_MALLOC + MF_FAILURE_COUNT]!;

describe('under load', () => {
  const everyPolicy = STATS_NAMES.filter((stats) => stats !== 'mutex-up').flatMap((stats) =>
    NAMES.map((name) => [stats, name] as const),
  );

  test.each(everyPolicy)('statistics by policy %s agree with the zones under %s', async (stats, name) => {
    await conserves(name, freebsd({ stats }));
  });

  const checked = everyPolicy.filter(([, name]) => name !== 'ring');

  test.each(checked)('and with every free checked: %s under %s', async (stats, name) => {
    await conserves(name, freebsd({ stats, invariants: true }));
  });

  test.each(NAMES)('four CPUs conserve as well, under %s', async (name) => {
    await conserves(name, freebsd({ cpus: 4 }));
  });

  test('critical sections that count instead of masking interrupts lose nothing', async () => {
    for (const name of NAMES) await conserves(name, freebsd({ tunables: { 'kern.soft_critical': 1 } }));
  });

  test('one type after the other, on one machine, with local work between', async () => {
    const m = await machine(freebsd());
    for (const name of NAMES) {
      const load = await LOADS[name](m);
      const areas = await workload<number>(m, 'allocateArea', [4096, load.type]);
      await load.go();
      await workload(m, 'local', [load.type, areas, 20_000, areas.map(() => 0)]);
      await workload(m, 'freeSlots', [load.type, areas, 1024]);
      for (const [cpu, area] of areas.entries()) await workload(m, 'freeArea', [area, load.type], { cpus: [cpu] });
      await workload(m, 'cleanup');
      await load.go();
      expect(await audited(m)).toBe(load.resting);
      await load.clear();
    }
    expect(await audited(m)).toBe(0);
  });
});

interface Chain {
  blocks: number;
  head: number;
}

const lowmem = [
  ['with', { ...SMALL, tunables: { 'vm.lowmem': 1 } }], ['without', { ...SMALL, tunables: { 'vm.lowmem': 0 } }],
] as const;

describe.each(lowmem)('no memory left, %s reclaim', (_, options) => {
  test.each([64, 1000, 4096, BLOCK])('blocks of %i bytes run out on all CPUs, and come back', async (size) => {
    const m = await machine({ ...options, cpus: 4 });
    const type = await defineType(m);
    const chains = await run<Chain>(m, MEMORY, 'exhaust', [type, size]);
    const blocks = chains.reduce((sum, chain) => sum + chain.blocks, 0);
    expect(blocks * size).toBeGreaterThan(12 * 2 ** 20);
    expect(await run(m, MEMORY, 'tryOne', [type, size])).toEqual([0, 0, 0, 0]);
    expect(await audited(m)).toBe(blocks);
    await run(m, MEMORY, 'release', [type, chains.map(({ head }) => head)]);
    expect(await audited(m)).toBe(0);
    const again = await run<Chain>(m, MEMORY, 'exhaust', [type, size]);
    expect(again.reduce((sum, chain) => sum + chain.blocks, 0)).toBeGreaterThan(blocks * 0.9);
  });

  test('a CPU that waits for memory goes on when another frees some', async () => {
    const m = await machine(options);
    const type = await defineType(m);
    const [flag] = await workload<number>(m, 'allocateArea', [64, type], { cpus: [0] });
    const [chain] = await run<Chain>(m, MEMORY, 'exhaust', [type, BLOCK], { cpus: [1] });
    const [got, left] = await run<Chain & { ms: number }>(m, MEMORY, 'handOver', [type, BLOCK, chain!.head, 40, flag]);
    await run(m, MEMORY, 'release', [type, [got!.head, left!.head]]);
    expect(await audited(m)).toBe(1);
  });

  test('a CPU waits as long as another one works', async () => {
    const m = await machine(options);
    const type = await defineType(m);
    const [chain] = await run<Chain>(m, MEMORY, 'exhaust', [type, BLOCK], { cpus: [1] });
    const [block] = await run<number>(m, MEMORY, 'patience', [type, BLOCK, chain!.head, 500]);
    expect(block).not.toBe(0);
  });

  test.each([[[0]], [[0, 1]], [[0, 1, 2, 3]]])('when all running CPUs %j wait the machine says so', async (cpus) => {
    const m = await machine({ ...options, cpus: 4 });
    const type = await defineType(m);
    const panic = await panicOf(run(m, MEMORY, 'waitForMore', [type, BLOCK], { cpus }));
    expect(panic.panicCode).toBe(P_ALL_WAIT);
  });

  test('and so with small blocks, which are to come from slabs', async () => {
    const m = await machine(options);
    const type = await defineType(m);
    const panic = await panicOf(run(m, MEMORY, 'waitForMore', [type, 100]));
    expect(panic.panicCode).toBe(P_ALL_WAIT);
  });
});

test('with reclaim a CPU gets what the zones hoard; without, only what is free', async () => {
  const got: Record<number, number> = {};
  for (const on of [0, 1]) {
    const m = await machine({ ...SMALL, tunables: { 'vm.lowmem': on } });
    const type = await defineType(m);
    const [hoard] = await run<Chain>(m, MEMORY, 'exhaust', [type, 1000], { cpus: [1] });
    await run(m, MEMORY, 'release', [type, [0, hoard!.head]], { cpus: [0, 1] });
    await panicOf(run(m, MEMORY, 'waitForMore', [type, BLOCK], { cpus: [0] }));
    const row = smpalloc.mallocTypes(m.memory).find(({ name }) => name === 'temp')!;
    got[on] = row.memuse;
  }
  expect(got[0]).toBeLessThan(2 ** 20);
  expect(got[1]).toBeGreaterThan(12 * 2 ** 20);
});

test('a kmem_map that is too small is a panic that says so', async () => {
  const m = await machine(freebsd({ tunables: { 'vm.kmem_size': 4 << 20 } }));
  const type = await defineType(m);
  const panic = await panicOf(run(m, MEMORY, 'waitForMore', [type, BLOCK]));
  expect(panic.panicCode).toBe(P_KMEM_MAP);
  expect(panic.message).toMatch(/^panic: kmem_malloc\(65536\): kmem_map too small: \d+ total allocated$/);
});

describe('with one of ten mallocs made to fail', () => {
  test.each([false, true])('larson goes on, and nothing is lost (invariants %s)', async (invariants) => {
    const m = await machine(freebsd({ invariants, tunables: { 'debug.malloc.failure_rate': 10 } }));
    const load = await LOADS.larson(m);
    const before = failures(m);
    for (let round = 0; round < 3; round++) {
      await load.go();
      // a slot whose malloc failed is empty until the next generation
      expect(await audited(m)).toBeLessThanOrEqual(load.resting);
    }
    expect(failures(m)).toBeGreaterThan(before);
    await load.clear();
    expect(await audited(m)).toBe(0);
  });

  test('so do workers of the user that look at what they are given', async () => {
    const m = await machine(freebsd({ cpus: 1, attach: 2, tunables: { 'debug.malloc.failure_rate': 10 } }));
    const [a, b] = await Promise.all([attached(m), attached(m)]);
    const before = failures(m);
    const tries = [a.ask<number[]>('tryAllocate', 100, 2000), b.ask<number[]>('tryAllocate', 6000, 200)];
    const [blocks, more] = (await Promise.all(tries)) as [number[], number[]];
    const failed = failures(m) - before;
    expect(failed).toBe(220);
    expect(blocks.concat(more).filter((block) => block === 0)).toHaveLength(failed);
    expect(await audited(m)).toBe(2200 - failed);
    // each frees what the other has got
    await Promise.all([a.ask('free', more), b.ask('free', blocks)]);
    await Promise.all([a.ask('detach'), b.ask('detach')]);
    expect(await audited(m)).toBe(0);
    const row = smpalloc.mallocTypes(m.memory).find(({ name }) => name === 'attached');
    expect(row).toMatchObject({ inuse: 0, memuse: 0 });
  });

  test('and one that may wait always gets its memory', async () => {
    const m = await machine(freebsd({ cpus: 1, attach: 1, tunables: { 'debug.malloc.failure_rate': 1 } }));
    const a = await attached(m);
    const blocks = await a.ask<number[]>('allocate', 100, 500);
    expect(blocks).not.toContain(0);
    await a.ask('free', blocks);
    await a.ask('detach');
    expect(await audited(m)).toBe(0);
  });
});
