/** collect.ts — reads a trace given as text or bytes, and keeps the events as short strings. */

import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { TraceError } from '../../../src/host/trace/errors.js';
import { readTraceStream } from '../../../src/host/trace/read.js';
import type { ReadOptions, TraceSink, TraceSummary } from '../../../src/host/trace/trace.js';

export interface Collected extends TraceSummary {
  /** `cpu+id:size@type`, `cpu-id`, `cpu~id:size<oldId`, in order. */
  log: string[];
}

export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/trace/${name}`, import.meta.url));

export function logger(): { sink: TraceSink; log: string[] } {
  const log: string[] = [];
  const sink: TraceSink = {
    alloc: (cpu, id, size, type) => log.push(`${cpu}+${id}:${size}@${type}`),
    free: (cpu, id) => log.push(`${cpu}-${id}`),
    realloc: (cpu, id, size, oldId) => log.push(`${cpu}~${id}:${size}<${oldId}`),
    drain: () => Promise.resolve(),
  };
  return { sink, log };
}

/** @param chunk bytes a read, to try every way the input may be cut into chunks */
export async function collect(
  input: string | Buffer,
  options: ReadOptions = {},
  chunk = 1 << 16,
): Promise<Collected> {
  const { sink, log } = logger();
  const summary = await readTraceStream(
    Readable.from(pieces(Buffer.from(input), chunk)),
    'test',
    sink,
    options,
  );
  return { ...summary, log };
}

/** The error that reading `input` ends with. */
export async function refusal(input: string | Buffer, options: ReadOptions = {}): Promise<TraceError> {
  const got = await collect(input, options).catch((error: TraceError) => error);
  if (got instanceof Error) return got;
  throw new Error(`it was read: ${JSON.stringify(got)}`);
}

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export const lines = (...text: string[]): string => `${text.join('\n')}\n`;
