/** race_litmus.ts — smpalloc race litmus: what this host's threads show of the language's memory model. */
import { litmusCores, runLitmus } from '../host/litmus.js';
import { partsOf, registersOf } from '../lab/litmus/actor.js';
import { isForbidden, litmusResult, type LitmusResult } from '../lab/litmus/outcome.js';
import { LITMUS, type LitmusTest } from '../lab/litmus/tests.js';
import { environment } from '../report/environment.js';
import { litmusSummary, litmusText } from '../report/litmus_text.js';
import { integer } from '../report/table.js';
import { EXIT_CLAIM, EXIT_INTERRUPTED, EXIT_OK, UsageError } from './exit.js';
import { didYouMean, time } from './options.js';
import { paint } from './race_explore.js';
import { type RaceFlags, seedNumber } from './race_options.js';
import type { Session } from './session.js';

export interface LitmusFlags extends RaceFlags {
  time?: unknown;
  summary?: boolean;
}

const TIME_MS = 1000;
/** strides that are not counted: V8 compiles an actor's loop in its first 20 ms or so, and once more when it is hot */
const WARM_UP_MS = 200;
const SCHEMA = 'smpalloc-race-litmus-1';

export async function raceLitmus(names: readonly string[], flags: LitmusFlags, session: Session): Promise<number> {
  const tests = testsOf(names);
  const ms = flags.time === undefined ? TIME_MS : time('--time', flags.time);
  const seed = seedNumber(flags);
  const cores = litmusCores();
  const most = Math.max(...tests.map(({ actors }) => actors.length));
  if (most > cores && flags.quiet !== true) {
    const many = tests.filter(({ actors }) => actors.length > cores).map(({ name }) => name).join(', ');
    process.stderr.write(`warning: ${most} threads on ${cores} cores: ${many}: what is not seen means nothing\n`);
  }
  const progress = session.progress(flags.quiet === true);
  const results: LitmusResult[] = [];
  for (const [n, test] of tests.entries()) {
    progress.suite(test.name);
    const tally = await runLitmus({
      name: test.name, parts: test.actors.map((_, actor) => partsOf(test, actor)), registers: registersOf(test),
      seed, ms, warmUpMs: WARM_UP_MS,
    }, session.signal, (samples) => progress.update(n, tests.length, `${integer(samples)} samples`)).catch((cause) => {
      // those that are finished stand
      if (session.signal.aborted) return null;
      throw cause;
    });
    if (!tally) break;
    const result = litmusResult(test, tally, cores);
    results.push(result);
    progress.clear();
    if (!flags.json && !flags.summary) process.stdout.write(`${litmusText(result, paint)}\n\n`);
  }
  progress.clear();
  report(results, results.length === tests.length, { seed, ms }, flags);
  if (session.signal.aborted) {
    process.stderr.write('interrupted: this is what was known\n');
    return EXIT_INTERRUPTED;
  }
  return results.some(isForbidden) ? EXIT_CLAIM : EXIT_OK;
}

function report(
  tests: readonly LitmusResult[], complete: boolean, settings: { seed: number; ms: number }, flags: LitmusFlags,
): void {
  const bad = tests.filter(isForbidden).map(({ test }) => test);
  const { flavour: _, warnings: __, ...where } = environment(1, false);
  if (flags.json) {
    const verdict = bad.length > 0 ? 'fail' : 'pass';
    const record = { schema: SCHEMA, complete, verdict, ...settings, warmUpMs: WARM_UP_MS, environment: where, tests };
    process.stdout.write(`${JSON.stringify(record)}\n`);
    return;
  }
  if (tests.length === 0) return;
  const verdict = bad.length > 0
    ? paint.bad(`FAIL: what JavaScript forbids was seen: ${bad.join(', ')}`)
    : `${paint.good('PASS')}: nothing was seen that JavaScript forbids`;
  const host = `smpalloc ${where.smpalloc}, Node ${where.node}, ${where.cpu} (${where.cores} cores), ${where.os}`;
  const how = `${settings.ms / 1000} s a test, after ${WARM_UP_MS / 1000} s that are not counted`;
  process.stdout.write(`${paint.dim(`${host}; ${how}`)}\n\n${litmusSummary(tests)}\n\n${verdict}\n`);
}

/** @param names of tests, or of shapes: all their tests; none: everything */
function testsOf(names: readonly string[]): readonly LitmusTest[] {
  if (names.length === 0) return LITMUS;
  const shapes = [...new Set(LITMUS.map(({ shape }) => shape))];
  const wanted = new Set(names.flatMap((word) => {
    const found = LITMUS.filter(({ name, shape }) => name === word || shape === word);
    if (found.length > 0) return found;
    const there = LITMUS.filter(({ shape }) => shape === word.split(':')[0]).map(({ name }) => name);
    const hint = didYouMean(word, [...shapes, ...LITMUS.map(({ name }) => name)]);
    const known = (there.length > 0 ? there : shapes).join(', ');
    throw new UsageError(`race litmus: no test '${word}'; ${hint}there are ${known}`);
  }));
  return [...wanted];
}
