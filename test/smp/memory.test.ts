/** No memory left: who may not wait is told so, who waits is woken, and nobody hoards while another starves. */
import { expect, test } from 'vitest';
import type { Machine } from '../../src/index.js';
import { P_ALL_WAIT } from '../../src/base/panics.js';
import { SL_NFREEZONES } from '../../src/dragonfly/slaballoc.layout.js';
import { audited, defineType, machine, panicOf, phases, run, workload } from './helpers/machine.js';

const MEMORY = phases('memory');
const SMALL = { memory: '16MiB' } as const;
/** an oversized block: whole pages, straight from the page allocator */
const BLOCK = 64 * 1024;
/** a sleeper for memory looks for itself this often (vm_page.ts) */
const LOOK_MS = 50;

interface Chain {
  blocks: number;
  head: number;
}

/** A zeroed block of CPU 0. */
async function area(m: Machine, type: number): Promise<number> {
  return (await workload<number>(m, 'allocateArea', [64, type], { cpus: [0] }))[0]!;
}

const spareZones = (m: Machine, cpu: number): number => m.memory.i32[m.memory.slgd(cpu) + SL_NFREEZONES]!;

test.each([64, 1000, BLOCK])('blocks of %i bytes run out on all CPUs, without a panic, and come back', async (size) => {
  const m = await machine({ ...SMALL, cpus: 4 });
  const type = await defineType(m);
  const chains = await run<Chain>(m, MEMORY, 'exhaust', [type, size]);
  const blocks = chains.reduce((sum, chain) => sum + chain.blocks, 0);
  expect(blocks * size).toBeGreaterThan(13 * 2 ** 20);
  expect(await run(m, MEMORY, 'tryOne', [type, size])).toEqual([0, 0, 0, 0]);
  expect(await audited(m)).toBe(blocks);
  await run(m, MEMORY, 'release', [type, chains.map(({ head }) => head)]);
  expect(await audited(m)).toBe(0);
  const again = await run<Chain>(m, MEMORY, 'exhaust', [type, size]);
  expect(again.reduce((sum, chain) => sum + chain.blocks, 0)).toBeGreaterThan(blocks * 0.95);
});

test('a CPU that waits for memory is woken when another frees some', async () => {
  const m = await machine(SMALL);
  const type = await defineType(m);
  const flag = await area(m, type);
  const [chain] = await run<Chain>(m, MEMORY, 'exhaust', [type, BLOCK], { cpus: [1] });
  const rounds = 40;
  const args = [type, BLOCK, chain!.head, rounds, flag];
  const [got, left] = await run<Chain & { ms: number }>(m, MEMORY, 'handOver', args);
  expect(got!.ms).toBeLessThan((rounds * LOOK_MS) / 2);
  await run(m, MEMORY, 'release', [type, [got!.head, left!.head]]);
  expect(await audited(m)).toBe(1);
});

test('a CPU that waits gets the zones another one has come to hoard', async () => {
  const m = await machine(SMALL);
  const type = await defineType(m);
  const flag = await area(m, type);
  const [chain] = await run<Chain>(m, MEMORY, 'exhaust', [type, 1000], { cpus: [1] });
  // 16 zones of 32 KiB: half of the reserve a CPU keeps
  const [block] = await run<number>(m, MEMORY, 'starve', [type, BLOCK, chain!.head, 512, flag]);
  expect(block).not.toBe(0);
});

test('a CPU waits as long as another one works', async () => {
  const m = await machine(SMALL);
  const type = await defineType(m);
  const [chain] = await run<Chain>(m, MEMORY, 'exhaust', [type, BLOCK], { cpus: [1] });
  const [block] = await run<number>(m, MEMORY, 'patience', [type, BLOCK, chain!.head, 10 * LOOK_MS]);
  expect(block).not.toBe(0);
});

test.each([[[0]], [[0, 1]], [[0, 1, 2, 3]]])('when all running CPUs %j wait for memory the machine says so', async (cpus) => {
  const m = await machine({ ...SMALL, cpus: 4 });
  const type = await defineType(m);
  const panic = await panicOf(run(m, MEMORY, 'waitForMore', [type, BLOCK], { cpus }));
  expect(panic.panicCode).toBe(P_ALL_WAIT);
  expect(panic.message).toMatch(
    new RegExp(`^panic: vm_wait: every CPU waits for memory \\(${cpus.length} waiting, \\d+ pages free\\)$`),
  );
});

test('a CPU that finds no memory gets what the others keep in reserve', async () => {
  const m = await machine(SMALL);
  const type = await defineType(m);
  const [hoard] = await run<Chain>(m, MEMORY, 'exhaust', [type, 1000], { cpus: [1] });
  await run(m, MEMORY, 'release', [type, [hoard!.head]], { cpus: [1] });
  const spare = spareZones(m, 1);
  expect(spare).toBeGreaterThan(32);
  const [first] = await run<Chain>(m, MEMORY, 'exhaust', [type, BLOCK], { cpus: [0] });
  await expect.poll(() => spareZones(m, 1)).toBe(0);
  const [second] = await run<Chain>(m, MEMORY, 'exhaust', [type, BLOCK], { cpus: [0] });
  expect((first!.blocks + second!.blocks) * BLOCK).toBeGreaterThan(13 * 2 ** 20);
  for (const { head } of [first!, second!]) await run(m, MEMORY, 'release', [type, [head]], { cpus: [0] });
  expect(await audited(m)).toBe(0);
});

test('a CPU that needs memory and may wait for it gets what the others keep in reserve', async () => {
  const m = await machine(SMALL);
  const type = await defineType(m);
  const [hoard] = await run<Chain>(m, MEMORY, 'exhaust', [type, 1000], { cpus: [1] });
  await run(m, MEMORY, 'release', [type, [hoard!.head]], { cpus: [1] });
  const panic = await panicOf(run(m, MEMORY, 'waitForMore', [type, BLOCK], { cpus: [0] }));
  expect(panic.panicCode).toBe(P_ALL_WAIT);
  expect(m.sysctl('kern.zone_big_alloc', 0) * 1024).toBeGreaterThan(13 * 2 ** 20);
});
