/**
 * stream.ts — what both statistics streams share: little-endian records in a buffer of a size that is counted first.
 *
 *   stream header, 16 bytes    │ u32 version = 1 │ u32 maxcpus │ u32 count │ u32 - │
 *   then `count` times         │ type header │ maxcpus × 64 bytes of one CPU │
 *
 * FreeBSD sys/sys/malloc.h (malloc_type_stream_header), sys/vm/uma.h (uma_stream_header).
 */
import { SmpallocError } from '../base/errors.js';

export const STREAM_VERSION = 1;
export const STREAM_HEADER_BYTES = 16;
/** struct malloc_type_stats, struct uma_percpu_stat */
export const PERCPU_BYTES = 64;

/** how often a list may have grown behind the reader's back before it takes what it has */
const MOST_RESTARTS = 16;

/**
 * The kernel's sizing rule: count the list, drop the lock and make a buffer, look again; a list that has grown
 * meanwhile does not fit, and everything begins anew (R6). A shrink is accepted. The kernel tries for ever; a reader
 * that nobody can stop gives up after some restarts, and takes the last walk: it is whole, only late.
 */
export function sized<T>(count: () => number, walk: () => T): T {
  for (let restarts = 0; ; restarts++) {
    const room = count();
    const found = walk();
    if (count() <= room || restarts === MOST_RESTARTS) return found;
  }
}

/** MAXCPU of a kernel that runs so many CPUs: 1 on UP, else 16, or the next power of two. */
export function maxcpuFor(ncpu: number): number {
  if (ncpu === 1) return 1;
  let maxcpu = 16;
  while (maxcpu < ncpu) maxcpu *= 2;
  return maxcpu;
}

/** A buffer of a fixed length, filled from its start (sbuf(9), SBUF_FIXEDLEN): nothing is written behind its end. */
export class StreamWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: number) {
    this.bytes = new Uint8Array(bytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  header(maxcpus: number, count: number): void {
    this.u32(STREAM_VERSION, maxcpus, count, 0);
  }

  u32(...values: number[]): void {
    for (const value of values) this.#view.setUint32(this.#move(4), value, true);
  }

  u64(...values: bigint[]): void {
    for (const value of values) this.#view.setBigUint64(this.#move(8), value, true);
  }

  /** strlcpy: as many bytes as fit, with a NUL behind them; the rest stays 0. */
  text(text: string, bytes: number): void {
    const at = this.#move(bytes);
    for (let n = 0; n < Math.min(text.length, bytes - 1); n++) this.bytes[at + n] = text.charCodeAt(n) & 0xff;
  }

  zeroes(bytes: number): void {
    this.#move(bytes);
  }

  #move(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.bytes.length) throw new SmpallocError('ESMP_INPUT', `${this.bytes.length} bytes are too few`);
    return at;
  }
}
