import { describe, expect, test } from 'vitest';
import { SL_SIZE } from '../../src/dragonfly/slaballoc.layout.js';
import { HWC_LOCKED } from '../../src/hw/intr.layout.js';
import { STATS_CRITICAL, STATS_NAMES, STATS_UNPADDED } from '../../src/base/policy.js';
import {
  KS64_MAXUSED, KSA_MEMALLOCED, KSA_MEMFREED, MTS_MEMALLOCED, MTS_MEMFREED, MTS_NUMALLOCS, MTS_NUMFREES,
  mallocTypeBytes, mtsOffset, mtsStride,
} from '../../src/kern/malloc_type.layout.js';
import type { BootOptions } from '../../src/host/options.js';
import { mallocTypes } from '../../src/observe/malloc_types.js';
import { type Inside, inside } from '../helpers/inside.js';

const COUNTING = STATS_NAMES.filter((stats) => stats !== 'none');
const PER_CPU = ['critical', 'unpadded'] as const;

async function start(options: BootOptions): Promise<[m: Inside, type: number]> {
  const m = await inside({ cpus: options.stats === 'mutex-up' ? 1 : 3, ...options });
  return [m, m.mallocTypeCreate('temp')];
}
const numbers = (m: Inside, type: number): number[] => [
  m.mallocTypeInuse(type), m.mallocTypeMemuse(type), m.mallocTypeRequests(type),
];
const outside = (m: Inside, type: number): number[] => {
  const usage = mallocTypes(m.memory).find(({ address }) => address === type)!;
  return [usage.inuse, usage.memuse, usage.requests];
};
/** one CPU's slot: bytes and blocks, allocated and freed */
function slot(m: Inside, type: number, cpu: number, stats: number): number[] {
  const mts = (type >>> 3) + mtsOffset(m.ncpu) + cpu * mtsStride(stats);
  return [MTS_MEMALLOCED, MTS_MEMFREED, MTS_NUMALLOCS, MTS_NUMFREES].map((field) => Number(m.i64[mts + field]));
}

describe.each([true, false])('invariants %s:', (invariants) => {
  test.each(COUNTING)('%s: counts blocks, bytes of their class, and requests', async (stats) => {
    const [m, type] = await start({ stats, invariants });
    const block = m.kmalloc(100, type, m.M_WAITOK);
    m.kmalloc(1, type, m.M_WAITOK);
    m.kmalloc(9000, type, m.M_WAITOK);
    expect(numbers(m, type)).toEqual([3, 104 + 8 + 12288, 3]);
    m.kfree(block, type);
    expect(numbers(m, type)).toEqual([2, 8 + 12288, 3]);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
  });

  test.each(COUNTING.filter((stats) => stats !== 'mutex-up'))('%s: a block freed by another CPU is counted off', async (stats) => {
    const [m, type] = await start({ stats, invariants });
    const blocks = Array.from({ length: 90 }, () => m.kmalloc(100, type, m.M_WAITOK));
    for (const [n, block] of blocks.entries()) m.on(n % 3, () => m.kfree(block, type));
    expect(numbers(m, type)).toEqual([0, 0, 90]);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
  });

  test('none: counts nothing, and no limit is seen', async () => {
    const [m, type] = await start({ stats: 'none', invariants });
    for (let n = 0; n < 100; n++) m.kmalloc(40000, type, m.M_WAITOK);
    expect(numbers(m, type)).toEqual([0, 0, 0]);
    expect(outside(m, type)).toEqual([0, 0, 0]);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 100 });
  });

  test.each(COUNTING)('%s: an observer outside reads the same numbers', async (stats) => {
    const [m, type] = await start({ stats, invariants });
    const other = m.mallocTypeCreate('other');
    for (let n = 0; n < 50; n++) {
      const cpu = stats === 'mutex-up' ? 0 : n % 3;
      const block = m.on(cpu, () => m.kmalloc(n * 37, n & 1 ? type : other, m.M_WAITOK));
      if (n % 5 === 0) m.on(stats === 'mutex-up' ? 0 : (cpu + 1) % 3, () => m.kfree(block, n & 1 ? type : other));
    }
    expect(outside(m, type)).toEqual(numbers(m, type));
    expect(outside(m, other)).toEqual(numbers(m, other));
    expect(mallocTypes(m.memory).map(({ name }) => name)).toEqual(['other', 'temp']);
  });

  test.each(COUNTING)('%s: size 0 and a failed allocation are not counted (R7)', async (stats) => {
    const [m, type] = await start({ stats, invariants });
    m.kmalloc(0, type, m.M_WAITOK);
    expect(m.kmalloc(1 << 27, type, m.M_NOWAIT)).toBe(0);
    expect(numbers(m, type)).toEqual([0, 0, 0]);
  });
});

