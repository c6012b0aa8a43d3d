/** uma_dbg.test.ts — writes after free, second frees, frees of what is no item: which are found, and when. */
import { describe, expect, test } from 'vitest';
import {
  P_DUPLICATE_FREE, P_FREED_NOT_BELONG, P_FREE_UNALLOCATED, P_FREELIST_RANGE, P_MODIFIED_AFTER_FREE, P_MOST_RECENTLY,
  P_SHOULD_BE,
} from '../../../src/base/panics_freebsd.js';
import * as U from '../../../src/freebsd/uma.js';
import * as L from '../../../src/freebsd/uma_int.layout.js';
import { panicRecord } from '../../../src/observe/panic_report.js';
import { type Freebsd, freebsd, WAITOK } from '../../helpers/freebsd.js';
import { panicCodeOf } from '../../helpers/inside.js';

const JUNK = 0xdeadc0de | 0;

/** mallocs until the block comes back */
function untilBack(m: Freebsd, block: number, size: number, type: number): void {
  while (m.f.malloc(size, type, WAITOK) !== block);
}

/** the release flavour with this check, and the flavour with all of them */
const flavours = (dbg: number) => [
  ['release', { invariants: false, tunables: { 'debug.uma_dbg': dbg, 'debug.trash': 1 } }],
  ['invariants', { invariants: true, tunables: { 'debug.uma_dbg': dbg, 'debug.trash': 1 } }],
] as const;

describe.each(flavours(2))('debug.trash, %s', (_, options) => {
  test('a freed block is 0xdeadc0de but for its last word, which is the type that used it', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    const block = m.f.malloc(100, type, WAITOK);
    m.u8.fill(1, block, block + 100);
    m.f.free(block, type);
    const words = Array.from({ length: 32 }, (_, n) => m.word(block, n));
    expect(words.slice(0, 31).every((word) => word === JUNK)).toBe(true);
    expect(words[31]).toBe(type);
  });

  test.each([0, 13, 30])('a write to word %i after the free is found at the next malloc, with its last user', async (word) => {
    const m = await freebsd(options);
    const [guilty, victim] = [m.mallocTypeCreate('guilty'), m.mallocTypeCreate('victim')];
    const block = m.f.malloc(100, guilty, WAITOK);
    m.f.free(block, guilty);
    m.poke(block, word, 1);
    expect(panicCodeOf(() => untilBack(m, block, 100, victim))).toBe(P_MOST_RECENTLY);
    expect(panicRecord(m.memory)?.message.trim()).toBe('Most recently used by guilty');
  });

  test('a write to the last word is not', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    const block = m.f.malloc(100, type, WAITOK);
    m.f.free(block, type);
    m.poke(block, 31, 1);
    expect(panicCodeOf(() => untilBack(m, block, 100, type))).toBe(0);
  });

  test('a write is found when the slab is given back, too', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    const blocks = Array.from({ length: 200 }, () => m.f.malloc(100, type, WAITOK));
    for (const block of blocks) m.f.free(block, type);
    for (const block of blocks) m.poke(block, 0, 1);
    expect(panicCodeOf(() => m.reclaim())).toBe(P_MOST_RECENTLY);
  });

  test('every last word of an item of a zone with trash functions counts', async () => {
    const m = await freebsd(options);
    const trash = { ctor: U.UMAF_TRASH, dtor: U.UMAF_TRASH, init: U.UMAF_TRASH, fini: U.UMAF_TRASH };
    const z = m.f.umaZcreate({ name: 'Z', size: 64, ...trash });
    const [item] = m.take(z, 1);
    m.give(z, [item!]);
    m.poke(item!, 15, 1);
    expect(panicCodeOf(() => { while (m.take(z, 1)[0] !== item); })).toBe(P_MODIFIED_AFTER_FREE);
  });

  test('large blocks are not filled: they are pages of somebody else by then', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    m.f.free(m.f.malloc(10_000, type, WAITOK), type);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });
});

