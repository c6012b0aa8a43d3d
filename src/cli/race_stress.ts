/** race_stress.ts — smpalloc race stress: scenarios on real workers; and race merge, which adds several runs up. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { FREE_NAMES, type FreePolicy, STATS_NAMES, type StatsPolicy } from '../base/policy.js';
import { RaceFarm } from '../host/race_farm.js';
import { catalogue } from '../lab/catalogue/index.js';
import { mournerFor } from '../lab/farm/farm_runner.js';
import type { Settings } from '../lab/farm/job.js';
import { expectedFailures } from '../lab/farm/regress.js';
import type { Scenario } from '../lab/scenario.js';
import { type Cell, runCell } from '../lab/stress/cell.js';
import { forbiddenIn, type StressRecord } from '../lab/stress/record.js';
import { isCrowded } from '../lab/stress/stress.js';
import type { Known } from '../lab/stress/window.js';
import { stressHtml } from '../report/stress_html.js';
import { mergeStress, parseStress } from '../report/stress_record.js';
import { stressText } from '../report/stress_text.js';
import { integer } from '../report/table.js';
import { EXIT_CLAIM, EXIT_INTERRUPTED, EXIT_OK, UsageError } from './exit.js';
import { fileOf, writeResult } from './html.js';
import { list, time } from './options.js';
import { paint } from './race_explore.js';
import {
  patienceOf, type RaceFlags, seedNumber, settingsOf, shardOf,
} from './race_options.js';
import { targetsOf } from './race_targets.js';
import type { Session } from './session.js';

export interface StressFlags extends RaceFlags {
  time?: unknown;
  widen?: boolean;
  explore?: boolean;
}

const TIME_MS = 10_000;
/** what the explorer may take to tell of a window */
const SEEK_MS = 10_000;
const COUNT_MS = 3000;

interface Plan {
  readonly cells: readonly Omit<Cell, 'known'>[];
  readonly explore: boolean;
  readonly html: string | null;
}

export async function raceStress(names: readonly string[], flags: StressFlags, session: Session): Promise<number> {
  const plan = await planOf(names, flags);
  if (!flags.quiet) warnCrowded(plan);
  const progress = session.progress(flags.quiet === true);
  const done: StressRecord[] = [];
  await using farm = new RaceFarm(1, patienceOf(flags));
  session.signal.addEventListener('abort', () => farm.stop());
  const total = plan.cells.reduce((sum, cell) => sum + cell.time, 0);
  let before = 0;
  for (const cell of plan.cells) {
    if (session.signal.aborted) break;
    progress.suite(cell.scenario.name);
    progress.update(before, total, 'asks the explorer');
    const known = plan.explore ? await knownOf(cell, farm) : null;
    if (session.signal.aborted) break;
    const start = performance.now();
    const record = await runCell({ ...cell, known }, ({ samples, forbidden }) => {
      const bad = forbidden > 0 ? `, ${integer(forbidden)} forbidden` : '';
      progress.update(before + performance.now() - start, total, `${integer(samples)} samples${bad}`);
    }, session.signal).catch((cause: unknown) => {
      if (session.signal.aborted) return null;
      throw cause;
    });
    before += cell.time;
    if (!record) break;
    done.push(record);
    progress.clear();
    print([record], flags);
  }
  if (plan.html !== null) writeResult('--html', plan.html, stressHtml(done, `smpalloc ${session.command}`));
  if (plan.cells.length > 1 && !flags.json) summary(done, plan.cells.length);
  if (session.signal.aborted) {
    process.stderr.write('interrupted: this is what was known\n');
    return EXIT_INTERRUPTED;
  }
  return done.some((record) => forbiddenIn(record) > 0) ? EXIT_CLAIM : EXIT_OK;
}

/** Runs of other shards, seeds or machines, added up. */
export function raceMerge(files: readonly string[], flags: StressFlags, session: Session): number {
  if (files.length === 0) throw new UsageError('race merge: a file is missing: the lines of race stress --json');
  const html = fileOf('--html', flags.html);
  const merged = mergeStress(files.flatMap((file) => parseStress(read(file), file)));
  print(merged, flags);
  if (html !== null) writeResult('--html', html, stressHtml(merged, `smpalloc ${session.command}`));
  return merged.some((record) => forbiddenIn(record) > 0) ? EXIT_CLAIM : EXIT_OK;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`race merge: ${file} cannot be read: ${(cause as Error).message}`);
  }
}

// ---- what is to be run

