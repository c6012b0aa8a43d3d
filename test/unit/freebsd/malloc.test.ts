/** malloc.test.ts — malloc(9), free(9), realloc(9): sizes, alignment, what is kept, what is counted. */
import { describe, expect, test } from 'vitest';
import { IPIF_USER } from '../../../src/base/ipif.js';
import { P_BAD_FREE_TYPE, P_BAD_MALLOC_TYPE } from '../../../src/base/panics_freebsd.js';
import { STATS_NAMES } from '../../../src/base/policy.js';
import { KMEM_ZONES } from '../../../src/freebsd/malloc.js';
import * as L from '../../../src/freebsd/uma_int.layout.js';
import { KS_HANDLE, KS_SIZE, MTS_SIZE, mtsStride } from '../../../src/kern/malloc_type.layout.js';
import { mallocProfile } from '../../../src/observe/malloc_profile.js';
import { mallocTypes } from '../../../src/observe/malloc_types.js';
import { type Freebsd, freebsd, NOVM, NOWAIT, WAITOK, ZERO } from '../../helpers/freebsd.js';
import { panicCodeOf } from '../../helpers/inside.js';

/** sizes, and the block each gets */
const BLOCKS: [asked: number, block: number][] = [
  [0, 16], [1, 16], [16, 16], [17, 32], [32, 32], [33, 64], [64, 64], [65, 128], [128, 128], [129, 256], [256, 256],
  [257, 512], [512, 512], [513, 1024], [1024, 1024], [1025, 2048], [2048, 2048], [2049, 4096], [4095, 4096],
  [4096, 4096], [4097, 8192], [8192, 8192], [8193, 12288], [100_000, 102_400], [1 << 20, 1 << 20],
];

const both = (stats: (typeof STATS_NAMES)[number] = 'critical') =>
  [true, false].map((invariants) => [invariants ? 'with checks' : 'release', { invariants, stats }] as const);

/** bytes and blocks of a type */
function use(m: Freebsd, name = 'temp'): { inuse: number; memuse: number; requests: number } {
  const { inuse, memuse, requests } = mallocTypes(m.memory).find((row) => row.name === name)!;
  return { inuse, memuse, requests };
}

describe.each(both())('malloc(9), %s', (_, options) => {
  test('gives the next power of two up to a page, and whole pages above', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    const got = BLOCKS.map(([asked]) => [asked, m.f.mallocUsable(m.f.malloc(asked, type, WAITOK))]);
    expect(got).toEqual(BLOCKS);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });

  test('aligns small blocks to their size and large ones to a page', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    for (const [asked, size] of BLOCKS) {
      for (let n = 0; n < 5; n++) expect(m.f.malloc(asked, type, WAITOK) % Math.min(size, 4096)).toBe(0);
    }
  });

  test('with M_ZERO clears memory that somebody has written to, whatever its size', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    for (const size of [16, 100, 1024, 4096, 10_000]) {
      const blocks = Array.from({ length: 300 }, () => m.f.malloc(size, type, NOWAIT)).filter((block) => block !== 0);
      for (const block of blocks) m.u8.fill(0xaa, block, block + size);
      for (const block of blocks) m.f.free(block, type);
      for (let n = 0; n < 20; n++) {
        const block = m.f.malloc(size, type, WAITOK | ZERO);
        expect(m.u8.subarray(block, block + size).every((byte) => byte === 0)).toBe(true);
      }
    }
  });

  test('blocks do not overlap, and freed ones come back', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    const sizes = [16, 64, 256, 4096, 5000];
    const blocks = sizes.flatMap((size) => Array.from({ length: 50 }, () => [m.f.malloc(size, type, WAITOK), size]));
    const spans = blocks.map(([at, size]) => [at!, at! + size!]).sort((a, b) => a[0]! - b[0]!);
    for (const [n, span] of spans.entries()) expect(span[0]!).toBeGreaterThanOrEqual(spans[n - 1]?.[1] ?? 0);
    for (const [block] of blocks) m.f.free(block!, type);
    expect(use(m)).toMatchObject({ inuse: 0, memuse: 0, requests: 250 });
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
  });

  test('a block freed on another CPU goes into that CPU\'s bucket, and is its next block', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    m.on(1, () => m.f.free(m.f.malloc(64, type, WAITOK), type));
    const block = m.f.malloc(64, type, WAITOK);
    const before = m.cache(m.f.kmemZone(64), 1);
    m.on(1, () => m.f.free(block, type));
    const after = m.cache(m.f.kmemZone(64), 1);
    expect(after.free!.cnt - before.free!.cnt).toBe(1);
    const seen = m.on(1, () => Array.from({ length: 200 }, () => m.f.malloc(64, type, WAITOK)));
    expect(seen).toContain(block);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });

  test('free(NULL) is nothing', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    m.f.free(0, type);
    expect(use(m)).toEqual({ inuse: 0, memuse: 0, requests: 0 });
  });

  test('a large block knows its pages and gives every one back', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    m.f.free(m.f.malloc(20_000, type, WAITOK), type);
    const free = m.page.vmFreeCount();
    const block = m.f.malloc(20_000, type, WAITOK);
    expect(free - m.page.vmFreeCount()).toBe(5);
    expect(use(m)).toMatchObject({ inuse: 1, memuse: 20_480 });
    m.f.free(block, type);
    expect(m.page.vmFreeCount()).toBe(free);
    expect(use(m)).toMatchObject({ inuse: 0, memuse: 0 });
  });

  test('M_NOVM takes what the caches have and asks for no page', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    expect(m.f.malloc(512, type, NOWAIT | NOVM)).toBe(0);
    const block = m.f.malloc(512, type, WAITOK);
    expect(m.f.malloc(512, type, NOWAIT | NOVM)).not.toBe(0);
    m.f.free(block, type);
  });

  test('only what was given is counted', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    expect(m.f.malloc(1 << 27, type, NOWAIT)).toBe(0);
    m.f.malloc(100, type, NOWAIT);
    m.failureRate(1);
    expect(m.f.malloc(100, type, NOWAIT)).toBe(0);
    expect(use(m)).toEqual({ inuse: 1, memuse: 128, requests: 1 });
  });
});

