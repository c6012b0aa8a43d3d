/**
 * job.ts — what a worker does for the command line: the subject lives here, one at a time, and is kept from one task to
 * the next as long as it is the same one.
 *
 * Whatever a scenario prints goes to stderr: stdout is data.
 */
import { type Answer, plainError } from '../../host/plain_error.js';
import {
  BEAT_PHASE, BEAT_STOP, BEAT_WORK, PHASE_LOADING, PHASE_RUNNING, PHASE_SETUP, PHASE_SHRINKING,
} from '../../host/race_farm.js';
import { type FuzzSlice, type FuzzTask, fuzzSlice } from './fuzz_run.js';
import { beatIn, LocalRunner } from './local.js';
import type { PassReport, PassRequest } from '../pass.js';
import { type Learned, learn, type Regressed, regress, type RegressTask } from './regress.js';
import { type Reference, loadScenarios } from './reference.js';
import { type ReplayAnswer, type ReplayTask, replayFor } from './replay_job.js';
import type { Counterexample, Exploration } from '../result.js';
import type { Scenario } from '../scenario.js';
import { type Known, windowsOf, type WindowTask } from '../stress/window.js';
import { prepareSubject, type Subject, type SubjectOptions } from '../subject.js';

/** SubjectOptions as they cross to a worker. */
export type Settings = Omit<SubjectOptions, 'on' | 'dropped'>;

/** Of a scenario, what is known without running it. */
export interface Description {
  readonly name: string;
  readonly title: string;
  readonly origin: string;
  readonly cpus: readonly string[];
  readonly defects: readonly string[];
}

/** Of a subject that has been set up. */
export interface Prepared extends Description {
  readonly machine: Exploration['machine'];
  readonly memory: 'sc' | 'tso';
  readonly points: 'shared' | 'all';
  readonly threads: readonly { readonly title: string; readonly operations: readonly string[] }[];
  /** CPU of each entity */
  readonly cpuOf: readonly number[];
}

export interface FoundReport {
  readonly report: PassReport;
  /** of `found` and each of `others`, in that order */
  readonly counterexamples: readonly Counterexample[];
}

export type Work =
  | { readonly do: 'describe'; readonly reference: Reference }
  | { readonly do: 'prepare'; readonly reference: Reference; readonly settings: Settings }
  | { readonly do: 'estimate'; readonly reference: Reference; readonly settings: Settings; readonly samples: number;
      readonly seed: number }
  | { readonly do: 'pass'; readonly reference: Reference; readonly settings: Settings; readonly request: PassRequest }
  | ({ readonly do: 'replay'; readonly reference: Reference; readonly settings: Settings } & ReplayTask)
  | ({ readonly do: 'regress' } & RegressTask)
  | ({ readonly do: 'window' } & WindowTask)
  | { readonly do: 'learn'; readonly name: string; readonly defects: readonly string[] }
  | ({ readonly do: 'fuzz' } & FuzzTask);

export interface Results {
  describe: Description[];
  prepare: Prepared;
  estimate: { schedules: number; error: number; sharing: readonly number[] };
  pass: FoundReport;
  replay: ReplayAnswer;
  regress: Regressed[];
  window: Known | null;
  learn: Learned;
  fuzz: FuzzSlice;
}

type Task = Work & { readonly beat: Int32Array };
type Kept = { readonly key: string; readonly runner: LocalRunner; checked: boolean };

let kept: Kept | null = null;
let quiet = false;

/** The task's answer; of what a scenario does wrong, the error. */
export async function raceJob(task: Task): Promise<Answer<Results[Work['do']]>> {
  if (!quiet) for (const name of ['log', 'info', 'debug'] as const) console[name] = console.error;
  quiet = true;
  try {
    return { ok: true, value: await perform(task, task.beat) };
  } catch (cause) {
    return { ok: false, error: plainError(cause) };
  }
}

