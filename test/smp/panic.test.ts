/** The kernel's panics on real workers: the first one wins, and its report has what one needs to look into it. */
import { describe, expect, test } from 'vitest';
import type { FreePolicy } from '../../src/index.js';
import { P_BADFREE, P_BIT_ILLEGAL, P_CHUNK_FREE, P_FREE_MAGIC, P_NULLFREE } from '../../src/base/panics.js';
import { defineType, machine, panicOf, phases, run, workload } from './helpers/machine.js';

/** Header of a 32 KiB zone: at one of 16 places, by the zone's number (dragonfly/slglobaldata.ts, zoneOf). */
const zoneHeader = (block: number): number => (block & ~0x7fff) + ((block >>> 15) & 15) * 256;

const MISHAPS = phases('mishaps');

const hex = (address: number): string => `0x${(address >>> 0).toString(16)}`;

/** Provokes a mistake on CPU 1, with a block of CPU `owner`. */
async function mistake(what: string, invariants: boolean, owner = 1) {
  const m = await machine({ invariants, ktr: 64 });
  const type = await defineType(m);
  const [block] = await workload<number>(m, 'allocateArea', [64, type], { cpus: [owner] });
  return { m, block: block!, panic: await panicOf(run(m, MISHAPS, 'mistake', [type, what, block])) };
}

describe.each([true, false])('with invariants: %s', (invariants) => {
  test.each([
    ['free NULL', P_NULLFREE, 'trying to free NULL pointer'],
    ['free with no type', P_FREE_MAGIC, 'free: malloc type lacks magic'],
    ['free the superblock', P_BADFREE, 'BADFREE 0x8'],
    ['free beyond memory', P_BADFREE, 'BADFREE 0x7ffffff8'],
    ['free a negative address', P_BADFREE, 'BADFREE 0xffffffc0'],
    ['free a free page', P_BADFREE, `BADFREE ${hex((64 << 20) - 65536 + 8)}`],
  ])('%s: the kernel has a word for it', async (what, code, message) => {
    const { panic } = await mistake(what, invariants);
    expect(panic).toMatchObject({ panicCode: code, message: `panic: ${message}` });
    expect(panic.report[1]).toBe('cpuid = 1');
  });

  test.each([0, 1])('a misaligned pointer into a block of CPU %i is no block', async (owner) => {
    const { panic, block } = await mistake('free by a misaligned pointer', invariants, owner);
    expect(panic).toMatchObject({ panicCode: P_BADFREE, message: `panic: BADFREE ${hex(block + 4)}` });
    expect(panic.report.join('\n')).toContain(`SLZone ${hex(zoneHeader(block))}`);
  });

  test("a zone's header is no block", async () => {
    const { panic, block } = await mistake('free a zone header', invariants);
    expect(panic).toMatchObject({ panicCode: P_BADFREE, message: `panic: BADFREE ${hex(block & ~0x7fff)}` });
  });

  test('a block of another CPU whose zone lost its magic is no block', async () => {
    const { panic, block } = await mistake('free in a smashed zone', invariants, 0);
    expect(panic).toMatchObject({ panicCode: P_BADFREE, message: `panic: BADFREE ${hex(block)}` });
  });
});

test('a double free is found at once, and the report shows the zone and what the CPUs did last', async () => {
  const { panic, block } = await mistake('free twice', true);
  expect(panic.panicCode).toBe(P_CHUNK_FREE);
  expect(panic.message).toBe(`panic: memory chunk ${hex(block)} is already free!`);
  const report = panic.report.join('\n');
  expect(report).toContain(`SLZone ${hex(zoneHeader(block))}`);
  expect(report).toMatch(/Z_MAGIC +\d+ +0x736c6162\n {2}Z_CPU +1 /);
  expect(report).toMatch(/Z_CHUNKSIZE +64 /);
  expect(report).toMatch(/ktr cpu0 \(\d+ events\)/);
  expect(report).toMatch(new RegExp(`ktr cpu1[^]*malloc ${hex(block)} [^]*free ${hex(block)} [^]*free ${hex(block)} `));
});

test('a pointer into the middle of a block is the address of no chunk', async () => {
  const { panic, block } = await mistake('free from the middle', true);
  expect(panic.panicCode).toBe(P_BIT_ILLEGAL);
  expect(panic.message).toMatch(new RegExp(`^panic: memory chunk ${hex(block + 8)} bit index \\d+ is illegal$`));
});

const doubly: [FreePolicy, string][] = [
  ['rchunks', 'the other CPU'], ['rcount', 'both CPUs'], ['rsignal2', 'the other CPU, one at a time'],
  ['locked', 'the other CPU'], ['rtagged', 'the other CPU'], ['rtagged', 'both CPUs'], ['rbatch', 'the other CPU'],
  ['rbatch', 'the other CPU, one at a time'], ['rbatch', 'both CPUs'],
];

test.each(doubly)('a chunk freed twice is found when it comes home: policy %s, by %s', async (free, by) => {
  const m = await machine({ invariants: true, free });
  const type = await defineType(m);
  const [block] = await workload<number>(m, 'allocateArea', [64, type], { cpus: [0] });
  const panic = await panicOf(run(m, MISHAPS, 'freeTwiceRemotely', [type, block, by]));
  expect(panic.panicCode).toBe(P_CHUNK_FREE);
  expect(panic.message).toBe(`panic: memory chunk ${hex(block!)} is already free!`);
});

test('a chunk that travels by message and is sent twice is found: policy ipi', async () => {
  const m = await machine({ invariants: true, free: 'ipi' });
  const type = await defineType(m);
  const [block] = await workload<number>(m, 'allocateArea', [64, type], { cpus: [0] });
  const panic = await panicOf(run(m, MISHAPS, 'freeTwiceRemotely', [type, block, 'the other CPU']));
  // its zone may be gone by then
  expect([P_BADFREE, P_CHUNK_FREE]).toContain(panic.panicCode);
});

test('when all CPUs panic at once the record is of one of them', async () => {
  for (let round = 0; round < 3; round++) {
    const m = await machine({ cpus: 4 });
    const panic = await panicOf(run(m, MISHAPS, 'allPanic'));
    const cpu = Number(/^cpuid = (\d)$/.exec(panic.report[1]!)![1]);
    expect(panic).toMatchObject({ panicCode: P_BADFREE, message: `panic: BADFREE ${hex(8 * (cpu + 1))}` });
    await m.stop();
  }
});
