/**
 * core_header.ts — the first page of a core dump.
 *
 *   0     'SMPCORE', a digit: the format
 *   8     u32 length of the JSON that follows, then the JSON: bytes, cpu, panic, version, node, time, command
 *   4092  u32 CRC-32 of the 4092 bytes before it
 *   4096  the memory
 *
 * `cpu` is the CPU the dump is about: the one that panicked, else the one that asked for it, else null (FreeBSD's
 * dumptid). The memory has no checksum: what its superblock says is checked by whoever makes a Memory of it, and a
 * reader survives the rest.
 */
import { crc32 } from 'node:zlib';
import { MAXCPU, MAXMEM, PAGE_SIZE } from '../base/param.js';
import { SB_PANIC, SB_PANIC_CPU } from '../hw/superblock.layout.js';
import { packageVersion } from './root.js';

const MAGIC = 'SMPCORE';
const FORMAT = 2;
export const HEADER_BYTES = 4096;
const CRC_AT = HEADER_BYTES - 4;

/** What the header says. */
export interface CoreHeader {
  readonly bytes: number;
  /** the CPU the dump is about; null: the host asked for it */
  readonly cpu: number | null;
  /** panic code, 0: the machine had not panicked */
  readonly panic: number;
  readonly smpalloc: string;
  readonly node: string;
  /** ISO 8601 */
  readonly time: string;
  readonly argv: string;
}

/** @param cpu who asked for the dump */
export function headerPage(heap: SharedArrayBuffer, cpu: number | null): Buffer {
  const i32 = new Int32Array(heap);
  const panic = i32[SB_PANIC]!;
  const about: CoreHeader = {
    bytes: heap.byteLength,
    cpu: panic === 0 ? cpu : i32[SB_PANIC_CPU]!,
    panic,
    smpalloc: packageVersion,
    node: process.version,
    time: new Date().toISOString(),
    // six bytes a character at the most: it fits behind the rest
    argv: process.argv.slice(2).join(' ').slice(0, 600),
  };
  const text = JSON.stringify(about);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(`${MAGIC}${FORMAT}`, 0, 'latin1');
  header.writeUInt32LE(Buffer.byteLength(text), 8);
  header.write(text, 12);
  header.writeUInt32LE(crc32(header.subarray(0, CRC_AT)), CRC_AT);
  return header;
}

/** @throws Error saying why this is the header of no core dump, or of none we read */
export function readHeader(page: Buffer): CoreHeader {
  const [, digit] = /^SMPCORE(\d)$/.exec(page.toString('latin1', 0, 8)) ?? [];
  if (digit === undefined) throw new Error(`not a core dump of smpalloc (it does not begin with ${MAGIC}${FORMAT})`);
  if (page.length < HEADER_BYTES) throw new Error(`truncated: ${page.length} bytes, not even a header`);
  const whole = crc32(page.subarray(0, CRC_AT)) === page.readUInt32LE(CRC_AT);
  if (Number(digit) !== FORMAT) {
    const by = parsed(page)?.smpalloc;
    const writer = typeof by === 'string' && by.length < 40 ? `, written by smpalloc ${by}` : '';
    throw new Error(`core dump of format ${digit}${writer}; this is smpalloc ${packageVersion}, which reads ${FORMAT}`);
  }
  const header = whole ? parsed(page) : null;
  if (!header || !isHeader(header)) throw new Error('the header of the core dump is damaged');
  return header;
}

function parsed(page: Buffer): Partial<CoreHeader> | null {
  try {
    const about: unknown = JSON.parse(page.toString('utf8', 12, 12 + Math.min(page.readUInt32LE(8), CRC_AT - 12)));
    return typeof about === 'object' ? about : null;
  } catch {
    return null;
  }
}

function isHeader(about: Partial<CoreHeader>): about is CoreHeader {
  const { bytes, cpu } = about;
  const integer = (value: unknown, low: number, high: number) =>
    typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high;
  return integer(bytes, PAGE_SIZE, MAXMEM) && bytes! % PAGE_SIZE === 0 && (cpu === null || integer(cpu, 0, MAXCPU - 1));
}