async function perform(task: Task, beat: Int32Array): Promise<Results[Work['do']]> {
  const stop = () => beat[BEAT_STOP] !== 0;
  beat[BEAT_PHASE] = PHASE_LOADING;
  switch (task.do) {
    case 'describe': return (await loadScenarios(task.reference)).map(described);
    case 'prepare': return prepared((await runnerFor(task, beat)).subject);
    case 'estimate': return estimate(await checkedRunner(task, beat), task.samples, task.seed);
    case 'pass': return pass(await checkedRunner(task, beat), task.request, beat);
    case 'replay': return replay(task, beat, stop);
    case 'regress': return regress(task, beat);
    case 'window': return windowsOf(task, beat);
    case 'learn': return learn(task.name, task.defects, beat);
    case 'fuzz': return fuzzSlice(task, beat, stop);
  }
}

async function pass(runner: LocalRunner, request: PassRequest, beat: Int32Array): Promise<FoundReport> {
  const report = await runner.pass(request);
  const counterexamples: Counterexample[] = [];
  beat[BEAT_PHASE] = PHASE_SHRINKING;
  for (const found of [report.found, ...report.others]) {
    if (found) counterexamples.push(await runner.counterexample(found, request.bound));
  }
  return { report, counterexamples };
}

async function replay(
  { reference, settings, ...task }: Extract<Work, { do: 'replay' }>, beat: Int32Array, stop: () => boolean,
): Promise<ReplayAnswer> {
  kept = null;
  const halt = new AbortController();
  // real threads do not beat here; this one does, as long as it is not held up itself
  const timer = setInterval(() => {
    beat[BEAT_WORK]!++;
    if (stop()) halt.abort(new Error('interrupted'));
  }, 200);
  try {
    return await replayFor(reference, settings, task, (subject) => alive(subject, beat), halt.signal);
  } finally {
    clearInterval(timer);
  }
}

async function estimate(runner: LocalRunner, samples: number, seed: number): Promise<Results['estimate']> {
  const size = await runner.estimate(samples, seed);
  return { ...size, sharing: runner.subject.engine.shadow.exportSharing() };
}

/** Setting up runs no operation: who it is that never comes back is known when one does. */
async function checkedRunner(task: Parameters<typeof runnerFor>[0], beat: Int32Array): Promise<LocalRunner> {
  const runner = await runnerFor(task, beat);
  if (!kept!.checked) runner.checkDeterminism();
  kept!.checked = true;
  return runner;
}

async function runnerFor(
  { reference, settings }: { reference: Reference; settings: Settings }, beat: Int32Array,
): Promise<LocalRunner> {
  const key = JSON.stringify([reference, settings, String(settings.casFails)]);
  if (kept?.key !== key) {
    kept = null;
    const [scenario] = await loadScenarios(reference);
    beat[BEAT_PHASE] = PHASE_SETUP;
    kept = { key, runner: new LocalRunner(await prepareSubject(scenario!, settings)), checked: false };
  }
  const { runner } = kept;
  alive(runner.subject, beat);
  runner.stop = () => beat[BEAT_STOP] !== 0;
  return runner;
}

/** From now on its executions are seen. */
function alive(subject: Subject, beat: Int32Array): void {
  beatIn(subject, beat);
  beat[BEAT_PHASE] = PHASE_RUNNING;
}

function described({ name, title = '', origin, cpus, defects = [] }: Scenario): Description {
  return { name, title, origin, cpus: [...cpus], defects: [...defects] };
}

function prepared(subject: Subject): Prepared {
  const { machine, memory, points } = new LocalRunner(subject);
  const threads = subject.threads.map(({ title, operations }) => ({
    title, operations: operations.map(({ name }) => name),
  }));
  const { cpuOf, layout } = subject.engine.entity;
  return {
    ...described(subject.scenario), machine, memory, points, threads, cpuOf: [...cpuOf.subarray(0, layout.entities)],
  };
}