test.each(PER_CPU)('%s: a slot alone may be negative, the sum is not', async (stats) => {
  const [m, type] = await start({ stats });
  const block = m.kmalloc(100, type, m.M_WAITOK);
  m.on(2, () => m.kfree(block, type));
  const number = STATS_NAMES.indexOf(stats);
  expect(slot(m, type, 0, number)).toEqual([104, 0, 1, 0]);
  expect(slot(m, type, 1, number)).toEqual([0, 0, 0, 0]);
  expect(slot(m, type, 2, number)).toEqual([0, 104, 0, 1]);
  expect(numbers(m, type)).toEqual([0, 0, 1]);
});

test('ipi: the owner counts the free, as it did in 2005', async () => {
  const [m, type] = await start({ free: 'ipi' });
  const block = m.kmalloc(100, type, m.M_WAITOK);
  m.on(1, () => m.kfree(block, type));
  expect(numbers(m, type)).toEqual([1, 104, 1]);
  m.quiesceAndAudit();
  expect(slot(m, type, 0, STATS_CRITICAL)).toEqual([104, 104, 1, 1]);
});

test('critical: every CPU has a cache line of its own', async () => {
  const [m, type] = await start({ stats: 'critical' });
  expect(mtsStride(STATS_CRITICAL) * 8).toBe(64);
  expect((type + mtsOffset(m.ncpu) * 8) % 64).toBe(0);
});

test('unpadded: neighbours share cache lines, and the slots stay inside the record', async () => {
  expect(mtsStride(STATS_UNPADDED) * 8).toBe(40);
  for (const ncpu of [1, 2, 3, 64, 256]) {
    expect((mtsOffset(ncpu) + ncpu * mtsStride(STATS_UNPADDED)) * 8).toBeLessThanOrEqual(mallocTypeBytes(ncpu));
    expect((mtsOffset(ncpu) + ncpu * mtsStride(STATS_CRITICAL)) * 8).toBeLessThanOrEqual(mallocTypeBytes(ncpu));
  }
  const [m, type] = await start({ stats: 'unpadded' });
  const next = m.mallocTypeCreate('next');
  for (let cpu = 0; cpu < 3; cpu++) m.on(cpu, () => m.kmalloc(8, type, m.M_WAITOK));
  expect(numbers(m, type)).toEqual([3, 24, 3]);
  expect(numbers(m, next)).toEqual([0, 0, 0]);
});

test('atomic: a count goes on past 32 bits', async () => {
  const [m, type] = await start({ stats: 'atomic' });
  m.poke(type, KSA_MEMALLOCED, 0xffffffff - 50);
  m.poke(type, KSA_MEMFREED, 0xffffffff - 50);
  const block = m.kmalloc(100, type, m.M_WAITOK);
  expect(m.word(type, KSA_MEMALLOCED + 1)).toBe(1);
  expect(m.word(type, KSA_MEMALLOCED)).toBe(53);
  expect(numbers(m, type)).toEqual([1, 104, 1]);
  expect(outside(m, type)).toEqual([1, 104, 1]);
  m.on(1, () => m.kfree(block, type));
  expect(m.word(type, KSA_MEMFREED + 1)).toBe(1);
  expect(numbers(m, type)).toEqual([0, 0, 1]);
});

