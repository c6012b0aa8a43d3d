/** race_fuzz.ts — smpalloc race fuzz: random programs, explored one after the other. */
import { DEFECT_NAMES } from '../base/defects.js';
import { FREE_NAMES, type FreePolicy, STATS_NAMES, type StatsPolicy } from '../base/policy.js';
import { type Mourner, RaceFarm } from '../host/race_farm.js';
import type { Configured, FuzzFailure, FuzzSlice, FuzzTask } from '../lab/farm/fuzz_run.js';
import { counterexampleText } from '../report/race_text.js';
import { integer } from '../report/table.js';
import { EXIT_CLAIM, EXIT_INTERRUPTED, EXIT_OK, UsageError } from './exit.js';
import { didYouMean, list, number, positive, time } from './options.js';
import { paint, replayLine, widthOf } from './race_explore.js';
import { lanesOf, patienceOf, type RaceFlags, seedNumber, whole, words } from './race_options.js';
import type { Session } from './session.js';

export interface FuzzFlags extends RaceFlags {
  cpus?: unknown;
  ops?: unknown;
  duration?: unknown;
  scenarios?: unknown;
}

/** rchunks and rcount, as they were committed, strand zones (R40): only who asks for them wants to see that */
const FREE: readonly FreePolicy[] = ['rbatch', 'rtagged', 'rsignal2', 'locked', 'ipi'];
const STATS: readonly StatsPolicy[] = ['critical', 'unpadded', 'atomic', 'mutex', 'none'];
/** programs a task: they share a configuration */
const CHUNK = 32;
const DURATION_MS = 30_000;
const SCHEMA = 'smpalloc-race-fuzz-1';

const MOURNER: Mourner = {
  stuck: () => new Error('a random program never yields'),
  died: (cause) => cause,
};

export async function raceFuzz(flags: FuzzFlags, session: Session): Promise<number> {
  const plan = planOf(flags);
  await using farm = new RaceFarm(lanesOf(flags), patienceOf(flags));
  session.signal.addEventListener('abort', () => farm.stop());
  const progress = session.progress(flags.quiet === true);
  progress.suite('race fuzz');
  const start = performance.now();
  const limit = plan.scenarios === null ? plan.duration : Number.POSITIVE_INFINITY;
  const timer = setInterval(() => {
    const elapsed = performance.now() - start;
    const part = plan.scenarios === null ? [elapsed, plan.duration] as const : [farm.work, plan.scenarios] as const;
    const left = part[0] > 0 ? ((part[1] - part[0]) / part[0]) * (elapsed / 1000) : 0;
    const eta = left > 0 ? `ETA ${Math.ceil(left)} s  ` : '';
    progress.update(...part, `${eta}${integer(farm.work)} scenarios  ${integer(farm.executions)} executions`);
    if (elapsed > limit) farm.stop();
  }, 100);
  const total = { programs: 0, limited: 0, executions: 0 };
  const failures: FuzzFailure[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (!farm.stopped && failures.length === 0 && next < (plan.scenarios ?? Number.POSITIVE_INFINITY)) {
      const from = next;
      next += CHUNK;
      const count = Math.min(CHUNK, (plan.scenarios ?? Number.POSITIVE_INFINITY) - from);
      const slice = await farm.run<FuzzSlice>({ do: 'fuzz', ...plan.task, chunk: CHUNK, from, count }, MOURNER);
      for (const what of ['programs', 'limited', 'executions'] as const) total[what] += slice[what];
      if (slice.failure) failures.push(slice.failure);
    }
  };
  try {
    await Promise.all(Array.from({ length: farm.lanes }, lane));
  } finally {
    clearInterval(timer);
    progress.clear();
  }
  // the same one, however many lanes there were
  const failure = failures.sort((a, b) => a.number - b.number)[0] ?? null;
  const seconds = (performance.now() - start) / 1000;
  if (flags.json) {
    const verdict = failure ? 'fail' : 'pass';
    const { seed, preempt } = plan.task;
    process.stdout.write(`${JSON.stringify({ schema: SCHEMA, verdict, seed, preempt, seconds, ...total, failure })}\n`);
  } else print(total, failure, seconds, plan, flags);
  if (session.signal.aborted) return EXIT_INTERRUPTED;
  return failure ? EXIT_CLAIM : EXIT_OK;
}

