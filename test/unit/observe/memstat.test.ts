/** libmemstat: lists, queries over sysctl and kvm, updates in place, and every error. */
import { describe, expect, test } from 'vitest';
import { SB_MALLOC, SB_UMA } from '../../../src/hw/superblock.layout.js';
import { KM_STATISTICS, KS_NEXT } from '../../../src/kern/malloc_type.layout.js';
import * as ms from '../../../src/observe/memstat/index.js';
import { mallocStream } from '../../../src/observe/malloc_stream.js';
import { memorySource } from '../../../src/observe/sysctl.js';
import { type Observed, observed } from '../../helpers/observed.js';

const names = (list: ms.MemoryTypeList): string[] => [...list].map(ms.memstatGetName);
const find = (list: ms.MemoryTypeList, name: string) => ms.memstatMtlFind(list, ms.ALLOCATOR_ANY, name)!;

async function sysctlList({ m }: Observed): Promise<ms.MemoryTypeList> {
  const list = ms.memstatMtlAlloc();
  expect(await ms.memstatSysctlAll(list, memorySource(m.memory))).toBe(0);
  return list;
}

describe('a list', () => {
  test('is empty at first, and is walked from its first to the last', async () => {
    const list = ms.memstatMtlAlloc();
    expect([ms.memstatMtlFirst(list), ms.memstatMtlGeterror(list)]).toEqual([null, ms.MEMSTAT_ERROR_UNDEFINED]);
    ms.memstatKvmMalloc(list, (await observed()).m.memory);
    const walked: string[] = [];
    for (let type = ms.memstatMtlFirst(list); type; type = ms.memstatMtlNext(type)) walked.push(type.name);
    // the oldest first: the kernel's list and this one turn round once each
    expect(walked).toEqual(['devbuf', 'temp', 'unused']);
    ms.memstatMtlFree(list);
    expect(names(list)).toEqual([]);
  });

  test('finds by allocator and name', async () => {
    const list = await sysctlList(await observed());
    expect(ms.memstatGetAllocator(find(list, 'temp'))).toBe(ms.ALLOCATOR_MALLOC);
    expect(ms.memstatGetAllocator(find(list, '128'))).toBe(ms.ALLOCATOR_UMA);
    expect(ms.memstatMtlFind(list, ms.ALLOCATOR_UMA, 'temp')).toBeNull();
    expect(ms.memstatMtlFind(list, ms.ALLOCATOR_MALLOC, 'temp')).toBe(find(list, 'temp'));
  });
});

