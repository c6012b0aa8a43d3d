/** Memory whose superblock lies is refused before anything is read from where it says. */
import { expect, test } from 'vitest';
import { SmpallocError } from '../../src/base/errors.js';
import { format } from '../../src/host/format.js';
import { configure } from '../../src/host/options.js';
import * as SB from '../../src/hw/superblock.layout.js';
import { Memory } from '../../src/observe/memory.js';

function refused(change: (i32: Int32Array) => void): string {
  const heap = format(configure({ memory: '8MiB', cpus: 2, ktr: 8 }));
  change(new Int32Array(heap));
  try {
    new Memory(heap);
  } catch (error) {
    return SmpallocError.is(error) ? `${error.code} ${error.message}` : String(error);
  }
  return 'accepted';
}

const having = (word: number, value: number) => refused((i32) => {
  i32[word] = value;
});

test('a machine is accepted', () => {
  expect(refused(() => {})).toBe('accepted');
});

test.each([
  ['SB_NPAGES', SB.SB_NPAGES, 2047], ['SB_NHOSTCPU', SB.SB_NHOSTCPU, 3], ['SB_ALLOC', SB.SB_ALLOC, 9],
  ['SB_STATS', SB.SB_STATS, -1], ['SB_FREE', SB.SB_FREE, 99], ['SB_KTR_ENTRIES', SB.SB_KTR_ENTRIES, -8],
  ['SB_IPIQ_FIFO', SB.SB_IPIQ_FIFO, 3], ['SB_IPIQ_FIFO', SB.SB_IPIQ_FIFO, 0], ['SB_ZONE_SIZE', SB.SB_ZONE_SIZE, 0],
  ['SB_ZONE_SIZE', SB.SB_ZONE_SIZE, 5000], ['SB_FIRST_PAGE', SB.SB_FIRST_PAGE, 0],
  ['SB_FIRST_PAGE', SB.SB_FIRST_PAGE, 9999],
])('%s out of its range is named (%#)', (name, word, value) => {
  const said = new RegExp(`^ESMP_INPUT the superblock is damaged: ${name} is ${value}, expected`);
  expect(having(word, value)).toMatch(said);
});

const AREAS = [
  'SB_INTR', 'SB_GD', 'SB_IPIQ', 'SB_KTR', 'SB_VM', 'SB_PGA', 'SB_KMU', 'SB_SLGD', 'SB_ZINDEX', 'SB_MALLOC', 'SB_UMA',
  'SB_MSGBUF', 'SB_MPROF',
] as const;

test.each(AREAS)('%s must be on a line, in the image, and where nothing else is', (name) => {
  const word = SB.SUPERBLOCK.fields[name]!;
  for (const value of [0, -64, 1, 4100, 0x7fffffc0, 0x400000]) {
    expect(having(word, value)).toMatch(/^ESMP_INPUT the superblock is damaged: /);
  }
  const other = name === 'SB_PGA' ? SB.SB_KMU : SB.SB_PGA;
  expect(refused((i32) => {
    i32[word] = i32[other]!;
  })).toContain('which is inside');
});

test('an older and a newer machine are told apart', () => {
  const older = 'ESMP_INPUT machine memory of version 1, of an older smpalloc; this one reads 3';
  expect(having(SB.SB_VERSION, 1)).toBe(older);
  expect(having(SB.SB_VERSION, 4)).toContain('of a newer smpalloc');
});

test.each([[0], [4], [4097], [100]])('%i bytes are no machine', (bytes) => {
  expect(() => new Memory(new ArrayBuffer(bytes))).toThrow('this is not the memory of a machine');
});
