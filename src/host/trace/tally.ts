/** tally.ts — between a format's reader and the sink: counts what passes, and keeps the first bad line. */

import { shorten, TraceError, type TraceErrorCode } from './errors.js';
import type { Dropped, TraceFormat, TraceSink, TraceSummary } from './trace.js';
import { TypeTable } from './types.js';

/** Largest size of an object, bytes: the machine's addresses have 31 bits. */
export const MAX_SIZE = 2 ** 31 - 1;
export const MAX_CPU = 65535;

export class Tally {
  /** Number of the line being read, from 1. */
  line = 0;
  name: string;
  kernel = false;
  truncated = false;
  readonly types = new TypeTable();
  readonly dropped: Dropped = {
    nullFrees: 0,
    unknownFrees: 0,
    inferredFrees: 0,
    failedAllocs: 0,
    otherEvents: 0,
    lostEvents: 0,
  };
  readonly #path: string;
  readonly #sink: TraceSink;
  readonly #strict: boolean;
  readonly #bad = { count: 0, firstLine: 0, reason: '' };
  readonly #seen = new Uint8Array(MAX_CPU + 1);
  #births = 0;
  #deaths = 0;
  #reallocs = 0;

  /** @param strict throw at the first bad line */
  constructor(path: string, name: string, sink: TraceSink, strict: boolean) {
    this.#path = path;
    this.name = name;
    this.#sink = sink;
    this.#strict = strict;
  }

  alloc(cpu: number, id: number, size: number, type: number): void {
    this.#births++;
    this.#seen[cpu] = 1;
    this.#sink.alloc(cpu, id, size, type);
  }

  free(cpu: number, id: number): void {
    this.#deaths++;
    this.#seen[cpu] = 1;
    this.#sink.free(cpu, id);
  }

  realloc(cpu: number, id: number, size: number, oldId: number, type: number): void {
    this.#reallocs++;
    this.#seen[cpu] = 1;
    this.#sink.realloc(cpu, id, size, oldId, type);
  }

  /**
   * Counts the current line as bad.
   * @throws TraceError ETRACE_STRICT when bad lines are not wanted
   */
  bad(reason: string, text = ''): void {
    if (this.#bad.count++ > 0) return;
    this.#bad.firstLine = this.line;
    this.#bad.reason = text === '' ? reason : `${reason}: ${shorten(text)}`;
    if (this.#strict) throw this.error('ETRACE_STRICT', this.#bad.reason);
  }

  /** An error at the current line. */
  error(code: TraceErrorCode, message: string): TraceError {
    return new TraceError(code, this.#path, this.line, message);
  }

  summary(format: TraceFormat): TraceSummary {
    return {
      format,
      name: this.name,
      kernel: this.kernel,
      threads: this.#seen.reduce((n, seen) => n + seen, 0),
      types: this.types.names,
      lines: this.line,
      events: this.#births + this.#deaths + this.#reallocs,
      allocations: this.#births + this.#reallocs,
      frees: this.#deaths + this.#reallocs,
      bad: this.#bad,
      dropped: this.dropped,
      truncated: this.truncated,
    };
  }
}
