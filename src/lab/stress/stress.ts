/**
 * stress.ts — a scenario on real workers: how often came out what.
 *
 * A worker is a CPU for its life and is interrupted nowhere: of threads that share a CPU one runs after the other, and
 * messages are served where a CPU polls. What needs more than that cannot be seen here, however long it runs.
 */
import { availableParallelism } from 'node:os';
import type { StressCount, StressReport, Window } from '../../base/stress.js';
import { configure } from '../../host/options.js';
import { format } from '../../host/format.js';
import { StressGang, type StressPulse } from '../../host/stress.js';
import type { Reference } from '../farm/reference.js';
import type { Scenario } from '../scenario.js';
import { machineFor, type SubjectOptions } from '../subject.js';
import type { StressSetup } from './actor.js';
import type { Expect, StressRow } from './record.js';

export interface StressOptions {
  /** milliseconds */
  readonly time: number;
  readonly seed: number;
  /** where threads are held up; none: nowhere */
  readonly windows?: readonly Window[];
}

/** turns of an idle loop, about a nanosecond each */
const HOLD = 20_000;

/** A scenario's workers, ready to sample. */
export class Stress {
  readonly scenario: Scenario;
  readonly crowded: boolean;
  readonly #gang: StressGang<StressSetup>;

  private constructor(scenario: Scenario, gang: StressGang<StressSetup>) {
    this.scenario = scenario;
    this.#gang = gang;
    this.crowded = isCrowded(scenario);
  }

  /** @throws SmpallocError ESMP_INPUT, ESMP_OPTION when scenario or options are not usable */
  static async start(
    scenario: Scenario, reference: Reference, options: Omit<SubjectOptions, 'on' | 'dropped'>, signal?: AbortSignal,
  ): Promise<Stress> {
    const { machine, engineDefects } = machineFor(scenario, options);
    const cpus = scenario.cpus.length;
    const configuration = configure({ memory: '2MiB', ...machine, cpus, defects: engineDefects }, { stepped: true });
    const heap = format(configuration);
    const memory = new Int32Array(heap);
    const blank = memory.slice();
    const gang = new StressGang<StressSetup>(heap, cpus);
    try {
      await gang.start(cpus, { reference, options, configuration }, () => memory.set(blank), signal);
    } catch (cause) {
      await gang.stop();
      throw cause;
    }
    return new Stress(scenario, gang);
  }

  async sample(
    { time, seed, windows = [] }: StressOptions, onPulse?: (pulse: StressPulse) => void,
    signal?: AbortSignal,
  ): Promise<StressReport> {
    return this.#gang.run({ seed, time, windows, hold: HOLD, crowded: this.crowded }, onPulse, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gang.stop();
  }
}

/** More workers than the host has cores: they take turns, and seldom meet. */
export function isCrowded({ cpus }: Scenario): boolean {
  return cpus.length > availableParallelism();
}

/** The rows of the outcome table, forbidden ones first. */
export function graded({ title = '', outcome: grades }: Scenario, counts: readonly StressCount[]): StressRow[] {
  const rows = counts.map(({ result, forbidden, samples, message }): StressRow => {
    const grade = grades?.[result] ?? grades?.['*'] ?? 'acceptable';
    const expect = forbidden ? 'FORBIDDEN' : (grade.toUpperCase() as Expect);
    const description = forbidden ? (message === '' ? title : message) : result === 'ok' ? 'as it should be' : '';
    return { result, samples, expect, description };
  });
  const rank = { FORBIDDEN: 0, INTERESTING: 1, ACCEPTABLE: 2 };
  return rows.sort((a, b) => rank[a.expect] - rank[b.expect] || b.samples - a.samples);
}
