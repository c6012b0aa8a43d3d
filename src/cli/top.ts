/**
 * top.ts — smpalloc top: a machine at work, on the screen: one of another process, or one that this one starts.
 *
 *   SOURCE           socket of a live machine ──► samples ──► screen, lines, JSON
 *   SUITE or TRACE   a machine of our own, at work in its workers ──► the same, from its memory
 */
import { existsSync, statSync } from 'node:fs';
import type { CAC } from 'cac';
import { boot } from '../host/machine.js';
import { bundledTraces, tracePath } from '../host/trace/bundled.js';
import { kernelMessages } from '../observe/msgbuf.js';
import { memorySource } from '../observe/sysctl.js';
import { endless, type Step } from '../suite/endless.js';
import { SUITES } from './bench.js';
import { CORE_OPTION } from './core_flag.js';
import { EXIT_OK, UsageError } from './exit.js';
import { didYouMean, type Flags, positive, suiteOptions, time, withMachineFlags } from './options.js';
import { hasScreen } from './screen.js';
import { STDIN } from './replay.js';
import type { Session } from './session.js';
import { type TopWatch, watchTop } from './top_watch.js';
import { openFor } from './watch.js';

interface TopFlags extends Flags {
  wait?: unknown;
  count?: unknown;
}

const DEFAULT = 'larson';
const DEFAULT_WAIT_MS = 1000;
/** less would measure itself */
const LEAST_WAIT_MS = 20;
/** flags that are about how it is shown; all others are about a machine of our own */
const SHOWING = ['--', 'wait', 'w', 'count', 'c', 'n', 'json', 'quiet'];

export function topCommand(cli: CAC, session: Session): void {
  const what = 'A machine at work, on the screen: a live one (--listen), or a suite or trace run for it';
  withMachineFlags(cli.command('top [source]', what))
    .option('-w, --wait <TIME>', "time between two samples, such as '500ms' (default: 1s)")
    .option('-c, -n, --count <N>', 'so many samples, then leave')
    .option('--duration <TIME>', 'leave after so long')
    .option(...CORE_OPTION)
    .option('--json', 'a JSON text a sample, one a line; no screen')
    .option('--quiet', 'what the kernel prints is not shown')
    .example('smpalloc top                                    # larson, on every core')
    .example('smpalloc top ring --free rchunks --cpus 4       # any suite, any policy')
    .example('smpalloc top redis-io3                          # a trace, again and again')
    .example('smpalloc bench larson --listen /tmp/machine & smpalloc top /tmp/machine')
    .example('smpalloc top xmalloc -n 10 --json > samples.jsonl')
    .action((source: string | undefined, flags: TopFlags) =>
      session.run(() => top(source ?? DEFAULT, flags, session), flags));
}

async function top(word: string, flags: TopFlags, session: Session): Promise<number> {
  if (word === STDIN) throw new UsageError("top: '-' is where keys are typed; expected a trace's file");
  const waitMs = flags.wait === undefined ? DEFAULT_WAIT_MS : time('-w', flags.wait);
  if (waitMs < LEAST_WAIT_MS) {
    throw new UsageError(`-w: ${waitMs} ms is too often; expected ${LEAST_WAIT_MS}ms or more`);
  }
  const count = flags.count === undefined ? Number.POSITIVE_INFINITY : positive('-c', flags.count);
  const stop = new AbortController();
  const durationMs = flags.duration === undefined ? null : time('--duration', flags.duration);
  const show = { waitMs, count, durationMs, json: flags.json === true, stop, session };
  return isSocket(word) ? live(word, flags, show) : own(word, flags, show);
}

type Show = Pick<TopWatch, 'waitMs' | 'count' | 'durationMs' | 'json' | 'stop' | 'session'>;

async function live(path: string, flags: TopFlags, show: Show): Promise<number> {
  const own = Object.keys(flags).find((flag) => !SHOWING.includes(flag) && flag !== 'duration');
  if (own !== undefined) {
    const flag = own.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(`--${flag}: the machine at ${path} is there already; the flag is for one that top starts`);
  }
  const open = await openFor(path, show.session);
  try {
    await watchTop({ ...show, name: path, source: open.source, gone: open.gone });
    const gone = open.gone();
    if (gone !== null) process.stderr.write(`${gone}\n`);
    return EXIT_OK;
  } finally {
    open.close();
  }
}

async function own(word: string, flags: TopFlags, show: Show): Promise<number> {
  const { session, stop } = show;
  const signal = AbortSignal.any([session.signal, stop.signal]);
  // on a screen there is no place for what the kernel prints: it follows at the end
  const screen = hasScreen() && !show.json;
  const talks = flags.quiet !== true;
  const o = suiteOptions({ ...flags, duration: undefined, quiet: screen || !talks }, signal, () => {});
  for (const flag of ['alloc', 'free', 'stats'] as const) {
    const values = o[flag] ?? [];
    if (values.length > 1) throw new UsageError(`--${flag}: ${values.join(',')} are several; top runs one machine`);
  }
  const progress = session.progress(flags.quiet === true);
  progress.suite('top');
  progress.update(0, 0, `preparing ${word}`);
  const work = await endless(Object.hasOwn(SUITES, word) ? word : existing(word), o);
  progress.suite('top');
  progress.update(0, 0, `starting ${work.options.cpus} CPUs`);
  await using machine = await boot(work.options);
  const running = repeat(await work.start(machine), signal);
  progress.clear();
  // it is awaited below; a panic must not be called unhandled until then
  running.catch(() => {});
  try {
    const source = memorySource(machine.memory);
    await watchTop({ ...show, name: word, source, gone: () => null, ended: running });
    stop.abort();
    await running;
    return EXIT_OK;
  } finally {
    stop.abort();
    if (screen && talks) {
      for (const line of kernelMessages(machine.memory)) process.stderr.write(`kernel: ${line}\n`);
    }
  }
}

/** Until it is told to end; its machine is stopped in the middle of a step then. */
async function repeat(step: Step, signal: AbortSignal): Promise<void> {
  try {
    while (!signal.aborted) await step();
  } catch (cause) {
    if (!signal.aborted) throw cause;
  }
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

/** @throws UsageError for what is neither a suite, nor a socket, nor a trace */
function existing(word: string): string {
  const path = tracePath(word);
  if (existsSync(path)) return path;
  const there = [...Object.keys(SUITES), ...bundledTraces()];
  throw new UsageError(
    `top: no machine, suite or trace '${word}'; ${didYouMean(word, there)}expected the socket of a live machine ` +
    `(--listen), a trace's file, or one of ${there.join(', ')}`,
  );
}
