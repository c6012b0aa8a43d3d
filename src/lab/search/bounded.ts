/**
 * bounded.ts — depth-first over all schedules with at most so many preemptions (Musuvathi and Qadeer, CHESS).
 *
 * A preemption is a switch away from an entity that could have gone on; most bugs need one or two. The guarantee can be
 * counted: "all 2,520 schedules with at most 2 preemptions pass".
 */
import type { Failure } from '../../hw/stepped/failure.js';
import type { Subject } from '../subject.js';
import {
  canStay, type Found, isPreemption, notTheSame, lowest, type OnEnd, type Search, type Shard, stayOn,
} from './search.js';

export interface BoundedState {
  readonly bound: number;
  readonly executions: number;
  readonly cut: number;
  readonly failures: number;
  /** choice, and mask of what is still to try, for each decision of the current path */
  readonly chosen: readonly number[];
  readonly left: readonly number[];
}

export class BoundedSearch implements Search {
  readonly name = 'bound';
  readonly bound: number;
  executions = 0;
  cut = 0;
  failures = 0;
  found: Found | null = null;
  readonly others: Found[] = [];
  complete = false;
  readonly #subject: Subject;
  readonly #enabled: () => number;
  readonly #onEnd: OnEnd | null;
  readonly #chosen: number[] = [];
  readonly #left: number[] = [];
  #depth = 0;
  #at = 0;
  #used = 0;
  readonly #shard: Shard | null;
  /** this execution belongs to another shard */
  #foreign = false;

  constructor(subject: Subject, bound: number, onEnd: OnEnd | null = null, shard: Shard | null = null) {
    this.#subject = subject;
    this.#enabled = subject.engine.access.enabled;
    this.#shard = shard;
    this.bound = bound;
    this.#onEnd = onEnd;
  }

  next(): boolean {
    if (this.complete) return false;
    this.#at = 0;
    this.#used = 0;
    this.#subject.engine.access.hooks.decide = this.#decide;
    // schedules without a preemption are the first shard's
    this.#foreign = this.#shard !== null && this.#shard.index !== 0;
    const verdict = this.#subject.execute();
    if (this.#foreign) return this.#backtrack();
    if (!verdict.ended) this.cut++;
    else {
      this.executions++;
      if (verdict.failure) {
        this.failures++;
        this.#keep(verdict.failure);
      }
      this.#onEnd?.(verdict);
    }
    return this.#backtrack();
  }

  #keep(failure: Failure): void {
    if ([this.found, ...this.others].some((one) => one?.failure.cls === failure.cls)) return;
    const found = { failure, schedule: this.#chosen.slice(0, this.#at), execution: this.executions };
    if (this.found) this.others.push(found);
    else this.found = found;
  }

  readonly #decide = (last: number): number => {
    const subject = this.#subject;
    const enabled = this.#enabled();
    if (enabled === 0) return -1;
    const at = this.#at++;
    if (at === this.#depth) this.#open(last, enabled);
    const choice = this.#chosen[at]!;
    if (((enabled >>> choice) & 1) === 0) return notTheSame(subject, at, choice);
    if (choice !== last && isPreemption(subject, last, choice, enabled)) {
      if (++this.#used === 1 && !this.#mine(at)) return -1;
    }
    return choice;
  };

  /** A tree is divided by where its first preemption is: there are many such places, and their subtrees are alike. */
  #mine(at: number): boolean {
    if (this.#shard === null) return true;
    let hash = 0x811c9dc5;
    for (let n = 0; n <= at; n++) hash = Math.imul(hash ^ this.#chosen[n]!, 0x01000193);
    this.#foreign = (hash >>> 8) % this.#shard.of !== this.#shard.index;
    return !this.#foreign;
  }

  /** A decision nobody has made before: the default first, the others later if the bound allows. */
  #open(last: number, enabled: number): void {
    const subject = this.#subject;
    const stay = ((enabled >>> last) & 1) === 1 && last >= 0 ? last : stayOn(subject, last, enabled);
    let others = enabled & ~(1 << stay);
    if (others !== 0 && this.#used >= this.bound) {
      const { drain0, move0 } = subject.engine.entity.layout;
      // going to anybody else is a preemption, a store's way to memory and a move are one always
      if (stay === last || canStay(subject, last, enabled)) others = 0;
      else others &= (1 << (last >= 0 ? drain0 : move0)) - 1;
    }
    this.#chosen[this.#depth] = stay;
    this.#left[this.#depth++] = others;
  }

  #backtrack(): boolean {
    let depth = this.#depth - 1;
    while (depth >= 0 && this.#left[depth] === 0) depth--;
    if (depth < 0) {
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
    };
  }

  /** Goes on where a search of the same subject, bound and shard was saved. */
  restore(state: BoundedState): void {
    this.#chosen.splice(0, Number.POSITIVE_INFINITY, ...state.chosen);
    this.#left.splice(0, Number.POSITIVE_INFINITY, ...state.left);
    this.#depth = state.chosen.length;
    this.executions = state.executions;
    this.cut = state.cut;
    this.failures = state.failures;
  }
}
