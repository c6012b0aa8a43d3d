import { beforeEach, describe, expect, test } from 'vitest';
import { P_KERNEL_MAP } from '../../src/base/panics.js';
import {
  SL_FREEOVZONES, SL_JUNKINDEX, SL_NFREEZONES, SLZF_UNOTZEROD, Z_BASEPTR, Z_FLAGS, Z_NMAX, Z_UINDEX,
} from '../../src/dragonfly/slaballoc.layout.js';
import { IPIF_USER } from '../../src/base/ipif.js';
import { type Inside, inside, panicCodeOf } from '../helpers/inside.js';

const FLAVOURS = [true, false];

/** the sizes around every edge of the table of classes, and some between */
const SIZES = [1, 7, 8, 9, 16, 24, 63, 64, 65, 100, 127, 128, 129, 255, 256, 500, 512, 1000, 1024, 1500, 2048, 3000];
const LARGER = [4095, 4096, 4097, 6000, 8184, 8185, 8191, 8192, 8193, 10000, 12288, 16384, 20000, 40000, 65536, 100001];

let m: Inside;
let type: number;

function bytesAre(from: number, length: number, value: number): boolean {
  for (let byte = from; byte < from + length; byte++) if (m.u8[byte] !== value) return false;
  return true;
}

function freeZones(): number {
  return m.i32[m.slab.slgdFind(0) + SL_NFREEZONES]!;
}