describe.each(flavours(2))('debug.uma_dbg 2, %s', (_, options) => {
  test('a second free is found in the bucket path', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    for (const size of [16, 512, 4096]) {
      const block = m.f.malloc(size, type, WAITOK);
      m.f.free(block, type);
      expect(panicCodeOf(() => m.f.free(block, type))).toBe(P_DUPLICATE_FREE);
    }
  });

  test('and when the first was on another CPU', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    const block = m.f.malloc(64, type, WAITOK);
    m.on(1, () => m.f.free(block, type));
    expect(panicCodeOf(() => m.f.free(block, type))).toBe(P_DUPLICATE_FREE);
  });

  test('items that came without a bucket are no second frees', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    m.i32[m.f.UMA + L.UMA_BUCKETDISABLE] = 1;
    const blocks = Array.from({ length: 20 }, () => m.f.malloc(64, type, WAITOK));
    for (const block of blocks) m.f.free(block, type);
    m.i32[m.f.UMA + L.UMA_BUCKETDISABLE] = 0;
    const again = Array.from({ length: 200 }, () => m.f.malloc(64, type, WAITOK));
    for (const block of again) m.f.free(block, type);
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });

  test('thousands of honest frees are', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    const z = m.f.umaZcreate({ name: 'hashed', size: 3000 });
    for (let round = 0; round < 3; round++) {
      const blocks = Array.from({ length: 300 }, (_, n) => m.f.malloc(n * 8, type, WAITOK));
      const items = m.take(z, 40);
      m.on(1, () => {
        for (const block of blocks) m.f.free(block, type);
        m.give(z, items);
      });
      m.reclaim();
    }
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
  });

  const strange: [string, number, (m: Freebsd, type: number, block: number, z: number) => void][] = [
    ['a block freed into a zone', P_FREED_NOT_BELONG, (m, _type, block, z) => m.give(z, [block])],
    ['an item freed as a block', P_FREE_UNALLOCATED, (m, type, _block, z) => m.f.free(m.take(z, 1)[0]!, type)],
    ['half a block on', P_SHOULD_BE, (m, type, block) => m.f.free(block + 32, type)],
    ['behind the last block', P_FREELIST_RANGE, (m, type, block) => m.f.free((block | 4095) - 63, type)],
  ];

  test.each(strange)('what is no block of the zone: %s', async (_, code, act) => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    const z = m.f.umaZcreate({ name: 'Z', size: 64 });
    expect(panicCodeOf(() => act(m, type, m.f.malloc(64, type, WAITOK), z))).toBe(code);
  });
});

describe.each(flavours(1))('debug.uma_dbg 1, %s', (_, { invariants }) => {
  const options = { invariants, tunables: { 'debug.uma_dbg': 1, 'debug.trash': 0 } };

  test('a second free into a bucket is missed: two owners for one block (R24)', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    const block = m.f.malloc(64, type, WAITOK);
    m.f.free(block, type);
    m.f.free(block, type);
    const twice = expect.stringMatching(/^keg "64": item 0x[0-9a-f]+ is in a bucket twice$/);
    expect(m.quiesceAndAudit().violations).toEqual([twice, expect.anything()]);
    const next = Array.from({ length: 200 }, () => m.f.malloc(64, type, WAITOK));
    expect(next.filter((one) => one === block).length).toBe(2);
  });

  test('it is found where frees go past the buckets', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    m.i32[m.f.UMA + L.UMA_BUCKETDISABLE] = 1;
    const block = m.f.malloc(64, type, WAITOK);
    m.f.free(block, type);
    expect(panicCodeOf(() => m.f.free(block, type))).toBe(P_DUPLICATE_FREE);
  });

  test('honest frees past the buckets are no second ones', async () => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    m.i32[m.f.UMA + L.UMA_BUCKETDISABLE] = 1;
    for (let round = 0; round < 3; round++) {
      const blocks = Array.from({ length: 100 }, () => m.f.malloc(64, type, WAITOK));
      for (const block of blocks) m.f.free(block, type);
    }
    expect(m.quiesceAndAudit().violations).toEqual([]);
  });
});

test('debug.uma_dbg 0: nothing is checked', async () => {
  const m = await freebsd({ invariants: false });
  const type = m.mallocTypeCreate('temp');
  const block = m.f.malloc(64, type, WAITOK);
  m.f.free(block, type);
  m.f.free(block, type);
  expect(panicRecord(m.memory)).toBeNull();
});
