import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FREE_NAMES } from '../../src/base/policy.js';
import { KASAN_ALLOCATOR, KASAN_CLIENT, KASAN_FREED, KASAN_PAGE_FREE } from '../../src/hw/kasan.js';
import { freeOn1, start } from '../helpers/remote.js';

type Mark = [address: number, bytes: number, code: number];
let marks: Mark[];
/** marks made since the last call */
const taken = (): Mark[] => marks.splice(0);

beforeEach(() => {
  marks = [];
  (globalThis as { STEPPED?: boolean }).STEPPED = true;
  vi.doMock('../../src/hw/kasan.js', async (original) => ({
    ...(await original<object>()),
    kasanMark: (...mark: Mark) => marks.push(mark),
  }));
});
afterEach(() => {
  (globalThis as { STEPPED?: boolean }).STEPPED = false;
  vi.doUnmock('../../src/hw/kasan.js');
});

describe.each([true, false])('invariants %s:', (invariants) => {
  test('a block is marked with its whole chunk when it changes hands', async () => {
    const [m, type] = await start({ invariants });
    const first = m.kmalloc(100, type, m.M_WAITOK);
    const base = first & m.slab.ZONE_MASK;
    expect(taken()).toEqual([[base, m.slab.ZONE_SIZE, KASAN_ALLOCATOR], [first, 104, KASAN_CLIENT]]);
    m.kfree(first, type);
    expect(taken()).toEqual([[first, 104, KASAN_FREED]]);
    const again = m.kmalloc(97, type, m.M_WAITOK | m.M_ZERO);
    const other = m.kmalloc(104, type, m.M_WAITOK);
    expect(taken()).toEqual([[again, 104, KASAN_CLIENT], [other, 104, KASAN_CLIENT]]);
    // the second time a chunk of this zone is taken, the first path serves it
    m.kfree(other, type);
    m.kfree(again, type);
    taken();
    const warm = m.kmalloc(100, type, m.M_WAITOK);
    expect(taken()).toEqual([[warm, 104, KASAN_CLIENT]]);
  });

  test('an oversized block is whole pages, and they go back to the page allocator', async () => {
    const [m, type] = await start({ invariants });
    const block = m.kmalloc(40000, type, m.M_WAITOK);
    m.kfree(block, type);
    expect(taken()).toEqual(
      [KASAN_ALLOCATOR, KASAN_CLIENT, KASAN_FREED, KASAN_PAGE_FREE].map((code) => [block, 40960, code]),
    );
  });

  test('a zone goes back when nobody wants it', async () => {
    const [m, type] = await start({ invariants });
    const block = m.kmalloc(100, type, m.M_WAITOK);
    m.kfree(block, type);
    taken();
    m.slabCleanup(true);
    expect(taken()).toEqual([[block & m.slab.ZONE_MASK, m.slab.ZONE_SIZE, KASAN_PAGE_FREE]]);
  });

  test.each(FREE_NAMES)('%s: a chunk freed by another CPU is marked once, there', async (free) => {
    const [m, type] = await start({ free, invariants });
    const block = m.kmalloc(100, type, m.M_WAITOK);
    taken();
    freeOn1(m, [block], type);
    expect(taken()).toEqual([[block, 104, KASAN_FREED]]);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
    expect(taken()).toEqual([]);
  });

  test('what is refused, or was never memory, is not marked', async () => {
    const [m, type] = await start({ invariants });
    m.kfree(m.kmalloc(0, type, m.M_WAITOK), type);
    expect(m.kmalloc(1 << 27, type, m.M_NOWAIT)).toBe(0);
    expect(() => m.kfree(64, type)).toThrow();
    expect(taken()).toEqual([]);
  });
});

test('natively nothing is called', async () => {
  (globalThis as { STEPPED?: boolean }).STEPPED = false;
  const [m, type] = await start({});
  m.kfree(m.kmalloc(100, type, m.M_WAITOK), type);
  m.slabCleanup(true);
  expect(taken()).toEqual([]);
});
