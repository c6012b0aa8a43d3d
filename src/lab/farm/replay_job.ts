/** replay_job.ts — a token shown again: its execution step by step, the structures at one of them, real threads. */
import { SmpallocError } from '../../base/errors.js';
import type { Failure } from '../../hw/stepped/failure.js';
import { breakAt } from '../counterexample/break.js';
import { describe } from '../counterexample/counterexample.js';
import { checkDeterminism } from '../determinism.js';
import { prepareForToken, replayToken } from '../counterexample/replay.js';
import type { Counterexample, Exploration, Step } from '../result.js';
import { type RealReplay, replayReal } from './real.js';
import { loadScenarios, type Reference, spelled } from './reference.js';
import { LocalRunner } from './local.js';
import type { Subject, SubjectOptions } from '../subject.js';
import { traceSchedule } from '../counterexample/trace.js';

export interface ReplayTask {
  readonly token: string;
  /** step before which the structures are looked at, from 1 */
  readonly breakAt: number | null;
  /** runs on real threads */
  readonly real: number | null;
}

export interface ReplayAnswer {
  readonly scenario: string;
  readonly title: string;
  readonly machine: Exploration['machine'];
  readonly memory: 'sc' | 'tso';
  readonly columns: readonly string[];
  readonly outcome: string;
  readonly steps: readonly Step[];
  readonly switches: number;
  readonly preemptions: number;
  /** null: the execution passes */
  readonly counterexample: Counterexample | null;
  /** the structures at the step that was asked for */
  readonly broke: readonly string[] | null;
  /** defects the scenario could be run with */
  readonly known: readonly string[];
  /** how real threads did it */
  readonly real: RealReplay | null;
}

/** @param onSubject told before anything runs */
export async function replayFor(
  reference: Reference, options: Omit<SubjectOptions, 'on' | 'dropped'>, task: ReplayTask,
  onSubject: (subject: Subject) => void, signal: AbortSignal,
): Promise<ReplayAnswer> {
  const scenarios = await loadScenarios(reference);
  const [scenario] = scenarios;
  if (!scenario || scenarios.length > 1) {
    const names = scenarios.map(({ name }) => name).join(', ');
    const what = `${spelled(reference)} has several scenarios: write #NAME behind it, of ${names}`;
    throw new SmpallocError('ESMP_INPUT', what);
  }
  const subject = await prepareForToken(scenario, task.token, options);
  onSubject(subject);
  checkDeterminism(subject);
  const { schedule, switches, preemptions, verdict } = replayToken(subject, task.token);
  const { steps } = traceSchedule(subject, schedule);
  if (task.breakAt !== null && (task.breakAt < 1 || task.breakAt > steps.length)) {
    const right = `expected a step from 1 to ${steps.length}`;
    throw new SmpallocError('ESMP_OPTION', `--break: ${task.breakAt} is not usable; ${right}`);
  }
  return {
    scenario: scenario.name,
    title: scenario.title ?? '',
    machine: new LocalRunner(subject).machine,
    memory: subject.memory,
    columns: subject.threads.map(({ title }) => title),
    outcome: verdict.outcome,
    steps,
    switches,
    preemptions,
    counterexample: verdict.failure && counterexampleOf(subject, schedule, verdict.failure),
    broke: task.breakAt === null ? null : breakAt(subject, schedule, task.breakAt),
    known: [...(scenario.defects ?? [])],
    real: task.real === null ? null : await replayReal(subject, schedule, reference, task.real, signal),
  };
}

function counterexampleOf(subject: Subject, schedule: readonly number[], { cls, message }: Failure): Counterexample {
  const shown = describe(subject, schedule);
  if (shown) return shown;
  throw new SmpallocError('ESMP_INPUT', `the execution fails once and not again (${cls}: ${message})`);
}
