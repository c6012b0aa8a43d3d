/**
 * gunzip.ts — the bytes of a trace, inflated when they are gzip
 *
 * node's own pipe drops what was inflated but not yet read when the input turns out to be cut. So the
 * compressed chunks are written one by one, and all that came of one is handed on before the next: at most
 * 1032 times its size (deflate's limit), 64 MiB for a chunk of 64 KiB, and that only from a bomb.
 */

import { createGunzip, type Gunzip } from 'node:zlib';
import { TraceError } from './errors.js';

const CHUNK = 64 * 1024;
/** A bomb is both: large, and packed tighter than any trace (ours are packed 4 to 5 times). */
const BOMB_BYTES = 256 * 1024 * 1024;
const BOMB_RATIO = 200;

/** Told about the input once it has been read. */
export interface Ending {
  /** The gzip data ended before its trailer. */
  cut: boolean;
}

/**
 * Bytes of `source`, inflated if it begins with the gzip magic.
 * @throws TraceError ETRACE_BOMB; ETRACE_UNREADABLE for damaged gzip data
 */
export async function* inflated(
  source: AsyncIterable<Buffer>,
  path: string,
  ending: Ending,
): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  let inflate: Inflate | undefined;
  try {
    for await (const chunk of source) {
      let bytes = Buffer.from(chunk);
      if (head) {
        bytes = Buffer.concat([head, bytes]);
        head = bytes.length < 2 ? bytes : undefined; // one byte decides nothing
        if (head) continue;
        if (bytes[0] === 0x1f && bytes[1] === 0x8b) inflate = new Inflate(path);
      }
      if (inflate) yield* await inflate.write(bytes);
      else yield bytes;
    }
    if (head && head.length > 0) yield head;
    if (inflate) ending.cut = await inflate.endedEarly();
  } finally {
    inflate?.close();
  }
}

class Inflate {
  readonly #path: string;
  readonly #gunzip: Gunzip = createGunzip({ chunkSize: CHUNK });
  #out: Buffer[] = [];
  #packed = 0;
  #unpacked = 0;
  #ended = false;

  constructor(path: string) {
    this.#path = path;
    this.#gunzip.on('data', (bytes: Buffer) => {
      this.#unpacked += bytes.length;
      this.#out.push(bytes);
    });
    this.#gunzip.once('end', () => {
      this.#ended = true;
    });
    this.#gunzip.on('error', () => {}); // #settle reports it; this one is for the same error coming again
  }

  /** What `bytes` inflate to. */
  async write(bytes: Buffer): Promise<Buffer[]> {
    if (this.#ended) return []; // padding after the trailer
    this.#packed += bytes.length;
    await this.#settle((done) => this.#gunzip.write(bytes, done)).catch((error: NodeJS.ErrnoException) => {
      throw new TraceError('ETRACE_UNREADABLE', this.#path, 0, `damaged gzip data: ${error.message}`, error);
    });
    if (this.#unpacked > BOMB_BYTES && this.#unpacked > this.#packed * BOMB_RATIO) {
      const ratio = Math.round(this.#unpacked / this.#packed);
      throw new TraceError(
        'ETRACE_BOMB',
        this.#path,
        0,
        `a gzip bomb: ${this.#packed} bytes gave ${this.#unpacked} so far (${ratio} to 1, traces 4 to 10)`,
      );
    }
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** No more input: was the trailer missing? */
  async endedEarly(): Promise<boolean> {
    if (this.#ended) return false;
    try {
      await this.#settle(() => this.#gunzip.end()); // its callback comes before the verdict
      return false;
    } catch {
      return true;
    }
  }

  close(): void {
    this.#gunzip.destroy();
  }

  /** Runs one step. An error, or an end before the step is done, may come as an event instead. */
  #settle(step: (done: (error?: Error | null) => void) => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error | null) => {
        this.#gunzip.off('error', done).off('end', done);
        if (error) reject(error);
        else resolve();
      };
      this.#gunzip.on('error', done).on('end', done);
      step(done);
    });
  }
}
