/**
 * window.ts — what the explorer knows of a failure, for those who look for it on real threads: before which accesses
 * a thread has to be held up, and how many of the schedules with so few preemptions fail.
 */
import { BEAT_PHASE, PHASE_RUNNING, PHASE_SETUP, PHASE_SHRINKING } from '../../host/race_farm.js';
import type { FailureClass } from '../../base/failures.js';
import type { Window } from '../../base/stress.js';
import { counterexample } from '../counterexample/counterexample.js';
import { droppedBy, parseToken } from '../counterexample/token.js';
import { beatIn } from '../farm/local.js';
import { loadScenarios, type Reference } from '../farm/reference.js';
import { runPass } from '../pass.js';
import type { Counterexample } from '../result.js';
import { seek } from '../seek.js';
import { prepareSubject, type Subject, type SubjectOptions } from '../subject.js';

export interface Known {
  readonly cls: FailureClass;
  readonly message: string;
  readonly token: string;
  /** execution in which it was found, from 1, and the seconds that took */
  readonly execution: number;
  readonly seconds: number;
  readonly preemptions: number;
  /** schedules with at most so many preemptions, and those that fail; not all when there was no time for it */
  readonly schedules: number;
  readonly failing: number;
  readonly all: boolean;
  readonly windows: readonly Window[];
}

export interface WindowTask {
  readonly reference: Reference;
  readonly settings: Omit<SubjectOptions, 'on' | 'dropped'>;
  /** class that is looked for; null: any */
  readonly cls: FailureClass | null;
  readonly seekMs: number;
  readonly countMs: number;
}

/** @returns null when no failure was found */
export async function windowsOf(task: WindowTask, beat: Int32Array): Promise<Known | null> {
  const [scenario] = await loadScenarios(task.reference);
  beat[BEAT_PHASE] = PHASE_SETUP;
  const subject = await prepareSubject(scenario!, task.settings);
  beatIn(subject, beat);
  beat[BEAT_PHASE] = PHASE_RUNNING;
  const start = performance.now();
  const sought = seek(subject, task.cls, task.seekMs);
  const seconds = (performance.now() - start) / 1000;
  if (!sought) return null;
  beat[BEAT_PHASE] = PHASE_SHRINKING;
  const shown = await counterexample(subject, sought.found, { bound: sought.bound });
  const windows = windowsIn(shown, subject);
  beat[BEAT_PHASE] = PHASE_RUNNING;
  // shrinking may have left operations out: the schedules are counted with all of them
  const whole = await prepareSubject(scenario!, task.settings);
  beatIn(whole, beat);
  const report = runPass(whole, {
    algorithm: 'bound', bound: shown.preemptions, seed: 1, executions: Number.MAX_SAFE_INTEGER,
    budget: task.countMs, allFailures: true, countHeaps: false, sharing: sought.sharing,
  }, () => false);
  return {
    cls: shown.cls, message: shown.message, token: shown.token, execution: sought.execution, seconds,
    preemptions: shown.preemptions, schedules: report.pass.executions, failing: report.pass.failures,
    all: report.pass.complete, windows,
  };
}

/** Where a thread is switched away from inside an operation, to go on later or never. */
export function windowsIn({ steps, token }: Pick<Counterexample, 'steps' | 'token'>, subject: Subject): Window[] {
  const { threads, engine } = subject;
  const dropped = droppedBy(parseToken(token || '-'), engine.entity.layout.ncpu);
  const kept = threads.map((_, e) => (n: number) => nthKept(dropped, e, n));
  const operation = threads.map(() => 0);
  const accesses = threads.map(() => 0);
  const left = threads.map(() => false);
  const windows: Window[] = [];
  const window = (e: number): Window => (
    { cpu: threads[e]!.cpu, thread: e, operation: kept[e]!(operation[e]!), access: accesses[e]! }
  );
  let last = -1;
  for (const { entity: e, frame, returned } of steps) {
    if (last >= 0 && last !== e && accesses[last]! > 0) left[last] = true;
    last = frame === 'thread' ? e : -1;
    if (last < 0) continue;
    accesses[e]!++;
    if (left[e]) windows.push(window(e));
    left[e] = false;
    if (returned === undefined) continue;
    operation[e]!++;
    accesses[e] = 0;
  }
  for (const e of left.keys()) {
    if (!left[e]) continue;
    accesses[e]!++;
    windows.push(window(e));
  }
  return windows;
}

/** Number of the n-th operation that was not left out, when none is. */
function nthKept(dropped: ReadonlySet<string>, e: number, n: number): number {
  let at = -1;
  for (let seen = -1; seen < n;) if (!dropped.has(`${e}.${++at}`)) seen++;
  return at;
}