test.each(STATS_NAMES.flatMap((stats) => both(stats).map(([flavour, options]) => [stats, flavour, options] as const)))(
  'statistics %s, %s: a bit a zone that the type ever used, and nothing of others', async (stats, _, options) => {
    const m = await freebsd({ ...options, cpus: 1 });
    const type = m.mallocTypeCreate('temp');
    m.mallocTypeCreate('other');
    for (const size of [10, 100, 4096, 100_000]) m.f.free(m.f.malloc(size, type, WAITOK), type);
    const mask = (1 << 0) | (1 << 3) | (1 << 8);
    if (stats === 'critical' || stats === 'unpadded') {
      expect(m.i64[(m.word(type, KS_HANDLE) >>> 3) + MTS_SIZE]).toBe(BigInt(mask));
    } else expect(m.word(type, KS_SIZE)).toBe(stats === 'none' ? 0 : mask);
    expect(mtsStride(0)).toBe(8);
    const rows = mallocTypes(m.memory);
    if (stats !== 'none') expect(rows.map((row) => [row.name, row.requests])).toContainEqual(['temp', 4]);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
  },
);

test('kmemsize leads every size to the smallest zone it fits in', async () => {
  const m = await freebsd();
  for (let size = 0; size <= 4096; size++) {
    const right = KMEM_ZONES.find((zone) => zone >= size)!;
    expect(m.keg(m.f.kmemZone(size), L.UK_SIZE)).toBe(right);
  }
});

