/** messages.test.ts — what malloc(9) and UMA print without stopping. */
import { expect, test } from 'vitest';
import { P_DUPLICATE_FREE, P_MOST_RECENTLY, P_SHOULD_BE } from '../../../src/base/panics_freebsd.js';
import { freebsd, NOWAIT, WAITOK } from '../../helpers/freebsd.js';
import { panicCodeOf } from '../../helpers/inside.js';

test('a quiet machine has printed nothing', async () => {
  const m = await freebsd();
  m.f.malloc(100, m.mallocTypeCreate('temp'), WAITOK);
  expect(m.messages()).toEqual([]);
});

test.each([[0, '0'], [NOWAIT | WAITOK, '3'], [0x100, '100']])(
  'flags %i are bad: the kernel says so and goes on with M_WAITOK', async (flags, text) => {
    const m = await freebsd();
    const type = m.mallocTypeCreate('temp');
    expect(m.f.malloc(100, type, flags)).not.toBe(0);
    expect(m.messages()).toEqual([`Bad malloc flags: ${text}`]);
  },
);

test('it says so once a second', async () => {
  const m = await freebsd();
  const type = m.mallocTypeCreate('temp');
  for (let n = 0; n < 5; n++) m.f.malloc(100, type, 0);
  expect(m.messages()).toHaveLength(1);
  m.uptime(1);
  for (let n = 0; n < 5; n++) m.f.malloc(100, type, 0);
  expect(m.messages()).toHaveLength(2);
});

test('and only with checks: the release flavour does not look (the #ifdef of the pointy hat)', async () => {
  const m = await freebsd({ invariants: false });
  expect(m.f.malloc(100, m.mallocTypeCreate('temp'), 0)).not.toBe(0);
  expect(m.messages()).toEqual([]);
});

test('a type that is given up with blocks out leaks them, and is named', async () => {
  const m = await freebsd();
  const type = m.mallocTypeCreate('leaky');
  m.f.malloc(100, type, WAITOK);
  m.f.malloc(5000, type, WAITOK);
  expect(m.mallocUninit(type)).toBe(128 + 8192);
  expect(m.messages()).toEqual([
    'Warning: memory type leaky leaked memory on destroy (2 allocations, 8320 bytes leaked).',
  ]);
  expect(m.mallocUninit(m.mallocTypeCreate('tidy'))).toBe(0);
  expect(m.messages()).toHaveLength(1);
});

test('a keg that is not empty when its last zone goes is lost', async () => {
  const m = await freebsd();
  const zone = m.f.umaZcreate({ name: 'Z', size: 1024 });
  // four items a slab, and the first bucket wants five
  m.take(zone, 3);
  m.f.umaZdestroy(zone);
  expect(m.messages()).toEqual(['Freed UMA keg was not empty (5 items).  Lost 2 pages of memory.']);
});

test('the old name of vm.kmem_size is still understood', async () => {
  const m = await freebsd({ tunables: { 'kern.vm.kmem.size': 9 << 20 } });
  expect(m.messages()).toEqual(['kern.vm.kmem.size is now called vm.kmem_size!']);
});

test('an unaligned free is printed before the panic says where the item begins', async () => {
  const m = await freebsd();
  const type = m.mallocTypeCreate('temp');
  const block = m.f.malloc(64, type, WAITOK);
  expect(panicCodeOf(() => m.f.free(block + 4, type))).toBe(P_SHOULD_BE);
  expect(m.messages()[0]).toMatch(
    new RegExp(`^zone: 64\\(0x[0-9a-f]+\\) slab 0x[0-9a-f]+ freed address 0x${(block + 4).toString(16)} unaligned\\.$`),
  );
});

test('a duplicate free is printed with what the free list has', async () => {
  const m = await freebsd();
  const type = m.mallocTypeCreate('temp');
  const block = m.f.malloc(64, type, WAITOK);
  m.f.free(block, type);
  expect(panicCodeOf(() => m.f.free(block, type))).toBe(P_DUPLICATE_FREE);
  expect(m.messages()[0]).toMatch(/^Slab at 0x[0-9a-f]+, freei \d+ = 0\.$/);
});

test('memory that was modified is printed before its last user is', async () => {
  const m = await freebsd();
  const type = m.mallocTypeCreate('temp');
  const block = m.f.malloc(64, type, WAITOK);
  m.f.free(block, type);
  m.poke(block, 0, 0x123);
  const all = () => {
    while (m.f.malloc(64, type, WAITOK) !== 0);
  };
  expect(panicCodeOf(all)).toBe(P_MOST_RECENTLY);
  const at = block.toString(16);
  expect(m.messages()).toEqual([`Memory modified after free 0x${at}(64) val=123 @ 0x${at}`]);
});

test('debug.nosleepwithlocks turns every M_WAITOK into M_NOWAIT, and says of whom', async () => {
  const m = await freebsd({ tunables: { 'debug.nosleepwithlocks': 1 } });
  const zone = m.f.umaZcreate({ name: 'sleepy', size: 64 });
  const said = m.messages().length;
  m.take(zone, 1);
  m.take(zone, 1, NOWAIT);
  expect(m.messages().slice(said)).toEqual(['malloc(M_WAITOK) of "sleepy", forcing M_NOWAIT']);
});