/** @throws UsageError */
async function planOf(names: readonly string[], flags: StressFlags): Promise<Plan> {
  const { free: _, stats: __, ...rest } = flags;
  const settings = settingsOf(rest as RaceFlags);
  const scenarios = await targetsOf('race stress', names, flags, () => everything(settings));
  const shard = shardOf(flags);
  const all = scenarios.flatMap((one) => policiesOf(one.scenario, flags).map((machine) => ({ ...one, machine })));
  const mine = all.filter((_cell, n) => !shard || n % shard.of === shard.index);
  if (mine.length === 0) throw new UsageError(`--shard: ${all.length} cells are fewer than shards; this one has none`);
  const budget = flags.budget === undefined ? null : time('--budget', flags.budget);
  if (budget !== null && flags.time !== undefined) throw new UsageError('--time and --budget: one of them');
  const given = flags.time === undefined ? TIME_MS : time('--time', flags.time);
  const each = budget === null ? given : budget / mine.length;
  return {
    cells: mine.map(({ scenario, reference, machine }) => ({
      scenario, reference, time: each, seed: seedNumber(flags), widened: flags.widen === true,
      settings: { ...settings, machine: { ...settings.machine, ...machine } },
    })),
    explore: flags.explore !== false,
    html: fileOf('--html', flags.html),
  };
}

/** With a defect: the scenarios that have it. Without: those that have to pass. */
function everything({ defects = [] }: Settings): readonly Scenario[] {
  const chosen = catalogue.filter((scenario) => {
    if (defects.length > 0) return defects.every((defect) => scenario.defects?.includes(defect));
    return (scenario.expect?.verdict ?? 'pass') === 'pass';
  });
  if (chosen.length === 0) throw new UsageError(`--defect: no scenario has ${defects.join(' and ')}`);
  return chosen;
}

/** Every combination of the policies that were asked for. UMA has no remote frees. */
function policiesOf({ machine }: Scenario, flags: StressFlags): { free?: FreePolicy; stats?: StatsPolicy }[] {
  const given = list<FreePolicy>('--free', flags.free, FREE_NAMES) ?? [null];
  const free = machine?.alloc === 'freebsd' ? [null] : given;
  const stats = list<StatsPolicy>('--stats', flags.stats, STATS_NAMES) ?? [null];
  return free.flatMap((f) => stats.map((s) => ({ ...(f && { free: f }), ...(s && { stats: s }) })));
}

/** What the explorer knows: of the failure with these defects; where there are none, of the one the scenario guards. */
async function knownOf({ scenario, reference, settings }: Omit<Cell, 'known'>, farm: RaceFarm): Promise<Cell['known']> {
  if (settings.memory === 'tso' || scenario.memory === 'tso') return null;
  const given = settings.defects ?? [];
  const expected = expectedFailures(scenario);
  const one = given.length > 0 ? expected.find(({ defects }) => defects.join() === given.join()) : expected[0];
  if (!one && given.length === 0) return null;
  const defects = given.length > 0 ? given : one!.defects;
  const known = await farm.run<Known | null>({
    do: 'window', reference, settings: { ...settings, defects }, cls: one?.cls ?? null, seekMs: SEEK_MS,
    countMs: COUNT_MS,
  }, mournerFor(farm, reference, null)).catch((cause: unknown) => {
    if (farm.stopped) return null;
    throw cause;
  });
  return known && { ...known, defect: defects.join(',') };
}

// ---- what is said

function print(records: readonly StressRecord[], flags: StressFlags): void {
  for (const record of records) {
    const text = flags.json ? JSON.stringify(record) : `${stressText(record, paint).join('\n')}\n`;
    process.stdout.write(`${text}\n`);
  }
}

function warnCrowded({ cells }: Plan): void {
  const crowded = new Set(cells.filter(({ scenario }) => isCrowded(scenario)).map(({ scenario }) => scenario.name));
  if (crowded.size === 0) return;
  const cores = availableParallelism();
  const names = [...crowded].join(', ');
  process.stderr.write(`warning: more workers than the ${cores} cores: ${names}; they take turns and seldom meet\n`);
}

function summary(done: readonly StressRecord[], planned: number): void {
  const bad = done.filter((record) => forbiddenIn(record) > 0);
  const samples = done.reduce((sum, record) => sum + record.samples, 0);
  const parts = [`${done.length} of ${planned} runs`, `${integer(samples)} samples`];
  const names = [...new Set(bad.map(({ scenario }) => scenario))].join(', ');
  parts.push(bad.length > 0 ? paint.bad(`FORBIDDEN in ${bad.length}: ${names}`) : paint.good('none FORBIDDEN'));
  process.stdout.write(`${parts.join(', ')}\n`);
}
