/**
 * bounded.ts — depth-first over all schedules with at most so many preemptions (Musuvathi and Qadeer, CHESS).
 *
 * A preemption is a switch away from an entity that could have gone on; most bugs need one or two. The guarantee can be
 * counted: "all 2,520 schedules with at most 2 preemptions pass".
 */
import type { Subject } from '../subject.js';
import { type Found, isPreemption, lowest, type OnEnd, type Search, stayOn } from './search.js';

export interface BoundedState {
  readonly bound: number;
  readonly executions: number;
  readonly cut: number;
  readonly failures: number;
  /** choice, and mask of what is still to try, for each decision of the current path */
  readonly chosen: readonly number[];
  readonly left: readonly number[];
  /** decisions that are fixed: a shard's prefix */
  readonly fixed: number;
}

export class BoundedSearch implements Search {
  readonly name = 'bound';
  readonly bound: number;
  executions = 0;
  cut = 0;
  failures = 0;
  found: Found | null = null;
  complete = false;
  readonly #subject: Subject;
  readonly #onEnd: OnEnd | null;
  readonly #chosen: number[] = [];
  readonly #left: number[] = [];
  #fixed = 0;
  #depth = 0;
  #at = 0;
  #used = 0;

  /** @param prefix decisions every execution begins with: a shard */
  constructor(subject: Subject, bound: number, onEnd: OnEnd | null = null, prefix: readonly number[] = []) {
    this.#subject = subject;
    this.bound = bound;
    this.#onEnd = onEnd;
    for (const choice of prefix) {
      this.#chosen.push(choice);
      this.#left.push(0);
    }
    this.#fixed = prefix.length;
    this.#depth = prefix.length;
  }

  next(): boolean {
    if (this.complete) return false;
    this.#at = 0;
    this.#used = 0;
    this.#subject.engine.access.hooks.decide = this.#decide;
    const verdict = this.#subject.execute();
    if (!verdict.ended) this.cut++;
    else {
      this.executions++;
      if (verdict.failure) {
        this.failures++;
        this.found ??= {
          failure: verdict.failure,
          schedule: this.#chosen.slice(0, this.#at),
          execution: this.executions,
        };
      }
      this.#onEnd?.(verdict);
    }
    return this.#backtrack();
  }

  readonly #decide = (last: number): number => {
    const subject = this.#subject;
    const enabled = subject.engine.access.enabled();
    if (enabled === 0) return -1;
    const at = this.#at++;
    if (at === this.#depth) this.#open(last, enabled);
    const choice = this.#chosen[at]!;
    if (isPreemption(subject, last, choice, enabled)) this.#used++;
    return choice;
  };

  /** A decision nobody has made before: the default first, the others later if the bound allows. */
  #open(last: number, enabled: number): void {
    const stay = stayOn(this.#subject, last, enabled);
    let others = enabled & ~(1 << stay);
    if (this.#used >= this.bound) {
      for (let mask = others; mask !== 0; mask &= mask - 1) {
        const e = lowest(mask);
        if (isPreemption(this.#subject, last, e, enabled)) others &= ~(1 << e);
      }
    }
    this.#chosen[this.#depth] = stay;
    this.#left[this.#depth++] = others;
  }

  #backtrack(): boolean {
    let depth = this.#depth - 1;
    while (depth >= this.#fixed && this.#left[depth] === 0) depth--;
    if (depth < this.#fixed) {
      this.complete = true;
      return false;
    }
    const choice = lowest(this.#left[depth]!);
    this.#left[depth]! &= ~(1 << choice);
    this.#chosen[depth] = choice;
    this.#depth = depth + 1;
    return true;
  }

  save(): BoundedState {
    return {
      bound: this.bound,
      executions: this.executions,
      cut: this.cut,
      failures: this.failures,
      chosen: this.#chosen.slice(0, this.#depth),
      left: this.#left.slice(0, this.#depth),
      fixed: this.#fixed,
    };
  }

  static restore(subject: Subject, state: BoundedState, onEnd: OnEnd | null = null): BoundedSearch {
    const search = new BoundedSearch(subject, state.bound, onEnd, state.chosen);
    for (const [n, mask] of state.left.entries()) search.#left[n] = mask;
    search.#fixed = state.fixed;
    search.executions = state.executions;
    search.cut = state.cut;
    search.failures = state.failures;
    return search;
  }
}
