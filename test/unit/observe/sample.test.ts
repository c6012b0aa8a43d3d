/** What `smpalloc top` reads: a sample of a machine whose every number is known, and what two of them say. */
import { describe, expect, test } from 'vitest';
import { IP_WINDEX } from '../../../src/kern/lwkt_ipiq.layout.js';
import { intervalBetween } from '../../../src/observe/interval.js';
import { ipiqAt } from '../../../src/observe/ipiq.js';
import { SysctlError } from '../../../src/observe/memstat/source.js';
import { readSample } from '../../../src/observe/sample.js';
import { memorySource } from '../../../src/observe/sysctl.js';
import { observed } from '../../helpers/observed.js';
import { sample, type, zone } from '../../helpers/samples.js';

describe('a sample', () => {
  test('of the slab allocator has types by CPU, zones by class and CPU, pages and counters', async () => {
    const { m } = await observed({ alloc: 'dragonfly' });
    const { machine, panic, cpus, types, classes, zones, pages, at } =
      await readSample(memorySource(m.memory), () => 42);
    expect(machine).toMatchObject({ alloc: 'dragonfly', ncpu: 2 });
    expect({ panic, at, zones }).toEqual({ panic: '', at: 42, zones: [] });
    expect(types.find(({ name }) => name === 'devbuf')).toMatchObject({
      allocs: 11, frees: 3, cpus: [{ allocs: 11, frees: 0 }, { allocs: 0, frees: 3 }],
    });
    expect(cpus.map(({ counters }) => counters['kern.slab.remote_frees'])).toEqual([5, 3]);
    // 100 bytes are chunks of 104; three of them are on their way home
    expect(classes.find(({ size }) => size === 104)).toMatchObject({ zones: 1, out: 10, cpus: [1, 0] });
    expect(pages.free + pages.wired).toBe(pages.total);
    expect(pages.blocks.reduce((sum, count, order) => sum + count * 2 ** order, 0)).toBe(pages.free);
  });

  test('of UMA has its zones, with what lies in the buckets of each CPU', async () => {
    const { m } = await observed();
    const { classes, zones } = await readSample(memorySource(m.memory));
    expect(classes).toEqual([]);
    const small = zones.find(({ name }) => name === '128')!;
    expect(small.allocs - small.frees).toBe(small.used);
    expect(small.cpus.reduce((sum, items) => sum + items, 0)).toBe(small.cached);
  });

  test('says what a CPU does, and what waits for it', async () => {
    const { m } = await observed({ alloc: 'dragonfly' });
    m.memory.i32[ipiqAt(m.memory, 0, 1) + IP_WINDEX]! += 3;
    const { cpus } = await readSample(memorySource(m.memory));
    expect(cpus.map(({ state, queued }) => [state, queued])).toEqual([['idle', 0], ['idle', 3]]);
    m.memory.i32[ipiqAt(m.memory, 0, 1) + IP_WINDEX] = -1;
    expect((await readSample(memorySource(m.memory))).cpus[1]!.queued).toBe(0);
  });

  test('of a source that lacks a name is an error, and of one that answers nonsense', async () => {
    const { m } = await observed();
    const source = memorySource(m.memory);
    const without = {
      read(name: string) {
        if (name === 'machine.cpus') throw new SysctlError('ENOENT', `no variable '${name}'`);
        return source.read(name);
      },
    };
    await expect(readSample(without)).rejects.toThrow("no variable 'machine.cpus'");
    const cut = { read: async (name: string) => (await source.read(name)).slice(0, 20) };
    await expect(readSample(cut)).rejects.toThrow();
  });
});

