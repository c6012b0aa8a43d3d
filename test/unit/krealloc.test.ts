import { beforeEach, describe, expect, test } from 'vitest';
import { A_REALLOC_ZERO, P_KKASSERT, P_MALLOC_LIMIT } from '../../src/base/panics.js';
import { SB_PANIC_A } from '../../src/hw/superblock.layout.js';
import { KM_COUNT, KS_LIMIT, MAXTYPES } from '../../src/kern/malloc_type.layout.js';
import { SB_MALLOC } from '../../src/hw/superblock.layout.js';
import { panicRecord } from '../../src/observe/panic_report.js';
import { type Inside, inside, panicCodeOf, whileWaiting } from '../helpers/inside.js';

let m: Inside;
let type: number;

beforeEach(async () => {
  m = await inside();
  type = m.mallocTypeCreate('temp');
});

function fill(block: number, length: number): void {
  for (let n = 0; n < length; n++) m.u8[block + n] = (n * 7 + 3) & 0xff;
}

function holds(block: number, length: number): boolean {
  for (let n = 0; n < length; n++) if (m.u8[block + n] !== ((n * 7 + 3) & 0xff)) return false;
  return true;
}

describe('krealloc', () => {
  test('keeps the block while its class stays the same', () => {
    const block = m.kmalloc(97, type, m.M_WAITOK);
    for (const size of [97, 100, 104]) expect(m.krealloc(block, size, type, m.M_WAITOK)).toBe(block);
    expect(m.mallocTypeRequests(type)).toBe(1);
  });

  test('keeps an oversized block while its pages stay the same', () => {
    const block = m.kmalloc(40000, type, m.M_WAITOK);
    expect(m.krealloc(block, 40960, type, m.M_WAITOK)).toBe(block);
    expect(m.krealloc(block, 36865, type, m.M_WAITOK)).toBe(block);
    expect(m.krealloc(block, 36864, type, m.M_WAITOK)).not.toBe(block);
  });

  test.each([
    [10, 3000], [3000, 10], [100, 8191], [8191, 8193], [500, 50000], [50000, 500], [20000, 60000], [60000, 20000],
  ])('from %i to %i bytes moves the block with its contents and frees the old one', (from, to) => {
    const block = m.kmalloc(from, type, m.M_WAITOK);
    fill(block, from);
    const moved = m.krealloc(block, to, type, m.M_WAITOK);
    expect(moved).not.toBe(block);
    expect(holds(moved, Math.min(from, to))).toBe(true);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 1 });
  });

  test('of NULL and of ZERO_LENGTH_PTR is kmalloc', () => {
    expect(m.kmallocUsable(m.krealloc(0, 100, type, m.M_WAITOK))).toBe(104);
    expect(m.kmallocUsable(m.krealloc(m.ZERO_LENGTH_PTR, 100, type, m.M_WAITOK))).toBe(104);
    expect(m.krealloc(0, 0, type, m.M_WAITOK)).toBe(m.ZERO_LENGTH_PTR);
  });

  test('to 0 bytes frees the block and gives NULL', () => {
    expect(m.krealloc(m.kmalloc(100, type, m.M_WAITOK), 0, type, m.M_WAITOK)).toBe(0);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
  });

  test('leaves the block alone when there is no memory for a larger one', () => {
    const block = m.kmalloc(5000, type, m.M_WAITOK);
    fill(block, 5000);
    expect(m.krealloc(block, 1 << 28, type, m.M_NOWAIT)).toBe(0);
    expect(holds(block, 5000)).toBe(true);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 1 });
  });

  test('moves a block of another CPU to this one', () => {
    const block = m.on(1, () => m.kmalloc(100, type, m.M_WAITOK));
    fill(block, 100);
    const moved = m.krealloc(block, 2000, type, m.M_WAITOK);
    expect(holds(moved, 100)).toBe(true);
    expect(m.i32[m.ku.btokup(m.zoneOf(moved))]).toBe(-1);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 1 });
  });

  test('does not take M_ZERO', () => {
    expect(panicCodeOf(() => m.krealloc(0, 8, type, m.M_WAITOK | m.M_ZERO))).toBe(P_KKASSERT);
    expect(m.memory.sb(SB_PANIC_A)).toBe(A_REALLOC_ZERO);
  });
});

test('a block may be used up to the size of its class, or to the end of its pages', () => {
  expect(m.kmallocUsable(m.kmalloc(65, type, m.M_WAITOK))).toBe(72);
  expect(m.kmallocUsable(m.kmalloc(1025, type, m.M_WAITOK))).toBe(1152);
  expect(m.kmallocUsable(m.kmalloc(12289, type, m.M_WAITOK))).toBe(16384);
});

describe('kstrdup', () => {
  test.each(['', 'a', 'seven77', 'eight888', 'x'.repeat(5000)])('copies a text with a 0 behind it: %j', (text) => {
    const block = m.kstrdup(text, type, m.M_WAITOK);
    expect(Buffer.from(m.u8.slice(block, block + text.length + 1)).toString('latin1')).toBe(`${text}\0`);
    m.kfree(block, type);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
  });

  test('gives 0 without memory', () => {
    expect(m.kstrdup('x'.repeat(1 << 25), type, m.M_NOWAIT)).toBe(0);
  });
});

