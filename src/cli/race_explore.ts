/** race_explore.ts — smpalloc race explore: scenarios to a verdict. */
import { SmpallocError } from '../base/errors.js';
import { RaceFarm } from '../host/race_farm.js';
import { type Checkpoint, explore } from '../lab/explore.js';
import { FarmRunner, mournerFor } from '../lab/farm/farm_runner.js';
import type { Description, Settings } from '../lab/farm/job.js';
import { loadScenarios, type Reference, spelled } from '../lab/farm/reference.js';
import { findScenario } from '../lab/catalogue/index.js';
import { expectedFailures } from '../lab/farm/regress.js';
import type { Exploration } from '../lab/result.js';
import { isExhaustive } from '../lab/search/index.js';
import type { Shard } from '../lab/search/search.js';
import { raceHtml } from '../report/race_html.js';
import { raceJunit } from '../report/race_junit.js';
import { counterexampleText, explorationText } from '../report/race_text.js';
import type { Paint } from '../report/text.js';
import { colorsFor } from './colors.js';
import { EXIT_CLAIM, EXIT_INTERRUPTED, EXIT_OK, EXIT_TIMEOUT, UsageError } from './exit.js';
import { fileOf, writeResult } from './html.js';
import { positive, time } from './options.js';
import {
  algorithmOf, jobsOf, lanesOf, patienceOf, type RaceFlags, referenceOf, seedNumber, settingsOf, shardOf,
  spelledSettings, whole,
} from './race_options.js';
import { Ticker } from './race_progress.js';
import { StateFile } from './race_state.js';
import type { Session } from './session.js';

/** between two savings of --state */
const SAVE_MS = 30_000;
const BUDGET_MS = 60_000;
const EVERYTHING = 'all';

const colors = colorsFor(process.stdout);
export const paint: Paint = { good: colors.green, bad: colors.red, strong: colors.bold, dim: colors.dim };

interface Plan {
  readonly settings: Settings;
  readonly algorithm: string;
  readonly preempt: number;
  readonly seed: number;
  readonly executions: number | null;
  /** milliseconds a scenario */
  readonly budget: number;
  readonly shard: Shard | undefined;
  readonly allFailures: boolean;
  readonly countHeaps: boolean;
  readonly state: string | null;
  readonly html: string | null;
  readonly junit: string | null;
}

interface Target {
  readonly reference: Reference;
  readonly name: string;
  readonly title: string;
  readonly origin: string;
}

export async function raceExplore(names: readonly string[], flags: RaceFlags, session: Session): Promise<number> {
  if (names.length === 0) throw new UsageError("race explore: a scenario is missing: a name, a file, or 'all'");
  const plan = planOf(flags);
  const references = names.flatMap((name): Reference[] => (
    name === EVERYTHING ? [{ kind: 'catalogue', name }] : [referenceOf(name)]
  ));
  await using farm = new RaceFarm(lanesOf(flags), patienceOf(flags));
  session.signal.addEventListener('abort', () => farm.stop());
  const targets: Target[] = [];
  for (const reference of references) targets.push(...(await targetsOf(reference, farm)));
  if (targets.length > 1) {
    const many = `${targets.length} scenarios are named; it takes one`;
    if (plan.state !== null) throw new UsageError(`--state: ${many}`);
    if (plan.html !== null) throw new UsageError(`--html: ${many}`);
  }
  const ticker = new Ticker(farm, session.progress(flags.quiet === true));
  const done: Exploration[] = [];
  try {
    for (const target of targets) {
      if (farm.stopped) break;
      const x = await exploreOne(target, plan, farm, ticker, jobsOf(flags)).catch((cause: unknown) => {
        // interrupted before it knew anything: what the others found out stands
        if (farm.stopped) return null;
        throw cause;
      });
      if (!x) break;
      done.push(x);
      ticker.clear();
      print(x, target, plan, flags);
    }
  } finally {
    ticker.end();
  }
  if (plan.junit !== null) writeResult('--junit', plan.junit, raceJunit(done));
  if (plan.html !== null && done[0]) writeResult('--html', plan.html, raceHtml(done[0], `smpalloc ${session.command}`));
  const asExpected = names.includes(EVERYTHING) && !plan.settings.defects;
  const failed = done.filter((x) => x.verdict === 'fail' && !(asExpected && isExpected(x)));
  if (targets.length > 1 && !flags.json) summary(done, failed);
  if (farm.stopped) {
    process.stderr.write('interrupted: this is what was known\n');
    return EXIT_INTERRUPTED;
  }
  if (failed.length > 0) return EXIT_CLAIM;
  return done.some((x) => x.verdict === 'budget') ? EXIT_TIMEOUT : EXIT_OK;
}

/** @throws UsageError */
function planOf(flags: RaceFlags): Plan {
  const algorithm = algorithmOf(flags);
  const shard = shardOf(flags);
  if (!isExhaustive(algorithm) || algorithm === 'bound') {
    // these are divided and saved
  } else if (shard) {
    throw new UsageError(`--shard: ${algorithm} is not done in parts; bound, random, pos and pct are`);
  } else if (flags.state !== undefined) {
    throw new UsageError(`--state: ${algorithm} cannot be saved; bound, random, pos and pct can`);
  }
  return {
    settings: settingsOf(flags),
    algorithm,
    preempt: flags.preempt === undefined ? 2 : whole('--preempt', flags.preempt, 0, 20),
    seed: seedNumber(flags),
    executions: flags.executions === undefined ? null : positive('--executions', flags.executions),
    budget: flags.budget === undefined ? BUDGET_MS : time('--budget', flags.budget),
    shard,
    allFailures: flags.allFailures === true,
    countHeaps: flags.countHeaps === true,
    state: fileOf('--state', flags.state),
    html: fileOf('--html', flags.html),
    junit: fileOf('--junit', flags.junit),
  };
}

