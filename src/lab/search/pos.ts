/**
 * pos.ts — partial order sampling (Yuan, Yang, Gu 2018): each pending access has a priority, drawn when it becomes
 * pending and again when it races with the one that just happened. So the order of accesses that race is drawn, and no
 * priority is spent on those that do not.
 */
import { CAS, DRAIN, LD64, LDF, LOAD, LOOK, RACY64, ST, ST64, ST8, STF, WAIT, WAKE } from '../../base/access.js';
import { lowest } from './search.js';
import { SamplingSearch } from './sampling.js';

const RANGE = 0x7fffffff;

export class PosSearch extends SamplingSearch {
  readonly name = 'pos';
  /** 0: not drawn yet */
  readonly #priority = new Int32Array(32);

  protected override begin(): void {
    this.#priority.fill(0);
  }

  protected choose(_last: number, enabled: number): number {
    let best = -1;
    for (let rest = enabled; rest !== 0; rest &= rest - 1) {
      const e = lowest(rest);
      if (this.#priority[e] === 0) this.#priority[e] = 1 + this.draws.below(RANGE);
      if (best < 0 || this.#priority[e]! > this.#priority[best]!) best = e;
    }
    for (let rest = enabled; rest !== 0; rest &= rest - 1) {
      const e = lowest(rest);
      if (e === best || this.#races(e, best)) this.#priority[e] = 0;
    }
    return best;
  }

  #races(a: number, b: number): boolean {
    const [wordA, writesA] = this.#pending(a);
    const [wordB, writesB] = this.#pending(b);
    return wordA === wordB && (writesA || writesB);
  }

  #pending(e: number): readonly [word: number, writes: boolean] {
    const { engine, machine } = this.subject;
    const { layout, pendKind, pendWord, pendValue } = engine.entity;
    if (e >= layout.move0) return [-1, false];
    if (e >= layout.drain0) return [engine.access.oldestStore(e - layout.drain0), true];
    const kind = pendKind[e]!;
    const word = pendWord[e]!;
    if (kind === CAS) return [word, machine.memory.i32[word] === pendValue[e]];
    const reads = kind === WAIT || kind === WAKE || kind === LOOK || kind === LOAD;
    if (kind > LOAD && kind <= DRAIN) return [word, !reads];
    const writes = kind === ST || kind === ST8 || kind === ST64 || kind === STF;
    // two words of a double have one number
    return [kind === LD64 || kind === RACY64 || kind === LDF ? word & ~1 : word, writes && !layout.tso];
  }
}
