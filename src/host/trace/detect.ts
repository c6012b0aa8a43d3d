/** detect.ts — which format is it? The first lines tell; nothing is read to find out but a bounded head. */

import { shorten, TraceError } from './errors.js';
import { isEvent, kmemLine } from './kmem.js';
import { isMtrace } from './mtrace.js';
import type { TraceFormat } from './trace.js';

/** How much is looked at: bytes, and non-empty lines. */
export const SNIFF_BYTES = 64 * 1024;
const SNIFF_LINES = 200;

const KNOWN = 'smpalloc text trace, perf script or ftrace text of kmem events, glibc mtrace; plain or gzip';

/** Binary relatives, by their first bytes: the way to a text we can read. */
const FOREIGN: [string, string][] = [
  ['PERFILE2', 'a perf.data file; give the output of `perf script -F cpu,time,event,trace --ns`'],
  ['\x17\x08Dtracing', 'a trace.dat file; give the output of `trace-cmd report`'],
  ['\x28\xb5\x2f\xfd', 'zstd data; only gzip is understood, decompress it first'],
  ['\xfd7zXZ', 'xz data; only gzip is understood, decompress it first'],
  ['BZh', 'bzip2 data; only gzip is understood, decompress it first'],
];

/**
 * Format of a trace that begins with `head`.
 * @param last the head is all there is, or all that will be looked at
 * @returns undefined when more is needed
 * @throws TraceError ETRACE_EMPTY, ETRACE_FORMAT, only when `last`
 */
export function detect(path: string, head: Buffer, last: boolean): TraceFormat | undefined {
  const text = head.toString('latin1');
  const lines = text.split('\n');
  if (!last) lines.pop(); // perhaps half a line
  let looked = 0;
  let firstLine = '';
  for (const raw of lines) {
    const line = raw.trimEnd();
    if (line === '') continue;
    const format = formatOf(line);
    if (format) return format;
    firstLine ||= line;
    if (++looked === SNIFF_LINES) break;
  }
  if (!last && looked < SNIFF_LINES) return undefined;
  if (firstLine === '') throw new TraceError('ETRACE_EMPTY', path, 0, 'the trace is empty');
  const foreign = FOREIGN.find(([magic]) => text.startsWith(magic))?.[1];
  if (foreign) throw new TraceError('ETRACE_FORMAT', path, 0, `this is ${foreign}`);
  throw new TraceError(
    'ETRACE_FORMAT',
    path,
    1,
    `unknown trace format, it begins ${shorten(firstLine)}; known are: ${KNOWN}`,
  );
}

function formatOf(line: string): TraceFormat | undefined {
  if (line.startsWith('# alloctrace') || /^\d{1,16} \d{1,6} [acfgkmr] \d/.test(line)) return 'alloctrace';
  if (line.startsWith('# tracer:')) return 'ftrace';
  if (isMtrace(line)) return 'mtrace';
  const event = kmemLine(line);
  if (!event || !isEvent(event.rest)) return undefined;
  // `comm-pid [cpu]` or `comm-pid (tgid) [cpu]`, where perf has blanks around the pid
  return /-\d{1,10}\s+(?:\([\s\d-]{1,12}\)\s+)?$/.test(event.task) ? 'ftrace' : 'perf';
}
