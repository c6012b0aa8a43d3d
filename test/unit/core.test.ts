import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SmpallocError } from '../../src/base/errors.js';
import { readCore, writeCore } from '../../src/host/core.js';
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
  expect(header.toString('latin1', 0, 8)).toBe('SMPCORE1');
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
  expect(await refusal()).toBe(`ESMP_INPUT ${file}: not a core dump of smpalloc (it does not begin with SMPCORE1)`);
  await writeFile(file, '');
  expect(await refusal()).toContain('not a core dump');
});

test('a header that makes no sense is an error of the input', async () => {
  const header = Buffer.alloc(8192);
  header.write('SMPCORE1{"bytes":');
  await writeFile(file, header);
  expect(await refusal()).toContain('ESMP_INPUT');
  const about = '{"bytes":-5}';
  header.writeUInt32LE(about.length, 8);
  header.write(about, 12);
  await writeFile(file, header);
  expect(await refusal()).toContain('ESMP_INPUT');
});

test('a truncated dump says how much is missing', async () => {
  await writeCore(file, (await inside({ memory: '4MiB', cpus: 1 })).heap);
  const handle = await open(file, 'r+');
  await handle.truncate(1 << 20);
  await handle.close();
  expect(await refusal()).toBe(`ESMP_INPUT ${file}: truncated: ${1 << 20} bytes of ${4096 + (4 << 20)}`);
});
