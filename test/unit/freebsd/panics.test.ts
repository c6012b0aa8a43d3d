/** panics.test.ts — every panic of malloc(9) and UMA, provoked once; and what the kernel prints without stopping. */
import { describe, expect, test } from 'vitest';
import { IPIF_USER } from '../../../src/base/ipif.js';
import * as F from '../../../src/base/panics_freebsd.js';
import { KMZ_MT_ZONE } from '../../../src/freebsd/kern_malloc.layout.js';
import * as U from '../../../src/freebsd/uma.js';
import * as L from '../../../src/freebsd/uma_int.layout.js';
import { BINDING } from '../../../src/hw/ticket.js';
import type { BootOptions } from '../../../src/host/options.js';
import { KS_HANDLE, KS_MAGIC } from '../../../src/kern/malloc_type.layout.js';
import { Memory } from '../../../src/observe/memory.js';
import { panicRecord } from '../../../src/observe/panic_report.js';
import { type Freebsd, freebsd, NOWAIT, WAITOK } from '../../helpers/freebsd.js';
import { beforeAccess, panicCodeOf } from '../../helpers/inside.js';

interface Provocation {
  readonly code: number;
  readonly what: string;
  readonly options?: BootOptions;
  readonly act: (m: Freebsd, type: number) => unknown;
  readonly message: RegExp;
}

const NOT_A_TYPE = 4096 * 100;
/** A zone with a bucket in CPU 0's cache. */
function zone(m: Freebsd, args: object = {}): number {
  const z = m.f.umaZcreate({ name: 'Z', size: 64, ...args });
  m.give(z, m.take(z, 1));
  return z;
}

