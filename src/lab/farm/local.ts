/** local.ts — a subject in this thread, and the passes over it. */
import { checkDeterminism } from '../determinism.js';
import { counterexample } from '../counterexample/counterexample.js';
import type { PassRunner } from '../explore.js';
import { type PassReport, type PassRequest, runPass } from '../pass.js';
import type { Counterexample, Exploration } from '../result.js';
import type { Scenario } from '../scenario.js';
import { estimateTree } from '../search/estimate.js';
import { prepareSubject, type Subject, type SubjectOptions } from '../subject.js';
import { checkWalks } from '../walks.js';

/** From now on its executions are seen in `beat` (host/race_farm.ts). */
export function beatIn(subject: Subject, beat: Int32Array): void {
  subject.engine.run.heart.beat = beat as Int32Array<ArrayBuffer>;
}

export class LocalRunner implements PassRunner {
  readonly subject: Subject;
  /** when true, a pass ends */
  stop: () => boolean = () => false;
  readonly #known = new Map<string, Counterexample>();

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** @throws SmpallocError ESMP_INPUT, ESMP_OPTION when scenario or options are not usable */
  static async prepare(scenario: Scenario, options: SubjectOptions): Promise<LocalRunner> {
    const subject = await prepareSubject(scenario, options);
    const runner = new LocalRunner(subject);
    runner.checkDeterminism();
    return runner;
  }

  /** @throws SmpallocError ESMP_INPUT */
  checkDeterminism(): void {
    checkDeterminism(this.subject);
    checkWalks(this.subject);
  }

  get machine(): Exploration['machine'] {
    const { free, stats, mutex, invariants } = this.subject.machine.configuration;
    return { free, stats, mutex, invariants };
  }

  get cpus(): readonly string[] {
    return this.subject.threads.map(({ title }) => title);
  }

  get memory(): 'sc' | 'tso' {
    return this.subject.memory;
  }

  get points(): 'shared' | 'all' {
    return this.subject.points;
  }

  async estimate(samples: number, seed: number): Promise<{ schedules: number; error: number }> {
    return estimateTree(this.subject, samples, seed);
  }

  async pass(request: PassRequest): Promise<PassReport> {
    return runPass(this.subject, request, this.stop);
  }

  /** To be asked for before anything else runs: a schedule means what it did for who knows what the search knew. */
  async counterexample(found: NonNullable<PassReport['found']>, bound: number): Promise<Counterexample> {
    const key = found.schedule.join();
    const known = this.#known.get(key) ?? (await counterexample(this.subject, found, { bound }));
    this.#known.set(key, known);
    return known;
  }
}
