import { expect, test } from 'vitest';
import type { BootOptions } from '../../src/index.js';
import { defineType, audited, machine, smpalloc, workload } from './helpers/machine.js';

test.each([1, 2, 4])('a machine of %i CPUs boots, works and stops', async (cpus) => {
  const start = performance.now();
  const m = await machine({ cpus });
  console.log(`boot with ${cpus} CPUs: ${(performance.now() - start).toFixed(0)} ms`);
  const type = await defineType(m);
  expect(await workload(m, 'pair', [type, 64, 1000])).toHaveLength(cpus);
  expect(await audited(m)).toBe(0);
  await m.stop();
  await expect(m.run('smpalloc:workloads', 'ready')).rejects.toMatchObject({ code: 'ESMP_HALTED' });
});

const refused: [string, BootOptions, RegExp][] = [
  ['no CPU', { cpus: 0 }, /^cpus: 0 is not usable; expected a whole number from 1 to 256$/],
  ['half a CPU', { cpus: 1.5 }, /^cpus: 1\.5 /],
  ['more CPUs than there are, attached ones included', { cpus: 200, attach: 57 }, /^attach: 57 .* 0 to 56$/],
  ['memory without a unit we know', { memory: '5 pints' }, /^memory: "5 pints" .*'256MiB'/],
  ['memory beyond 31-bit addresses', { memory: '4GiB' }, /^memory: "4GiB" .*2GiB at the most/],
  ['memory that holds no zone a CPU', { cpus: 8, memory: '1MiB' }, /^memory: .*at least \d+MiB for 8 CPUs/],
  ['an unknown policy', { free: 'never' as 'ipi' }, /^free: "never" .*ipi, rchunks, .*rbatch/],
  ['the lock of one CPU on two', { cpus: 2, stats: 'mutex-up' }, /^stats: "mutex-up" .*cpus: 1/],
  ['an unknown variable', { tunables: { 'kern.zone_cash': 1 } }, /kern\.zone_cash/],
  ['a variable out of range', { tunables: { 'kern.rbatch': 0 } }, /^kern\.rbatch: 0 .*1 to 4096/],
  ['a negative delay', { signalDelay: -1 }, /^signalDelay: -1 /],
];

test.each(refused)('boot refuses %s and says what would be right', async (_what, options, message) => {
  const error = await smpalloc.boot(options).catch((cause: unknown) => cause);
  expect(smpalloc.SmpallocError.is(error)).toBe(true);
  expect(error).toMatchObject({ code: 'ESMP_OPTION', message: expect.stringMatching(message) });
});

test('what the kernel prints reaches the console, and the one who asks later', async () => {
  const lines: string[] = [];
  const tunables = { 'kern.vm.kmem.size': 20_000_000 };
  const m = await machine({ alloc: 'freebsd', tunables, console: (line) => void lines.push(line) });
  await m.stop();
  expect(lines).toEqual(['kern.vm.kmem.size is now called vm.kmem_size!']);
  expect(smpalloc.kernelMessages(m.memory)).toEqual(lines);
});

test('memory nobody touches costs nothing: a machine of 1 GiB grows the process by less than 100 MiB', async () => {
  const before = process.memoryUsage.rss();
  await machine({ memory: '1GiB' });
  const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
  console.log(`1 GiB machine, untouched: ${grown.toFixed(0)} MiB`);
  expect(grown).toBeLessThan(100);
});

test('stop may be called again, also at the same time', async () => {
  const m = await smpalloc.boot({ cpus: 2, memory: '64MiB' });
  await Promise.all([m.stop(), m.stop()]);
  await m.stop();
});

test('a machine is disposed of by stopping it', async () => {
  const m = await smpalloc.boot({ cpus: 1, memory: '64MiB' });
  await m[Symbol.asyncDispose]();
  await m[Symbol.asyncDispose]();
  expect(m.memory.ncpu).toBe(1);
  await expect(m.run('smpalloc:workloads', 'ready')).rejects.toMatchObject({ code: 'ESMP_HALTED' });
});

test('two machines run side by side and share nothing', async () => {
  const machines = await Promise.all([machine({ free: 'rbatch' }), machine({ free: 'ipi', invariants: true })]);
  const types = await Promise.all(machines.map((m) => defineType(m)));
  await Promise.all(machines.map((m, n) => workload(m, 'allocateArea', [64 * (n + 1), types[n]])));
  await machines[1]!.stop();
  expect(await audited(machines[0]!)).toBe(2);
  expect(machines[0]!.sysctl('kern.slab.zones')).toBe(2);
  expect(smpalloc.mallocTypes(machines[1]!.memory)).toMatchObject([{ name: 'temp', inuse: 2, memuse: 256 }]);
});
