/**
 * states.ts — every state once: depth-first over all schedules, cut where a state was met before.
 *
 * A state is the memory, and for each entity the operation under way with the log of its accesses and where it was
 * moved, which is all a CPU knows; for each CPU whom it runs, its masks and its store buffer. It is kept as a hash of
 * 104 bits.
 *
 * Slower than DPOR, and memory grows with the states; but so simple that the others are checked against it. What an
 * execution remembers beside its state (the clocks of the race check) is that of the first schedule that met the state.
 */
import type { Subject } from '../subject.js';
import { CountingSearch } from './counting.js';
import { lowest, type OnEnd, stayOn } from './search.js';

export class StateSearch extends CountingSearch {
  readonly name = 'states';
  readonly #seen = new Set<string>();
  readonly #chosen: number[] = [];
  readonly #left: number[] = [];
  #at = 0;
  /** the execution has come to a state that was met before */
  #known = false;
  #learned: number;

  constructor(subject: Subject, onEnd: OnEnd | null = null) {
    super(subject, onEnd);
    this.#learned = subject.engine.shadow.learned.count;
  }

  get states(): number {
    return this.#seen.size;
  }

  next(): boolean {
    if (this.complete) return false;
    this.#at = 0;
    this.#known = false;
    this.subject.engine.access.hooks.decide = this.#decide;
    const verdict = this.subject.execute();
    this.count(this.#known ? { ...verdict, ended: false } : verdict, () => this.#chosen);
    return this.#relearn() || this.#backtrack();
  }

  /** Scheduling points that have moved make the path so far worthless. */
  #relearn(): boolean {
    const { learned } = this.subject.engine.shadow;
    if (this.subject.points === 'all' || learned.count === this.#learned) return false;
    this.#learned = learned.count;
    this.#chosen.length = 0;
    this.#left.length = 0;
    this.#seen.clear();
    this.recount();
    return true;
  }

  readonly #decide = (last: number): number => {
    const at = this.#at++;
    if (at < this.#chosen.length) return this.#chosen[at]!;
    const { engine } = this.subject;
    if (engine.failure.execution.failure !== null) return -1;
    const state = this.#state();
    this.#known = this.#seen.has(state);
    if (this.#known) return -1;
    this.#seen.add(state);
    const enabled = engine.access.enabled();
    if (enabled === 0) return -1;
    const stay = stayOn(this.subject, last, enabled);
    this.#chosen.push(stay);
    this.#left.push(enabled & ~(1 << stay));
    return stay;
  };

  #state(): string {
    const { access, entity, journal, run } = this.subject.engine;
    const { layout, opOf, stateOf, threadOn, serving, masked, moverUsed } = entity;
    const hash = new Hash();
    for (let e = 0; e < layout.drain0; e++) {
      hash.add(opOf[e]!);
      hash.add(stateOf[e]!);
      hash.add(access.logHash(e));
      if (layout.movers > 0) hash.add(access.movesHash(e));
      for (const result of run.results[e]!) hash.addResult(result);
    }
    for (let cpu = 0; cpu < layout.ncpu; cpu++) {
      if (layout.shared) {
        hash.add(threadOn[cpu]!);
        hash.add(serving[cpu]!);
        hash.add(masked[cpu]!);
      }
      if (layout.tso) hash.add(access.bufferHash(cpu));
    }
    for (let m = 0; m < layout.movers; m++) hash.add(moverUsed[m]!);
    return `${journal.heapHash()} ${hash.value()}`;
  }

  #backtrack(): boolean {
    const left = this.#left;
    while (left.length > 0 && left[left.length - 1] === 0) {
      left.pop();
      this.#chosen.pop();
    }
    if (left.length === 0) {
      this.complete = true;
      return false;
    }
    const choice = lowest(left[left.length - 1]!);
    left[left.length - 1]! &= ~(1 << choice);
    this.#chosen[left.length - 1] = choice;
    return true;
  }
}

/** Two multiplicative hashes side by side. */
class Hash {
  #low = 0x811c9dc5;
  #high = 0x9747b28c;

  add(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193) ^ (this.#low >>> 15);
    this.#high = Math.imul(this.#high ^ value, 0x85ebca6b) ^ (this.#high >>> 13);
  }

  addResult(result: unknown): void {
    if (typeof result === 'number' && (result | 0) === result) return this.add(result);
    const text = String(result);
    for (let n = 0; n < text.length; n++) this.add(text.charCodeAt(n));
  }

  value(): number {
    return (this.#high & 0xfffff) * 0x100000000 + (this.#low >>> 0);
  }
}
