/**
 * perf.ts — `perf script` of kmem events: `comm pid [cpu] sec.usec: kmem:EVENT: fields`
 *
 * comm may hold blanks and pid be pid/tid, so a line is read from `[cpu]` on; `-F cpu,time,event,trace` is
 * the same without the front. Call chains (`perf record -g`) and `--header` comments are passed over.
 */

import { KmemReader } from './kmem.js';
import type { Tally } from './tally.js';
import type { FormatReader } from './trace.js';

const QUIET = /^\s*$|^#|^\s+[0-9a-f]{1,16}\s/;

export class PerfReader implements FormatReader {
  readonly #tally: Tally;
  readonly #kmem: KmemReader;

  constructor(tally: Tally) {
    this.#tally = tally;
    this.#kmem = new KmemReader(tally);
  }

  line(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('latin1', start, end);
    if (!this.#kmem.take(text) && !QUIET.test(text)) this.#tally.bad('not a line of perf script', text);
  }

  end(): void {}
}
