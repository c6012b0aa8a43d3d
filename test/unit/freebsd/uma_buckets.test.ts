/** uma_buckets.test.ts — the CPUs' two buckets, the zone's, and how large they are. */
import { describe, expect, test } from 'vitest';
import * as U from '../../../src/freebsd/uma.js';
import * as L from '../../../src/freebsd/uma_int.layout.js';
import { type Freebsd, freebsd, NOWAIT } from '../../helpers/freebsd.js';
import { beforeAccess } from '../../helpers/inside.js';

const SIZE = 64;

function zone(m: Freebsd, flags = 0, size = SIZE): number {
  return m.f.umaZcreate({ name: 'Z', size, flags });
}

/** items in buckets: CPUs' and zone's */
function cached(m: Freebsd, z: number): number {
  let sum = m.fullBuckets(z).reduce((n, { cnt }) => n + cnt, 0);
  for (let cpu = 0; cpu < m.ncpu; cpu++) {
    const { alloc, free } = m.cache(z, cpu);
    sum += (alloc?.cnt ?? 0) + (free?.cnt ?? 0);
  }
  return sum;
}

test('the first item brings a bucket of its slab\'s size, and the next items come from it', async () => {
  const m = await freebsd();
  const z = zone(m);
  m.take(z, 1);
  // 62 items a slab, one more wanted with each bucket that is missed
  expect(m.cache(z)).toEqual({ alloc: { cnt: 62, entries: 64 }, free: null });
  m.take(z, 62);
  expect(m.cache(z).alloc).toEqual({ cnt: 0, entries: 64 });
  expect(m.counts(z)).toEqual({ allocs: 63, frees: 0 });
});