const MALLOC: Provocation[] = [
  {
    code: F.P_TYPE_LACKS_MAGIC,
    what: "a module's type is registered that it never filled in",
    act: (m, type) => m.f.moduleInit(m.f.malloc(68, type, WAITOK)),
    message: /^malloc type lacks magic$/,
  },
  {
    code: F.P_INIT_BEFORE_VM,
    what: 'a type is registered before malloc(9) is up',
    act: (m) => {
      m.i32[m.f.KMALLOC + KMZ_MT_ZONE] = 0;
      m.mallocTypeCreate('early');
    },
    message: /^malloc_register before vm_init$/,
  },
  {
    code: F.P_DEREGISTER,
    what: 'a type is given up that has no ks_handle',
    act: (m, type) => {
      m.poke(type, KS_HANDLE, 0);
      m.mallocUninit(type);
    },
    message: /^malloc_deregister: cookie NULL$/,
  },
  {
    code: F.P_UNINIT_NOT_FOUND,
    what: 'a type is given up that is on no list',
    act: (m) => {
      const type = m.types.mallocTypeRecord('stray');
      m.f.mallocInit(type);
      m.mallocUninit(type);
    },
    message: /^malloc_uninit: type 'stray' not found$/,
  },
  {
    code: F.P_BAD_INIT_TYPE,
    what: 'what is registered is no type',
    act: (m) => m.f.mallocInit(NOT_A_TYPE),
    message: /^malloc_init: bad malloc type magic$/,
  },
  {
    code: F.P_BAD_MALLOC_TYPE,
    what: 'memory is asked for with an address that is no type',
    act: (m) => m.f.malloc(8, NOT_A_TYPE, WAITOK),
    message: /^malloc: bad malloc type magic$/,
  },
  {
    code: F.P_BAD_FREE_TYPE,
    what: 'a block is freed with an address that is no type',
    act: (m, type) => m.f.free(m.f.malloc(8, type, WAITOK), NOT_A_TYPE),
    message: /^free: bad malloc type magic$/,
  },
  {
    code: F.P_BAD_REALLOC_TYPE,
    what: 'a block is to change size with an address that is no type',
    act: (m, type) => m.f.realloc(m.f.malloc(8, type, WAITOK), 100, NOT_A_TYPE, WAITOK),
    message: /^realloc: bad malloc type magic$/,
  },
  {
    code: F.P_WAITOK_INTR,
    what: 'an interrupt handler asks for memory with M_WAITOK',
    act: (m, type) => {
      m.ipiqRegister(IPIF_USER, () => m.f.malloc(8, type, WAITOK));
      m.on(1, () => m.lwktSendIpiq(0, IPIF_USER, 0, 0));
      m.splz();
    },
    message: /^malloc\(M_WAITOK\) in interrupt context$/,
  },
  {
    code: F.P_WAITOK_INTR,
    what: 'an interrupt handler asks a zone for an item with M_WAITOK',
    act: (m) => {
      const z = zone(m);
      m.ipiqRegister(IPIF_USER, () => m.take(z, 1));
      m.on(1, () => m.lwktSendIpiq(0, IPIF_USER, 0, 0));
      m.splz();
    },
    message: /^malloc\(M_WAITOK\) in interrupt context$/,
  },
  {
    code: F.P_WAITOK_NULL,
    what: 'M_WAITOK was turned into M_NOWAIT and there is no memory',
    options: { tunables: { 'debug.nosleepwithlocks': 1 }, memory: '8MiB' },
    act: (m, type) => {
      for (let n = 0; n < 3000; n++) m.f.malloc(4096, type, WAITOK);
    },
    message: /^malloc\(M_WAITOK\) returned NULL$/,
  },
  ...[
    { what: 'an address in the kernel image is freed', address: () => 4096 },
    { what: 'a page nobody allocated is freed', address: (m: Freebsd) => m.ku.KVA_START + m.ku.KVA_BYTES - 4096 },
    { what: 'an address behind the end of memory is freed', address: (m: Freebsd) => m.ku.KVA_START + m.ku.KVA_BYTES },
    { what: 'a pointer that was never set is freed', address: () => 0xdeadc0de | 0 },
    {
      what: 'the second page of a large block is freed',
      address: (m: Freebsd, type: number) => m.f.malloc(10000, type, WAITOK) + 4096,
    },
    {
      what: 'the middle of the first page of a large block is freed',
      address: (m: Freebsd, type: number) => m.f.malloc(10000, type, WAITOK) + 16,
    },
  ].map(({ what, address }) => ({
    code: F.P_FREE_UNALLOCATED,
    what,
    act: (m: Freebsd, type: number) => m.f.free(address(m, type), type),
    message: /^free: address 0x[0-9a-f]+\(0x[0-9a-f]+000\) has not been allocated\.$/,
  })),
  {
    code: F.P_FREE_UNALLOCATED,
    what: 'a large block is freed twice',
    act: (m, type) => {
      const block = m.f.malloc(10000, type, WAITOK);
      m.f.free(block, type);
      m.f.free(block, type);
    },
    message: /has not been allocated/,
  },
  {
    code: F.P_REALLOC_RANGE,
    what: 'an address that is no block is to change size',
    act: (m, type) => m.f.realloc(m.ku.KVA_START + m.ku.KVA_BYTES - 4096, 100, type, WAITOK),
    message: /^realloc: address 0x[0-9a-f]+ out of range$/,
  },
  ...(['mutex', 'mutex-up'] as const).map((stats) => ({
    code: F.P_CONFUSION,
    what: `${stats}: a block is freed with a type that has nothing like it`,
    options: { stats, cpus: 1 },
    act: (m: Freebsd, type: number) => m.f.free(m.f.malloc(100, type, WAITOK), m.mallocTypeCreate('other')),
    message: /^malloc\(9\)\/free\(9\) confusion\.\nProbably freeing with wrong type, but maybe not here\.$/,
  })),
  {
    code: F.P_KMEM_MAP,
    what: 'kmem_map is full and must not be',
    options: { tunables: { 'vm.kmem_size': 1 << 20 } },
    act: (m, type) => {
      for (;;) m.f.malloc(65536, type, WAITOK);
    },
    message: /^kmem_malloc\(65536\): kmem_map too small: \d+ total allocated$/,
  },
  {
    code: F.P_KMEM_MAP,
    what: 'more than there is of memory is asked for, and must not fail',
    act: (m, type) => m.f.malloc(-1, type, WAITOK),
    message: /^kmem_malloc\(-?\d+\): kmem_map too small/,
  },
];

