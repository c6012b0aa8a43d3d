/**
 * explore.ts — a scenario explored to a verdict: passes with a growing preemption bound, or one pass of another search.
 *
 * Everything that takes time is a pass; whoever runs them may run them elsewhere (a worker, several shards), so they
 * are asked for through `PassRunner`.
 */
import { SmpallocError } from '../base/errors.js';
import type { PassReport, PassRequest } from './pass.js';
import type { Counterexample, Exploration, Pass, Verdict } from './result.js';
import type { Scenario } from './scenario.js';
import { isExhaustive } from './search/index.js';
import type { Shard } from './search/search.js';
import type { SubjectOptions } from './subject.js';

export interface ExploreOptions extends Omit<SubjectOptions, 'dropped' | 'on'> {
  /** 'bound' (default), 'dpor', 'states', 'random', 'pos', 'pct:3' */
  readonly algorithm?: string;
  /** most preemptions, default 2 */
  readonly preempt?: number;
  readonly seed?: number;
  /** executions of a sampling search, default 10000 */
  readonly executions?: number;
  /** milliseconds for all of it, default 60000 */
  readonly budget?: number;
  readonly shard?: Shard;
  readonly allFailures?: boolean;
  readonly countHeaps?: boolean;
  /** samples of the estimate of the tree's size, default 200; 0: none */
  readonly estimate?: number;
  /** an exploration that was interrupted goes on */
  readonly checkpoint?: Checkpoint;
}

/** Enough to go on later: plain data. */
export interface Checkpoint {
  readonly scenario: string;
  readonly algorithm: string;
  readonly bound: number;
  readonly sharing: readonly number[];
  readonly passes: readonly Pass[];
  readonly outcomes: Readonly<Record<string, number>>;
  readonly accesses: number;
  readonly seconds: number;
  readonly state: unknown;
}

/** Runs passes, estimates, counterexamples where the subject lives. */
export interface PassRunner {
  pass(request: PassRequest): Promise<PassReport>;
  estimate(samples: number, seed: number): Promise<{ schedules: number; error: number }>;
  counterexample(found: NonNullable<PassReport['found']>, bound: number): Promise<Counterexample>;
  /** what the machine of the subject is */
  readonly machine: Exploration['machine'];
  readonly cpus: readonly string[];
  readonly memory: 'sc' | 'tso';
  readonly points: 'shared' | 'all';
}

const DEFAULT_BUDGET = 60_000;
export const DEFAULT_PREEMPT = 2;

export interface Explored {
  readonly exploration: Exploration;
  /** null when there is nothing to go on with */
  readonly checkpoint: Checkpoint | null;
}

/** @param onPass told before each pass: its bound, or null */
export async function explore(
  scenario: Scenario, runner: PassRunner, options: ExploreOptions, onPass: (bound: number | null) => void = () => {},
): Promise<Explored> {
  const run = new Run(scenario, runner, options);
  await run.estimate();
  for (const bound of run.bounds()) {
    onPass(run.algorithm === 'bound' ? bound : null);
    if (!(await run.pass(bound))) break;
  }
  return { exploration: run.exploration(), checkpoint: run.checkpoint };
}

class Run {
  readonly algorithm: string;
  checkpoint: Checkpoint | null = null;
  readonly #scenario: Scenario;
  readonly #runner: PassRunner;
  readonly #options: ExploreOptions;
  readonly #passes: Pass[] = [];
  #outcomes: Record<string, number> = {};
  readonly #counterexamples: Counterexample[] = [];
  readonly #heaps = new Set<string>();
  #sharing: readonly number[] = [];
  #estimate: { schedules: number; error: number } | null = null;
  #accesses = 0;
  #seconds = 0;
  #states: number | null = null;
  #verdict: Verdict = 'pass';
  #complete = true;
  #resume: Checkpoint | undefined;

