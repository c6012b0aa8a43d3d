/** uma_limits.test.ts — zones at their limit: who gets nothing, who sleeps, who is woken. */
import { describe, expect, test } from 'vitest';
import * as U from '../../../src/freebsd/uma.js';
import * as L from '../../../src/freebsd/uma_int.layout.js';
import { type Freebsd, freebsd, NOWAIT, WAITOK } from '../../helpers/freebsd.js';
import { whileWaiting } from '../../helpers/inside.js';

/** A zone of `max` items, 4 a slab; nothing is taken yet. */
function limited(m: Freebsd, max: number, size = 1024): number {
  const z = m.f.umaZcreate({ name: 'limited', size });
  m.f.umaZoneSetMax(z, max);
  return z;
}

/** Everything the zone will give. */
function all(m: Freebsd, z: number): number[] {
  const items: number[] = [];
  for (let [item] = m.take(z, 1, NOWAIT); item; [item] = m.take(z, 1, NOWAIT)) items.push(item);
  return items;
}

test.each([[1, 4], [4, 4], [5, 8], [8, 8], [9, 12], [100, 100]])(
  'a limit of %i items is rounded up to whole slabs: %i', async (max, items) => {
    const m = await freebsd();
    const z = limited(m, max);
    expect(all(m, z).length).toBe(items);
    expect(m.f.umaZoneExhausted(z)).toBe(true);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  },
);

test('an item of several pages counts as one', async () => {
  const m = await freebsd();
  expect(all(m, limited(m, 3, 9000)).length).toBe(3);
});

test('M_NOWAIT gets 0 at the limit, which counts as a failure', async () => {
  const m = await freebsd();
  const z = limited(m, 4);
  all(m, z);
  const fails = m.count(z, L.UZ_FAILS);
  expect(m.take(z, 2, NOWAIT)).toEqual([0, 0]);
  expect(m.count(z, L.UZ_FAILS) - fails).toBe(2);
});

test('at the limit frees go past the buckets, to where a sleeper finds them', async () => {
  const m = await freebsd();
  const z = limited(m, 4);
  const items = all(m, z);
  m.give(z, items.slice(0, 2));
  expect(m.keg(z, L.UK_FREE)).toBe(2);
  expect(m.keg(z, L.UK_SLEEPERS)).toBe(0);
  expect(m.take(z, 1, NOWAIT)).not.toEqual([0]);
});

describe('M_WAITOK at the limit', () => {
  test('sleeps until another CPU frees', async () => {
    const m = await freebsd();
    const z = limited(m, 4);
    const items = all(m, z);
    let sleepers = 0;
    const [item] = whileWaiting(
      () => {
        sleepers = Math.max(sleepers, m.keg(z, L.UK_SLEEPERS));
        if (items.length === 4) m.on(1, () => m.give(z, [items.pop()!]));
      },
      () => m.take(z, 1),
    );
    expect(item).not.toBe(0);
    expect([sleepers, m.keg(z, L.UK_SLEEPERS)]).toEqual([1, 0]);
    expect(m.count(z, L.UZ_SLEEPS)).toBeGreaterThanOrEqual(1);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });

  test('goes on when the limit is raised', async () => {
    const m = await freebsd();
    const z = limited(m, 4);
    all(m, z);
    const [item] = whileWaiting(() => m.on(1, () => m.f.umaZoneSetMax(z, 80)), () => m.take(z, 1));
    expect(item).not.toBe(0);
    expect(m.f.umaZoneExhausted(z)).toBe(false);
  });

  test('goes on when the limit is taken away', async () => {
    const m = await freebsd();
    const z = limited(m, 4);
    all(m, z);
    const [item] = whileWaiting(() => m.on(1, () => m.f.umaZoneSetMax(z, 0)), () => m.take(z, 1));
    expect(item).not.toBe(0);
    expect(all(m, z).length).toBeGreaterThan(100);
  });

  test('goes on when a drain empties the buckets of another zone of the keg', async () => {
    const m = await freebsd();
    const z = limited(m, 80);
    const second = m.f.umaZsecondCreate({ name: 'second' }, z);
    const items = all(m, z);
    // given back before anybody knew that the keg is full: they are in buckets, where the second zone has no access
    m.pokeKeg(z, L.UK_FULL, 0);
    m.give(z, items);
    expect(m.fullBuckets(z).length).toBeGreaterThan(1);
    expect(m.on(1, () => m.take(second, 1, NOWAIT))).toEqual([0]);
    const [item] = m.on(1, () => whileWaiting(() => m.on(0, () => m.f.zoneDrain(z, true)), () => m.take(second, 1)));
    expect(item).not.toBe(0);
    expect(m.f.umaZoneExhausted(z)).toBe(false);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });

  test('gets 0 at once under debug.nosleepwithlocks', async () => {
    const m = await freebsd({ tunables: { 'debug.nosleepwithlocks': 1 } });
    const z = limited(m, 4);
    all(m, z);
    expect(m.take(z, 1, WAITOK)).toEqual([0]);
    expect(m.messages()).toContain('malloc(M_WAITOK) of "limited", forcing M_NOWAIT');
  });
});

