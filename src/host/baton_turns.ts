/** baton_turns.ts — a replaying thread's view of the order: waits for its turn, compares, hands the baton on. */
import { PAUSE } from '../base/access.js';
import {
  BATON_OVER, BATON_RUNNING, BT_BELLS, BT_DIFFERS, BT_ENTITY, BT_KIND, BT_LENGTH, BT_ORDER, BT_POSITION, BT_RESULT,
  BT_STATE, BT_STEP_WORDS, BT_WORD,
} from '../base/baton.js';

/** Thrown to leave an operation when the order is over. */
export const OVER = { over: true };

/** a bell may be missed only by a bug; this bounds what it costs */
const NAP_MS = 200;

export class BatonTurns {
  readonly #control: Int32Array;
  readonly #me: number;

  constructor(control: SharedArrayBuffer, entity: number) {
    this.#control = new Int32Array(control);
    this.#me = entity;
  }

  due(): boolean {
    return Atomics.load(this.#control, BT_STATE) !== BATON_RUNNING || this.#order(this.#position, 0) === this.#me;
  }

  before(kind: number, word: number): void {
    const control = this.#control;
    for (;;) {
      const bell = Atomics.load(control, BT_BELLS + this.#me);
      if (Atomics.load(control, BT_STATE) !== BATON_RUNNING) throw OVER;
      if (this.#order(this.#position, 0) === this.#me) break;
      Atomics.wait(control, BT_BELLS + this.#me, bell, NAP_MS);
    }
    const at = this.#position;
    if (this.#order(at, 1) === kind && this.#order(at, 2) === word) return;
    this.#differs(kind, word, 0);
    throw OVER;
  }

  after(kind: number, word: number, result: number): void {
    const control = this.#control;
    const at = this.#position;
    // from here on no value is read: turns of wait loops, masks, marks
    if (kind < PAUSE && this.#order(at, 3) !== result) {
      this.#differs(kind, word, result);
      throw OVER;
    }
    Atomics.store(control, BT_POSITION, at + 1);
    if (at + 1 === control[BT_LENGTH]) return endBaton(control);
    const next = this.#order(at + 1, 0);
    if (next === this.#me) return;
    Atomics.add(control, BT_BELLS + next, 1);
    Atomics.notify(control, BT_BELLS + next);
  }

  /** This thread has nothing more to do: if it is its turn, the order expects more of it than there is. */
  finished(): void {
    if (Atomics.load(this.#control, BT_STATE) !== BATON_RUNNING) return;
    if (this.#order(this.#position, 0) === this.#me) this.#differs(-1, 0, 0);
  }

  get #position(): number {
    return Atomics.load(this.#control, BT_POSITION);
  }

  #order(at: number, field: number): number {
    return this.#control[BT_ORDER + at * BT_STEP_WORDS + field]!;
  }

  #differs(kind: number, word: number, result: number): void {
    const control = this.#control;
    control[BT_ENTITY] = this.#me;
    control[BT_KIND] = kind;
    control[BT_WORD] = word;
    control[BT_RESULT] = result;
    Atomics.store(control, BT_DIFFERS, this.#position + 1);
    endBaton(control);
  }
}

/** Nobody goes on: those who wait for their turn are woken. */
export function endBaton(control: Int32Array): void {
  Atomics.store(control, BT_STATE, BATON_OVER);
  for (let e = BT_BELLS; e < BT_ORDER; e++) {
    Atomics.add(control, e, 1);
    Atomics.notify(control, e);
  }
}