const SIZES: Provocation[] = [
  {
    code: F.P_IPERS_0,
    what: 'alignment leaves no room for an item in a slab',
    act: (m) => m.f.umaZcreate({ name: 'Z', size: 64, align: 8191 }),
    message: /^zone_small_init: ipers is 0$/,
  },
  {
    code: F.P_IPERS_HIGH,
    what: 'a slab has more items than a byte can number',
    act: (m) => m.f.umaZcreate({ name: 'Z', size: 16, flags: U.UMA_ZONE_OFFPAGE }),
    message: /^keg->uk_ipers too high!$/,
  },
  {
    code: F.P_SLAB_WONT_FIT,
    what: 'rounding up the free list leaves no room for the header',
    act: (m) => m.f.kegSizing(31, 0, 0, 255),
    message: /^UMA slab won't fit\.$/,
  },
];

const BUCKETS: Provocation[] = [
  {
    code: F.P_BUCKET_MANGLED,
    what: 'a bucket has nothing where its count says there is an item',
    act: (m) => {
      const z = zone(m);
      m.take(z, 1);
      const { alloc } = m.buckets(z);
      m.poke(alloc, L.UB_BUCKET + m.word(alloc, L.UB_CNT) - 1, 0);
      m.take(z, 1);
    },
    message: /^uma_zalloc: Bucket pointer mangled\.$/,
  },
  {
    code: F.P_FREEING_NONFREE,
    what: 'an alloc bucket that is out is not empty when it is given back',
    act: (m) => {
      const z = m.f.umaZcreate({ name: 'Z', size: 64 });
      while (m.take(z, 1)[0] === 0 || m.cache(z).alloc!.cnt > 0);
      const lock = m.word(z, L.UZ_LOCK);
      beforeAccess('compareExchange', lock, () => m.poke(m.buckets(z).alloc, L.UB_CNT, -1), () => m.take(z, 1));
    },
    message: /^uma_zalloc_arg: Freeing a non free bucket\.$/,
  },
  {
    code: F.P_RETURNING_EMPTY,
    what: 'a full bucket of the zone is empty',
    act: (m) => {
      const z = m.f.umaZcreate({ name: 'Z', size: 64 });
      m.give(z, m.take(z, 400));
      expect(m.fullBuckets(z).length).toBeGreaterThan(0);
      for (let b = m.word(z, L.UZ_FULL_BUCKET); b !== 0; b = m.word(b, L.UB_LINK)) m.poke(b, L.UB_CNT, 0);
      m.take(z, 400);
    },
    message: /^uma_zalloc_arg: Returning an empty bucket\.$/,
  },
  {
    code: F.P_FREE_LIST_NOT_EMPTY,
    what: 'an empty bucket of the zone is not empty',
    act: (m) => {
      const z = m.f.umaZcreate({ name: 'Z', size: 64 });
      m.give(z, m.take(z, 400));
      m.take(z, 500);
      expect([m.fullBuckets(z).length, m.freeBuckets(z).length > 0]).toEqual([0, true]);
      for (let b = m.word(z, L.UZ_FREE_BUCKET); b !== 0; b = m.word(b, L.UB_LINK)) m.poke(b, L.UB_CNT, 1);
      m.on(1, () => m.take(z, 1));
    },
    message: /^uma_zalloc_bucket: Bucket on free list is not empty\.$/,
  },
  {
    code: F.P_NONFREE_INDEX,
    what: 'a bucket has an item where its count says there is none',
    act: (m) => {
      const z = zone(m);
      const item = m.take(z, 1)[0]!;
      const into = m.buckets(z).free || m.buckets(z).alloc;
      for (let n = m.word(into, L.UB_CNT); n < m.word(into, L.UB_ENTRIES); n++) m.poke(into, L.UB_BUCKET + n, item);
      m.give(z, [item]);
    },
    message: /^uma_zfree: Freeing to non free bucket index\.$/,
  },
  {
    code: F.P_INSERT_EMPTY,
    what: 'a free bucket that is full is empty',
    act: (m) => {
      const z = m.f.umaZcreate({ name: 'Z', size: 64 });
      const items = m.take(z, 5);
      m.give(z, items.slice(0, 1));
      const free = m.buckets(z).free;
      m.poke(free, L.UB_CNT, 0);
      m.poke(free, L.UB_ENTRIES, 0);
      m.give(z, items.slice(1, 2));
    },
    message: /^uma_zfree: Attempting to insert an empty bucket onto the full list\.$/,
  },
  {
    code: F.P_BOTCHED_PTR,
    what: 'a bucket that is emptied has nothing where its count says there is an item',
    act: (m) => {
      const z = m.f.umaZcreate({ name: 'Z', size: 64 });
      m.give(z, m.take(z, 400));
      m.poke(m.word(z, L.UZ_FULL_BUCKET), L.UB_BUCKET, 0);
      m.reclaim();
    },
    message: /^bucket_drain: botched ptr, item is NULL$/,
  },
];

