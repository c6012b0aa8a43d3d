/** kern.malloc_stats and vm.zone_stats, read back by the published layout; and the list that grows while it is read. */
import { expect, test } from 'vitest';
import { STATS_NAMES } from '../../../src/base/policy.js';
import { SB_MALLOC, SB_UMA } from '../../../src/hw/superblock.layout.js';
import { KM_COUNT, KM_STATISTICS } from '../../../src/kern/malloc_type.layout.js';
import { UMA_KEGS, UMA_NZONES, UK_LINK, UK_ZONES, UZ_LINK } from '../../../src/freebsd/uma_int.layout.js';
import { mallocStream } from '../../../src/observe/malloc_stream.js';
import { typeAddresses } from '../../../src/observe/malloc_types.js';
import { Memory } from '../../../src/observe/memory.js';
import {
  ALLOCATOR_UMA, memstatGetKegfree, memstatKvmUma, memstatMtlAlloc, memstatMtlFind,
} from '../../../src/observe/memstat/index.js';
import { maxcpuFor, sized } from '../../../src/observe/stream.js';
import { umaStream } from '../../../src/observe/uma_stream.js';
import { umaZones } from '../../../src/observe/uma_zones.js';
import { inside } from '../../helpers/inside.js';
import { observed } from '../../helpers/observed.js';
import { type Parsed, parseMalloc, parseUma } from '../../helpers/streams.js';

const named = ({ records }: Parsed, name: string) => records.find(({ type }) => type.name === name)!;

test('the malloc stream has a header, then each type with a slot for each of 16 CPUs', async () => {
  const { m } = await observed();
  const bytes = mallocStream(m.memory);
  const stream = parseMalloc(bytes);
  expect(stream.header).toEqual({ version: 1, maxcpus: 16, count: 3, pad: 0 });
  expect(bytes.length).toBe(16 + 3 * (32 + 64 * 16));
  // the newest first, as on the kernel's list
  expect(stream.records.map(({ type }) => type.name)).toEqual(['unused', 'temp', 'devbuf']);
});

test('every CPU stands with what it did itself', async () => {
  const { m } = await observed();
  const stream = parseMalloc(mallocStream(m.memory));
  const [first, last, ...absent] = named(stream, 'devbuf').cpus;
  // 100 bytes are served by zone 128, 5000 by two pages; bit 3 is zone 128
  expect(first).toMatchObject({ memalloced: 10n * 128n + 8192n, memfreed: 0n, numallocs: 11n, numfrees: 0n, size: 8n });
  expect(last).toMatchObject({ memalloced: 0n, memfreed: 3n * 128n, numallocs: 0n, numfrees: 3n, size: 0n });
  for (const cpu of absent) expect(Object.values(cpu).every((value) => value === 0n)).toBe(true);
  const temp = named(stream, 'temp').cpus;
  expect(temp[0]).toMatchObject({ numallocs: 5n, numfrees: 5n, memfreed: 5n * 4096n, size: 1n });
  expect(temp[1]).toMatchObject({ numallocs: 5n, numfrees: 0n, memalloced: 5n * 4096n, size: 256n });
});

test.each(STATS_NAMES)('statistics policy %s: the sums are those of the run', async (stats) => {
  const { m } = await observed({ stats, cpus: stats === 'mutex-up' ? 1 : 2 });
  const { cpus } = named(parseMalloc(mallocStream(m.memory)), 'devbuf');
  const sum = (field: string) => cpus.reduce((total, cpu) => total + (cpu[field] as bigint), 0n);
  const none = stats === 'none';
  expect(sum('numallocs')).toBe(none ? 0n : 11n);
  expect(sum('numallocs') - sum('numfrees')).toBe(none ? 0n : 8n);
  expect(sum('memalloced') - sum('memfreed')).toBe(none ? 0n : 7n * 128n + 8192n);
  expect(cpus.reduce((mask, cpu) => mask | (cpu.size as bigint), 0n)).toBe(none ? 0n : 8n);
  // shared counters: nobody knows who, so all of it is CPU 0's
  if (stats !== 'critical' && stats !== 'unpadded') {
    expect(cpus.slice(1).every((cpu) => Object.values(cpu).every((value) => value === 0n))).toBe(true);
  }
});

