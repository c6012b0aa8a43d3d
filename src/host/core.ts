/**
 * core.ts — core dumps: a header page, then the machine's memory as it was.
 *
 *   0     'SMPCORE1'
 *   8     u32 length of the JSON that follows, then the JSON: bytes, version, node, time, command
 *   4096  the memory; blocks of zeroes are holes in the file
 */
import { type FileHandle, open } from 'node:fs/promises';
import { SmpallocError } from '../base/errors.js';
import { MAXMEM } from '../base/param.js';
import { packageVersion } from './root.js';

const MAGIC = 'SMPCORE1';
const HEADER_BYTES = 4096;
const BLOCK_BYTES = 65536;
const ZEROES = Buffer.alloc(BLOCK_BYTES);
/** one read system call moves less than 2 GiB */
const READ_BYTES = 1 << 30;

export async function writeCore(path: string, heap: SharedArrayBuffer): Promise<void> {
  const file = await open(path, 'w');
  try {
    const about = JSON.stringify({
      bytes: heap.byteLength,
      smpalloc: packageVersion,
      node: process.version,
      time: new Date().toISOString(),
      // six bytes a character at the most: it fits behind the rest
      argv: process.argv.slice(2).join(' ').slice(0, 600),
    });
    const header = Buffer.alloc(HEADER_BYTES);
    header.write(MAGIC, 0, 'latin1');
    header.writeUInt32LE(Buffer.byteLength(about), 8);
    header.write(about, 12);
    await file.write(header, 0, HEADER_BYTES, 0);
    await writeBlocks(file, heap);
    await file.truncate(HEADER_BYTES + heap.byteLength);
  } finally {
    await file.close();
  }
}

async function writeBlocks(file: FileHandle, heap: SharedArrayBuffer): Promise<void> {
  for (let at = 0; at < heap.byteLength; at += BLOCK_BYTES) {
    // a copy: the file system must not see memory that still changes
    const block = Buffer.from(new Uint8Array(heap, at, Math.min(BLOCK_BYTES, heap.byteLength - at)));
    if (!block.equals(ZEROES.subarray(0, block.length))) await file.write(block, 0, block.length, HEADER_BYTES + at);
  }
}

/** @returns the memory of a core file @throws SmpallocError ESMP_INPUT when it is none, or shorter than it says */
export async function readCore(path: string): Promise<ArrayBuffer> {
  const file = await open(path, 'r').catch((cause: Error) => {
    throw new SmpallocError('ESMP_INPUT', `${path}: ${cause.message}`, { cause });
  });
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    await file.read(header, 0, HEADER_BYTES, 0);
    if (header.toString('latin1', 0, 8) !== MAGIC) {
      throw new SmpallocError('ESMP_INPUT', `${path}: not a core dump of smpalloc (it does not begin with ${MAGIC})`);
    }
    const bytes = memoryBytes(path, header);
    const { size } = await file.stat();
    if (size < HEADER_BYTES + bytes) {
      throw new SmpallocError('ESMP_INPUT', `${path}: truncated: ${size} bytes of ${HEADER_BYTES + bytes}`);
    }
    const memory = new ArrayBuffer(bytes);
    const view = new Uint8Array(memory);
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await file.read(view, at, Math.min(READ_BYTES, bytes - at), HEADER_BYTES + at);
      if (bytesRead === 0) throw new SmpallocError('ESMP_INPUT', `${path}: ends after ${at} bytes of ${bytes}`);
      at += bytesRead;
    }
    return memory;
  } finally {
    await file.close();
  }
}

/** Size of the memory, by the header. */
function memoryBytes(path: string, header: Buffer): number {
  let bytes: unknown;
  try {
    ({ bytes } = JSON.parse(header.toString('utf8', 12, 12 + header.readUInt32LE(8))));
  } catch {
    // said below
  }
  if (typeof bytes === 'number' && Number.isInteger(bytes) && bytes > 0 && bytes <= MAXMEM) return bytes;
  throw new SmpallocError('ESMP_INPUT', `${path}: the header of the core dump is damaged`);
}
