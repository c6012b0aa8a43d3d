/**
 * regress.ts — known failures replayed: each must fail as it did, and pass on the same schedule with the defect off.
 * And how they become known: the expected failure is searched for, and shrunk.
 */
import { BEAT_PHASE, BEAT_WORK, PHASE_RUNNING, PHASE_SETUP, PHASE_SHRINKING } from '../../host/race_farm.js';
import type { FailureClass } from '../../base/failures.js';
import { findScenario } from '../catalogue/index.js';
import type { StoredToken } from '../catalogue/tokens.js';
import { counterexample } from '../counterexample/counterexample.js';
import { beatIn } from './local.js';
import { MachinePool } from '../machine_pool.js';
import { type PassReport, type PassRequest, runPass } from '../pass.js';
import { replayToken } from '../counterexample/replay.js';
import type { Scenario } from '../scenario.js';
import type { Subject } from '../subject.js';
import { droppedBy, parseToken } from '../counterexample/token.js';

export interface RegressTask {
  readonly tokens: readonly StoredToken[];
}

export interface Regressed {
  readonly stored: StoredToken;
  /** '' when it is as it should be */
  readonly problem: string;
}

export async function regress({ tokens }: RegressTask, beat: Int32Array): Promise<Regressed[]> {
  const pool = new MachinePool();
  const results: Regressed[] = [];
  for (const stored of tokens) {
    results.push({ stored, problem: await problemOf(stored, pool, beat) });
    beat[BEAT_WORK]!++;
  }
  return results;
}

async function problemOf(stored: StoredToken, pool: MachinePool, beat: Int32Array): Promise<string> {
  const { token, defects, cls } = stored;
  const scenario = findScenario(stored.scenario);
  const dropped = droppedBy(parseToken(token), scenario.cpus.length);
  const bad = replayToken(await ready(pool.prepare(scenario, { defects, dropped }), beat), token).verdict.failure;
  if (!bad) return `passes, and should fail: ${cls}`;
  if (bad.cls !== cls) return `fails with ${bad.cls} (${bad.message}), and should with ${cls}`;
  if (defects.length === 0) return '';
  const good = await ready(pool.prepare(scenario, { dropped }), beat);
  const { failure } = replayToken(good, token, { strict: false }).verdict;
  return failure ? `fails with the defect off: ${failure.cls}: ${failure.message}` : '';
}

async function ready(preparing: Promise<Subject>, beat: Int32Array): Promise<Subject> {
  beat[BEAT_PHASE] = PHASE_SETUP;
  const subject = await preparing;
  beatIn(subject, beat);
  beat[BEAT_PHASE] = PHASE_RUNNING;
  return subject;
}

/** What is expected of a scenario to fail: defects, and the class. */
export function expectedFailures({ expect = {} }: Scenario): { defects: readonly string[]; cls: FailureClass }[] {
  const { verdict = 'pass', with: byDefect = {} } = expect;
  const itself = verdict === 'pass' ? [] : [{ defects: [], cls: verdict }];
  return [...itself, ...Object.entries(byDefect).map(([defect, cls]) => ({ defects: [defect], cls }))];
}

export interface Learned {
  readonly tokens: readonly StoredToken[];
  readonly problems: readonly string[];
}

const MOST_PREEMPTIONS = 3;
const EXECUTIONS = 200_000;
const BUDGET_MS = 20_000;

/** Finds the expected failures of a scenario. */
export async function learn(name: string, only: readonly string[], beat: Int32Array): Promise<Learned> {
  const scenario = findScenario(name);
  const tokens: StoredToken[] = [];
  const problems: string[] = [];
  for (const { defects, cls } of expectedFailures(scenario)) {
    if (only.length > 0 && !defects.some((defect) => only.includes(defect))) continue;
    const subject = await ready(new MachinePool().prepare(scenario, { defects }), beat);
    const found = search(subject, cls);
    if (!found) {
      problems.push(`${name} with ${defects.join(', ') || 'nothing switched on'}: no ${cls} was found`);
      continue;
    }
    beat[BEAT_PHASE] = PHASE_SHRINKING;
    const { token, cls: shown } = await counterexample(subject, found.found, { bound: found.bound });
    if (token !== '' && shown === cls) tokens.push({ scenario: name, defects, cls, token });
    else problems.push(`${name} with ${defects.join(', ')}: the ${cls} does not show again`);
  }
  return { tokens, problems };
}

interface FoundAt {
  readonly found: NonNullable<PassReport['found']>;
  readonly bound: number;
}

function search(subject: Subject, cls: FailureClass): FoundAt | null {
  let sharing: readonly number[] = [];
  for (let bound = 0; bound <= MOST_PREEMPTIONS; bound++) {
    const request: PassRequest = {
      algorithm: 'bound', bound, seed: 1, executions: EXECUTIONS, budget: BUDGET_MS, allFailures: false,
      countHeaps: false, sharing,
    };
    const report = runPass(subject, request, () => false);
    sharing = report.sharing;
    if (report.found?.failure.cls === cls) return { found: report.found, bound };
    if (!report.found) continue;
    // another class comes first: look on
    const all = runPass(subject, { ...request, allFailures: true, executions: 20_000, sharing }, () => false);
    const found = [all.found, ...all.others].find((one) => one?.failure.cls === cls);
    if (found) return { found, bound };
  }
  return null;
}
