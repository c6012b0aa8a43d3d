/** race_replay.ts — smpalloc race replay: one execution again, by its token. */
import { RaceFarm } from '../host/race_farm.js';
import { mournerFor } from '../lab/farm/farm_runner.js';
import type { Settings, Work } from '../lab/farm/job.js';
import { type Reference, spelled } from '../lab/farm/reference.js';
import type { ReplayAnswer } from '../lab/farm/replay_job.js';
import type { Counterexample, Exploration } from '../lab/result.js';
import { parseReference, parseToken } from '../lab/counterexample/token.js';
import { drawColumns } from '../report/race_columns.js';
import { raceHtml } from '../report/race_html.js';
import { traceRows } from '../report/race_rows.js';
import { counterexampleText } from '../report/race_text.js';
import { EXIT_CLAIM, EXIT_INTERRUPTED, EXIT_OK, UsageError } from './exit.js';
import { fileOf, writeResult } from './html.js';
import { paint, widthOf } from './race_explore.js';
import {
  patienceOf, type RaceFlags, referenceOf, settingsOf, spelledSettings, whole,
} from './race_options.js';
import type { Session } from './session.js';

export interface ReplayFlags extends RaceFlags {
  break?: unknown;
  real?: unknown;
}

const RUNS = 100;
const SCHEMA = 'smpalloc-race-replay-1';

/** @param token undefined: it stands behind the name, NAME@TOKEN */
export async function raceReplay(
  name: string, token: string | undefined, flags: ReplayFlags, session: Session,
): Promise<number> {
  const { reference, text } = meant(name, token);
  parseToken(text);
  const settings = settingsOf(flags);
  const html = fileOf('--html', flags.html);
  const work: Work = {
    do: 'replay', reference, settings, token: text,
    breakAt: flags.break === undefined ? null : whole('--break', flags.break, 1, 1e9),
    real: flags.real === undefined ? null : flags.real === true ? RUNS : whole('--real', flags.real, 1, 1_000_000),
  };
  await using farm = new RaceFarm(1, patienceOf(flags));
  session.signal.addEventListener('abort', () => farm.stop());
  const answer = await farm.run<ReplayAnswer>(work, mournerFor(farm, reference, null));
  if (flags.json) process.stdout.write(`${JSON.stringify(recordOf(answer, text, settings))}\n`);
  else print(answer, reference, text, settings, flags);
  if (html !== null) {
    const page = raceHtml(explorationOf(answer, text, settings), `smpalloc ${session.command}`);
    writeResult('--html', html, page);
  }
  if (session.signal.aborted) return EXIT_INTERRUPTED;
  const disagree = answer.real !== null && answer.real.agreed < answer.real.runs;
  return answer.counterexample || disagree ? EXIT_CLAIM : EXIT_OK;
}

function meant(name: string, token: string | undefined): { reference: Reference; text: string } {
  const parsed = token === undefined ? parseReference(name) : parseReference(token);
  if (token === undefined && parsed.name === null) {
    throw new UsageError(`race replay: a token is missing: race replay ${name} TOKEN, or ${name}@TOKEN`);
  }
  const reference = referenceOf(token === undefined ? parsed.name! : name);
  if (token !== undefined && parsed.name !== null && parsed.name !== spelled(reference)) {
    const meant = spelled(reference);
    throw new UsageError(`race replay: '${token}' is a token of scenario '${parsed.name}', not of '${meant}'`);
  }
  return { reference, text: parsed.token };
}

function recordOf(answer: ReplayAnswer, token: string, { defects = [] }: Settings) {
  const { steps, counterexample, known: _, ...rest } = answer;
  return { schema: SCHEMA, token, defects, ...rest, verdict: counterexample ? 'fail' : 'pass', counterexample, steps };
}

/** What is asked for, and nothing about how it was found: it was not. */
function print(
  answer: ReplayAnswer, reference: Reference, token: string, settings: Settings, flags: ReplayFlags,
): void {
  const options = { width: widthOf(process.stdout), all: flags.all === true };
  const { counterexample, broke, real } = answer;
  const lines: string[] = [];
  if (broke) {
    lines.push(`before step ${flags.break}:`, ...broke.map((line) => `  ${line}`), '');
  }
  const title = answer.title === '' ? '' : `: ${answer.title}`;
  lines.push(`${paint.strong(answer.scenario)}${title} ${paint.dim(`(${token}${spelledSettings(settings)})`)}`);
  if (counterexample) {
    // its third line is how it was found, its last one this command
    const text = counterexampleText(counterexample, spelled(reference), paint, options);
    lines.push(...text.filter((_, n) => n !== 2).slice(0, -2));
  } else {
    const shown = asCounterexample(answer, token);
    const outcome = answer.outcome === '' ? '' : `, outcome '${answer.outcome}'`;
    lines.push('', ...drawColumns(shown.columns, traceRows(shown, options.all), options.width, paint), '');
    const without = hint(settings, reference.kind === 'fuzz' ? [] : answer.known);
    lines.push(`${paint.good('PASS')}: nothing fails on this schedule${outcome}${without}`);
  }
  if (real) {
    const agreed = `${real.agreed} of ${real.runs} runs on real threads agreed, access by access`;
    lines.push('', real.agreed === real.runs ? paint.good(agreed) : paint.bad(agreed));
    lines.push(...real.differences.map((text) => `  ${text}`));
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

function hint({ defects }: Settings, known: readonly string[]): string {
  return defects || known.length === 0 ? '' : ` (without --defect ${known.join(',')})`;
}

/** An execution that passes, for whoever draws those that fail. */
function asCounterexample({ columns, steps, switches, preemptions }: ReplayAnswer, token: string): Counterexample {
  return {
    cls: 'outcome', message: '', cpu: -1, token, execution: 1, switches, preemptions, shrunkFrom: 0, replays: 0,
    columns, steps,
  };
}

function explorationOf(answer: ReplayAnswer, token: string, settings: Settings): Exploration {
  const { defects = [], points = 'shared' } = settings;
  const { counterexample, scenario, title, machine, memory, columns, steps } = answer;
  return {
    schema: 'smpalloc-race-1', scenario, title, origin: `replay of ${token}`, cpus: columns, machine, defects,
    algorithm: 'replay', memory, points, casFails: 1, seed: 1, estimate: null, passes: [], executions: 1,
    accesses: steps.length, seconds: 0, heaps: null, states: null, outcomes: {},
    verdict: counterexample ? 'fail' : 'pass', complete: false,
    counterexamples: counterexample ? [counterexample] : [],
  };
}
