/** uma_hooks.test.ts — constructor, destructor, initialiser, finaliser: when they run, and what if one refuses. */
import { describe, expect, test } from 'vitest';
import { UMA_ZONE_NOFREE, UMAF_USER } from '../../../src/freebsd/uma.js';
import * as L from '../../../src/freebsd/uma_int.layout.js';
import { freebsd, Hooks, NOWAIT, WAITOK, ZERO } from '../../helpers/freebsd.js';

/** A zone with hooks of its own, on a keg with hooks of its own. */
async function hooked(size = 1024) {
  const m = await freebsd();
  const [keg, zone] = [new Hooks(), new Hooks()];
  const kegHooks = keg.bind(m, UMAF_USER, 'keg ');
  const zoneHooks = zone.bind(m, UMAF_USER + 1, 'zone ');
  keg.log.length = 0;
  zone.log.length = 0;
  const log: string[] = [];
  for (const hooks of [keg, zone]) hooks.log.push = (...what) => log.push(...what);
  const master = m.f.umaZcreate({ name: 'master', size, init: kegHooks, fini: kegHooks });
  const second = m.f.umaZsecondCreate(
    { name: 'second', ctor: zoneHooks, dtor: zoneHooks, init: zoneHooks, fini: zoneHooks }, master,
  );
  return { m, keg, zone, master, second, log };
}

/** 'a', 'a', 'b' -> 'a 2', 'b' */
function runs(log: readonly string[]): string[] {
  const found: [string, number][] = [];
  for (const what of log) {
    const last = found.at(-1);
    if (last?.[0] === what) last[1]++;
    else found.push([what, 1]);
  }
  return found.map(([what, n]) => (n === 1 ? what : `${what} ${n}`));
}

