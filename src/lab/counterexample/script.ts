/** script.ts — makes the decisions of a token: after so many that follow the default policy, one that does not. */
import { type Choose, type Deviation, isIn } from './follow.js';

export class Script {
  /** number of the decision that could not be followed, from 1 */
  diverged: number | null = null;
  /** whom it named, and who was enabled then: 0 when the execution was over */
  blocked = { entity: -1, enabled: 0 };
  readonly #deviations: readonly Deviation[];
  readonly #strict: boolean;
  #at = 0;
  #following = 0;

  /** @param strict false: passes over what cannot be followed */
  constructor(deviations: readonly Deviation[], strict: boolean) {
    this.#deviations = deviations;
    this.#strict = strict;
  }

  readonly choose: Choose = (stay, enabled, decision) => {
    for (;;) {
      const to = this.#deviations[this.#at];
      if (to === undefined) return stay;
      if (this.#following < to.after) {
        this.#following++;
        return stay;
      }
      this.#following = 0;
      this.#at++;
      if (isIn(enabled, to.entity)) return to.entity;
      this.#diverge(decision + 1, to.entity, enabled);
      if (this.#strict) return -1;
    }
  };

  /** The execution is over. @param decisions it took */
  end(decisions: number): void {
    const left = this.#deviations[this.#at];
    if (left !== undefined) this.#diverge(decisions + left.after - this.#following + 1, left.entity, 0);
  }

  #diverge(decision: number, entity: number, enabled: number): void {
    if (this.diverged !== null) return;
    this.diverged = decision;
    this.blocked = { entity, enabled };
  }
}