test('atomic: a low word that ends at 2^32 exactly carries too', async () => {
  const [m, type] = await start({ stats: 'atomic' });
  m.poke(type, KSA_MEMALLOCED, -104);
  m.poke(type, KSA_MEMFREED, -104);
  m.kmalloc(100, type, m.M_WAITOK);
  expect([m.word(type, KSA_MEMALLOCED), m.word(type, KSA_MEMALLOCED + 1)]).toEqual([0, 1]);
});

test.each([STATS_CRITICAL, STATS_UNPADDED])('a slot counts past 2^53 (policy %i)', async (stats) => {
  const [m, type] = await start({ stats: STATS_NAMES[stats]! });
  const mts = (type >>> 3) + mtsOffset(3);
  m.i64[mts + MTS_MEMALLOCED] = 2n ** 60n;
  m.i64[mts + MTS_MEMFREED] = 2n ** 60n;
  m.kmalloc(100, type, m.M_WAITOK);
  expect(m.i64[mts + MTS_MEMALLOCED]).toBe(2n ** 60n + 104n);
  expect(m.mallocTypeMemuse(type)).toBe(104);
  expect(outside(m, type)).toEqual(numbers(m, type));
});

test.each(COUNTING)('%s: less than nothing is shown as nothing (R4)', async (stats) => {
  const [m, type] = await start({ stats });
  const block = m.kmalloc(100, type, m.M_WAITOK);
  const other = m.mallocTypeCreate('other');
  m.kfree(block, other);
  expect(numbers(m, other)).toEqual([0, 0, 0]);
  expect(outside(m, other)).toEqual([0, 0, 0]);
});

test.each(['mutex', 'mutex-up'] as const)('%s: keeps the exact high watermark', async (stats) => {
  const [m, type] = await start({ stats });
  const high = () => Number(m.i64[(type >>> 3) + KS64_MAXUSED]);
  const blocks = [100, 200, 9000].map((size) => m.kmalloc(size, type, m.M_WAITOK));
  expect(high()).toBe(104 + 208 + 12288);
  for (const block of blocks) m.kfree(block, type);
  m.kmalloc(64, type, m.M_WAITOK);
  expect(high()).toBe(104 + 208 + 12288);
});

test.each([
  ['critical', 0], ['unpadded', 0], ['atomic', 2], ['mutex', 2], ['none', 0],
] as const)('%s: an update on its own takes %i locked operations', async (stats, locked) => {
  const [m, type] = await start({ stats });
  const count = () => m.i32[m.intr.intrLine(0) + HWC_LOCKED]!;
  const sizeAt = (m.slab.slgdFind(0) + SL_SIZE) >>> 1;
  m.i64[sizeAt] = 64n;
  const before = count();
  m.stats.mallocTypeAllocated(type, sizeAt);
  expect(count() - before).toBe(locked);
  m.stats.mallocTypeFreed(type, sizeAt);
  expect(count() - before).toBe(2 * locked);
});

test('atomic: the carry of the high word is read consistently', async () => {
  const [m, type] = await start({ stats: 'atomic' });
  m.poke(type, KSA_MEMALLOCED, -8);
  m.poke(type, KSA_MEMALLOCED + 1, 1);
  const sizeAt = (m.slab.slgdFind(1) + SL_SIZE) >>> 1;
  m.i64[sizeAt] = 8n;
  // another CPU carries between the reader's looks at the high and the low word
  const real = Atomics.load;
  let done = false;
  Atomics.load = ((view: Int32Array, word: number) => {
    const value = real(view, word);
    if (!done && word === (type >>> 2) + KSA_MEMALLOCED + 1) {
      done = true;
      m.on(1, () => m.stats.mallocTypeAllocated(type, sizeAt));
    }
    return value;
  }) as typeof Atomics.load;
  try {
    expect(m.mallocTypeMemuse(type)).toBe(2 * 2 ** 32);
  } finally {
    Atomics.load = real;
  }
});
