/** counting.ts — the part of a search that counts executions and keeps the first failure of each class. */
import type { Failure } from '../../hw/stepped/failure.js';
import type { Subject, Verdict } from '../subject.js';
import type { Found, OnEnd, Search } from './search.js';

export abstract class CountingSearch implements Search {
  abstract readonly name: string;
  executions = 0;
  cut = 0;
  failures = 0;
  found: Found | null = null;
  readonly others: Found[] = [];
  complete = false;
  protected readonly subject: Subject;
  readonly #onEnd: OnEnd | null;

  constructor(subject: Subject, onEnd: OnEnd | null) {
    this.subject = subject;
    this.#onEnd = onEnd;
  }

  abstract next(): boolean;

  /** @param schedule decisions of the execution so far */
  protected count(verdict: Verdict, schedule: () => readonly number[]): void {
    if (!verdict.ended) {
      this.cut++;
      return;
    }
    this.executions++;
    if (verdict.failure) {
      this.failures++;
      this.#keep(verdict.failure, schedule);
    }
    this.#onEnd?.(verdict);
  }

  /** Counts from the beginning again; failures stay found. */
  protected recount(): void {
    this.executions = 0;
    this.cut = 0;
    this.failures = 0;
  }

  #keep(failure: Failure, schedule: () => readonly number[]): void {
    if ([this.found, ...this.others].some((one) => one?.failure.cls === failure.cls)) return;
    const found = { failure, schedule: [...schedule()], execution: this.executions };
    if (this.found) this.others.push(found);
    else this.found = found;
  }
}
