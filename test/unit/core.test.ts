import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SmpallocError } from '../../src/base/errors.js';
import { openCore, readCore, writeCore } from '../../src/host/core.js';
import { SB_PANIC } from '../../src/hw/superblock.layout.js';
import { mallocTypes } from '../../src/observe/malloc_types.js';
import { Memory } from '../../src/observe/memory.js';
import { panicReport } from '../../src/observe/panic_report.js';
import { inside, panicCodeOf } from '../helpers/inside.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smpalloc-core-'));
  file = join(folder, 'core');
});
afterEach(() => rm(folder, { recursive: true }));

async function refusal(): Promise<string> {
  try {
    await readCore(file);
  } catch (error) {
    if (!SmpallocError.is(error)) throw error;
    return `${error.code} ${error.message}`;
  }
  return 'read';
}

test('a core dump is the memory, byte for byte', async () => {
  const m = await inside({ memory: '5MiB', ktr: 16 });
  const type = m.mallocTypeCreate('temp');
  const block = m.kmalloc(70000, type, m.M_WAITOK);
  m.u8.fill(0xc3, block, block + 70000);
  await writeCore(file, m.heap);
  const core = await readCore(file);
  expect(Buffer.from(core).equals(Buffer.from(m.heap))).toBe(true);
});

test('what is read from a core dump is what was read from the machine', async () => {
  const m = await inside({ ktr: 16 });
  const type = m.mallocTypeCreate('temp');
  const block = m.kmalloc(100, type, m.M_WAITOK);
  panicCodeOf(() => m.kfree(block + 8, type));
  await writeCore(file, m.heap);
  const memory = new Memory(await readCore(file));
  expect(panicReport(memory)).toEqual(panicReport(m.memory));
  expect(mallocTypes(memory)).toEqual(mallocTypes(m.memory));
  expect(memory.sysctl('kern.slab.zones')).toBe(1);
});

test('memory nobody used takes no room in the file', async () => {
  const m = await inside({ memory: '256MiB' });
  await writeCore(file, m.heap);
  const { size, blocks } = await stat(file);
  expect(size).toBe(4096 + (256 << 20));
  expect(blocks * 512).toBeLessThan(8 << 20);
});

test('a second dump of a smaller machine replaces the first', async () => {
  await writeCore(file, (await inside({ memory: '8MiB' })).heap);
  const m = await inside({ memory: '4MiB', cpus: 1 });
  await writeCore(file, m.heap);
  expect((await readCore(file)).byteLength).toBe(4 << 20);
});

test('the header tells who wrote it', async () => {
  await writeCore(file, (await inside({ memory: '4MiB', cpus: 1 })).heap);
  const header = (await readFile(file)).subarray(0, 4096);
  expect(header.toString('latin1', 0, 8)).toBe('SMPCORE2');
  const about = JSON.parse(header.toString('utf8', 12, 12 + header.readUInt32LE(8)));
  expect(about).toMatchObject({ bytes: 4 << 20, node: process.version });
  expect(Date.parse(about.time)).toBeGreaterThan(0);
});

test.each([['"'.repeat(4000)], ['ü'.repeat(4000)], ['\u0001'.repeat(4000)], ['𝄞'.repeat(4000)]])(
  'a long command line of %.3s does not spoil the header', async (argument) => {
    const argv = process.argv;
    process.argv = [...argv.slice(0, 2), argument];
    try {
      await writeCore(file, (await inside({ memory: '4MiB', cpus: 1 })).heap);
    } finally {
      process.argv = argv;
    }
    expect((await readCore(file)).byteLength).toBe(4 << 20);
  },
);

test('a file that is not there is named', async () => {
  expect(await refusal()).toContain(`ESMP_INPUT ${file}: ENOENT`);
});

test('another file is told from a core dump', async () => {
  await writeFile(file, 'a'.repeat(10000));
  expect(await refusal()).toBe(`ESMP_INPUT ${file}: not a core dump of smpalloc (it does not begin with SMPCORE2)`);
  await writeFile(file, '');
  expect(await refusal()).toContain('not a core dump');
  await writeFile(file, 'SMPCORE2');
  expect(await refusal()).toBe(`ESMP_INPUT ${file}: truncated: 8 bytes, not even a header`);
});

test('a folder is no core dump', async () => {
  file = folder;
  expect(await refusal()).toMatch(/^ESMP_INPUT .*EISDIR/);
});

/** Changes the header of a good dump; `sealed`: its checksum is right again. */
async function withHeader(change: (header: Buffer) => void, sealed: boolean): Promise<string> {
  await writeCore(file, (await inside({ memory: '4MiB', cpus: 1 })).heap);
  const bytes = await readFile(file);
  change(bytes);
  if (sealed) bytes.writeUInt32LE(crc32(bytes.subarray(0, 4092)), 4092);
  await writeFile(file, bytes);
  return refusal();
}

function about(text: string): (header: Buffer) => void {
  return (header) => {
    header.fill(0, 8, 4092);
    header.writeUInt32LE(Buffer.byteLength(text), 8);
    header.write(text, 12);
  };
}

test('a bit that flipped in the header is seen', async () => {
  for (const at of [8, 12, 20, 100, 3000, 4092, 4095]) {
    const said = await withHeader((header) => {
      header[at]! ^= 0x10;
    }, false);
    expect(said).toBe(`ESMP_INPUT ${file}: the header of the core dump is damaged`);
  }
});

test.each([
  ['{"bytes":-5}'], ['{"bytes":4194305,"cpu":null}'], ['{"bytes":4194304,"cpu":256}'], ['{"bytes":1e99}'], ['null'],
  ['{'], [''], ['[]'],
])('a header that makes no sense is an error of the input: %s', async (text) => {
  expect(await withHeader(about(text), true)).toBe(`ESMP_INPUT ${file}: the header of the core dump is damaged`);
});

test('a dump of another format names its writer, and who reads it', async () => {
  const newer = await withHeader((header) => header.write('3', 7), true);
  expect(newer).toMatch(/: core dump of format 3, written by smpalloc \S+; this is smpalloc \S+, which reads 2$/);
  expect(await withHeader((header) => header.write('1', 7), true)).toContain('core dump of format 1');
  expect(await withHeader((header) => {
    header.write('9', 7);
    header.fill(0xff, 8, 4092);
  }, true)).toMatch(/core dump of format 9; this is/);
});

test('a dump is about the CPU that panicked, else about the one that asked for it', async () => {
  const m = await inside();
  await writeCore(file, m.heap);
  expect((await openCore(file)).header).toMatchObject({ cpu: null, panic: 0 });
  await writeCore(file, m.heap, 1);
  expect((await openCore(file)).header.cpu).toBe(1);
  panicCodeOf(() => m.on(1, () => m.kfree(0, m.mallocTypeCreate('temp'))));
  await writeCore(file, m.heap, 0);
  expect((await openCore(file)).header).toMatchObject({ cpu: 1, panic: m.memory.sb(SB_PANIC) });
});

test('a truncated dump says how much is missing', async () => {
  await writeCore(file, (await inside({ memory: '4MiB', cpus: 1 })).heap);
  const handle = await open(file, 'r+');
  await handle.truncate(1 << 20);
  await handle.close();
  expect(await refusal()).toBe(`ESMP_INPUT ${file}: truncated: ${1 << 20} bytes of ${4096 + (4 << 20)}`);
});
