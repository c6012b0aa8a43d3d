/** UMA's fixes taken out, each at the moment it was made for; the same moment with the fix shows the difference. */
import { expect, test } from 'vitest';
import { P_MTX_RECURSED } from '../../src/base/panics.js';
import * as U from '../../src/freebsd/uma.js';
import * as L from '../../src/freebsd/uma_int.layout.js';
import { GD_WCHAN } from '../../src/kern/globaldata.layout.js';
import { type Freebsd, freebsd, NOWAIT } from '../helpers/freebsd.js';
import { afterAccess, panicCodeOf } from '../helpers/inside.js';

/** what happens with the fix, and without it */
const both = (name: string): [when: string, defects: string[]][] => [['without', []], ['with', [name]]];

const uma = (m: Freebsd, word: number): number => m.i32[m.f.UMA + word]!;
const lockOf = (m: Freebsd, zone: number): number => (m.kegOf(zone) >>> 2) + L.UK_LOCK;

/** Something happens each time a lock has been released while `run` runs, but not because of itself. */
function whenReleased<T>(lock: number, then: () => void, run: () => T): T {
  const real = Atomics.compareExchange;
  let busy = false;
  const patched = (...args: [Int32Array, number, number, number]): number => {
    const value = real(...args);
    if (busy || args[1] !== lock || args[3] !== 0) return value;
    busy = true;
    then();
    busy = false;
    return value;
  };
  const target = Atomics as unknown as { compareExchange: unknown };
  target.compareExchange = patched;
  try {
    return run();
  } finally {
    target.compareExchange = real;
  }
}

test.each(both('R16'))('%s R16 a free that ends the limit wakes both sleepers', async (when, defects) => {
  const m = await freebsd({ defects });
  const z = m.f.umaZcreate({ name: 'limited', size: 2048 });
  m.f.umaZoneSetMax(z, 2);
  const items = m.take(z, 2);
  expect(m.take(z, 1, NOWAIT)).toEqual([0]);
  for (const cpu of [0, 1]) m.on(cpu, () => m.tsleepInterlock(m.kegOf(z)));
  m.pokeKeg(z, L.UK_SLEEPERS, 2);
  m.pokeKeg(z, L.UK_MAXPAGES, 10);
  m.give(z, [items[0]!]);
  const asleep = [0, 1].filter((cpu) => m.i32[m.gd.globaldataFind(cpu) + GD_WCHAN] !== 0);
  expect(asleep).toEqual(when === 'with' ? [1] : []);
});

test.each(both('R16'))('%s R16 a new limit, and a drain, tell those who sleep', async (when, defects) => {
  const m = await freebsd({ defects });
  const z = m.f.umaZcreate({ name: 'limited', size: 2048 });
  m.f.umaZoneSetMax(z, 2);
  m.take(z, 2);
  expect(m.take(z, 1, NOWAIT)).toEqual([0]);
  m.tsleepInterlock(m.kegOf(z));
  m.pokeKeg(z, L.UK_SLEEPERS, 1);
  m.f.umaZoneSetMax(z, 10);
  const wchan = m.i32[m.gd.globaldataFind(0) + GD_WCHAN];
  expect([wchan !== 0, m.f.umaZoneExhausted(z)]).toEqual(when === 'with' ? [true, true] : [false, false]);
});

test.each(both('R18'))('%s R18 there are slab headers while a slab of them is made', async (when, defects) => {
  const m = await freebsd({ defects });
  const type = m.mallocTypeCreate('temp');
  m.pokeKeg(uma(m, L.UMA_SLABZONE), L.UK_RECURSE, 1);
  const block = m.f.malloc(5000, type, NOWAIT);
  expect(block === 0).toBe(when === 'with');
});

test.each(both('R19'))('%s R19 uma_mtx is held while the zones are walked', async (when, defects) => {
  const m = await freebsd({ defects });
  const z = m.f.umaZcreate({ name: 'walked', size: 64 });
  let held = false;
  const look = () => {
    held = uma(m, L.UMA_MTX) !== 0;
  };
  afterAccess('compareExchange', lockOf(m, z), look, () => m.f.umaReclaim(true));
  expect(held).toBe(when !== 'with');
});

test.each(both('R20'))('%s R20 a zone has its fields when it is linked', async (when, defects) => {
  const m = await freebsd({ defects });
  const create = () => m.f.umaZcreate({ name: 'new', size: 64 });
  const z = create();
  const lock = lockOf(m, z);
  m.f.umaZdestroy(z);
  let fields = -1;
  let listed: boolean | undefined;
  const look = () => {
    fields = m.word(z, L.UZ_LOCK);
    listed = uma(m, L.UMA_KEGS) === lock * 4;
  };
  expect(afterAccess('compareExchange', lock, look, create), 'the same memory').toBe(z);
  expect([fields, listed]).toEqual(when === 'with' ? [0, true] : [lock, false]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test.each(both('R21'))('%s R21 slabs are moved to a larger table under the lock', async (when, defects) => {
  const m = await freebsd({ defects });
  const z = m.f.umaZcreate({ name: 'hashed', size: 2048, flags: U.UMA_ZONE_OFFPAGE | U.UMA_ZONE_HASH });
  m.f.umaPrealloc(z, 2 * U.UMA_HASH_SIZE_INIT);
  let releases = 0;
  whenReleased(lockOf(m, z), () => releases++, () => m.f.zoneTimeout(z));
  // for the question whether to grow, for the table, for the working set
  expect(releases).toBe(when === 'with' ? 2 : 3);
  expect(m.keg(z, L.UH_HASHSIZE)).toBe(2 * U.UMA_HASH_SIZE_INIT);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test.each(both('uma-zdtor'))('%s uma-zdtor the timer cannot save slabs of a dying zone', async (when, defects) => {
  const m = await freebsd({ defects });
  const z = m.f.umaZcreate({ name: 'dying', size: 2048 });
  m.give(z, m.take(z, 8));
  const timer = () => {
    // as if all its allocations were new
    m.i64[((m.kegOf(z) >>> 2) + L.UK_OALLOCS) >>> 1] = 0n;
    m.on(1, () => m.f.zoneTimeout(z));
  };
  whenReleased(lockOf(m, z), timer, () => m.f.umaZdestroy(z));
  const lost = m.messages().filter((line) => line.startsWith('Freed UMA keg was not empty'));
  expect(lost).toHaveLength(when === 'with' ? 1 : 0);
  expect(m.quiesceAndAudit().violations.length > 0).toBe(when === 'with');
});

test.each(both('uma-crossdomain'))('%s uma-crossdomain a zone of buckets gets a bucket', async (when, defects) => {
  const m = await freebsd({ defects });
  const z = m.f.umaZsecondCreate({ name: 'cached buckets' }, uma(m, L.UMA_BUCKET_ZONES));
  const code = panicCodeOf(() => m.take(z, 1, NOWAIT));
  expect(code).toBe(when === 'with' ? P_MTX_RECURSED : 0);
});

test('with uma-crossdomain other zones get their buckets, and a zone without memory gives its lock back', async () => {
  const m = await freebsd({ defects: ['uma-crossdomain'] });
  const z = m.f.umaZcreate({ name: 'plain', size: 256 });
  m.give(z, m.take(z, 200));
  m.i32[m.f.UMA + L.UMA_BUCKETDISABLE] = 1;
  m.give(z, m.take(z, 200));
  expect(uma(m, L.UMA_BUCKETDISABLE)).toBe(1);
  expect(m.i32[lockOf(m, z)]).toBe(0);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});
