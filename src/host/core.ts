/** core.ts — core dumps: a header page (core_header.ts), then the machine's memory as it was; zeroes are holes. */
import { type FileHandle, open } from 'node:fs/promises';
import { SmpallocError } from '../base/errors.js';
import { type CoreHeader, HEADER_BYTES, headerPage, readHeader } from './core_header.js';

const BLOCK_BYTES = 65536;
const ZEROES = Buffer.alloc(BLOCK_BYTES);
/** one read system call moves less than 2 GiB */
const READ_BYTES = 1 << 30;

export type { CoreHeader } from './core_header.js';

export interface Core {
  readonly header: CoreHeader;
  readonly memory: ArrayBuffer;
}

/** @param cpu who asked for it, unless the machine has panicked */
export async function writeCore(path: string, heap: SharedArrayBuffer, cpu: number | null = null): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.write(headerPage(heap, cpu), 0, HEADER_BYTES, 0);
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
  return (await openCore(path)).memory;
}

/** The same, with what the header says. */
export async function openCore(path: string): Promise<Core> {
  let file: FileHandle | null = null;
  try {
    file = await open(path, 'r');
    const page = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await file.read(page, 0, HEADER_BYTES, 0);
    const header = readHeader(page.subarray(0, bytesRead));
    const { size } = await file.stat();
    const wanted = HEADER_BYTES + header.bytes;
    if (size < wanted) throw new Error(`truncated: ${size} bytes of ${wanted}`);
    return { header, memory: await readMemory(file, header.bytes) };
  } catch (cause) {
    // whatever it is, it is about this file
    throw new SmpallocError('ESMP_INPUT', `${path}: ${(cause as Error).message}`, { cause });
  } finally {
    await file?.close();
  }
}

async function readMemory(file: FileHandle, bytes: number): Promise<ArrayBuffer> {
  const memory = new ArrayBuffer(bytes);
  const view = new Uint8Array(memory);
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await file.read(view, at, Math.min(READ_BYTES, bytes - at), HEADER_BYTES + at);
    if (bytesRead === 0) throw new Error(`ends after ${at} bytes of ${bytes}`);
    at += bytesRead;
  }
  return memory;
}
