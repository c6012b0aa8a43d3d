/** source.ts — where the bytes come from; whatever fails there is the input's fault and says the errno. */

import { constants, createReadStream, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { TraceError } from './errors.js';

/**
 * The file at `path`, as a stream. A pipe (a FIFO, or the shell's `<(command)`) is polled like a socket: a
 * thread blocked in open or read would outlive the signal and keep the process from its exit.
 * @throws TraceError ETRACE_UNREADABLE
 */
export async function openTrace(path: string): Promise<Readable> {
  try {
    const info = await stat(path);
    if (info.isDirectory()) throw new Error('EISDIR: it is a directory, give one file');
    if (!info.isFIFO()) return createReadStream(path);
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * The stream's chunks.
 * @throws TraceError ETRACE_UNREADABLE
 */
export async function* chunksOf(source: Readable, path: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of source) yield chunk as Buffer;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): TraceError {
  const text = error instanceof Error ? error.message : String(error);
  return new TraceError('ETRACE_UNREADABLE', path, 0, `cannot be read: ${text}`, error);
}
