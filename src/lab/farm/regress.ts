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
import { replayToken } from '../counterexample/replay.js';
import type { Scenario } from '../scenario.js';
import { seek } from '../seek.js';
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

const BUDGET_MS = 60_000;

/** Finds the expected failures of a scenario. */
export async function learn(name: string, only: readonly string[], beat: Int32Array): Promise<Learned> {
  const scenario = findScenario(name);
  const tokens: StoredToken[] = [];
  const problems: string[] = [];
  for (const { defects, cls } of expectedFailures(scenario)) {
    if (only.length > 0 && !defects.some((defect) => only.includes(defect))) continue;
    const subject = await ready(new MachinePool().prepare(scenario, { defects }), beat);
    const found = seek(subject, cls, BUDGET_MS);
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
