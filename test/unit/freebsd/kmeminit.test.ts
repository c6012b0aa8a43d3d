/** kmeminit.test.ts — how much kmem_map may hold, by every tunable; and what goes wrong in bytes (PAE). */
import { expect, test } from 'vitest';
import { P_KMEM_MAP } from '../../../src/base/panics_freebsd.js';
import { M_USE_RESERVE, VM_KMEM_SIZE } from '../../../src/freebsd/malloc.js';
import * as L from '../../../src/freebsd/uma_int.layout.js';
import { freebsd, NOWAIT, WAITOK } from '../../helpers/freebsd.js';
import { panicCodeOf } from '../../helpers/inside.js';

const MB = 1 << 20;
const PAGES = (mb: number): number => mb * 256;
const NONE = { size: 0, sizeOld: 0, min: 0, max: 0, scale: 0 };

test('12 MB are the least; memory over the scale is more when it is more', async () => {
  const { f } = await freebsd();
  expect(f.kmemSize(PAGES(64), NONE)).toBe(VM_KMEM_SIZE);
  expect(f.kmemSize(PAGES(64), { ...NONE, scale: 2 })).toBe(32 * MB);
  expect(f.kmemSize(PAGES(64), { ...NONE, scale: 3 })).toBe(Math.floor(PAGES(64) / 3) * 4096);
  expect(f.kmemSize(PAGES(64), { ...NONE, scale: 100 })).toBe(VM_KMEM_SIZE);
});

test('a floor, a ceiling, and vm.kmem_size, which is above both', async () => {
  const { f } = await freebsd();
  expect(f.kmemSize(PAGES(64), { ...NONE, min: 20 * MB })).toBe(20 * MB);
  expect(f.kmemSize(PAGES(64), { ...NONE, scale: 1, max: 20 * MB })).toBe(20 * MB);
  expect(f.kmemSize(PAGES(64), { ...NONE, min: 30 * MB, max: 20 * MB })).toBe(20 * MB);
  expect(f.kmemSize(PAGES(64), { ...NONE, max: 20 * MB, size: 40 * MB })).toBe(40 * MB);
});

test('the old name counts, and the new one wins', async () => {
  const { f } = await freebsd();
  expect(f.kmemSize(PAGES(64), { ...NONE, sizeOld: 33 * MB })).toBe(33 * MB);
  expect(f.kmemSize(PAGES(64), { ...NONE, sizeOld: 33 * MB, size: 44 * MB })).toBe(44 * MB);
});

test('never more than twice the memory', async () => {
  const { f } = await freebsd();
  expect(f.kmemSize(PAGES(64), { ...NONE, size: 500 * MB })).toBe(128 * MB);
  expect(f.kmemSize(PAGES(4), NONE)).toBe(8 * MB);
});

test('PAE: 4.5 GB of memory over 20 are some 230 MB in pages, and a twentieth of half a gigabyte in 32-bit bytes', async () => {
  const { f } = await freebsd();
  const t = { ...NONE, scale: 20 };
  expect(f.kmemSize(PAGES(4608), t) / MB).toBeCloseTo(230.4, 1);
  expect(f.kmemSize(PAGES(4608), t, true) / MB).toBeCloseTo(25.6, 1);
  for (const mb of [16, 64, 1024, 4095]) {
    expect(f.kmemSize(PAGES(mb), t, true) >> 20).toBe(f.kmemSize(PAGES(mb), t) >> 20);
  }
});

test('a machine takes its tunables, and kmem_map keeps to them', async () => {
  const m = await freebsd({ tunables: { 'vm.kmem_size': 2 * MB } });
  const type = m.mallocTypeCreate('temp');
  expect(m.i32[m.f.UMA + L.KMEM_SIZE]).toBe(2 * MB);
  let got = 0;
  while (m.f.malloc(65536, type, NOWAIT) !== 0) got++;
  expect(got).toBeGreaterThan(28);
  expect(m.i32[m.f.UMA + L.KMEM_PAGES]).toBeLessThanOrEqual(512);
  expect(m.quiesceAndAudit().violations).toEqual([]);
  expect(panicCodeOf(() => m.f.malloc(65536, type, WAITOK))).toBe(P_KMEM_MAP);
});

test('before it panics, a full kmem_map asks the zones for what they hoard', async () => {
  const m = await freebsd({ tunables: { 'vm.kmem_size': 2 * MB } });
  const type = m.mallocTypeCreate('temp');
  m.f.umaPrealloc(m.f.kmemZone(64), 62 * 300);
  const block = m.f.malloc(MB, type, WAITOK);
  expect(block).not.toBe(0);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('the map remembers how full it ever was', async () => {
  const m = await freebsd();
  const type = m.mallocTypeCreate('temp');
  m.f.free(m.f.malloc(MB, type, WAITOK), type);
  expect(m.i32[m.f.UMA + L.KMEM_PEAK]! - m.i32[m.f.UMA + L.KMEM_PAGES]!).toBeGreaterThanOrEqual(256);
});

test('the last pages are for M_NOWAIT without M_USE_RESERVE', async () => {
  const m = await freebsd({ memory: '8MiB' });
  const type = m.mallocTypeCreate('temp');
  while (m.f.malloc(4096, type, NOWAIT | M_USE_RESERVE) !== 0);
  expect(m.page.vmFreeCount()).toBeGreaterThanOrEqual(2);
  expect(m.f.malloc(4096, type, NOWAIT)).not.toBe(0);
  while (m.f.malloc(4096, type, NOWAIT) !== 0);
  expect(m.page.vmFreeCount()).toBe(0);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});
