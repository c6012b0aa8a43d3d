/** uma_startup.test.ts — UMA from nothing, on machines small and large. */
import { expect, test } from 'vitest';
import { KMZ_MT_ZONE } from '../../../src/freebsd/kern_malloc.layout.js';
import * as L from '../../../src/freebsd/uma_int.layout.js';
import { umaZones } from '../../../src/observe/uma_zones.js';
import { freebsd, WAITOK } from '../../helpers/freebsd.js';
import { beforeAccess } from '../../helpers/inside.js';

const INTERNAL = [
  'UMA Kegs', 'UMA Zones', 'UMA Slabs', 'UMA RCntSlabs', 'UMA Hash',
  '16 Bucket', '32 Bucket', '64 Bucket', '128 Bucket',
];

test('the zones of the allocator, of types, and of every power of two', async () => {
  const m = await freebsd();
  const zones = umaZones(m.memory);
  expect(zones.filter(({ internal }) => internal).map(({ name }) => name).reverse()).toEqual(INTERNAL);
  expect(zones.filter(({ internal }) => !internal).map(({ name }) => name).reverse()).toEqual([
    'mt_zone', '16', '32', '64', '128', '256', '512', '1024', '2048', '4096',
  ]);
  expect(m.i32[m.f.UMA + L.UMA_NZONES]).toBe(zones.length);
});

test.each([[1, '16MiB'], [2, '8MiB'], [8, '64MiB'], [64, '64MiB'], [256, '512MiB']] as const)(
  '%i CPUs in %s boot, allocate and pass the audit', async (cpus, memory) => {
    const m = await freebsd({ cpus, memory });
    const type = m.mallocTypeCreate('temp');
    const blocks = Array.from({ length: Math.min(cpus, 20) }, (_, n) => {
      const cpu = Math.floor((n * cpus) / Math.min(cpus, 20));
      return m.on(cpu, () => m.f.malloc(100, type, WAITOK));
    });
    expect(m.quiesceAndAudit(1)).toMatchObject({ violations: [], blocks: blocks.length });
    for (const block of blocks) m.f.free(block, type);
    expect(m.quiesceAndAudit(1)).toMatchObject({ violations: [], blocks: 0 });
  }, 30_000,
);

test('boot pages are used up before kmem_map is asked, and never given back', async () => {
  const m = await freebsd({ tunables: { 'vm.boot_pages': 24 } });
  const left = m.i32[m.f.UMA + L.UMA_BOOT_FREE]!;
  expect(left).toBeGreaterThan(0);
  for (let n = 0; n < 400; n++) m.f.umaZcreate({ name: `z${n}`, size: 64 });
  expect(m.i32[m.f.UMA + L.UMA_BOOT_FREE]).toBe(0);
  m.reclaim();
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('zones come and go by hundreds, and leave nothing', async () => {
  const m = await freebsd();
  const count = m.i32[m.f.UMA + L.UMA_NZONES];
  for (let round = 0; round < 2; round++) {
    const zones = Array.from({ length: 200 }, (_, n) => m.f.umaZcreate({ name: `z${n}`, size: 16 + n * 20 }));
    for (const z of zones) m.give(z, m.take(z, 3));
    for (const z of zones) m.f.umaZdestroy(z);
  }
  expect(m.i32[m.f.UMA + L.UMA_NZONES]).toBe(count);
  expect(m.messages()).toEqual([]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('types come and go, and their statistics with them', async () => {
  const m = await freebsd();
  for (let n = 0; n < 600; n++) {
    const type = m.mallocTypeCreate(`t${n}`);
    expect(type).not.toBe(0);
    m.f.free(m.f.malloc(50, type, WAITOK), type);
    expect(m.mallocUninit(type)).toBe(0);
  }
  expect(m.messages()).toEqual([]);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});

test('two CPUs define the same type at once: there is one, and nothing of the other is left', async () => {
  const m = await freebsd();
  const mtZone = m.i32[m.f.KMALLOC + KMZ_MT_ZONE]!;
  m.mallocTypeCreate('first');
  const lock = m.word(mtZone, L.UZ_LOCK);
  m.reclaim();
  let theirs = 0;
  const create = () => m.mallocTypeCreate('same');
  // CPU 1 is in the middle of it when CPU 0 does all of it
  const mine = m.on(1, () => beforeAccess('compareExchange', lock, () => (theirs = m.on(0, create)), create));
  expect(mine).toBe(theirs);
  const { allocs, frees } = m.counts(mtZone);
  expect(allocs - frees).toBe(2);
  expect(m.quiesceAndAudit().violations).toEqual([]);
});
