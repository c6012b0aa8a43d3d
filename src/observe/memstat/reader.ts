/**
 * reader.ts — a query of a stream: how large it may be, again when it had grown, and its bytes in order.
 *
 * The size comes from the count and from MAXCPU, which the kernel exports for it. A type more by the time the stream is
 * made is ENOMEM, and the query begins anew. C's version tries for ever.
 */
import { STREAM_HEADER_BYTES, STREAM_VERSION } from '../stream.js';
import {
  MEMSTAT_ERROR_DATAERROR, MEMSTAT_ERROR_NOMEMORY, MEMSTAT_ERROR_PERMISSION, MEMSTAT_ERROR_TOOMANYCPUS,
  MEMSTAT_ERROR_VERSION,
} from './list.js';
import { SysctlError, type SysctlSource, readText } from './source.js';
import { MEMSTAT_MAXCPU } from './type.js';

const MOST_RETRIES = 64;

/** The stream, or the error that it is. */
export async function fetchStream(
  source: SysctlSource, name: string, countName: string, bytesFor: (count: number, maxcpus: number) => number,
): Promise<Uint8Array | number> {
  for (let tries = 0; tries < MOST_RETRIES; tries++) {
    try {
      const maxcpus = Number(await readText(source, 'kern.smp.maxcpus'));
      const count = Number(await readText(source, countName));
      if (!Number.isInteger(count) || count < 0 || !Number.isInteger(maxcpus)) return MEMSTAT_ERROR_DATAERROR;
      if (maxcpus > MEMSTAT_MAXCPU) return MEMSTAT_ERROR_TOOMANYCPUS;
      return await source.read(name, bytesFor(count, maxcpus));
    } catch (cause) {
      const errno = cause instanceof SysctlError ? cause.errno : null;
      if (errno === null) throw cause;
      if (errno === 'EPERM' || errno === 'EACCES') return MEMSTAT_ERROR_PERMISSION;
      if (errno !== 'ENOMEM') return MEMSTAT_ERROR_DATAERROR;
    }
  }
  return MEMSTAT_ERROR_NOMEMORY;
}

export interface Stream {
  readonly maxcpus: number;
  readonly count: number;
  readonly read: RecordReader;
}

/**
 * Checks the header, and that so many records and nothing else follow.
 * @param recordBytes of one record on so many CPUs
 * @returns the error, where it is wrong
 */
export function openStream(bytes: Uint8Array, recordBytes: (maxcpus: number) => number): Stream | number {
  if (bytes.length < STREAM_HEADER_BYTES) return MEMSTAT_ERROR_DATAERROR;
  const read = new RecordReader(bytes);
  const [version, maxcpus, count] = [read.u32(), read.u32(), read.u32()];
  read.skip(4);
  if (version !== STREAM_VERSION) return MEMSTAT_ERROR_VERSION;
  if (maxcpus > MEMSTAT_MAXCPU) return MEMSTAT_ERROR_TOOMANYCPUS;
  if (bytes.length !== STREAM_HEADER_BYTES + count * recordBytes(maxcpus)) return MEMSTAT_ERROR_DATAERROR;
  return { maxcpus, count, read };
}

/** Little-endian fields, one behind the other. */
export class RecordReader {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u32(): number {
    return this.#view.getUint32(this.#move(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#move(8), true);
  }

  /** Bytes up to a NUL; those that cannot be printed are '.'. */
  text(bytes: number): string {
    const at = this.#move(bytes);
    let text = '';
    for (let n = 0; n < bytes; n++) {
      const byte = this.#view.getUint8(at + n);
      if (byte === 0) break;
      text += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.';
    }
    return text;
  }

  skip(bytes: number): void {
    this.#move(bytes);
  }

  #move(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}
