/**
 * confirm.ts — is an entry of the catalogue what it says? With its defect it is found and shrunk, replayed access by
 * access on real workers, and looked for by stress, with its window as it is and held open; without it all schedules
 * pass.
 */
import type { FailureClass } from '../base/failures.js';
import { SmpallocError } from '../base/errors.js';
import type { StressPulse } from '../host/stress.js';
import type { RaceFarm } from '../host/race_farm.js';
import { type ExploreOptions, explore } from './explore.js';
import { FarmRunner, mournerFor } from './farm/farm_runner.js';
import type { Settings } from './farm/job.js';
import type { Reference } from './farm/reference.js';
import type { ReplayAnswer } from './farm/replay_job.js';
import type { Scenario } from './scenario.js';
import { type Cell, sampleCell } from './stress/cell.js';
import { forbiddenIn, type StressRecord } from './stress/record.js';
import { Stress } from './stress/stress.js';
import type { Known } from './stress/window.js';

export interface ConfirmTask {
  readonly scenario: Scenario;
  readonly reference: Reference;
  readonly defects: readonly string[];
  readonly cls: FailureClass;
  /** milliseconds: to find it, to count its schedules, for all schedules without it, of each stress run */
  readonly seekMs: number;
  readonly countMs: number;
  readonly cleanMs: number;
  readonly stressMs: number;
  readonly replays: number;
  readonly seed: number;
}

export interface Clean {
  readonly schedules: number;
  readonly preemptions: number;
  readonly seconds: number;
  readonly complete: boolean;
  readonly failed: string;
}

export interface Confirmation {
  readonly schema: 'smpalloc-race-confirm-1';
  readonly scenario: string;
  readonly title: string;
  readonly defects: readonly string[];
  readonly cls: FailureClass;
  readonly found: Known | null;
  /** null: it fails without a defect */
  readonly clean: Clean | null;
  /** null: real workers cannot make this schedule */
  readonly replayed: { readonly runs: number; readonly agreed: number } | null;
  readonly stress: readonly StressRecord[];
  /** '' when everything is as the catalogue says */
  readonly problem: string;
  readonly seconds: number;
}

const PREEMPTIONS = 2;

export async function confirm(
  task: ConfirmTask, farm: RaceFarm, onStep: (what: string) => void, signal: AbortSignal,
): Promise<Confirmation> {
  const start = performance.now();
  const { scenario, reference, defects, cls } = task;
  onStep('explores');
  const found = await farm.run<Known | null>({
    do: 'window', reference, settings: { defects }, cls, seekMs: task.seekMs, countMs: task.countMs,
  }, mournerFor(farm, reference, null));
  const itself = defects.length === 0;
  onStep('explores without the defect');
  const clean = itself || signal.aborted ? null : await allSchedules(task, farm);
  onStep('replays');
  const replayed = found && !signal.aborted ? await replay(task, found, farm) : null;
  const stress = signal.aborted ? [] : await sampled(task, found, onStep, signal);
  return {
    schema: 'smpalloc-race-confirm-1',
    scenario: scenario.name,
    title: scenario.title ?? '',
    defects,
    cls,
    found,
    clean,
    replayed,
    stress,
    problem: problemOf(found, clean, replayed, cls),
    seconds: (performance.now() - start) / 1000,
  };
}

function problemOf(
  found: Known | null, clean: Clean | null, replayed: Confirmation['replayed'], cls: FailureClass,
): string {
  if (!found) return `no ${cls} was found`;
  if (found.cls !== cls) return `${found.cls} was found, not ${cls}`;
  if (clean && clean.failed !== '') return `fails without the defect: ${clean.failed}`;
  if (clean && !clean.complete) return 'not all schedules without the defect were explored';
  if (replayed && replayed.agreed < replayed.runs) return `${replayed.runs - replayed.agreed} replays differ`;
  return '';
}

/** All schedules without the defect. */
async function allSchedules({ reference, scenario, cleanMs, seed }: ConfirmTask, farm: RaceFarm): Promise<Clean> {
  const settings: Settings = {};
  const runner = await FarmRunner.prepare(farm, reference, settings, {
    jobs: null, slice: Number.POSITIVE_INFINITY, onSlice: () => {}, checkpoint: undefined,
  });
  const options: ExploreOptions = { algorithm: 'bound', preempt: PREEMPTIONS, seed, budget: cleanMs, estimate: 0 };
  const { exploration } = await explore(scenario, runner, options);
  const last = exploration.passes.at(-1);
  const [wrong] = exploration.counterexamples;
  return {
    schedules: last?.executions ?? 0,
    preemptions: last?.bound ?? 0,
    seconds: exploration.seconds,
    complete: exploration.verdict === 'pass' && exploration.complete,
    failed: wrong ? `${wrong.cls}: ${wrong.message}` : '',
  };
}

/** @returns null where real workers cannot be made to take these steps */
async function replay(
  { reference, defects, replays, scenario }: ConfirmTask, { token }: Known, farm: RaceFarm,
): Promise<Confirmation['replayed']> {
  if (token === '' || scenario.memory === 'tso') return null;
  try {
    const { real } = await farm.run<ReplayAnswer>({
      do: 'replay', reference, settings: { defects }, token, breakAt: null, real: replays,
    }, mournerFor(farm, reference, null));
    return real && { runs: real.runs, agreed: real.agreed };
  } catch (cause) {
    if (SmpallocError.is(cause) && cause.code === 'ESMP_OPTION') return null;
    throw cause;
  }
}

/** As it is, and with threads held up; the latter only where there is a window. */
async function sampled(
  { scenario, reference, defects, stressMs, seed }: ConfirmTask, found: Known | null, onStep: (what: string) => void,
  signal: AbortSignal,
): Promise<StressRecord[]> {
  const settings: Settings = { defects };
  const known = found && { ...found, defect: defects.join(',') };
  const cell: Cell = { scenario, reference, settings, time: stressMs, seed, widened: false, known };
  const pulse = (what: string) => ({ samples, forbidden }: StressPulse) => (
    onStep(`${what}: ${forbidden} of ${samples}`)
  );
  await using stress = await Stress.start(scenario, reference, settings, signal);
  const records = [await sampleCell(stress, cell, pulse('stress'), signal)];
  if (found && found.windows.length > 0 && !signal.aborted) {
    records.push(await sampleCell(stress, { ...cell, widened: true }, pulse('held up'), signal));
  }
  return records;
}

/** How a stress run of it came out, widened or not; null: there was none. */
export function stressed(c: Confirmation, widened: boolean): { samples: number; forbidden: number } | null {
  const record = c.stress.find((one) => one.widened === widened);
  return record ? { samples: record.samples, forbidden: forbiddenIn(record) } : null;
}