describe.each(FLAVOURS)('with invariants %s', (invariants) => {
  beforeEach(async () => {
    m = await inside({ invariants });
    type = m.mallocTypeCreate('temp');
  });

  test('a block is aligned to 8, and to its size when that is a power of two', () => {
    for (const size of [...SIZES, ...LARGER]) {
      const blocks = [m.kmalloc(size, type, m.M_WAITOK), m.kmalloc(size, type, m.M_WAITOK)];
      for (const block of blocks) {
        expect(block % 8, `${size}`).toBe(0);
        if ((size & (size - 1)) === 0) expect(block % Math.min(size, 1 << 24), `${size}`).toBe(0);
        m.kfree(block, type);
      }
    }
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0, bytes: 0 });
  });

  test('blocks do not overlap, whatever their sizes', () => {
    const blocks: [address: number, size: number][] = [];
    for (let round = 0; round < 4; round++) {
      for (const size of [...SIZES, ...LARGER]) blocks.push([m.kmalloc(size, type, m.M_WAITOK), size]);
    }
    blocks.sort((a, b) => a[0] - b[0]);
    for (let n = 1; n < blocks.length; n++) {
      expect(blocks[n]![0]).toBeGreaterThanOrEqual(blocks[n - 1]![0] + blocks[n - 1]![1]);
    }
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: blocks.length });
  });

  test('a block freed is the next one of its class', () => {
    const first = m.kmalloc(100, type, m.M_WAITOK);
    m.kmalloc(100, type, m.M_WAITOK);
    m.kfree(first, type);
    expect(m.kmalloc(104, type, m.M_WAITOK)).toBe(first);
  });

  test('size 0 gives ZERO_LENGTH_PTR, which is no memory, is not counted, and can be freed', () => {
    expect(m.kmalloc(0, type, m.M_WAITOK)).toBe(m.ZERO_LENGTH_PTR);
    m.kfree(m.ZERO_LENGTH_PTR, type);
    expect(m.mallocTypeRequests(type)).toBe(0);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], zones: 0, blocks: 0 });
  });

  test('M_ZERO gives zeroes on fresh memory', () => {
    for (const size of [...SIZES, ...LARGER]) {
      const block = m.kmalloc(size, type, m.M_WAITOK | m.M_ZERO);
      expect(bytesAre(block, m.kmallocUsable(block), 0), `${size}`).toBe(true);
    }
  });

  test('M_ZERO gives zeroes on memory that was used before', () => {
    for (const size of [...SIZES, ...LARGER]) {
      const dirty = m.kmalloc(size, type, m.M_WAITOK);
      m.u8.fill(0xa5, dirty, dirty + size);
      m.kfree(dirty, type);
      const block = m.kmalloc(size, type, m.M_WAITOK | m.M_ZERO);
      expect(bytesAre(block, m.kmallocUsable(block), 0), `${size}`).toBe(true);
      m.kfree(block, type);
    }
  });

  test('M_ZERO gives zeroes when zone pages come back as another class, and as an oversized block', () => {
    const small = Array.from({ length: 3000 }, () => m.kmalloc(64, type, m.M_WAITOK));
    for (const block of small) m.u8.fill(0xa5, block, block + 64);
    for (const block of small) m.kfree(block, type);
    const other = Array.from({ length: 60 }, () => m.kmalloc(1500, type, m.M_WAITOK | m.M_ZERO));
    for (const block of other) expect(bytesAre(block, 1500, 0)).toBe(true);
    m.slabCleanup(true);
    for (let n = 0; n < 10; n++) {
      expect(bytesAre(m.kmalloc(40000, type, m.M_WAITOK | m.M_ZERO), 40000, 0)).toBe(true);
    }
  });

  test('M_POWEROF2 rounds the size up to a power of two, and aligns to it', () => {
    for (const [size, rounded] of [[1, 8], [3, 8], [33, 64], [100, 128], [128, 128], [2000, 2048], [5000, 8192]]) {
      const block = m.kmalloc(size!, type, m.M_WAITOK | m.M_POWEROF2);
      expect([m.kmallocUsable(block), block % rounded!], `${size}`).toEqual([rounded, 0]);
    }
    const large = m.kmalloc(20000, type, m.M_WAITOK | m.M_POWEROF2);
    expect([m.kmallocUsable(large), large % 32768]).toEqual([32768, 0]);
  });

  test('sizes from ZoneLimit on, and whole pages beyond two, get pages of their own', () => {
    const block = m.kmalloc(m.slab.ZONE_LIMIT, type, m.M_WAITOK);
    expect(block % 4096).toBe(0);
    expect(m.i32[m.ku.btokup(block)]).toBe(m.slab.ZONE_LIMIT / 4096);
    expect(m.i32[m.ku.btokup(m.kmalloc(8193, type, m.M_WAITOK))]).toBe(3);
    expect(m.i32[m.ku.btokup(m.kmalloc(12288, type, m.M_WAITOK))]).toBe(3);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], zones: 0, blocks: 3, bytes: 8192 + 2 * 12288 });
  });

  test('one or two whole pages still come from a zone when zones are large enough', async () => {
    m = await inside({ invariants, memory: '80MiB' });
    type = m.mallocTypeCreate('temp');
    for (const size of [4096, 8192]) {
      expect(m.kmallocUsable(m.kmalloc(size, type, m.M_WAITOK))).toBe(size);
    }
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], zones: 2 });
  });

  test('an oversized block leaves nothing behind, and its KBs are counted while it is out', () => {
    const block = m.kmalloc(40000, type, m.M_WAITOK);
    expect(m.sysctl('kern.zone_big_alloc')).toBe(40);
    m.kfree(block, type);
    expect(m.sysctl('kern.zone_big_alloc')).toBe(0);
    expect(m.i32[m.ku.btokup(block)]).toBe(0);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0, zones: 0 });
  });

  test('an oversized block freed by an interrupt waits on FreeOvZones for the next allocation', () => {
    const block = m.kmalloc(40000, type, m.M_WAITOK);
    m.ipiqRegister(IPIF_USER, (ptr, of) => m.kfree(ptr, of));
    m.on(1, () => m.lwktSendIpiq(0, IPIF_USER, block, type));
    m.splz();
    expect(m.i32[m.slab.slgdFind(0) + SL_FREEOVZONES]).toBe(block);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
    m.kmalloc(10000, type, m.M_WAITOK);
    expect(m.i32[m.slab.slgdFind(0) + SL_FREEOVZONES]).toBe(0);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 1 });
  });

  test('a class keeps its last zone; a second one goes to FreeZones when all its chunks are home', () => {
    const first = m.exhaust(1000, type);
    const second = m.exhaust(1000, type);
    for (const block of first) m.kfree(block, type);
    expect(freeZones()).toBe(0);
    for (const block of second) m.kfree(block, type);
    expect(freeZones()).toBe(1);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], zones: 1, blocks: 0 });
  });

  test('a new zone of any class comes from FreeZones first, and is known to be dirty', () => {
    const zones = [m.exhaust(1000, type), m.exhaust(1000, type)];
    for (const block of zones.flat()) m.kfree(block, type);
    const wired = m.page.vmFreeCount();
    const block = m.kmalloc(64, type, m.M_WAITOK);
    expect(freeZones()).toBe(0);
    expect(m.page.vmFreeCount()).toBe(wired);
    expect(m.word(m.zoneOf(block), Z_FLAGS) & SLZF_UNOTZEROD).toBe(SLZF_UNOTZEROD);
  });

  test.each([0, 2, 5])('kern.zone_cache %i: so many spare zones a CPU keeps, the rest goes back', async (keep) => {
    m = await inside({ invariants, tunables: { 'kern.zone_cache': keep } });
    type = m.mallocTypeCreate('temp');
    const zones = Array.from({ length: 8 }, () => m.exhaust(1000, type));
    for (const block of zones.flat()) m.kfree(block, type);
    expect(freeZones()).toBe(7);
    m.kmalloc(40000, type, m.M_NOWAIT);
    expect(freeZones(), 'M_NOWAIT gives nothing back').toBe(7);
    m.kmalloc(40000, type, m.M_WAITOK);
    expect(freeZones()).toBe(keep);
    expect(m.sysctl('kern.zone_gen_alloc')).toBe(((keep + 1) * m.slab.ZONE_SIZE) / 1024);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], zones: 1, blocks: 2 });
  });

  test('zones begin to hand out at different places: the colour moves by 20 a zone', () => {
    const bases = [];
    for (let n = 0; n < 4; n++) {
      const chunk = m.exhaust(1024, type)[0]!;
      const z = m.zoneOf(chunk);
      expect((chunk - m.word(z, Z_BASEPTR)) / 1024).toBe((n * 20) % m.word(z, Z_NMAX));
      bases.push(chunk % m.slab.ZONE_SIZE);
    }
    expect(new Set(bases).size).toBe(4);
    expect(m.i32[m.slab.slgdFind(0) + SL_JUNKINDEX]).toBe(80);
  });

  test('a zone that begins in the middle hands out every chunk once', () => {
    m.exhaust(1024, type);
    const chunks = m.exhaust(1024, type);
    const z = m.zoneOf(chunks[0]!);
    expect(m.word(z, Z_UINDEX)).not.toBe(0);
    const indices = chunks.map((chunk) => (chunk - m.word(z, Z_BASEPTR)) / 1024).sort((a, b) => a - b);
    expect(indices).toEqual(Array.from({ length: m.word(z, Z_NMAX) }, (_, n) => n));
  });

  test.each([100, 40000])('M_NOWAIT gives 0 when memory is used up, and nothing leaks (blocks of %i)', (size) => {
    m.kmallocRaiseLimit(type, 0);
    const blocks: number[] = [];
    for (;;) {
      const block = m.kmalloc(size, type, m.M_NOWAIT);
      if (block === 0) break;
      blocks.push(block);
    }
    expect(blocks.length * size).toBeGreaterThan(8 << 20);
    const requests = m.mallocTypeRequests(type);
    expect(requests).toBe(blocks.length);
    expect(m.kmalloc(1 << 20, type, m.M_NOWAIT)).toBe(0);
    expect(m.mallocTypeRequests(type)).toBe(requests);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: blocks.length });
    for (const block of blocks) m.kfree(block, type);
    m.slabCleanup(true);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], zones: 0, blocks: 0 });
    expect(m.page.vmFreeCount()).toBe(m.ku.KVA_BYTES / 4096);
  });

  test('memory that another class hoards in spare zones is found before an allocation fails', async () => {
    m = await inside({ invariants, memory: '8MiB', tunables: { 'kern.zone_cache': 100000 } });
    type = m.mallocTypeCreate('temp');
    m.kmallocRaiseLimit(type, 0);
    const blocks: number[] = [];
    for (let block; (block = m.kmalloc(1000, type, m.M_NOWAIT)) !== 0; ) blocks.push(block);
    for (const block of blocks) m.kfree(block, type);
    expect(m.kmalloc(4 << 20, type, m.M_NOWAIT)).not.toBe(0);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 1 });
  });

  test('a size beyond all memory fails with M_NOWAIT or M_NULLOK, and is a panic otherwise', () => {
    for (const size of [m.ku.KVA_BYTES + 1, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff, -1, -4096]) {
      expect(m.kmalloc(size, type, m.M_NOWAIT), `${size}`).toBe(0);
      expect(m.kmalloc(size, type, m.M_WAITOK | m.M_NULLOK), `${size}`).toBe(0);
    }
    for (const size of [0x7fffffff, 0x80000001, -1]) {
      expect(m.kmalloc(size, type, m.M_NOWAIT | m.M_POWEROF2)).toBe(0);
    }
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
    expect(panicCodeOf(() => m.kmalloc(0xffffffff, type, m.M_WAITOK))).toBe(P_KERNEL_MAP);
  });

  test('a CPU has zones of its own', () => {
    const here = m.kmalloc(64, type, m.M_WAITOK);
    const there = m.on(1, () => m.kmalloc(64, type, m.M_WAITOK));
    expect(m.zoneOf(here)).not.toBe(m.zoneOf(there));
    expect(m.i32[m.ku.btokup(m.zoneOf(here))]).toBe(-1);
    expect(m.i32[m.ku.btokup(m.zoneOf(there))]).toBe(-2);
  });
});

