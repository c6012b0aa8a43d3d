/** uma_drain.test.ts — memory given back: what a reclaim takes, what it leaves, and what the clock does. */
import { expect, test } from 'vitest';
import * as U from '../../../src/freebsd/uma.js';
import * as L from '../../../src/freebsd/uma_int.layout.js';
import { INTR_TICK } from '../../../src/hw/intr.layout.js';
import { type Freebsd, freebsd, NOWAIT, WAITOK } from '../../helpers/freebsd.js';
import { whileWaiting } from '../../helpers/inside.js';

const zone = (m: Freebsd, size = 1024, flags = 0): number => m.f.umaZcreate({ name: 'Z', size, flags });

/** The clock says so many seconds and ticks on CPU 0. */
function tick(m: Freebsd, seconds: number): void {
  m.uptime(seconds);
  m.as(0);
  m.intr.intrRaise(0, INTR_TICK);
  m.splz();
}

test('a reclaim gives back whole slabs, by way of the zone\'s buckets, and leaves the CPUs\' own alone', async () => {
  const m = await freebsd();
  const z = zone(m);
  m.give(z, m.take(z, 300));
  const mine = m.cache(z);
  m.reclaim();
  expect(m.cache(z)).toEqual(mine);
  expect([m.fullBuckets(z), m.freeBuckets(z)]).toEqual([[], []]);
  expect(m.slabs(z, L.UK_FREE_SLAB)).toEqual([]);
  const held = (mine.alloc?.cnt ?? 0) + (mine.free?.cnt ?? 0);
  expect(m.keg(z, L.UK_PAGES)).toBeLessThanOrEqual(held);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('all of it comes back: pages, headers, buckets', async () => {
  const m = await freebsd();
  m.give(zone(m), []);
  const free = m.page.vmFreeCount();
  for (const size of [64, 1024, 9000]) {
    const z = zone(m, size);
    m.on(1, () => m.give(z, m.take(z, 200)));
    m.give(z, m.take(z, 200));
    m.f.umaZdestroy(z);
  }
  m.reclaim();
  expect(free - m.page.vmFreeCount()).toBeLessThanOrEqual(4);
  expect(m.messages()).toEqual([]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('the end of a zone empties the buckets of every CPU', async () => {
  const m = await freebsd({ cpus: 4 });
  const z = zone(m);
  for (let cpu = 0; cpu < 4; cpu++) m.on(cpu, () => m.give(z, m.take(z, 50)));
  const zones = m.i32[m.f.UMA + L.UMA_NZONES]!;
  m.f.umaZdestroy(z);
  expect(m.i32[m.f.UMA + L.UMA_NZONES]).toBe(zones - 1);
  expect(m.messages()).toEqual([]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('a CPU that leaves empties its own buckets, and no others', async () => {
  const m = await freebsd();
  const z = zone(m);
  for (const cpu of [0, 1]) m.on(cpu, () => m.give(z, m.take(z, 20)));
  const first = m.cache(z, 0);
  m.on(1, () => m.f.umaOffline());
  expect([m.cache(z, 0), m.cache(z, 1)]).toEqual([first, { alloc: null, free: null }]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('a soft reclaim leaves what was allocated between the last two looks, a hard one nothing', async () => {
  const m = await freebsd();
  const z = zone(m);
  m.f.zoneTimeout(z);
  m.give(z, m.take(z, 40));
  m.f.zoneTimeout(z);
  expect(m.keg(z, L.UK_WSSIZE)).toBeGreaterThan(30);
  m.f.umaPrealloc(z, 200);
  m.f.umaReclaim(false);
  const kept = m.keg(z, L.UK_FREE);
  expect(kept).toBeGreaterThanOrEqual(m.keg(z, L.UK_WSSIZE));
  expect(kept).toBeLessThan(m.keg(z, L.UK_WSSIZE) + 4);
  // nothing happened since: the working set is empty
  m.f.zoneTimeout(z);
  m.f.zoneTimeout(z);
  expect(m.keg(z, L.UK_WSSIZE)).toBe(0);
  m.f.umaPrealloc(z, 200);
  m.f.umaReclaim(true);
  expect(m.slabs(z, L.UK_FREE_SLAB)).toEqual([]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('uma_timeout looks every 20 seconds, on CPU 0', async () => {
  const m = await freebsd();
  const z = zone(m);
  m.take(z, 100);
  tick(m, 19);
  expect(m.i32[m.f.UMA + L.UMA_LAST_TIMEOUT]).toBe(0);
  m.on(1, () => {
    m.uptime(20);
    m.intr.intrRaise(1, INTR_TICK);
    m.splz();
  });
  expect(m.i32[m.f.UMA + L.UMA_LAST_TIMEOUT]).toBe(0);
  tick(m, 20);
  expect(m.i32[m.f.UMA + L.UMA_LAST_TIMEOUT]).toBe(20);
  expect(m.keg(z, L.UK_WSSIZE)).toBeGreaterThan(0);
});

test('a hash grows by its double when there are more slabs than chains, finds every slab, and goes with its keg', async () => {
  const m = await freebsd({ memory: '64MiB' });
  const z = zone(m, 2048, U.UMA_ZONE_OFFPAGE | U.UMA_ZONE_HASH);
  expect(m.keg(z, L.UH_HASHSIZE)).toBe(U.UMA_HASH_SIZE_INIT);
  const items = m.take(z, 40);
  m.f.zoneTimeout(z);
  expect(m.keg(z, L.UH_HASHSIZE)).toBe(32);
  items.push(...m.take(z, 2000));
  for (const size of [64, 128, 256, 512, 1024]) {
    m.f.zoneTimeout(z);
    expect(m.keg(z, L.UH_HASHSIZE)).toBe(size);
    for (const item of items) expect(m.f.hashFind(m.kegOf(z) >>> 2, item)).not.toBe(0);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  }
  for (let n = 0; n < 5; n++) m.f.zoneTimeout(z);
  m.give(z, items);
  m.reclaim();
  expect(m.quiesceAndAudit().violations).toEqual([]);
  m.f.umaZdestroy(z);
  expect(m.messages()).toEqual([]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('a hash has as many chains as slabs, and not one fewer', async () => {
  const m = await freebsd();
  const z = zone(m, 2048, U.UMA_ZONE_OFFPAGE | U.UMA_ZONE_HASH);
  m.f.umaPrealloc(z, 31 * 2);
  m.f.zoneTimeout(z);
  expect(m.keg(z, L.UH_HASHSIZE)).toBe(32);
  m.f.umaPrealloc(z, 2);
  m.f.zoneTimeout(z);
  expect(m.keg(z, L.UH_HASHSIZE)).toBe(64);
});

test('without memory a hash stays as it is', async () => {
  const m = await freebsd({ memory: '8MiB' });
  const type = m.mallocTypeCreate('temp');
  const z = zone(m, 2048);
  m.take(z, 100);
  while (m.f.malloc(4096, type, NOWAIT) !== 0);
  m.f.zoneTimeout(z);
  expect(m.keg(z, L.UH_HASHSIZE)).toBe(32);
});

test('a request that may wait asks the zones for what they hoard, and gets it', async () => {
  const m = await freebsd({ memory: '8MiB' });
  const type = m.mallocTypeCreate('temp');
  const z = zone(m);
  m.f.umaPrealloc(z, 2000);
  const blocks: number[] = [];
  for (let b = m.f.malloc(65536, type, NOWAIT); b !== 0; b = m.f.malloc(65536, type, NOWAIT)) blocks.push(b);
  expect(m.keg(z, L.UK_PAGES)).toBe(500);
  expect(m.f.malloc(65536, type, WAITOK)).not.toBe(0);
  expect(m.keg(z, L.UK_PAGES)).toBeLessThan(500);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('a request that waits for pages is content with items that come back, though no page does', async () => {
  const m = await freebsd({ memory: '8MiB' });
  const type = m.mallocTypeCreate('temp');
  for (const cpu of [0, 1]) m.on(cpu, () => m.phaseEnter());
  const blocks: number[] = [];
  for (let b = m.f.malloc(64, type, NOWAIT); b !== 0; b = m.f.malloc(64, type, NOWAIT)) blocks.push(b);
  const half = () => {
    for (let n = 0; n < blocks.length; n += 2) m.f.free(blocks[n]!, type);
  };
  const block = whileWaiting((wait) => wait === 1 && m.on(1, half), () => m.f.malloc(64, type, WAITOK));
  expect(block).not.toBe(0);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});