describe('a query', () => {
  test('of malloc types knows sums, sizes and every CPU', async () => {
    const devbuf = find(await sysctlList(await observed()), 'devbuf');
    expect(ms.memstatGetNumallocs(devbuf)).toBe(11n);
    expect(ms.memstatGetNumfrees(devbuf)).toBe(3n);
    expect(ms.memstatGetCount(devbuf)).toBe(8n);
    expect(ms.memstatGetBytes(devbuf)).toBe(7n * 128n + 8192n);
    expect(ms.memstatGetMemalloced(devbuf) - ms.memstatGetMemfreed(devbuf)).toBe(ms.memstatGetBytes(devbuf));
    expect(ms.memstatGetSizemask(devbuf)).toBe(8n);
    expect([0, 1].map((cpu) => ms.memstatGetPercpuNumallocs(devbuf, cpu))).toEqual([11n, 0n]);
    expect([0, 1].map((cpu) => ms.memstatGetPercpuNumfrees(devbuf, cpu))).toEqual([0n, 3n]);
    expect([0, 1].map((cpu) => ms.memstatGetPercpuMemfreed(devbuf, cpu))).toEqual([0n, 384n]);
    expect(ms.memstatGetPercpuMemalloced(devbuf, 255)).toBe(0n);
    expect(ms.memstatGetPercpuSizemask(devbuf, 0)).toBe(8n);
  });

  test('of zones knows items, and where the free ones are', async () => {
    const zone = find(await sysctlList(await observed()), '128');
    expect([ms.memstatGetSize(zone), ms.memstatGetCount(zone), ms.memstatGetBytes(zone)]).toEqual([128n, 7n, 896n]);
    const cached = [0, 1].reduce((sum, cpu) => sum + ms.memstatGetPercpuFree(zone, cpu), 0n);
    expect(ms.memstatGetFree(zone)).toBe(cached + ms.memstatGetZonefree(zone) + ms.memstatGetKegfree(zone));
    expect([ms.memstatGetFailures(zone), ms.memstatGetSleeps(zone)]).toEqual([0n, 0n]);
    expect([ms.memstatGetCountlimit(zone), ms.memstatGetByteslimit(zone)]).toEqual([0n, 0n]);
  });

  test('through sysctl and through kvm is the same', async () => {
    const o = await observed();
    const kvm = ms.memstatMtlAlloc();
    expect(ms.memstatKvmAll(kvm, o.m.memory)).toBe(0);
    expect([...kvm].map((type) => ({ ...type, next: null }))).toEqual(
      [...(await sysctlList(o))].map((type) => ({ ...type, next: null })),
    );
  });

  test('of a core dump needs bytes, no machine', async () => {
    const { m } = await observed();
    const list = ms.memstatMtlAlloc();
    expect(ms.memstatKvmAll(list, new Uint8Array(m.heap).slice().buffer)).toBe(0);
    expect(find(list, 'devbuf').count).toBe(8n);
  });

  test('of a machine without UMA has malloc types only', async () => {
    const o = await observed({ alloc: 'dragonfly' });
    expect(names(await sysctlList(o))).toEqual(['devbuf', 'temp', 'unused']);
    const list = ms.memstatMtlAlloc();
    expect(ms.memstatKvmAll(list, o.m.memory)).toBe(0);
    expect(names(list)).toEqual(['devbuf', 'temp', 'unused']);
  });
});

describe('a second query', () => {
  test('updates entries in place, and leaves what the caller keeps there', async () => {
    const o = await observed();
    const list = await sysctlList(o);
    const devbuf = find(list, 'devbuf');
    const mine = { note: 'mine' };
    ms.memstatSetCallerPointer(devbuf, 15, mine);
    ms.memstatSetCallerUint64(devbuf, 0, 2n ** 63n);
    ms.memstatSetPercpuCallerPointer(devbuf, 1, 3, mine);
    ms.memstatSetPercpuCallerUint64(devbuf, 1, 3, 7n);
    o.m.kmalloc(100, o.types.devbuf, o.m.M_WAITOK);
    o.m.mallocTypeCreate('late');
    expect(await ms.memstatSysctlAll(list, memorySource(o.m.memory))).toBe(0);
    expect(find(list, 'devbuf')).toBe(devbuf);
    expect([devbuf.count, ms.memstatGetPercpuNumallocs(devbuf, 0)]).toEqual([9n, 12n]);
    expect(names(list).filter((name) => name === 'devbuf')).toHaveLength(1);
    expect(names(list)[0]).toBe('late');
    expect(ms.memstatGetCallerPointer(devbuf, 15)).toBe(mine);
    expect(ms.memstatGetCallerUint64(devbuf, 0)).toBe(2n ** 63n);
    expect(ms.memstatGetPercpuCallerPointer(devbuf, 1, 3)).toBe(mine);
    expect(ms.memstatGetPercpuCallerUint64(devbuf, 1, 3)).toBe(7n);
  });

  test.each([-1, 16, 0.5])('there is no caller slot %d', async (index) => {
    const devbuf = find(await sysctlList(await observed()), 'devbuf');
    expect(() => ms.memstatGetCallerPointer(devbuf, index)).toThrow('expected a whole number from 0 to 15');
    expect(() => ms.memstatGetPercpuFree(devbuf, 256)).toThrow('cpu: 256 is not usable');
  });
});

