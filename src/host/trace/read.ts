/**
 * read.ts — a trace file, plain or gzip, to the sink
 *
 *   bytes ── gunzip ── detect ── lines ── alloctrace | perf | ftrace | mtrace ── tally ── sink
 *
 * Streams: nothing is kept but the unfinished line and the live ids. Between chunks the reader waits for the
 * sink and lets the event loop turn, so that a signal, a timer or a slow consumer is heard.
 */

import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { AllocTraceReader } from './alloctrace.js';
import { detect, SNIFF_BYTES } from './detect.js';
import { TraceError } from './errors.js';
import { FtraceReader } from './ftrace.js';
import { type Ending, inflated } from './gunzip.js';
import { LineSplitter } from './lines.js';
import { MtraceReader } from './mtrace.js';
import { PerfReader } from './perf.js';
import { chunksOf, openTrace } from './source.js';
import { Tally } from './tally.js';
import type { FormatReader, ReadOptions, TraceFormat, TraceSink, TraceSummary } from './trace.js';

const MAX_LINE = 64 * 1024;
const ENDS_EARLY = 'the trace ends early: record it or copy it again';

const READERS: Record<TraceFormat, new (tally: Tally) => FormatReader> = {
  alloctrace: AllocTraceReader,
  perf: PerfReader,
  ftrace: FtraceReader,
  mtrace: MtraceReader,
};

/**
 * Reads the trace at `path` (`-`: standard input) into `sink`.
 * @throws TraceError for every fault of the input; the signal's reason when it fires
 */
export async function readTrace(
  path: string,
  sink: TraceSink,
  options: ReadOptions = {},
): Promise<TraceSummary> {
  if (path === '-') return readTraceStream(process.stdin, 'stdin', sink, options);
  options.signal?.throwIfAborted();
  return readTraceStream(await openTrace(path), path, sink, options);
}

/**
 * Reads a trace from a stream, and destroys the stream.
 * @param path what messages call it
 */
export function readTraceStream(
  source: Readable,
  path: string,
  sink: TraceSink,
  options: ReadOptions = {},
): Promise<TraceSummary> {
  const { signal } = options;
  const reading = readAll(source, path, sink, options);
  if (!signal) return reading;
  // a read or a sink that hangs is not waited for
  return new Promise((resolve, reject) => {
    const abort = () => {
      source.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    reading.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  });
}

async function readAll(
  source: Readable,
  path: string,
  sink: TraceSink,
  { strict = false, signal, maxLine = MAX_LINE }: ReadOptions,
): Promise<TraceSummary> {
  const tally = new Tally(path, basename(path).replace(/(?:\.txt)?(?:\.gz)?$/, ''), sink, strict);
  const trace = new TraceLines(path, tally, maxLine);
  const ending: Ending = { cut: false };
  try {
    for await (const chunk of inflated(chunksOf(source, path), path, ending)) {
      signal?.throwIfAborted();
      trace.push(chunk);
      await sink.drain();
      await turn();
    }
    signal?.throwIfAborted();
    const summary = trace.end(ending.cut);
    await sink.drain();
    refuse(path, summary, strict);
    return summary;
  } finally {
    source.destroy();
  }
}

/** From bytes to one format's reader, once the head has told which. */
class TraceLines {
  readonly #path: string;
  readonly #tally: Tally;
  readonly #lines: LineSplitter;
  #head: Buffer | undefined = Buffer.alloc(0);
  #format: TraceFormat = 'alloctrace';
  #reader: FormatReader | undefined;

  constructor(path: string, tally: Tally, maxLine: number) {
    this.#path = path;
    this.#tally = tally;
    this.#lines = new LineSplitter(
      maxLine,
      (bytes, start, end) => {
        tally.line++;
        this.#reader!.line(bytes, start, end);
      },
      () => {
        tally.line++;
        tally.bad(`the line is longer than ${maxLine} bytes`);
        this.#reader!.skipped?.();
      },
    );
  }

  push(chunk: Buffer): void {
    if (this.#head) {
      this.#head = Buffer.concat([this.#head, chunk]);
      this.#sniff(this.#head, this.#head.length >= SNIFF_BYTES);
    } else this.#lines.push(chunk);
  }

  /** @param cut the input ended early */
  end(cut: boolean): TraceSummary {
    if (cut && this.#head?.length === 0) throw this.#tally.error('ETRACE_TRUNCATED', ENDS_EARLY);
    if (this.#head) this.#sniff(this.#head, true);
    this.#lines.end(cut);
    this.#reader!.end();
    if (cut) this.#tally.truncated = true;
    return this.#tally.summary(this.#format);
  }

  #sniff(head: Buffer, last: boolean): void {
    const format = detect(this.#path, head.subarray(0, SNIFF_BYTES), last);
    if (!format) return;
    this.#format = format;
    this.#reader = new READERS[format](this.#tally);
    this.#head = undefined;
    this.#lines.push(head);
  }
}

/** Refuses what was read to its end and still is of no use. */
function refuse(path: string, summary: TraceSummary, strict: boolean): void {
  const { truncated, events, lines, bad, dropped } = summary;
  if (truncated && (strict || events === 0)) {
    throw new TraceError('ETRACE_TRUNCATED', path, lines, ENDS_EARLY);
  }
  if (events > 0) return;
  const first = bad.count > 0 ? `, the first bad line is ${bad.firstLine}: ${bad.reason}` : '';
  const counts = `${lines} lines, ${bad.count} bad, ${dropped.otherEvents} events of other kinds`;
  throw new TraceError('ETRACE_EMPTY', path, 0, `no allocation in it (${counts}${first})`);
}