  constructor(scenario: Scenario, runner: PassRunner, options: ExploreOptions) {
    this.#scenario = scenario;
    this.#runner = runner;
    this.#options = options;
    this.algorithm = options.algorithm ?? 'bound';
    const from = options.checkpoint;
    if (!from) return;
    if (from.scenario !== scenario.name || from.algorithm !== this.algorithm) {
      const what = `${from.algorithm} of '${from.scenario}'`;
      const wanted = `${this.algorithm} of '${scenario.name}'`;
      throw new SmpallocError('ESMP_INPUT', `the saved exploration is ${what}, not ${wanted}`);
    }
    this.#resume = from;
    this.#passes.push(...from.passes);
    this.#sharing = from.sharing;
    this.#accesses = from.accesses;
    this.#seconds = from.seconds;
  }

  bounds(): number[] {
    const last = this.#options.preempt ?? DEFAULT_PREEMPT;
    const first = this.#resume?.bound ?? 0;
    if (this.algorithm !== 'bound') return [0];
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n);
  }

  async estimate(): Promise<void> {
    const samples = this.#options.estimate ?? 200;
    if (samples > 0) this.#estimate = await this.#runner.estimate(samples, this.#options.seed ?? 1);
  }

  /** @returns false when there is no reason for a further one */
  async pass(bound: number): Promise<boolean> {
    const options = this.#options;
    const left = (options.budget ?? DEFAULT_BUDGET) - this.#seconds * 1000 + (this.#resume?.seconds ?? 0) * 1000;
    const report = await this.#runner.pass({
      algorithm: this.algorithm,
      bound,
      seed: options.seed ?? 1,
      executions: options.executions ?? (isExhaustive(this.algorithm) ? Number.MAX_SAFE_INTEGER : 10_000),
      budget: Math.max(1, left),
      shard: options.shard,
      allFailures: options.allFailures ?? false,
      countHeaps: options.countHeaps ?? false,
      sharing: this.#sharing,
      ...(this.#resume?.bound === bound && this.#resume.state !== null && { state: this.#resume.state }),
    });
    this.#sharing = report.sharing;
    await this.#take(report, bound);
    return this.#verdict === 'pass' && report.pass.complete;
  }

  async #take(report: PassReport, bound: number): Promise<void> {
    this.#accesses += report.accesses;
    this.#seconds += report.seconds;
    this.#states = report.states;
    // a pass with a higher bound contains the ones before it; a resumed one the rest of its own
    const before = this.#resume?.bound === bound ? this.#resume.outcomes : {};
    this.#outcomes = { ...before };
    for (const [name, count] of Object.entries(report.outcomes)) this.#outcomes[name] = (before[name] ?? 0) + count;
    for (const heap of report.heaps ?? []) this.#heaps.add(heap);
    for (const found of [report.found, ...report.others]) {
      if (!found) continue;
      this.#verdict = 'fail';
      this.#counterexamples.push(await this.#runner.counterexample(found, bound));
    }
    if (!report.pass.complete) this.#complete = false;
    if (!report.pass.complete && this.#verdict === 'pass') {
      this.#verdict = 'budget';
      this.checkpoint = {
        scenario: this.#scenario.name,
        algorithm: this.algorithm,
        bound,
        sharing: report.sharing,
        passes: [...this.#passes],
        outcomes: { ...this.#outcomes },
        accesses: this.#accesses,
        seconds: this.#seconds,
        state: report.state,
      };
    }
    this.#passes.push(report.pass);
  }

  exploration(): Exploration {
    const { scenario, options, runner } = { scenario: this.#scenario, options: this.#options, runner: this.#runner };
    const casFails = options.casFails ?? 1;
    return {
      schema: 'smpalloc-race-1',
      scenario: scenario.name,
      title: scenario.title ?? '',
      origin: scenario.origin,
      cpus: runner.cpus,
      machine: runner.machine,
      defects: options.defects ?? [],
      algorithm: this.algorithm,
      memory: runner.memory,
      points: runner.points,
      casFails: Number.isFinite(casFails) ? casFails : 'all',
      seed: options.seed ?? 1,
      estimate: this.#estimate,
      passes: this.#passes,
      executions: this.#passes.reduce((sum, { executions }) => sum + executions, 0),
      accesses: this.#accesses,
      seconds: this.#seconds,
      heaps: options.countHeaps ? this.#heaps.size : null,
      states: this.#states,
      outcomes: this.#outcomes,
      verdict: this.#verdict,
      complete: this.#complete,
      counterexamples: this.#counterexamples,
    };
  }
}