test('debug.use_malloc_pattern fills new blocks with -1, but not those asked for as zeroes', async () => {
  m = await inside({ tunables: { 'debug.use_malloc_pattern': 1 } });
  type = m.mallocTypeCreate('temp');
  expect(bytesAre(m.kmalloc(100, type, m.M_WAITOK), 104, 0xff)).toBe(true);
  expect(bytesAre(m.kmalloc(100, type, m.M_WAITOK | m.M_ZERO), 104, 0)).toBe(true);
});

test('freed memory reads as deadc0de behind its first word, 64 bytes of it', async () => {
  m = await inside();
  type = m.mallocTypeCreate('temp');
  const block = m.kmalloc(128, type, m.M_WAITOK);
  m.u8.fill(0x11, block, block + 128);
  m.kfree(block, type);
  for (let word = 1; word < 16; word++) expect(m.word(block, word) >>> 0).toBe(0xdeadc0de);
  expect(m.word(block, 16)).toBe(0x11111111);
});

test('a zone in the release flavour is returned when its class has others, wherever it stands in the list', async () => {
  m = await inside({ invariants: false, free: 'rtagged' });
  type = m.mallocTypeCreate('temp');
  // z is alone when it is made, and comes back as the third of its class, at the tail
  const chunks = m.exhaust(1000, type);
  const others = [m.exhaust(1000, type), m.exhaust(1000, type)];
  for (const zone of others) m.kfree(zone.pop()!, type);
  m.on(1, () => m.kfree(chunks.pop()!, type));
  m.splz();
  for (const chunk of chunks) m.kfree(chunk, type);
  expect(m.sysctl('kern.slab.zones_freed')).toBe(1);
  expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
});