test('the life of an item: keg init, zone init, ctor and dtor by turns, zone fini, keg fini', async () => {
  const { m, second, master, log } = await hooked();
  const items = m.take(second, 1);
  m.give(second, items);
  m.give(second, m.take(second, 1));
  // the first bucket wants five items of two slabs
  expect(runs(log)).toEqual(['keg init 8', 'zone init 5', 'zone ctor', 'zone dtor', 'zone ctor', 'zone dtor']);
  log.length = 0;
  m.f.umaZdestroy(second);
  expect(runs(log)).toEqual(['zone fini 5', 'keg fini 8']);
  m.f.umaZdestroy(master);
  expect(m.messages()).toEqual([]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('an item that is freed past the buckets leaves the zone at once', async () => {
  const { m, second, zone } = await hooked();
  m.i32[m.f.UMA + L.UMA_BUCKETDISABLE] = 1;
  m.give(second, m.take(second, 3));
  expect(zone.counts).toEqual({ 'zone init': 3, 'zone ctor': 3, 'zone dtor': 3, 'zone fini': 3 });
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('both zones of a keg take from the same slabs, each with its own functions', async () => {
  const { m, second, master, zone, keg } = await hooked();
  const first = m.take(master, 10);
  expect(zone.count('zone init')).toBe(0);
  const slabs = keg.count('keg init') / 4;
  m.give(master, first);
  m.reclaim();
  m.take(second, 3);
  expect(keg.count('keg init') / 4).toBeGreaterThanOrEqual(slabs);
  expect(m.kegOf(second)).toBe(m.kegOf(master));
  expect([zone.count('zone ctor'), zone.count('zone dtor')]).toEqual([3, 0]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('udata and flags reach the constructor, udata the destructor', async () => {
  const m = await freebsd();
  const seen: number[][] = [];
  m.f.umaFuncRegister(UMAF_USER, {
    ctor(item, size, udata, flags) {
      seen.push([item, size, udata, flags]);
      return 0;
    },
    dtor: (item, size, udata) => void seen.push([item, size, udata]),
  });
  const z = m.f.umaZcreate({ name: 'Z', size: 99, ctor: UMAF_USER, dtor: UMAF_USER });
  const item = m.f.umaZallocArg(z, 1234, NOWAIT);
  m.f.umaZfreeArg(z, item, 77);
  expect(seen).toEqual([[item, 99, 1234, NOWAIT], [item, 99, 77]]);
});

test('M_ZERO clears what the constructor left', async () => {
  const m = await freebsd();
  m.f.umaFuncRegister(UMAF_USER, {
    ctor(item) {
      m.poke(item, 0, -1);
      return 0;
    },
  });
  const z = m.f.umaZcreate({ name: 'Z', size: 64, ctor: UMAF_USER });
  expect(m.word(m.take(z, 1)[0]!, 0)).toBe(-1);
  expect(m.word(m.take(z, 1, WAITOK | ZERO)[0]!, 0)).toBe(0);
});

describe('when a constructor refuses', () => {
  test('the item goes back to its slab, finished but not destroyed, and the caller has nothing', async () => {
    const { m, second, zone, log } = await hooked();
    zone.refuse = (what) => what === 'zone ctor';
    expect(m.take(second, 1)).toEqual([0]);
    expect(runs(log).slice(-2)).toEqual(['zone ctor', 'zone fini']);
    expect(zone.count('zone dtor')).toBe(0);
    expect(m.count(second, L.UZ_FAILS)).toBe(1);
    zone.refuse = () => false;
    expect(m.take(second, 1)).not.toEqual([0]);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });

  test('the same where there is no bucket', async () => {
    const { m, second, zone } = await hooked();
    m.i32[m.f.UMA + L.UMA_BUCKETDISABLE] = 1;
    zone.refuse = (what) => what === 'zone ctor';
    expect(m.take(second, 2)).toEqual([0, 0]);
    expect([zone.count('zone init'), zone.count('zone fini'), zone.count('zone dtor')]).toEqual([2, 2, 0]);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });
});

describe("when a zone's initialiser refuses", () => {
  test.each([1, 2, 5])('at item %i of a bucket: those before stay, the others go back unfinished', async (refused) => {
    const { m, second, zone } = await hooked();
    zone.refuse = (what, call) => what === 'zone init' && call === refused;
    const [item] = m.take(second, 1);
    // refused at the first: the bucket is given up, and one item is fetched without
    if (refused === 1) expect(m.cache(second)).toEqual({ alloc: null, free: null });
    else expect(m.cache(second).alloc!.cnt).toBe(refused - 2);
    expect(item).not.toBe(0);
    expect(zone.count('zone fini')).toBe(0);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });

  test('always: nobody gets anything, and nothing is lost', async () => {
    const { m, second, zone, master, keg } = await hooked();
    zone.refuse = (what) => what === 'zone init';
    expect(m.take(second, 3)).toEqual([0, 0, 0]);
    expect([zone.count('zone ctor'), zone.count('zone fini')]).toEqual([0, 0]);
    m.f.umaZdestroy(second);
    m.f.umaZdestroy(master);
    expect(keg.count('keg fini')).toBe(keg.count('keg init'));
    expect(m.messages()).toEqual([]);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });
});

describe("when a keg's initialiser refuses", () => {
  test.each([[1, 1024], [3, 1024], [4, 1024], [7, 1024], [30, 64], [1, 9000]])(
    'at item %i of its slabs of %i-byte items: the slab is undone and given back', async (refused, size) => {
      const { m, second, keg, master } = await hooked(size);
      const free = m.page.vmFreeCount();
      keg.refuse = (what, call) => what === 'keg init' && call >= refused;
      const ipers = m.keg(master, L.UK_IPERS);
      const whole = Math.floor((refused - 1) / ipers);
      const [item] = m.take(second, 1, NOWAIT);
      expect(item === 0).toBe(whole === 0);
      expect(m.keg(master, L.UK_PAGES)).toBe(whole * m.keg(master, L.UK_PPERA));
      // each attempt begins with the next call, which is refused at once
      expect(keg.count('keg fini')).toBe(refused - 1 - whole * ipers);
      if (item !== 0) m.give(second, [item!]);
      m.f.umaZdestroy(second);
      if (item === 0) expect(free - m.page.vmFreeCount()).toBeLessThanOrEqual(3);
      expect(m.quiesceAndAudit().violations).toEqual([]);
    },
  );

  test('M_WAITOK does not try for ever', async () => {
    const { m, master, keg } = await hooked();
    keg.refuse = (what) => what === 'keg init';
    expect(m.take(master, 1, WAITOK)).toEqual([0]);
  });
});

test('NOFREE: slabs stay, and their items are never finished', async () => {
  const m = await freebsd();
  const hooks = new Hooks();
  const number = hooks.bind(m);
  const z = m.f.umaZcreate({ name: 'Z', size: 1024, init: number, fini: number, flags: UMA_ZONE_NOFREE });
  m.give(z, m.take(z, 50));
  const pages = m.keg(z, L.UK_PAGES);
  m.reclaim();
  expect([m.keg(z, L.UK_PAGES), hooks.count('fini')]).toEqual([pages, 0]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('functions may be changed while the keg is empty', async () => {
  const m = await freebsd();
  const hooks = new Hooks();
  const number = hooks.bind(m);
  const z = m.f.umaZcreate({ name: 'Z', size: 1024 });
  m.f.umaZoneSetInit(z, number);
  m.f.umaZoneSetFini(z, number);
  m.f.umaZoneSetZinit(z, number);
  m.f.umaZoneSetZfini(z, number);
  m.give(z, m.take(z, 1));
  expect(hooks.counts).toEqual({ init: 8 + 5 });
  m.f.umaZdestroy(z);
  expect(hooks.counts).toEqual({ init: 13, fini: 13 });
});
