/** The texts of sysctl and vmstat, byte for byte: golden files of a run whose every number is known. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { STATS_NAMES } from '../../../src/base/policy.js';
import { MTS_NUMFREES } from '../../../src/kern/malloc_type.layout.js';
import { KS_HANDLE } from '../../../src/kern/malloc_type.layout.js';
import { mallocText, mprofText } from '../../../src/observe/malloc_text.js';
import { mallocTypes, mallocTypeStats, sumStats } from '../../../src/observe/malloc_types.js';
import {
  memstatKvmMalloc, memstatKvmUma, memstatMtlAlloc, memstatMtlFind,
} from '../../../src/observe/memstat/index.js';
import { kernelMessages, messageRecords } from '../../../src/observe/msgbuf.js';
import { slabClasses } from '../../../src/observe/slab_classes.js';
import { dragonflyM, dragonflyZ, vmstatM, vmstatZ } from '../../../src/observe/vmstat.js';
import { zoneText } from '../../../src/observe/zone_text.js';
import { MSG_ENTRIES, MSG_HEAD_WORDS, MSG_WINDEX } from '../../../src/kern/msgbuf.layout.js';
import { SB_MSGBUF } from '../../../src/hw/superblock.layout.js';
import { observed } from '../../helpers/observed.js';

const fixtures = new URL('../../fixtures/observe/', import.meta.url);

/** Compares with test/fixtures/observe; GOLDEN=1 writes a file that is not there yet. */
function golden(name: string, text: string): void {
  const file = fileURLToPath(new URL(name, fixtures));
  if (process.env.GOLDEN === '1' && !existsSync(file)) writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

test('kern.malloc of 2005: a dash where the high watermark was, sizes at the end', async () => {
  const { m } = await observed();
  golden('kern.malloc.txt', mallocText(m.memory));
});

test('kern.malloc before 2005, under a mutex: a real HighUse', async () => {
  const { m } = await observed({ stats: 'mutex' });
  golden('kern.malloc.mutex.txt', mallocText(m.memory));
});

test.each(STATS_NAMES.filter((stats) => stats !== 'none'))('kern.malloc under %s says the same but for HighUse', async (stats) => {
  const { m } = await observed({ stats, cpus: stats === 'mutex-up' ? 1 : 2 });
  const mutex = stats === 'mutex' || stats === 'mutex-up';
  golden(mutex ? 'kern.malloc.mutex.txt' : 'kern.malloc.txt', mallocText(m.memory));
});

test('kern.malloc where nothing is counted has a header and no rows', async () => {
  const { m } = await observed({ stats: 'none' });
  expect(mallocText(m.memory)).toBe('\n        Type  InUse MemUse HighUse Requests  Size(s)\n\n');
});

test('vm.zone has a colon behind each name and the items of each zone', async () => {
  const { m } = await observed();
  golden('vm.zone.txt', zoneText(m.memory));
});

test('a name of more than twelve letters is cut, its colon stays', async () => {
  const { m } = await observed();
  expect(zoneText(m.memory)).toMatch(/^UMA RCntSlab: {4}104, {8}0, {6}0, {6}0, {8}0$/m);
});

test('kern.mprof counts requests by size', async () => {
  const { m } = await observed({ tunables: { 'debug.malloc.profile': 1 } });
  golden('kern.mprof.txt', mprofText(m.memory));
});

test("vmstat -m and -z are FreeBSD's", async () => {
  const { m } = await observed();
  const [types, zones] = [memstatMtlAlloc(), memstatMtlAlloc()];
  expect([memstatKvmMalloc(types, m.memory), memstatKvmUma(zones, m.memory)]).toEqual([0, 0]);
  golden('vmstat-m.txt', vmstatM([...types]));
  golden('vmstat-z.txt', vmstatZ([...zones]));
});

test("vmstat -m and -z are DragonFly's: what the slab allocator does not count is a dash", async () => {
  const { m } = await observed({ alloc: 'dragonfly' });
  const types = memstatMtlAlloc();
  memstatKvmMalloc(types, m.memory);
  golden('dragonfly-m.txt', dragonflyM([...types], { devbuf: 1 << 20 }));
  golden('dragonfly-z.txt', dragonflyZ(slabClasses(m.memory)));
});

test('the slab classes hold every chunk that is out, wherever the others are', async () => {
  const { m } = await observed({ alloc: 'dragonfly', free: 'rchunks' });
  // 100 bytes are a chunk of 104; 16 of 16; 3000 and 5000 of their classes
  const used = slabClasses(m.memory).map((one) => [one.size, one.used]);
  expect(used).toEqual([[16, 5], [104, 7], [3072, 0], [5120, 1]]);
});

// ---- less than nothing

test('a free that is seen before its allocation: clamped for people (R4), about 1.8e19 for programs (R5)', async () => {
  const { m, types } = await observed();
  const slot = m.word(types.devbuf, KS_HANDLE) >>> 3;
  m.i64[slot + MTS_NUMFREES] = 100n;
  expect(mallocTypes(m.memory).find(({ name }) => name === 'devbuf')).toMatchObject({ inuse: 0 });
  expect(mallocText(m.memory)).toMatch(/^ {7}devbuf {5}0 /m);
  const list = memstatMtlAlloc();
  memstatKvmMalloc(list, m.memory);
  expect(memstatMtlFind(list, 255, 'devbuf')!.count).toBe(2n ** 64n - 92n);
  expect(vmstatM([...list])).toContain('devbuf 18446744073709551524 ');
});

test('a sum of many CPUs cancels, though each slot is below zero or above', async () => {
  const { m } = await observed();
  const temp = mallocTypeStats(m.memory).find(({ name }) => name === 'temp')!;
  expect(temp.cpus.map(({ numallocs, numfrees }) => numallocs - numfrees)).toEqual([0n, 5n]);
  expect(sumStats(temp.cpus)).toMatchObject({ numallocs: 10n, numfrees: 5n });
});

// ---- messages

test('kernel messages are read in order, the last 64 of them', async () => {
  const { m } = await observed();
  expect(kernelMessages(m.memory)).toEqual([]);
  const { kprintf } = await import('../../../src/kern/subr_prf.js');
  const { MSG_BAD_FLAGS } = await import('../../../src/base/messages.js');
  for (let n = 0; n < MSG_ENTRIES + 3; n++) kprintf(MSG_BAD_FLAGS, n);
  const lines = kernelMessages(m.memory);
  expect(lines).toHaveLength(MSG_ENTRIES);
  expect([lines[0], lines.at(-1)]).toEqual(['Bad malloc flags: 3', 'Bad malloc flags: 42']);
  expect(messageRecords(m.memory)[0]).toMatchObject({ number: 3, cpu: 0 });
});

test('a message that is being written is left out', async () => {
  const { m } = await observed();
  const { kprintf } = await import('../../../src/kern/subr_prf.js');
  const { MSG_KMEM_SIZE_OLD } = await import('../../../src/base/messages.js');
  kprintf(MSG_KMEM_SIZE_OLD);
  kprintf(MSG_KMEM_SIZE_OLD);
  const ring = m.memory.sb(SB_MSGBUF);
  m.poke(ring, MSG_HEAD_WORDS, 0);
  expect(kernelMessages(m.memory)).toEqual(['kern.vm.kmem.size is now called vm.kmem_size!']);
  m.poke(ring, MSG_WINDEX, 0x7fffffff);
  expect(kernelMessages(m.memory)).toEqual([]);
});