interface Plan {
  readonly task: Omit<FuzzTask, 'from' | 'count' | 'chunk'>;
  readonly scenarios: number | null;
  readonly duration: number;
}

function planOf(flags: FuzzFlags): Plan {
  const defects = words(flags.defect);
  for (const name of defects) {
    if (DEFECT_NAMES.includes(name)) continue;
    const there = DEFECT_NAMES.join(', ');
    throw new UsageError(`--defect: there is no '${name}'; ${didYouMean(name, DEFECT_NAMES)}there are ${there}`);
  }
  if (flags.duration !== undefined && flags.scenarios !== undefined) {
    throw new UsageError('--duration and --scenarios: one of them');
  }
  const free = list<FreePolicy>('--free', flags.free, FREE_NAMES) ?? FREE;
  const stats = list<StatsPolicy>('--stats', flags.stats, STATS_NAMES) ?? STATS;
  if (stats.includes('mutex-up')) throw new UsageError('--stats: mutex-up is only right with one CPU');
  const configurations: Configured[] = free.flatMap((f) => stats.map((s) => ({ free: f, stats: s })));
  return {
    task: {
      seed: seedNumber(flags), shape: { cpus: range('--cpus', flags.cpus, 2, 4), ops: range('--ops', flags.ops, 2, 5) },
      configurations, defects,
      preempt: flags.preempt === undefined ? 2 : whole('--preempt', flags.preempt, 0, 5),
      executions: flags.executions === undefined ? 2000 : positive('--executions', flags.executions),
    },
    scenarios: flags.scenarios === undefined ? null : positive('--scenarios', flags.scenarios),
    duration: flags.duration === undefined ? DURATION_MS : time('--duration', flags.duration),
  };
}

/** '3', or '2..4' */
function range(flag: string, value: unknown, least: number, most: number): [number, number] {
  if (value === undefined) return [least, most];
  const [, from, to] = /^(\d+)(?:\.\.(\d+))?$/.exec(String(value)) ?? [];
  const limit = flag === '--cpus' ? 4 : 12;
  const [low, high] = [number(flag, from ?? ''), number(flag, to ?? from ?? '')];
  if (from !== undefined && low >= 1 && low <= high && high <= limit) return [low, high];
  throw new UsageError(`${flag}: ${JSON.stringify(value)} is not usable; expected N or N..N, from 1 to ${limit}`);
}

function print(
  total: Omit<FuzzSlice, 'failure'>, failure: FuzzFailure | null, seconds: number, { task }: Plan, flags: FuzzFlags,
): void {
  const counts = `${integer(total.programs)} scenarios, ${integer(total.executions)} executions`;
  const numbers = `${counts}, ${seconds.toFixed(1)} s`;
  const limited = total.limited > 0 ? `; of ${integer(total.limited)} not all schedules` : '';
  if (!failure) {
    process.stdout.write(`${paint.good('PASS')}: all of ${numbers}, up to ${task.preempt} preemptions${limited}\n`);
    return;
  }
  const { program, drawn, number: n, configured: { free, stats }, counterexample } = failure;
  const options = { width: widthOf(process.stdout), all: flags.all === true };
  const text = counterexampleText(counterexample, program, paint, options);
  const settings = { machine: { free, stats }, ...(task.defects.length > 0 && { defects: task.defects }) };
  const origin = `(scenario ${n} of seed ${task.seed}${program === drawn ? '' : `, drawn as ${drawn}`})`;
  const lines = [
    `${paint.strong(program)} ${paint.dim(origin)}`,
    ...text.slice(0, -1),
    replayLine({ kind: 'fuzz', name: program }, counterexample.token, settings),
    '',
    `${paint.bad('FAIL')} ${counterexample.cls} in ${numbers}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
