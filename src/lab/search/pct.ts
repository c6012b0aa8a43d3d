/**
 * pct.ts — probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte 2010): entities have
 * priorities, the highest that may go on goes; at depth - 1 places drawn beforehand that one falls below all others.
 *
 * A defect that needs `depth` ordered moments is hit with probability 1 / (n * k^(depth - 1)) at least, for n entities
 * and k decisions. k is not known beforehand: it is taken to be what a few random executions have at most.
 */
import { Draws } from '../draws.js';
import type { Subject } from '../subject.js';
import { lowest } from './search.js';
import { SamplingSearch, type SamplingOptions } from './sampling.js';

const PROBES = 8;

export class PctSearch extends SamplingSearch {
  readonly name: string;
  readonly #depth: number;
  /** decisions of the longest execution that was probed, 0 before */
  #longest = 0;
  #at = 0;
  #priority: number[] = [];
  #changes: number[] = [];

  constructor(subject: Subject, depth: number, options: SamplingOptions) {
    super(subject, options);
    this.name = `pct:${depth}`;
    this.#depth = depth;
  }

  protected override begin(): void {
    const { entities } = this.subject.engine.entity.layout;
    if (this.#longest === 0) this.#longest = this.#probe();
    this.#at = 0;
    this.#priority = Array.from({ length: entities }, (_, e) => this.#depth + e);
    for (let e = entities - 1; e > 0; e--) {
      const other = this.draws.below(e + 1);
      const mine = this.#priority[e]!;
      this.#priority[e] = this.#priority[other]!;
      this.#priority[other] = mine;
    }
    this.#changes = Array.from({ length: this.#depth - 1 }, () => this.draws.below(this.#longest));
  }

  /** The same for every part of a search, and for one that goes on. */
  #probe(): number {
    const { access } = this.subject.engine;
    let longest = 1;
    for (let n = 0; n < PROBES; n++) {
      const draws = new Draws(0, n);
      let decisions = 0;
      access.hooks.decide = () => {
        const enabled = access.enabled();
        if (enabled === 0) return -1;
        decisions++;
        return draws.oneOf(enabled);
      };
      this.subject.execute();
      longest = Math.max(longest, decisions);
    }
    return longest;
  }

  protected choose(_last: number, enabled: number): number {
    const at = this.#at++;
    for (const [n, change] of this.#changes.entries()) if (change === at) this.#priority[this.#highest(enabled)] = n;
    return this.#highest(enabled);
  }

  #highest(enabled: number): number {
    let best = -1;
    for (let rest = enabled; rest !== 0; rest &= rest - 1) {
      const e = lowest(rest);
      if (best < 0 || this.#priority[e]! > this.#priority[best]!) best = e;
    }
    return best;
  }
}