test('frees fill a bucket of their own; allocations swap it in when theirs is empty', async () => {
  const m = await freebsd();
  const z = zone(m);
  const items = m.take(z, 63);
  m.give(z, items.slice(0, 10));
  m.give(z, items.slice(10, 20));
  expect(m.cache(z)).toEqual({ alloc: { cnt: 0, entries: 64 }, free: { cnt: 20, entries: 64 } });
  expect(m.take(z, 3)).toEqual([items[19], items[18], items[17]]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('buckets of different sizes: the one that is swapped in may be full as well, and is not overrun', async () => {
  const m = await freebsd();
  const z = zone(m);
  const items = m.take(z, 600);
  // a full bucket of 16 for allocations, a full one of 128 for frees
  const [small, large] = [m.f.bucketAlloc(16, NOWAIT), m.f.bucketAlloc(128, NOWAIT)];
  for (const [bucket, n] of [[small, 16], [large, 128]] as const) {
    for (const item of items.splice(0, n)) {
      m.poke(bucket, L.UB_BUCKET + m.word(bucket, L.UB_CNT), item);
      m.poke(bucket, L.UB_CNT, m.word(bucket, L.UB_CNT) + 1);
    }
  }
  const old = m.buckets(z);
  for (const bucket of [old.alloc, old.free]) if (bucket !== 0) m.give(z, []);
  m.take(z, m.cache(z).alloc!.cnt);
  m.poke(z, L.UZ_CPU + L.UC_ALLOCBUCKET, small);
  m.poke(z, L.UZ_CPU + L.UC_FREEBUCKET, large);
  const behind = m.word(small, L.UB_BUCKET + 16);
  m.give(z, [items[0]!]);
  expect(m.word(small, L.UB_CNT)).toBeLessThanOrEqual(16);
  expect(m.word(small, L.UB_BUCKET + 16)).toBe(behind);
});

test('a zone whose buckets grow has small and large ones at once, and loses nothing', async () => {
  const m = await freebsd({ memory: '64MiB', cpus: 6 });
  // 15 items a slab: the first buckets have 16 entries; who comes late gets larger ones
  const z = zone(m, 0, 256);
  for (const [cpu, n] of [1, 1, 60, 300, 900, 3000].entries()) m.on(cpu, () => m.give(z, m.take(z, n)));
  const sizes = new Set<number>();
  let out: number[] = [];
  for (let round = 0; round < 120; round++) {
    const ncpu = 2 + (round >> 4) % 5;
    m.as(round % ncpu);
    out.push(...m.take(z, 40 + round * 5));
    const back = out.splice(0, round % 3 === 0 ? out.length : out.length >> 1);
    m.as((round + 1) % ncpu);
    m.give(z, back);
    for (let cpu = 0; cpu < ncpu; cpu++) {
      const { alloc, free } = m.cache(z, cpu);
      for (const bucket of [alloc, free]) {
        if (bucket) sizes.add(bucket.entries);
        expect(bucket?.cnt ?? 0).toBeLessThanOrEqual(bucket?.entries ?? 0);
      }
    }
  }
  expect([...sizes]).toEqual(expect.arrayContaining([16, 128]));
  m.give(z, out);
  out = [];
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('UZ_COUNT grows by one with each bucket that is missed, to 128 and no further', async () => {
  const m = await freebsd();
  const z = zone(m, 0, 256);
  expect(m.word(z, L.UZ_COUNT)).toBe(15);
  m.take(z, 1);
  expect(m.word(z, L.UZ_COUNT)).toBe(16);
  m.take(z, 16);
  expect(m.word(z, L.UZ_COUNT)).toBe(17);
  m.take(z, 3000);
  expect(m.word(z, L.UZ_COUNT)).toBe(128);
  // the zone's empty bucket is used again, though it is one of 16; where it has none, a new one is as large as wanted
  expect(m.cache(z).alloc!.entries).toBe(16);
  m.on(1, () => m.take(z, 1));
  expect(m.cache(z, 1).alloc!.entries).toBe(128);
});

test.each([[1, 16], [16, 16], [17, 32], [32, 32], [33, 64], [64, 64], [65, 128], [128, 128]])(
  'a bucket for %i items has room for %i, and goes back where it came from', async (wanted, entries) => {
    const m = await freebsd();
    const bucket = m.f.bucketAlloc(wanted, NOWAIT);
    expect(m.word(bucket, L.UB_ENTRIES)).toBe(entries);
    m.f.bucketFree(bucket);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  },
);

test('MAXBUCKET: buckets of 128 from the start', async () => {
  const m = await freebsd();
  const z = zone(m, U.UMA_ZONE_MAXBUCKET, 256);
  m.take(z, 1);
  expect(m.cache(z).alloc).toEqual({ cnt: 127, entries: 128 });
});

test('full buckets travel between CPUs through the zone', async () => {
  const m = await freebsd();
  const z = zone(m);
  m.give(z, m.take(z, 400));
  const full = m.fullBuckets(z);
  expect(full.length).toBeGreaterThan(1);
  const pages = m.keg(z, L.UK_PAGES);
  m.on(1, () => m.take(z, 1));
  expect(m.fullBuckets(z).length).toBe(full.length - 1);
  expect(m.cache(z, 1).alloc!.cnt).toBe(full[0]!.cnt - 1);
  expect(m.keg(z, L.UK_PAGES)).toBe(pages);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('an empty bucket is given back to the zone and used again', async () => {
  const m = await freebsd();
  const z = zone(m);
  m.give(z, m.take(z, 400));
  m.take(z, 450);
  const empty = m.freeBuckets(z).length;
  expect(empty).toBeGreaterThan(1);
  m.on(1, () => m.take(z, 1));
  expect(m.freeBuckets(z).length).toBe(empty - 1);
});

describe('with as many fills of a zone under way as there are CPUs', () => {
  test('a further CPU fills none, gives its bucket back and takes one item', async () => {
    const m = await freebsd();
    const z = zone(m);
    m.poke(z, L.UZ_FILLS, m.ncpu);
    expect(m.take(z, 1)).not.toEqual([0]);
    expect(m.cache(z)).toEqual({ alloc: null, free: null });
    expect(m.fullBuckets(z)).toEqual([]);
    expect(m.count(z, L.UZ_ALLOCS)).toBe(1);
    m.poke(z, L.UZ_FILLS, 0);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });

  test('one fewer is enough', async () => {
    const m = await freebsd();
    const z = zone(m);
    m.poke(z, L.UZ_FILLS, m.ncpu - 1);
    m.take(z, 1);
    expect(m.cache(z).alloc).not.toBeNull();
    expect(m.word(z, L.UZ_FILLS)).toBe(m.ncpu - 1);
  });
});

test('between the empty bucket and the lock another thread of the CPU may fill it: it is looked at again', async () => {
  const m = await freebsd();
  const z = zone(m);
  const lock = m.word(z, L.UZ_LOCK);
  let theirs: number[] = [];
  const [mine] = beforeAccess('compareExchange', lock, () => (theirs = m.take(z, 5)), () => m.take(z, 1));
  expect(theirs).not.toContain(mine);
  expect(cached(m, z)).toBe(63 - 6);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('CACHEONLY: a zone that must not allocate makes no bucket of its own, and works', async () => {
  const m = await freebsd();
  const z = zone(m, U.UMA_ZONE_VM);
  const bucketZones = [0, 1, 2, 3].map((n) => m.i32[m.f.UMA + L.UMA_BUCKET_ZONES + n]!);
  const pages = bucketZones.map((bz) => m.keg(bz, L.UK_PAGES));
  const items = m.take(z, 200);
  expect(new Set(items).size).toBe(200);
  m.give(z, items);
  expect(bucketZones.map((bz) => m.keg(bz, L.UK_PAGES))).toEqual(pages);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('with memory short there are no new buckets: items come and go one by one', async () => {
  const m = await freebsd({ memory: '8MiB' });
  const type = m.mallocTypeCreate('temp');
  const z = zone(m);
  const large: number[] = [];
  for (let b = m.f.malloc(4096, type, NOWAIT); b !== 0; b = m.f.malloc(4096, type, NOWAIT)) large.push(b);
  m.f.umaReclaim(false);
  expect(m.i32[m.f.UMA + L.UMA_BUCKETDISABLE]).toBe(1);
  m.f.free(large.pop()!, type);
  m.f.free(large.pop()!, type);
  m.reclaim();
  const items = m.take(z, 10, NOWAIT).filter((item) => item !== 0);
  expect(m.cache(z)).toEqual({ alloc: null, free: null });
  m.give(z, items);
  expect(m.cache(z)).toEqual({ alloc: null, free: null });
  for (const block of large) m.f.free(block, type);
  // the first looks before it has given anything back
  m.reclaim();
  m.reclaim();
  expect(m.i32[m.f.UMA + L.UMA_BUCKETDISABLE]).toBe(0);
  m.take(z, 1);
  expect(m.cache(z).alloc).not.toBeNull();
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

describe('the recursion guard', () => {
  test('a keg of the allocator that is making a slab gives nothing to a second caller', async () => {
    const m = await freebsd();
    const buckets = m.i32[m.f.UMA + L.UMA_BUCKET_ZONES]!;
    m.pokeKeg(buckets, L.UK_RECURSE, 1);
    expect(m.f.umaZallocInternal(buckets, 0, NOWAIT)).toBe(0);
    m.pokeKeg(buckets, L.UK_RECURSE, 0);
    expect(m.f.umaZallocInternal(buckets, 0, NOWAIT)).not.toBe(0);
  });

  test('but for slab headers, whose callers may not fail', async () => {
    const m = await freebsd();
    for (const word of [L.UMA_SLABZONE, L.UMA_SLABREFZONE]) {
      const headers = m.i32[m.f.UMA + word]!;
      m.pokeKeg(headers, L.UK_RECURSE, 1);
      expect(m.f.umaZallocInternal(headers, 0, NOWAIT)).not.toBe(0);
      m.pokeKeg(headers, L.UK_RECURSE, 0);
    }
  });

  test("and a user's zone is not guarded: two CPUs may make slabs of it at once", async () => {
    const m = await freebsd();
    const z = zone(m);
    m.pokeKeg(z, L.UK_RECURSE, 1);
    expect(m.take(z, 1, NOWAIT)).not.toEqual([0]);
  });
});