describe('two samples', () => {
  const types = (scale: number) => [type('temp', [100 * scale, 50 * scale], [10 * scale, 20 * scale])];

  test('make rates of the time between them, by CPU and by type', () => {
    const before = sample({ at: 1000, types: types(1), counters: [{ 'lwkt.ipiq_count': 5 }, {}] });
    const now = sample({ at: 3000, types: types(3), counters: [{ 'lwkt.ipiq_count': 25 }, {}] });
    const { seconds, perSecond, cpus, types: rows } = intervalBetween(before, now);
    expect({ seconds, perSecond }).toMatchObject({ seconds: 2, perSecond: { allocs: 110, frees: 70, messages: 10 } });
    expect(cpus.map(({ perSecond: { allocs, frees, messages } }) => [allocs, frees, messages]))
      .toEqual([[100, 50, 10], [10, 20, 0]]);
    expect(rows).toMatchObject([{
      name: 'temp', inuse: 120, memuse: 12_000, meanSize: 100, perSecond: { allocs: 110, frees: 70, growth: 4000 },
    }]);
  });

  test('one alone has what there is, and no rates', () => {
    const { seconds, perSecond, types: rows } = intervalBetween(null, sample({ types: types(1) }));
    expect(seconds).toBeNull();
    expect(Object.values(perSecond).every((rate) => rate === null)).toBe(true);
    expect(rows).toMatchObject([{ inuse: 40, perSecond: { allocs: null, growth: null } }]);
  });

  test.each([
    ['that has been up for less time', { machine: { uptime: 0 } }],
    ['of another allocator', { machine: { alloc: 'freebsd' } }],
    ['of more CPUs', { ncpu: 4 }],
    ['read at the same moment', { at: 9000 }],
  ])('of machines that are not the same have no rates: one %s', (_, other) => {
    expect(intervalBetween(sample({ at: 9000 }), sample({ at: 10_000, ...other })).seconds).toBeNull();
  });

  test('a counter that went backwards has no rate, the others keep theirs', () => {
    const before = sample({ at: 0, types: [type('a', [100, 0]), type('b', [0, 0])], ncpu: 1 });
    const now = sample({ at: 1000, types: [type('a', [1, 0]), type('b', [7, 7])], ncpu: 1 });
    const rows = intervalBetween(before, now).types;
    expect(rows.map(({ perSecond: { allocs } }) => allocs)).toEqual([null, 7]);
    expect(rows[0]!.perSecond.growth).toBeNull();
  });

  test('a type whose frees were seen before its allocations has nothing in use, and shrinks', () => {
    const now = sample({ at: 1000, types: [type('a', [3, 0], [0, 5])] });
    const [row] = intervalBetween(sample({ types: [type('a', [1, 0], [0, 0])] }), now).types;
    expect(row).toMatchObject({ inuse: 0, memuse: 0, perSecond: { growth: -300 } });
  });

  test('where all CPUs count in one place nobody knows which of them it was', () => {
    const machine = { stats: 'atomic' };
    const now = sample({ at: 1000, machine, types: [type('a', [50, 50], [0, 0])] });
    const { perSecond, cpus } = intervalBetween(sample({ machine, types: [type('a', [0, 0], [0, 0])] }), now);
    expect(perSecond.allocs).toBe(50);
    expect(cpus.map((cpu) => cpu.perSecond.allocs)).toEqual([null, null]);
  });

  test('under none nothing is known of calls; under a mutex not what an allocation was asked for', () => {
    const none = { stats: 'none' };
    expect(intervalBetween(sample({ machine: none }), sample({ at: 1000, machine: none })).perSecond.allocs).toBeNull();
    const machine = { stats: 'mutex' };
    const [row] = intervalBetween(
      sample({ machine, types: [type('a', [0, 0], [0, 0])] }),
      sample({ at: 1000, machine, types: [type('a', [9, 3], [0, 0])] }),
    ).types;
    expect(row).toMatchObject({ meanSize: null, perSecond: { allocs: 9, growth: 600 } });
  });

  test('UMA has no remote frees, and zones with rates', () => {
    const machine = { alloc: 'freebsd', free: '-' };
    const now = sample({ at: 2000, machine, zones: [zone('64', { allocs: 10, fails: 2, used: 4, cpus: [3, 1] })] });
    const { perSecond, zones } = intervalBetween(sample({ machine, zones: [zone('64')] }), now);
    expect(perSecond.remoteFrees).toBeNull();
    expect(zones).toMatchObject([{ name: '64', used: 4, cpus: [3, 1], perSecond: { allocs: 5, frees: 0, fails: 1 } }]);
  });
});