const ZONES: Provocation[] = [
  {
    code: F.P_PAGE_FREE_FLAGS,
    what: 'a slab is given back that came from nowhere',
    act: (m) => {
      const z = m.f.umaZcreate({ name: 'Z', size: 64 });
      m.f.umaPrealloc(z, 1);
      m.poke(m.keg(z, L.UK_FREE_SLAB), L.US_FLAGS, U.UMA_SLAB_PRIV);
      m.reclaim();
    },
    message: /^UMA: page_free used with invalid flags 8$/,
  },
  ...([
    [F.P_SET_INIT, 'umaZoneSetInit', /^uma_zone_set_init on non-empty keg$/],
    [F.P_SET_FINI, 'umaZoneSetFini', /^uma_zone_set_fini on non-empty keg$/],
    [F.P_SET_ZINIT, 'umaZoneSetZinit', /^uma_zone_set_zinit on non-empty keg$/],
    [F.P_SET_ZFINI, 'umaZoneSetZfini', /^uma_zone_set_zfini on non-empty keg$/],
  ] as const).map(([code, set, message]) => ({
    code, message,
    what: `${set} on a keg that has slabs`,
    act: (m: Freebsd) => m.f[set](zone(m), 0),
  })),
  {
    code: F.P_NOT_REFCNT,
    what: "an item's reference count is asked for in a zone that has none",
    act: (m) => {
      const z = zone(m);
      m.f.umaFindRefcnt(z, m.take(z, 1)[0]!);
    },
    message: /^uma_find_refcnt\(\): zone possibly not UMA_ZONE_REFCNT$/,
  },
  {
    code: F.P_NOT_REFCNT,
    what: 'a reference count is asked for of what is no item',
    act: (m) => m.f.umaFindRefcnt(zone(m, { flags: U.UMA_ZONE_REFCNT }), 4096),
    message: /zone possibly not UMA_ZONE_REFCNT/,
  },
];

const trash = { ctor: U.UMAF_TRASH, dtor: U.UMAF_TRASH, init: U.UMAF_TRASH, fini: U.UMAF_TRASH };