test('while it stays full one sleeper is woken for one item; when it is full no longer, all are', async () => {
  const m = await freebsd();
  const z = limited(m, 8);
  const kw = m.kegOf(z) >>> 2;
  all(m, z);
  m.i32[kw + L.UK_SLEEPERS] = 3;
  expect(m.f.roomAgain(kw)).toBe(1);
  m.i32[kw + L.UK_MAXPAGES]!++;
  expect(m.f.roomAgain(kw)).toBe(2);
  expect(m.f.umaZoneExhausted(z)).toBe(false);
  expect(m.f.roomAgain(kw)).toBe(0);
  m.i32[kw + L.UK_SLEEPERS] = 0;
});

test('a limit on a zone of malloc(9) is kept by free(9) too', async () => {
  const m = await freebsd({ invariants: false });
  const type = m.mallocTypeCreate('temp');
  const zone = m.f.kmemZone(1024);
  const blocks = Array.from({ length: 4 }, () => m.f.malloc(1024, type, WAITOK));
  // there is a free bucket, where the first path would put what is freed
  m.f.free(blocks.pop()!, type);
  m.f.umaZoneSetMax(zone, 8);
  for (let b = m.f.malloc(1024, type, NOWAIT); b !== 0; b = m.f.malloc(1024, type, NOWAIT)) blocks.push(b);
  expect(blocks.length).toBe(8);
  expect(m.cache(zone).free).not.toBeNull();
  m.f.free(blocks[0]!, type);
  expect(m.keg(zone, L.UK_FREE)).toBe(1);
  expect(m.f.malloc(1024, type, NOWAIT)).not.toBe(0);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

describe('a zone with pages of its own', () => {
  test('has so many items and never more, and keeps its pages', async () => {
    const m = await freebsd();
    const z = m.f.umaZcreate({ name: 'own', size: 1024 });
    const free = m.page.vmFreeCount();
    expect(m.f.umaZoneSetObj(z, 10)).toBe(true);
    expect(free - m.page.vmFreeCount()).toBe(3);
    const items = all(m, z);
    expect(items.length).toBe(12);
    expect(Math.max(...items) - Math.min(...items)).toBeLessThan(3 * 4096);
    m.give(z, items);
    m.reclaim();
    expect(m.keg(z, L.UK_FLAGS) & U.UMA_ZONE_NOFREE).not.toBe(0);
    expect(m.keg(z, L.UK_PAGES)).toBe(3);
    expect(all(m, z).length).toBe(12);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });

  test('cannot have more than there are', async () => {
    const m = await freebsd();
    const z = m.f.umaZcreate({ name: 'own', size: 1024 });
    expect(m.f.umaZoneSetObj(z, 1 << 20)).toBe(false);
  });
});

test('uma_prealloc makes the slabs of so many items now', async () => {
  const m = await freebsd();
  const z = m.f.umaZcreate({ name: 'Z', size: 1024 });
  m.f.umaPrealloc(z, 9);
  expect([m.keg(z, L.UK_PAGES), m.keg(z, L.UK_FREE), m.slabs(z, L.UK_FREE_SLAB).length]).toEqual([3, 12, 3]);
  m.take(z, 4);
  expect(m.keg(z, L.UK_PAGES)).toBe(3);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});
