/** A machine at work is read from outside: nothing stops, and what was read makes sense. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { boot } from '../../src/host/machine.js';
import { SysctlClient } from '../../src/host/sysctl_client.js';
import { memstatMtlAlloc, memstatMtlFind, memstatSysctlAll } from '../../src/observe/memstat/index.js';
import { memorySource } from '../../src/observe/sysctl.js';
import { parseMalloc, parseUma } from '../helpers/streams.js';

const folder = mkdtempSync(join(tmpdir(), 'smpalloc-observer-'));
afterAll(() => rmSync(folder, { recursive: true }));
const WORKLOADS = 'smpalloc:workloads';

test.each(['freebsd', 'dragonfly'] as const)('%s: counts of a running machine only go up, and are exact in the end', async (alloc) => {
  await using machine = await boot({ alloc, cpus: 2, memory: '64MiB' });
  const [types] = (await machine.run(WORKLOADS, 'defineTypes', [['temp']])) as number[][];
  const rings = await machine.run(WORKLOADS, 'allocateArea', [(32 + 1024) * 4, types![0]]);
  let running = true;
  const work = machine.run(WORKLOADS, 'ring', [types![0], rings, 1024, 64, 1_500_000]).finally(() => {
    running = false;
  });
  const list = memstatMtlAlloc();
  let last = 0n;
  let changes = 0;
  while (running) {
    expect(await memstatSysctlAll(list, memorySource(machine.memory))).toBe(0);
    const { numallocs, numfrees } = memstatMtlFind(list, 1, 'temp')!;
    expect(numallocs >= last).toBe(true);
    if (numallocs > last) changes++;
    last = numallocs;
    expect(numfrees <= 3_000_002n).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await work;
  expect(changes).toBeGreaterThan(2);
  expect(await memstatSysctlAll(list, memorySource(machine.memory))).toBe(0);
  // both rings are empty again: what is left are the rings
  expect(memstatMtlFind(list, 1, 'temp')).toMatchObject({ numallocs: 3_000_002n, count: 2n });
});

test('a machine that listens is read by streams while it works, until it stops', async () => {
  const path = join(folder, 'machine');
  const machine = await boot({ alloc: 'freebsd', cpus: 2, memory: '64MiB', listen: path });
  try {
    const [types] = (await machine.run(WORKLOADS, 'defineTypes', [['temp']])) as number[][];
    const work = machine.run(WORKLOADS, 'pair', [types![0], 64, 5_000_000]);
    const client = await SysctlClient.connect(path);
    const { header, records } = parseMalloc(await client.read('kern.malloc_stats'));
    expect([header.maxcpus, records.map(({ type }) => type.name)]).toEqual([16, ['temp']]);
    expect(parseUma(await client.read('vm.zone_stats')).header).toMatchObject({ maxcpus: 2 });
    await work;
    const temp = parseMalloc(await client.read('kern.malloc_stats')).records[0]!;
    expect(temp.cpus.slice(0, 2)).toMatchObject([0, 1].map(() => ({ numallocs: 5_000_000n, numfrees: 5_000_000n })));
    expect(await machine.audit()).toMatchObject({ violations: [] });
  } finally {
    await machine.stop();
  }
  expect(() => statSync(path)).toThrow('ENOENT');
  await expect(machine.listen(path)).rejects.toMatchObject({ code: 'ESMP_HALTED' });
  expect(() => statSync(path)).toThrow('ENOENT');
});

test('a machine that cannot listen does not boot', async () => {
  await expect(boot({ cpus: 1, memory: '16MiB', listen: folder })).rejects.toThrow('it is a file, and no socket');
});
