/**
 * ftrace.ts — tracefs `trace` and `trace-cmd report`: `comm-pid [cpu] flags sec.usec: EVENT: fields`
 *
 * A `(tgid)` may stand before `[cpu]`, the flags are missing in very old dumps, trace-cmd pads after the
 * colon and begins with `cpus=N`. Stack traces (` => symbol`) and comments are passed over. Pointers are
 * hashed unless the option hash-ptr is 0; only their identity is used here.
 */

import { KmemReader } from './kmem.js';
import type { Tally } from './tally.js';
import type { FormatReader } from './trace.js';

const QUIET = /^\s*$|^#|^\s*=> |^(?:cpus|version) ?= ?\d|^CPU \d{1,6} is empty/;

export class FtraceReader implements FormatReader {
  readonly #tally: Tally;
  readonly #kmem: KmemReader;

  constructor(tally: Tally) {
    this.#tally = tally;
    this.#kmem = new KmemReader(tally);
  }

  line(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('latin1', start, end);
    if (!this.#kmem.take(text) && !QUIET.test(text)) this.#tally.bad('not a line of an ftrace dump', text);
  }

  end(): void {}
}
