/** fuzz_run.ts — random programs, each explored with up to so many preemptions; one that fails is made smaller. */
import { DEFECT_NAMES } from '../../base/defects.js';
import type { FreePolicy, StatsPolicy } from '../../base/policy.js';
import { BEAT_PHASE, BEAT_WORK, PHASE_RUNNING, PHASE_SHRINKING } from '../../host/race_farm.js';
import { counterexample } from '../counterexample/counterexample.js';
import { diceOf, nameOf, parseProgram, type Program, randomProgram, type Shape, smaller } from './fuzz.js';
import { beatIn } from './local.js';
import { MachinePool } from '../machine_pool.js';
import { type PassReport, runPass } from '../pass.js';
import type { Counterexample } from '../result.js';
import type { Subject } from '../subject.js';

export interface Configured {
  readonly free: FreePolicy;
  readonly stats: StatsPolicy;
}

export interface FuzzTask {
  readonly seed: number;
  readonly shape: Shape;
  /** taken in turn, `chunk` programs each */
  readonly configurations: readonly Configured[];
  readonly chunk: number;
  readonly defects: readonly string[];
  readonly preempt: number;
  /** executions of a program at most */
  readonly executions: number;
  /** programs: numbers from..from+count-1 */
  readonly from: number;
  readonly count: number;
}

export interface FuzzFailure {
  /** number of the program */
  readonly number: number;
  readonly program: string;
  /** as it was drawn */
  readonly drawn: string;
  readonly configured: Configured;
  readonly counterexample: Counterexample;
}

export interface FuzzSlice {
  readonly programs: number;
  /** of them, not explored to the end */
  readonly limited: number;
  readonly executions: number;
  readonly failure: FuzzFailure | null;
}

/** machines of the programs before: a worker's own */
const pool = new MachinePool();

export async function fuzzSlice(task: FuzzTask, beat: Int32Array, stop: () => boolean): Promise<FuzzSlice> {
  let programs = 0;
  let limited = 0;
  let executions = 0;
  const configured = task.configurations[Math.floor(task.from / task.chunk) % task.configurations.length]!;
  for (let number = task.from; number < task.from + task.count && !stop(); number++) {
    const program = randomProgram(diceOf(task.seed, number), task.shape);
    const tried = await attempt(program, configured, task, beat);
    programs++;
    beat[BEAT_WORK]!++;
    executions += tried.executions;
    if (tried.limited) limited++;
    if (!tried.found) continue;
    return { programs, limited, executions, failure: await shrunk(number, program, tried, configured, task, beat) };
  }
  return { programs, limited, executions, failure: null };
}

interface Tried {
  readonly subject: Subject;
  readonly executions: number;
  readonly limited: boolean;
  readonly bound: number;
  readonly found: PassReport['found'];
}

async function attempt(
  program: Program, { free, stats }: Configured, task: FuzzTask, beat: Int32Array,
): Promise<Tried> {
  // our own setup, which ends
  beat[BEAT_PHASE] = PHASE_RUNNING;
  const defects = task.defects.filter((name) => DEFECT_NAMES.includes(name));
  const subject = await pool.prepare(parseProgram(nameOf(program)), { machine: { free, stats }, defects });
  beatIn(subject, beat);
  let executions = 0;
  let sharing: readonly number[] = [];
  for (let bound = 0; bound <= task.preempt; bound++) {
    const left = task.executions - executions;
    const report = runPass(subject, {
      algorithm: 'bound', bound, seed: 1, executions: Math.max(1, left), budget: 60_000, allFailures: false,
      countHeaps: false, sharing,
    }, () => false);
    sharing = report.sharing;
    executions += report.pass.executions + report.pass.cut;
    const { found } = report;
    if (found || !report.pass.complete) return { subject, executions, limited: !found, bound, found };
  }
  return { subject, executions, limited: false, bound: task.preempt, found: null };
}

async function shrunk(
  number: number, drawn: Program, first: Tried, configured: Configured, task: FuzzTask, beat: Int32Array,
): Promise<FuzzFailure> {
  const { cls } = first.found!.failure;
  let best = drawn;
  for (let again = true; again;) {
    again = false;
    for (const program of smaller(best)) {
      const { found } = await attempt(program, configured, task, beat);
      if (found?.failure.cls !== cls) continue;
      best = program;
      again = true;
      break;
    }
  }
  // once more: the counterexample is made of the execution that ran last
  const last = await attempt(best, configured, task, beat);
  beat[BEAT_PHASE] = PHASE_SHRINKING;
  return {
    number, program: nameOf(best), drawn: nameOf(drawn), configured,
    counterexample: await counterexample(last.subject, last.found!, { bound: last.bound }),
  };
}
