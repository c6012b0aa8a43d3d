/** uma_size.test.ts — items a slab, and where its header lies. */
import { describe, expect, test } from 'vitest';
import * as U from '../../../src/freebsd/uma.js';
import * as L from '../../../src/freebsd/uma_int.layout.js';
import { type Freebsd, freebsd, NOWAIT } from '../../helpers/freebsd.js';

const { UMA_ZONE_OFFPAGE: OFF, UMA_ZONE_HASH: HASH, UMA_ZONE_MALLOC: MALLOC, UMA_ZONE_REFCNT: REFCNT } = U;
const FOUND = OFF | HASH | MALLOC | REFCNT;

/** what umaZcreate made of a size */
function keg(m: Freebsd, size: number, flags = 0, align = 3) {
  const z = m.f.umaZcreate({ name: `${size}`, size, flags, align });
  return {
    z, rsize: m.keg(z, L.UK_RSIZE), ipers: m.keg(z, L.UK_IPERS), ppera: m.keg(z, L.UK_PPERA),
    flags: m.keg(z, L.UK_FLAGS) & FOUND, pgoff: m.keg(z, L.UK_PGOFF),
  };
}

describe('a slab', () => {
  test.each([
    // header 32 bytes, a byte an item behind it
    [16, 16, 239, 0], [32, 32, 123, 0], [64, 64, 62, 0], [100, 100, 40, 0], [128, 128, 31, 0], [256, 256, 15, 0],
    [1, 16, 239, 0], [17, 20, 193, 0],
    // a tenth of it would be wasted, and the header elsewhere makes room for one more
    [512, 512, 8, OFF | HASH], [1020, 1020, 4, OFF | HASH], [1024, 1024, 4, OFF | HASH], [2048, 2048, 2, OFF | HASH],
    // wasted, but one more would not fit either
    [900, 900, 4, 0], [3000, 3000, 1, 0], [1400, 1400, 2, 0],
    // the largest that shares its page with the header
    [4060, 4060, 1, 0], [4061, 4061, 1, OFF | HASH], [4063, 4063, 1, OFF | HASH],
  ])('of %i-byte items: each takes %i, %i in a page', async (size, rsize, ipers, flags) => {
    const m = await freebsd();
    const sizing = keg(m, size);
    expect(sizing).toMatchObject({ rsize, ipers, ppera: 1, flags });
    if (flags === 0) expect(sizing.pgoff).toBeGreaterThanOrEqual(rsize * ipers);
    if (flags === 0) expect(sizing.pgoff + 32 + ipers).toBeLessThanOrEqual(4096);
  });

  test.each([[4064, 1], [4096, 1], [4097, 2], [8192, 2], [8193, 3], [70_000, 18]])(
    'of one item of %i bytes is %i pages, its header elsewhere', async (size, ppera) => {
      const m = await freebsd();
      expect(keg(m, size)).toMatchObject({ rsize: size, ipers: 1, ppera, flags: OFF | HASH });
      expect(keg(m, size, MALLOC)).toMatchObject({ ppera, flags: OFF | MALLOC });
      expect(keg(m, size, REFCNT)).toMatchObject({ ppera, flags: OFF | REFCNT });
    },
  );

  test('of malloc(9) is found by its page, never by a hash', async () => {
    const m = await freebsd();
    for (const size of [16, 512, 1024, 2048, 4096]) {
      expect(m.keg(m.f.kmemZone(size), L.UK_FLAGS) & HASH).toBe(0);
    }
    expect(m.keg(m.f.kmemZone(1024), L.UK_FLAGS) & OFF).toBe(OFF);
  });

  test.each([[16, 169], [64, 56], [256, 15], [2048, 2]])(
    'with reference counts has eight bytes an item behind its header: %i bytes, %i items', async (size, ipers) => {
      const m = await freebsd();
      const sizing = keg(m, size, REFCNT);
      expect(sizing.ipers).toBe(ipers);
      if ((sizing.flags & OFF) === 0) expect(sizing.pgoff + 32 + ipers * 8).toBeLessThanOrEqual(4096);
    },
  );

  test('is aligned as asked, and at least to words', async () => {
    const m = await freebsd();
    expect(keg(m, 100, 0, 63)).toMatchObject({ rsize: 128 });
    expect(keg(m, 100, 0, 255)).toMatchObject({ rsize: 256 });
    expect(keg(m, 31, 0, 0)).toMatchObject({ rsize: 32 });
    for (const align of [3, 7, 63, 255]) {
      const { z } = keg(m, 100, 0, align);
      for (const item of m.take(z, 100)) expect(item & align).toBe(0);
    }
  });

  test('of a zone that must not allocate, or of the allocator, keeps its header', async () => {
    const m = await freebsd();
    expect(keg(m, 1000, U.UMA_ZONE_VM)).toMatchObject({ ipers: 4, flags: 0 });
    expect(keg(m, 2048, U.UMA_ZONE_VM)).toMatchObject({ ipers: 1, flags: 0 });
  });
});

