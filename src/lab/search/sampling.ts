/**
 * sampling.ts — searches that draw their schedules. Execution n of a seed is the same whatever was executed before it,
 * so one that failed can be repeated alone.
 */
import { Draws } from '../draws.js';
import type { Subject } from '../subject.js';
import { CountingSearch } from './counting.js';
import type { OnEnd, Shard } from './search.js';

export interface SamplingOptions {
  readonly seed?: number | undefined;
  /** complete after so many; default: never */
  readonly executions?: number | undefined;
  readonly onEnd?: OnEnd | undefined;
  /** part of the executions, by number */
  readonly shard?: Shard | undefined;
}

export abstract class SamplingSearch extends CountingSearch {
  protected draws: Draws;
  readonly #seed: number;
  readonly #most: number;
  readonly #step: number;
  /** number of the execution that comes next, from 0 */
  #number: number;
  readonly #schedule: number[] = [];

  constructor(subject: Subject, { seed = 1, executions = Number.POSITIVE_INFINITY, onEnd, shard }: SamplingOptions) {
    super(subject, onEnd ?? null);
    this.#seed = seed;
    this.#most = executions;
    this.#number = shard?.index ?? 0;
    this.#step = shard?.of ?? 1;
    this.draws = new Draws(seed, 0);
  }

  next(): boolean {
    if (this.complete) return false;
    this.draws = new Draws(this.#seed, this.#number);
    this.#number += this.#step;
    this.#schedule.length = 0;
    this.begin();
    this.subject.engine.access.hooks.decide = this.#decide;
    const verdict = this.subject.execute();
    this.count(verdict, () => this.#schedule);
    this.complete = this.executions + this.cut >= this.#most;
    return !this.complete;
  }

  /** Goes on behind the executions that were made when the search was saved. */
  save(): SamplingState {
    return { number: this.#number, executions: this.executions, cut: this.cut, failures: this.failures };
  }

  restore(state: SamplingState): void {
    this.#number = state.number;
    this.executions = state.executions;
    this.cut = state.cut;
    this.failures = state.failures;
  }

  /** An execution begins. */
  protected begin(): void {}

  protected abstract choose(last: number, enabled: number): number;

  readonly #decide = (last: number): number => {
    const enabled = this.subject.engine.access.enabled();
    if (enabled === 0) return -1;
    const choice = this.choose(last, enabled);
    this.#schedule.push(choice);
    return choice;
  };
}

export interface SamplingState {
  readonly number: number;
  readonly executions: number;
  readonly cut: number;
  readonly failures: number;
}
