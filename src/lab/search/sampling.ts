/**
 * sampling.ts — searches that draw their schedules. Execution n of a seed is the same whatever was executed before it,
 * so one that failed can be repeated alone.
 */
import { seedOf, xorshift32 } from '../../base/prng.js';
import type { Subject } from '../subject.js';
import { CountingSearch } from './counting.js';
import { lowest, type OnEnd, popcount } from './search.js';

/** A generator as an object, where speed does not count. */
export class Draws {
  #x: number;

  constructor(seed: number, stream: number) {
    this.#x = seedOf(seed, stream);
    // neighbouring streams begin alike
    for (let n = 0; n < 4; n++) this.#x = xorshift32(this.#x);
  }

  /** a number from 0 to n - 1 */
  below(n: number): number {
    this.#x = xorshift32(this.#x);
    return (this.#x >>> 0) % n;
  }

  /** an entity of the mask, each as likely as any other */
  oneOf(mask: number): number {
    let rest = mask;
    for (let n = this.below(popcount(mask)); n > 0; n--) rest &= rest - 1;
    return lowest(rest);
  }
}

export interface SamplingOptions {
  readonly seed?: number | undefined;
  /** complete after so many; default: never */
  readonly executions?: number | undefined;
  readonly onEnd?: OnEnd | undefined;
  /** part of the executions, by number */
  readonly shard?: { readonly index: number; readonly of: number } | undefined;
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