describe('an error empties the list and says what it was:', () => {
  /** the error of a query of these bytes, through a list that had entries */
  async function errorOf(change: (bytes: Uint8Array) => Uint8Array): Promise<string> {
    const o = await observed();
    const list = await sysctlList(o);
    expect(ms.memstatParseMalloc(list, change(mallocStream(o.m.memory)))).toBe(-1);
    expect(names(list)).toEqual([]);
    return ms.memstatStrerror(ms.memstatMtlGeterror(list));
  }
  const poked = (at: number, value: number) => (bytes: Uint8Array) => {
    new DataView(bytes.buffer).setUint32(at, value, true);
    return bytes;
  };

  test('another version', async () => expect(await errorOf(poked(0, 2))).toBe('Version mismatch'));
  test('more CPUs than there can be', async () => expect(await errorOf(poked(4, 257))).toBe('Too many CPUs'));
  test('fewer records than the header says', async () => expect(await errorOf(poked(8, 4))).toBe('Data format error'));
  test('more than it says', async () => expect(await errorOf(poked(8, 2))).toBe('Data format error'));
  test('no header', async () => expect(await errorOf((bytes) => bytes.slice(0, 15))).toBe('Data format error'));

  /** a source that fails */
  const failing = (errno: ms.SysctlErrno): ms.SysctlSource => ({
    read() {
      throw new ms.SysctlError(errno, errno);
    },
  });
  test.each([
    ['EPERM', 'Permission denied'], ['EACCES', 'Permission denied'], ['EIO', 'Data format error'],
    ['ENOENT', 'Data format error'], ['ENOMEM', 'Cannot allocate memory'],
  ] as const)('%s of the source: %s', async (errno, text) => {
    const list = ms.memstatMtlAlloc();
    expect(await ms.memstatSysctlAll(list, failing(errno))).toBe(-1);
    expect(ms.memstatStrerror(ms.memstatMtlGeterror(list))).toBe(text);
  });

  test('what is no machine, has no such symbol, or ends early', async () => {
    const list = ms.memstatMtlAlloc();
    const error = (result: number) => [result, ms.memstatStrerror(ms.memstatMtlGeterror(list))];
    expect(error(ms.memstatKvmAll(list, new ArrayBuffer(8192)))).toEqual([-1, 'KVM error']);
    const slab = await observed({ alloc: 'dragonfly' });
    expect(error(ms.memstatKvmUma(list, slab.m.memory))).toEqual([-1, 'KVM unable to find symbol']);
    const { m, types } = await observed();
    m.poke(types.devbuf, KS_NEXT, -4096);
    expect(error(ms.memstatKvmMalloc(list, m.memory))).toEqual([-1, 'KVM short read']);
    m.poke(m.memory.sb(SB_MALLOC), KM_STATISTICS, 1);
    expect(error(ms.memstatKvmMalloc(list, m.memory))).toEqual([-1, 'KVM short read']);
    m.poke(m.memory.sb(SB_UMA), 16, m.heap.byteLength);
    expect(error(ms.memstatKvmUma(list, m.memory))).toEqual([-1, 'KVM short read']);
  });

  test('numbers nobody gave a meaning are unknown errors', () => {
    expect([0, 9, -1].map(ms.memstatStrerror)).toEqual(Array(3).fill('Unknown error'));
  });
});

test('a list that grew after it was counted is ENOMEM, and the query begins anew', async () => {
  const o = await observed();
  const source = memorySource(o.m.memory);
  const reads: string[] = [];
  const growing: ms.SysctlSource = {
    read(name, room) {
      reads.push(name);
      // two types more, right after the count was given away
      if (name === 'kern.malloc_stats' && reads.length < 7) o.m.mallocTypeCreate(`late ${reads.length}`);
      return source.read(name, room);
    },
  };
  const list = ms.memstatMtlAlloc();
  expect(await ms.memstatSysctlMalloc(list, growing)).toBe(0);
  expect(reads.filter((name) => name === 'kern.malloc_stats')).toHaveLength(3);
  expect(names(list).slice(-2)).toEqual(['late 3', 'late 6']);
});