test.each([[1, 1], [2, 16], [16, 16], [17, 32], [33, 64], [65, 128], [256, 256]])('%i CPUs: MAXCPU is %i', (ncpu, maxcpu) => {
  expect(maxcpuFor(ncpu)).toBe(maxcpu);
});

test('a machine of one CPU has streams of one slot', async () => {
  const { m } = await observed({ cpus: 1 });
  const stream = parseMalloc(mallocStream(m.memory));
  expect(stream.header.maxcpus).toBe(1);
  expect(named(stream, 'devbuf').cpus).toMatchObject([{ numallocs: 11n, numfrees: 3n }]);
});

test("dragonfly's types are streamed as well, its zones are none of UMA's", async () => {
  const { m } = await observed({ alloc: 'dragonfly' });
  expect(named(parseMalloc(mallocStream(m.memory)), 'devbuf').cpus[0]).toMatchObject({ numallocs: 11n, size: 0n });
  expect(parseUma(umaStream(m.memory))).toEqual({ header: { version: 1, maxcpus: 2, count: 0, pad: 0 }, records: [] });
});

test('a name of 31 characters keeps its NUL', async () => {
  const m = await inside({ alloc: 'freebsd' });
  m.mallocTypeCreate('x'.repeat(40));
  expect(parseMalloc(mallocStream(m.memory)).records[0]!.type.name).toBe('x'.repeat(31));
});

test('the zone stream has every zone with its sizes, pages and counts', async () => {
  const { m } = await observed();
  const stream = parseUma(umaStream(m.memory));
  expect(stream.header).toEqual({
    version: 1, maxcpus: 2, count: m.memory.i32[(m.memory.sb(SB_UMA) >>> 2) + UMA_NZONES], pad: 0,
  });
  const { type, cpus } = named(stream, '128');
  expect(type).toMatchObject({ size: 128, rsize: 128, maxpages: 0, limit: 0, zone_flags: 0, fails: 0n, sleeps: 0n });
  const total = (field: string) => cpus.reduce((sum, cpu) => sum + (cpu[field] as bigint), type[field] as bigint);
  expect([total('allocs'), total('frees')]).toEqual([10n, 3n]);
});

test('what is free and what is used of a zone is all its pages hold', async () => {
  const { m } = await observed();
  for (const zone of umaZones(m.memory)) {
    const items = Math.floor(zone.pages / zone.ppera) * zone.ipers;
    const cached = zone.cpus.reduce((sum, { cacheFree }) => sum + Number(cacheFree), 0);
    const out = zone.cpus.reduce((sum, cpu) => sum + cpu.allocs - cpu.frees, zone.allocs - zone.frees);
    // slabs of startup zones come from boot pages, which no keg counts
    if (zone.internal) continue;
    const { name, kegFree, zoneFree } = zone;
    expect({ name, out: Number(out) }).toEqual({ name, out: items - kegFree - zoneFree - cached });
  }
});

test("the allocator's own zones have no numbers a CPU", async () => {
  const { m } = await observed();
  const internal = umaZones(m.memory).filter((zone) => zone.internal);
  expect(internal.map(({ name }) => name)).toContain('UMA Kegs');
  for (const { cpus } of internal) expect(cpus).toEqual([0, 1].map(() => ({ allocs: 0n, frees: 0n, cacheFree: 0n })));
});

// ---- the list grows while it is read (R6)

test('sized: a list that grew is read again, one that shrank is not', () => {
  const counts = [2, 3, 3, 3];
  let walks = 0;
  expect(sized(() => counts.shift()!, () => ++walks)).toBe(2);
  const shrinking = [3, 2];
  expect(sized(() => shrinking.shift()!, () => 'once')).toBe('once');
});

test('sized: a list that grows for ever is read a bounded number of times', () => {
  let count = 0;
  let walks = 0;
  sized(() => count++, () => ++walks);
  expect(walks).toBeLessThan(100);
});

/** A memory in which one more type appears whenever the list has been walked, so many times. */
class Growing extends Memory {
  readonly #grow: () => void;
  #left: number;