test('every size has its items apart from each other and from the header', async () => {
  const m = await freebsd({ memory: '64MiB' });
  for (let size = 1; size < 4500; size += 37) {
    for (const flags of [0, REFCNT]) {
      const { z, rsize, ipers, ppera } = keg(m, size, flags);
      expect(rsize).toBeGreaterThanOrEqual(size);
      const items = m.take(z, ipers + 1, NOWAIT).sort((a, b) => a - b);
      for (const [n, item] of items.entries()) if (n > 0) expect(item - items[n - 1]!).toBeGreaterThanOrEqual(rsize);
      for (const item of items) m.u8.fill(0x5a, item, item + size);
      m.give(z, items);
      expect(ppera).toBe(Math.max(1, Math.ceil(size / 4096)));
      m.f.umaZdestroy(z);
    }
  }
  expect(m.messages()).toEqual([]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('headers off page have room for as many items as any size can have', async () => {
  const m = await freebsd();
  const most = m.i32[m.f.UMA + L.UMA_MAX_IPERS_OFFPAGE]!;
  for (let size = 16; size < 4064; size += 4) {
    const sizing = m.f.kegSizing(size, 3, 0, most);
    if ((sizing.flags & OFF) !== 0) expect(sizing.ipers).toBeLessThanOrEqual(most);
  }
  expect(m.f.maxIpersOffPage(1)).toBe(most);
});

test('UMA_ZONE_ZINIT: what a slab begins with are zeroes', async () => {
  const m = await freebsd();
  const dirty = m.f.umaZcreate({ name: 'dirty', size: 256 });
  const items = m.take(dirty, 200);
  for (const item of items) m.u8.fill(0xff, item, item + 256);
  m.give(dirty, items);
  m.f.umaZdestroy(dirty);
  const clean = m.f.umaZcreate({ name: 'clean', size: 200, flags: U.UMA_ZONE_ZINIT });
  for (const item of m.take(clean, 100)) {
    expect(m.u8.subarray(item, item + 200).every((byte) => byte === 0)).toBe(true);
  }
});

test('reference counts begin with 0, belong to their item, and are found from any byte of it', async () => {
  const m = await freebsd();
  for (const size of [64, 2048, 5000]) {
    const z = m.f.umaZcreate({ name: 'counted', size, flags: REFCNT });
    const items = m.take(z, 70, NOWAIT);
    for (const [n, item] of items.entries()) {
      expect(m.i32[m.f.umaFindRefcnt(z, item)]).toBe(0);
      m.i32[m.f.umaFindRefcnt(z, item)] = n;
    }
    for (const [n, item] of items.entries()) {
      expect(m.i32[m.f.umaFindRefcnt(z, item)]).toBe(n);
      expect(m.f.umaFindRefcnt(z, item + Math.min(size, 4096) - 1)).toBe(m.f.umaFindRefcnt(z, item));
    }
    for (const item of items) m.i32[m.f.umaFindRefcnt(z, item)] = 0;
    m.give(z, items);
  }
  expect(m.quiesceAndAudit().violations).toEqual([]);
});
