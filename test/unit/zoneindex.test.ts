import { beforeAll, expect, test } from 'vitest';
import { P_BYTE_COUNT } from '../../src/base/panics.js';
import { SB_ZINDEX } from '../../src/hw/superblock.layout.js';
import { type Inside, inside, panicCodeOf } from '../helpers/inside.js';

let m: Inside;
/** large enough for zones of 128 KiB, and with them sizes up to 16 KiB */
beforeAll(async () => void (m = await inside({ memory: '160MiB' })));

/** below `limit` sizes go in steps of `step`, and their class is rounded / step + base */
const TABLE = [
  { limit: 128, step: 8, base: -1 },
  { limit: 256, step: 16, base: 7 },
  { limit: 512, step: 32, base: 15 },
  { limit: 1024, step: 64, base: 23 },
  { limit: 2048, step: 128, base: 31 },
  { limit: 4096, step: 256, base: 39 },
  { limit: 8192, step: 512, base: 47 },
  { limit: 16384, step: 1024, base: 55 },
];

function expected(size: number): { zi: number; chunk: number } {
  const { step, base } = TABLE.find(({ limit }) => size < limit)!;
  const chunk = Math.ceil(size / step) * step;
  return { zi: chunk / step + base, chunk };
}

test('every size from 1 to 16383 has the class and the chunk size of the kernel', () => {
  for (let size = 1; size < 16384; size++) {
    const { zi, chunk } = expected(size);
    if (m.zindex.zoneindex(size) !== zi || m.zindex.zoneChunkSize(size) !== chunk) {
      expect.fail(`${size}: class ${m.zindex.zoneindex(size)}, chunk ${m.zindex.zoneChunkSize(size)}`);
    }
  }
});

test('a chunk holds its size and wastes an eighth at the most above 64 bytes', () => {
  for (let size = 1; size < 16384; size++) {
    const chunk = m.zindex.zoneChunkSize(size);
    if (chunk < size || (size > 64 && chunk - size >= size / 8)) expect.fail(`${size}: chunk of ${chunk}`);
  }
});

test('classes rise with sizes, without a gap, from 0 to 71', () => {
  let before = 0;
  for (let size = 1; size < 16384; size++) {
    const zi = m.zindex.zoneindex(size);
    if (zi !== before && zi !== before + 1) expect.fail(`${size}: class ${zi} after ${before}`);
    before = zi;
  }
  expect(m.zindex.zoneindex(1)).toBe(0);
  expect(before).toBe(71);
});

test('one class has one chunk size', () => {
  const chunks = new Map<number, number>();
  for (let size = 1; size < 16384; size++) {
    const zi = m.zindex.zoneindex(size);
    const chunk = m.zindex.zoneChunkSize(size);
    if ((chunks.get(zi) ?? chunk) !== chunk) expect.fail(`class ${zi}: ${chunk} and ${chunks.get(zi)}`);
    chunks.set(zi, chunk);
  }
  expect(chunks.size).toBe(72);
});

test.each([128, 256, 512, 1024, 2048, 4096, 8192])('%i and one byte less have the same class', (size) => {
  expect(m.zindex.zoneindex(size - 1)).toBe(m.zindex.zoneindex(size));
});

test('the table made at boot says what the function says, for every size a zone serves', () => {
  expect(m.slab.ZONE_LIMIT).toBe(16384);
  for (let size = 1; size < m.slab.ZONE_LIMIT; size++) {
    const zi = m.u8[m.i32[SB_ZINDEX]! + ((size + 7) >>> 3)];
    if (zi !== m.zindex.zoneindex(size)) expect.fail(`${size}: ${zi} in the table, ${m.zindex.zoneindex(size)}`);
  }
});

test.each([16377, 16383, 8185, 8191, 4095, 127, 1])('a block of %i bytes has room for them', (size) => {
  const type = m.mallocTypeCreate('temp');
  m.kfree(m.kmalloc(8, type, m.M_WAITOK), type);
  const block = m.kmalloc(size, type, m.M_WAITOK);
  expect(m.kmallocUsable(block)).toBeGreaterThanOrEqual(size);
  m.kfree(block, type);
});

test.each(['16MiB', '40MiB', '80MiB', '160MiB'])('the table is whole on a machine of %s', async (memory) => {
  const other = await inside({ memory });
  for (let size = 1; size < other.slab.ZONE_LIMIT; size++) {
    const zi = other.u8[other.i32[SB_ZINDEX]! + ((size + 7) >>> 3)];
    if (zi !== other.zindex.zoneindex(size)) expect.fail(`${size}: ${zi}`);
  }
});

test('16384 bytes are no class', async () => {
  const other = await inside();
  expect(panicCodeOf(() => other.zindex.zoneindex(16384))).toBe(P_BYTE_COUNT);
});