/** A file's scenarios are asked of a worker: here it could do harm. */
async function targetsOf(reference: Reference, farm: RaceFarm): Promise<Target[]> {
  const found: readonly Pick<Description, 'name' | 'title' | 'origin'>[] = reference.kind === 'file'
    ? await farm.run<Description[]>({ do: 'describe', reference }, mournerFor(farm, reference, null))
    : (await loadScenarios(reference)).map(({ name, title = '', origin }) => ({ name, title, origin }));
  return found.map(({ name, title, origin }) => {
    const alone = reference.kind === 'file' && found.length === 1;
    return { reference: alone ? reference : { ...reference, name }, name, title, origin };
  });
}

async function exploreOne(
  { reference, name, title, origin }: Target, plan: Plan, farm: RaceFarm, ticker: Ticker, jobs: number | null,
): Promise<Exploration> {
  const { settings, algorithm, preempt, seed, executions, budget, shard } = plan;
  const state = plan.state === null ? null : new StateFile(plan.state, {
    scenario: spelled(reference), options: spelledSettings(settings).trim(), algorithm, seed: String(seed),
    shard: shard ? `${shard.index + 1}/${shard.of}` : 'none',
  });
  const checkpoint = state?.read();
  if (checkpoint) process.stderr.write(`going on from ${state!.path}\n`);
  ticker.begins(name);
  ticker.expected = () => 0;
  const save = (now: Checkpoint) => state?.save(now);
  const runner = await FarmRunner.prepare(farm, reference, settings, {
    jobs, slice: state ? SAVE_MS : Number.POSITIVE_INFINITY, onSlice: save, checkpoint,
  });
  ticker.expected = () => runner.expected;
  const { exploration } = await explore({ name, title, origin, cpus: [], cpu: {} }, runner, {
    ...settings, algorithm, preempt, seed, budget, ...(shard && { shard }),
    allFailures: plan.allFailures, countHeaps: plan.countHeaps,
    ...(executions !== null && { executions }), ...(checkpoint && { checkpoint }),
  }, (bound) => ticker.begins(name, bound === null ? algorithm : `preemptions <= ${bound}`));
  refuseWriters(exploration);
  if (state && exploration.verdict !== 'budget') state.remove();
  return exploration;
}

/** A scenario that keeps something in JavaScript is no scenario: its schedules mean nothing. */
function refuseWriters({ scenario, counterexamples }: Exploration): void {
  const wrong = counterexamples.find(({ cls }) => cls === 'nondeterminism');
  if (!wrong) return;
  const op = wrong.steps.at(-1)?.op;
  const where = op ? `'${op}' of cpu${wrong.cpu}` : `cpu${wrong.cpu}`;
  throw new SmpallocError('ESMP_INPUT', `scenario '${scenario}' is not deterministic: ${where}: ${wrong.message}`);
}

function print(x: Exploration, { reference }: Target, { settings }: Plan, flags: RaceFlags): void {
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(x)}\n`);
    return;
  }
  const lines = explorationText(x, paint);
  for (const c of x.counterexamples) {
    // its last line names the scenario; here it is known how it was called
    const text = counterexampleText(c, x.scenario, paint, { width: widthOf(process.stdout), all: flags.all === true });
    lines.push('', ...text.slice(0, -1), replayLine(reference, c.token, settings));
  }
  process.stdout.write(`${lines.join('\n')}\n\n`);
}

export function replayLine(reference: Reference, token: string, settings: Settings): string {
  const name = spelled(reference);
  const quoted = /^[\w@%+=:,./#-]+$/.test(name) ? name : `'${name}'`;
  return `replay: smpalloc race replay ${quoted} ${token}${spelledSettings(settings)}`;
}

export function widthOf(stream: NodeJS.WriteStream): number {
  return Math.max(80, stream.columns ?? 120);
}

/** Policies as they were committed fail by themselves: of the whole catalogue that is what is wanted. */
function isExpected({ scenario, counterexamples }: Exploration): boolean {
  const known = expectedFailures(findScenario(scenario)).filter(({ defects }) => defects.length === 0);
  return counterexamples.every(({ cls }) => known.some((one) => one.cls === cls));
}

function summary(done: readonly Exploration[], failed: readonly Exploration[]): void {
  const open = done.filter(({ verdict }) => verdict === 'budget');
  const names = (list: readonly Exploration[]) => list.map(({ scenario }) => scenario).join(', ');
  const asExpected = done.filter(({ verdict }) => verdict === 'fail').length - failed.length;
  const parts = [`${done.length} scenarios`, `${done.filter(({ verdict }) => verdict === 'pass').length} pass`];
  if (asExpected > 0) parts.push(`${asExpected} fail as expected`);
  if (failed.length > 0) parts.push(paint.bad(`${failed.length} fail: ${names(failed)}`));
  if (open.length > 0) parts.push(`${open.length} without a verdict: ${names(open)}`);
  process.stdout.write(`${parts.join(', ')}\n`);
}
