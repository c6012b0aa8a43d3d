/** replay.ts — smpalloc replay FILE: any recorded trace through the machine. */
import { existsSync } from 'node:fs';
import type { CAC } from 'cac';
import { bundledTraces, tracePath } from '../host/trace/bundled.js';
import type { TraceSummary } from '../host/trace/trace.js';
import { replaySuite } from '../suite/replay_row.js';
import { CORE_OPTION } from './core_flag.js';
import { UsageError } from './exit.js';
import { didYouMean, type Flags, suiteOptions, withFlags } from './options.js';
import { output } from './output.js';
import type { Session } from './session.js';

/** what `-` is called on its way through the option parser */
export const STDIN = '/dev/stdin';

export function replayCommand(cli: CAC, session: Session): void {
  const what = 'Run a recorded trace: ours, perf script, ftrace, mtrace; gzipped or not; - is stdin';
  withFlags(cli.command('replay <file>', what))
    .option('--strict', 'a bad line is an error')
    .option(...CORE_OPTION)
    .example('smpalloc replay redis-io3 --free ipi,rchunks    # a bundled trace')
    .example('smpalloc replay redis-io3 --alloc dragonfly,freebsd --profile')
    .example('perf script -F comm,pid,cpu,time,event,trace | smpalloc replay -')
    .action((file: string, flags: Flags) => session.run(() => replay(file, flags, session), flags));
}

async function replay(file: string, flags: Flags, session: Session): Promise<number> {
  const progress = session.progress(flags.quiet === true);
  progress.suite('replay');
  const o = suiteOptions(flags, session.signal, (done, of, what) => progress.update(done, of, what));
  const path = file === STDIN ? '-' : existingPath(file);
  const { summary, rows } = await replaySuite(path, flags.strict === true, o);
  progress.clear();
  if (summary && !flags.quiet) for (const line of remarks(summary)) process.stderr.write(`${line}\n`);
  return output(rows, session.command, o, flags);
}

/** @throws UsageError for a bare name that is neither a file nor one of ours */
function existingPath(file: string): string {
  const path = tracePath(file);
  if (/[/\\]/.test(path) || existsSync(path)) return path;
  const ours = bundledTraces();
  throw new UsageError(`replay: no file '${file}'; ${didYouMean(file, ours)}bundled traces are ${ours.join(', ')}`);
}

/** What the reader left out, and why. */
function remarks(summary: TraceSummary): string[] {
  const { bad, dropped, truncated } = summary;
  const lines: string[] = [];
  if (bad.count > 0) {
    const lost = bad.count === 1 ? '1 bad line skipped, it' : `${bad.count} bad lines skipped, the first`;
    lines.push(`warning: ${lost} is line ${bad.firstLine}: ${bad.reason}`);
  }
  if (truncated) lines.push('warning: the trace ends early; what there was has been replayed');
  const parts = Object.entries({
    'frees of NULL': dropped.nullFrees,
    'frees of objects older than the trace': dropped.unknownFrees,
    'failed allocations': dropped.failedAllocs,
    'other events': dropped.otherEvents,
    'events the recorder lost': dropped.lostEvents,
  }).filter(([, count]) => count > 0);
  if (parts.length > 0) lines.push(`left out: ${parts.map(([what, count]) => `${count} ${what}`).join(', ')}`);
  if (dropped.inferredFrees > 0) lines.push(`inferred: ${dropped.inferredFrees} frees nobody recorded`);
  return lines;
}