describe('the limit of a type', () => {
  test('is a tenth of memory', () => {
    expect(m.word(type, KS_LIMIT)).toBe(Math.floor((16 << 20) / 10));
  });

  test('is kept: M_NULLOK gives 0, and goes on when something was freed', () => {
    const blocks: number[] = [];
    for (let block; (block = m.kmalloc(4000, type, m.M_WAITOK | m.M_NULLOK)) !== 0; ) blocks.push(block);
    const used = m.mallocTypeMemuse(type);
    expect(used).toBeGreaterThanOrEqual(m.word(type, KS_LIMIT));
    expect(used).toBeLessThan(m.word(type, KS_LIMIT) + m.ncpu * m.slab.ZONE_SIZE + 4096);
    m.kfree(blocks.pop()!, type);
    m.kfree(blocks.pop()!, type);
    expect(m.kmalloc(4000, type, m.M_WAITOK | m.M_NULLOK)).not.toBe(0);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: blocks.length + 1 });
  });

  test('is one for all CPUs', () => {
    for (let cpu = 0, block = 1; block !== 0; cpu ^= 1) {
      block = m.on(cpu, () => m.kmalloc(40000, type, m.M_NOWAIT));
    }
    expect(m.mallocTypeMemuse(type)).toBeGreaterThanOrEqual(m.word(type, KS_LIMIT));
    expect(m.on(0, () => m.kmalloc(40000, type, m.M_NOWAIT))).toBe(0);
    expect(m.on(1, () => m.kmalloc(40000, type, m.M_NOWAIT))).toBe(0);
  });

  test('is its own: another type still gets memory', () => {
    while (m.kmalloc(40000, type, m.M_NOWAIT) !== 0);
    expect(m.kmalloc(40000, m.mallocTypeCreate('other'), m.M_NOWAIT)).not.toBe(0);
  });

  test('exceeded without M_NULLOK is a panic that names the type', () => {
    const act = () => {
      for (;;) m.kmalloc(40000, type, m.M_WAITOK);
    };
    expect(panicCodeOf(act)).toBe(P_MALLOC_LIMIT);
    expect(panicRecord(m.memory)?.message).toBe('temp: malloc limit exceeded');
  });

  test('is raised by kmalloc_raise_limit, never lowered', () => {
    m.kmallocRaiseLimit(type, 2 << 20);
    expect(m.word(type, KS_LIMIT)).toBe(2 << 20);
    m.kmallocRaiseLimit(type, 1 << 20);
    expect(m.word(type, KS_LIMIT)).toBe(2 << 20);
    m.kmallocRaiseLimit(type, 0);
    expect(m.word(type, KS_LIMIT)).toBe(m.ku.KVA_BYTES);
  });
});

describe('types of memory', () => {
  test('a type is found by its name, and created once', () => {
    expect(m.mallocTypeFind('nobody')).toBe(0);
    expect(m.mallocTypeCreate('temp')).toBe(type);
    expect(m.mallocTypeFind('temp')).toBe(type);
    expect(m.types.mallocTypeName(type)).toBe('temp');
  });

  test('a name keeps its first 31 characters', () => {
    const long = m.mallocTypeCreate('a name that is rather longer than it should be');
    expect(m.types.mallocTypeName(long)).toBe('a name that is rather longer th');
    expect(m.mallocTypeFind('a name that is rather longer than it should be')).toBe(long);
    expect(m.mallocTypeFind('a name that is rather longer th')).toBe(long);
  });

  test('the list begins with the newest', () => {
    const newest = m.mallocTypeCreate('newest');
    expect(m.types.mallocTypeFirst()).toBe(newest);
    expect(m.types.mallocTypeNext(newest)).toBe(type);
    expect(m.types.mallocTypeNext(type)).toBe(0);
  });

  test('a type in the middle of the list can be destroyed', () => {
    const middle = m.mallocTypeCreate('middle');
    const last = m.mallocTypeCreate('last');
    m.types.mallocTypeDestroy(middle);
    expect(m.mallocTypeFind('middle')).toBe(0);
    expect(m.types.mallocTypeNext(last)).toBe(type);
    expect(m.word(m.memory.sb(SB_MALLOC), KM_COUNT)).toBe(2);
  });

  test('a destroyed record is used again, and knows nothing of its past', () => {
    m.kmallocRaiseLimit(type, 0);
    m.kmalloc(100, type, m.M_WAITOK);
    m.on(1, () => m.kmalloc(100, type, m.M_WAITOK));
    m.types.mallocTypeDestroy(type);
    const again = m.mallocTypeCreate('again');
    expect(again).toBe(type);
    expect(m.mallocTypeRequests(again)).toBe(0);
    expect(m.mallocTypeMemuse(again)).toBe(0);
    expect(m.word(again, KS_LIMIT)).toBe(Math.floor((16 << 20) / 10));
  });

  test('the table is full after 512 types, and says so with 0', () => {
    for (let n = 1; n < MAXTYPES; n++) expect(m.mallocTypeCreate(`type ${n}`)).not.toBe(0);
    expect(m.mallocTypeCreate('one more')).toBe(0);
    expect(m.mallocTypeCreate('temp')).toBe(type);
    m.types.mallocTypeDestroy(m.mallocTypeFind('type 7'));
    expect(m.mallocTypeCreate('one more')).not.toBe(0);
  });

  test('malloc_uninit tells the bytes that leaked', async () => {
    m = await inside({ cpus: 1 });
    type = m.mallocTypeCreate('temp');
    m.kmalloc(100, type, m.M_WAITOK);
    m.kmalloc(40000, type, m.M_WAITOK);
    expect(m.mallocUninit(type)).toBe(104 + 40960);
    expect(m.mallocTypeFind('temp')).toBe(0);
  });

  test('malloc_uninit waits until every CPU has executed the frees sent to it', async () => {
    m = await inside({ free: 'ipi' });
    type = m.mallocTypeCreate('temp');
    const block = m.kmalloc(100, type, m.M_WAITOK);
    m.as(1);
    m.kfree(block, type);
    const other = () => m.on(0, () => m.spl.splzWaiting());
    expect(m.mallocTypeMemuse(type)).toBe(104);
    expect(whileWaiting(other, () => m.mallocUninit(type))).toBe(0);
  });
});