describe('realloc', () => {
  test.each([
    [100, 128, 'the same'], [100, 65, 'the same'], [100, 64, 'moved'], [100, 129, 'moved'], [10, 0, 'the same'],
    [10, 16, 'the same'], [17, 16, 'moved'], [4096, 2049, 'the same'], [4096, 4097, 'moved'], [5000, 8192, 'the same'],
    [5000, 4097, 'the same'], [5000, 4096, 'moved'], [100, 0, 'moved'], [300_000, 5000, 'moved'],
  ] as const)('of %i bytes to %i: the block is %s, and so are its bytes', async (from, to, outcome) => {
    const m = await freebsd();
    const type = m.mallocTypeCreate('temp');
    const block = m.f.malloc(from, type, WAITOK);
    for (let n = 0; n < from; n++) m.u8[block + n] = n * 7;
    const now = m.f.realloc(block, to, type, WAITOK);
    expect(now === block ? 'the same' : 'moved').toBe(outcome);
    for (let n = 0; n < Math.min(from, to); n++) expect(m.u8[now + n]).toBe((n * 7) & 255);
    expect(use(m).inuse).toBe(1);
    m.f.free(now, type);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
  });

  test('of nothing is malloc, and a block that stays is not counted again', async () => {
    const m = await freebsd();
    const type = m.mallocTypeCreate('temp');
    const block = m.f.realloc(0, 100, type, WAITOK);
    m.f.realloc(block, 120, type, WAITOK);
    expect(use(m)).toEqual({ inuse: 1, memuse: 128, requests: 1 });
  });

  test('without memory leaves the block alone; reallocf frees it', async () => {
    const m = await freebsd();
    const type = m.mallocTypeCreate('temp');
    const block = m.f.malloc(100, type, WAITOK);
    m.u8[block] = 42;
    expect(m.f.realloc(block, 1 << 27, type, NOWAIT)).toBe(0);
    expect([m.u8[block], use(m).inuse]).toEqual([42, 1]);
    expect(m.f.reallocf(block, 1 << 27, type, NOWAIT)).toBe(0);
    expect(use(m).inuse).toBe(0);
    expect(m.f.reallocf(0, 1 << 27, type, NOWAIT)).toBe(0);
    const other = m.f.malloc(100, type, WAITOK);
    expect(m.f.reallocf(other, 100, type, NOWAIT)).toBe(other);
  });

  test('believes the large block itself, not what its header says of a former owner', async () => {
    const m = await freebsd();
    const type = m.mallocTypeCreate('temp');
    const zone = m.f.umaZcreate({ name: 'off page', size: 3000 });
    m.give(zone, m.take(zone, 50));
    m.f.umaZdestroy(zone);
    const blocks = Array.from({ length: 60 }, () => m.f.malloc(5000, type, WAITOK));
    expect(blocks.map((block) => m.f.mallocUsable(block))).toEqual(blocks.map(() => 8192));
  });
});

test.each([true, false])('NULL is no type, whatever stands at address 0 (invariants %s)', async (invariants) => {
  const m = await freebsd({ invariants });
  const block = m.f.malloc(64, m.mallocTypeCreate('temp'), WAITOK);
  expect(panicCodeOf(() => m.f.malloc(64, 0, WAITOK))).toBe(P_BAD_MALLOC_TYPE);
  expect(panicCodeOf(() => m.f.malloc(64, 0, NOWAIT))).toBe(P_BAD_MALLOC_TYPE);
  expect(panicCodeOf(() => m.f.free(block, 0))).toBe(P_BAD_FREE_TYPE);
});

test('strdup copies a string', async () => {
  const m = await freebsd();
  const type = m.mallocTypeCreate('temp');
  const copy = m.f.strdup('uma', type, WAITOK);
  expect([...m.u8.subarray(copy, copy + 4)]).toEqual([117, 109, 97, 0]);
});

test('DIAGNOSTIC fills what was asked for with 0x70, and not what M_ZERO asked for', async () => {
  const m = await freebsd({ tunables: { 'debug.diagnostic': 1 } });
  const type = m.mallocTypeCreate('temp');
  const block = m.f.malloc(100, type, WAITOK);
  expect([m.u8[block], m.u8[block + 99]]).toEqual([0x70, 0x70]);
  expect(m.u8[m.f.malloc(100, type, WAITOK | ZERO)]).toBe(0);
});

test.each(both())('MALLOC_PROFILE counts what was given, in the first path too, %s', async (_, options) => {
  const m = await freebsd({ ...options, tunables: { 'debug.malloc.profile': 1 } });
  const type = m.mallocTypeCreate('temp');
  for (let n = 0; n < 300; n++) m.f.malloc(100, type, WAITOK);
  m.f.malloc(5000, type, WAITOK);
  m.f.malloc(1 << 27, type, NOWAIT);
  const rows = mallocProfile(m.memory).map(({ size, requests, asked, given }) => [size, requests, asked, given]);
  expect(rows).toEqual([[112, 300, 30_000, 38_400], [5008, 1, 5000, 8192]]);
});

test.each([true, false])('interrupt handlers allocate with M_NOWAIT and free (soft critical sections %s)', async (soft) => {
  const m = await freebsd({ invariants: false, tunables: { 'kern.soft_critical': soft ? 1 : 0 } });
  const type = m.mallocTypeCreate('temp');
  const blocks: number[] = [];
  m.ipiqRegister(IPIF_USER, () => {
    blocks.push(m.f.malloc(64, type, NOWAIT));
    if (blocks.length % 3 === 0) m.f.free(blocks.pop()!, type);
  });
  for (let n = 0; n < 300; n++) {
    m.on(1, () => m.lwktSendIpiq(0, IPIF_USER, 0, 0));
    blocks.push(m.f.malloc(64, type, WAITOK));
    m.splz();
  }
  expect(new Set(blocks).size).toBe(blocks.length);
  for (const block of blocks) m.f.free(block, type);
  expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
});