const DEBUG: Provocation[] = [
  {
    code: F.P_MODIFIED_AFTER_FREE,
    what: 'an item of a zone with trash functions is written to after its free',
    act: (m) => {
      const z = m.f.umaZcreate({ name: 'Z', size: 64, ...trash });
      const item = m.take(z, 1)[0]!;
      m.give(z, [item]);
      m.poke(item, 3, 0xbad);
      while (m.take(z, 1)[0] !== item);
    },
    message: /^Memory modified after free 0x[0-9a-f]+\(64\) val=bad @ 0x[0-9a-f]+c$/,
  },
  {
    code: F.P_MOST_RECENTLY,
    what: 'a block is written to after its free',
    act: (m, type) => {
      const block = m.f.malloc(64, type, WAITOK);
      m.f.free(block, type);
      m.poke(block, 3, 0xbad);
      while (m.f.malloc(64, type, WAITOK) !== block);
    },
    message: /^Most recently used by temp$/,
  },
  {
    code: F.P_MOST_RECENTLY,
    what: 'a block is written to that nobody ever had',
    act: (m, type) => {
      m.f.malloc(64, type, WAITOK);
      const { alloc } = m.buckets(m.f.kmemZone(64));
      m.poke(m.word(alloc, L.UB_BUCKET + m.word(alloc, L.UB_CNT) - 1), 3, 0xbad);
      m.f.malloc(64, type, WAITOK);
    },
    message: /^Most recently used by none$/,
  },
  {
    code: F.P_ITEM_NOT_BELONG,
    what: 'a bucket holds what lies in no slab',
    act: (m) => {
      const z = zone(m, { flags: U.UMA_ZONE_REFCNT });
      m.take(z, 1);
      const { alloc } = m.buckets(z);
      m.poke(alloc, L.UB_BUCKET + m.word(alloc, L.UB_CNT) - 1, 4096);
      m.take(z, 1);
    },
    message: /^uma: item 0x1000 did not belong to zone Z$/,
  },
  {
    code: F.P_FREED_NOT_BELONG,
    what: "an item is freed into another zone's",
    act: (m) => {
      const [a, b] = [zone(m), zone(m, { name: 'other' })];
      m.give(b, m.take(a, 1));
    },
    message: /^uma: Freed item 0x[0-9a-f]+ did not belong to zone other$/,
  },
  {
    code: F.P_FREED_NOT_BELONG,
    what: 'an item of a zone with a hash is freed that no slab of it has',
    act: (m) => m.give(zone(m, { size: 3000 }), [m.ku.KVA_START + m.ku.KVA_BYTES - 4096]),
    message: /^uma: Freed item 0x[0-9a-f]+ did not belong to zone Z$/,
  },
  {
    code: F.P_FREELIST_RANGE,
    what: 'the header of a slab is freed',
    act: (m, type) => {
      const block = m.f.malloc(64, type, WAITOK);
      m.f.free((block & -4096) + 4032, type);
    },
    message: /^zone: 64\(0x[0-9a-f]+\) slab 0x[0-9a-f]+ freelist 63 out of range 0-61$/,
  },
  {
    code: F.P_SHOULD_BE,
    what: 'the middle of a block is freed',
    act: (m, type) => m.f.free(m.f.malloc(64, type, WAITOK) + 16, type),
    message: /^should be 0x[0-9a-f]+$/,
  },
  {
    code: F.P_DUPLICATE_FREE,
    what: 'a block is freed twice',
    act: (m, type) => {
      const block = m.f.malloc(64, type, WAITOK);
      m.f.free(block, type);
      m.f.free(block, type);
    },
    message: /^Duplicate free of item 0x[0-9a-f]+ from zone 0x[0-9a-f]+\(64\)$/,
  },
];

const PROVOCATIONS = [...MALLOC, ...SIZES, ...BUCKETS, ...ZONES, ...DEBUG];

describe('a panic when', () => {
  test.each(PROVOCATIONS.map((p) => [p.what, p] as const))('%s', async (_, { code, options, act, message }) => {
    const m = await freebsd(options);
    const type = m.mallocTypeCreate('temp');
    expect(panicCodeOf(() => act(m, type))).toBe(code);
    const record = panicRecord(m.memory);
    expect(record?.code).toBe(code);
    expect(record?.message.trimEnd()).toMatch(message);
  });

  test('there are too few boot pages, which stops the boot itself', async () => {
    const error = await freebsd({ tunables: { 'vm.boot_pages': 1 } }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ panicCode: F.P_BOOT_PAGES });
    const { heap } = (globalThis as unknown as Record<symbol, { heap: SharedArrayBuffer }>)[BINDING]!;
    expect(panicRecord(new Memory(heap))?.message).toBe('UMA: Increase vm.boot_pages');
  });
});

test('every panic of malloc(9) and UMA is provoked here', () => {
  const elsewhere = [F.P_BOOT_PAGES];
  const here = [...PROVOCATIONS.map(({ code }) => code), ...elsewhere];
  const all = Object.keys(F.FREEBSD_PANICS).map(Number);
  expect([...new Set(here)].sort((a, b) => a - b)).toEqual(all.sort((a, b) => a - b));
});

test('an expected failure is no panic', async () => {
  const m = await freebsd();
  const type = m.mallocTypeCreate('temp');
  expect(m.f.malloc(1 << 27, type, NOWAIT)).toBe(0);
  expect(m.f.malloc(-1, type, NOWAIT)).toBe(0);
  expect(m.f.realloc(m.f.malloc(100, type, WAITOK), 1 << 27, type, NOWAIT)).toBe(0);
  expect(panicRecord(m.memory)).toBeNull();
});

test('a type without magic is no type: its block cannot be freed once the type is given up', async () => {
  const m = await freebsd();
  const type = m.mallocTypeCreate('temp');
  const block = m.f.malloc(100, type, WAITOK);
  m.mallocUninit(type);
  expect(m.word(type, KS_MAGIC)).toBe(0);
  expect(panicCodeOf(() => m.f.free(block, type))).toBe(F.P_BAD_FREE_TYPE);
});