  constructor(heap: SharedArrayBuffer, times: number, grow: () => void) {
    super(heap);
    this.#left = times;
    this.#grow = grow;
  }

  override sb(word: number): number {
    // the second look at the table in a reading is the walk's: the count has been taken
    if (word === SB_MALLOC && this.#left > 0 && this.#looks++ % 2 === 1) {
      this.#left--;
      this.#grow();
    }
    return super.sb(word);
  }

  #looks = 0;
}

test('a type that is defined between count and walk is in the stream, and so is everything before it', async () => {
  const { m } = await observed();
  let n = 0;
  const memory = new Growing(m.heap, 3, () => m.mallocTypeCreate(`late ${n++}`));
  const stream = parseMalloc(mallocStream(memory));
  expect(n).toBe(3);
  const names = stream.records.map(({ type }) => type.name);
  expect(names).toEqual(['late 2', 'late 1', 'late 0', 'unused', 'temp', 'devbuf']);
});

// ---- damage

test('a list that leads into itself, or out of the memory, ends there', async () => {
  const { m, types } = await observed();
  m.poke(types.devbuf, 16, types.unused);
  expect(typeAddresses(m.memory)).toHaveLength(3);
  m.poke(types.temp, 16, m.heap.byteLength - 4);
  expect(typeAddresses(m.memory)).toEqual([types.unused, types.temp]);
  m.poke(m.memory.sb(SB_MALLOC), KM_STATISTICS, -4);
  m.poke(m.memory.sb(SB_MALLOC), KM_COUNT, -1);
  expect(parseMalloc(mallocStream(m.memory)).records).toEqual([]);
});

test('kegs and zones whose links were overwritten are counted once, and the walk ends', async () => {
  const { m } = await observed();
  const first = m.memory.i32[(m.memory.sb(SB_UMA) >>> 2) + UMA_KEGS]!;
  const zone = m.word(first, UK_ZONES);
  m.poke(zone, UZ_LINK, zone);
  m.poke(m.word(first, UK_LINK), UK_LINK, first);
  expect(umaZones(m.memory)).toHaveLength(2);
  m.poke(first, UK_LINK, 3);
  expect(parseUma(umaStream(m.memory)).records).toHaveLength(1);
});

test("zones that share a keg: the slabs are the first one's, the others are marked", async () => {
  const m = await inside({ alloc: 'freebsd' });
  const mbuf = m.engine.uma.umaZcreate({ name: 'Mbuf', size: 256 });
  const packet = m.engine.uma.umaZsecondCreate({ name: 'Packet' }, mbuf);
  const item = m.engine.uma.umaZallocArg(packet, 0, 2);
  expect(item).not.toBe(0);
  const stream = parseUma(umaStream(m.memory));
  expect(named(stream, 'Mbuf').type).toMatchObject({ zone_flags: 0, size: 256 });
  expect(named(stream, 'Packet').type).toMatchObject({ zone_flags: 1, size: 256 });
  const kegFree = named(stream, 'Packet').type.keg_free as number;
  expect([named(stream, 'Mbuf').type.keg_free, kegFree > 0]).toEqual([kegFree, true]);
  const list = memstatMtlAlloc();
  expect(memstatKvmUma(list, m.memory)).toBe(0);
  const free = (name: string) => memstatGetKegfree(memstatMtlFind(list, ALLOCATOR_UMA, name)!);
  expect([free('Mbuf'), free('Packet')]).toEqual([BigInt(kegFree), 0n]);
});

test('a limit is in items, for slabs of several pages too', async () => {
  const m = await inside({ alloc: 'freebsd' });
  const { umaZcreate, umaZoneSetMax } = m.engine.uma;
  const limits = [['small', 100], ['large', 10000]].map(([name, size]) => {
    const zone = umaZcreate({ name: String(name), size: Number(size) });
    umaZoneSetMax(zone, 50);
    return named(parseUma(umaStream(m.memory)), String(name)).type;
  });
  expect(limits[0]!.limit).toBeGreaterThanOrEqual(50);
  expect(limits[1]).toMatchObject({ limit: 50, maxpages: 150 });
});
