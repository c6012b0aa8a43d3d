/**
 * draws.ts — the random numbers of one stream of a seed, as an object, where speed does not count. The same on every
 * machine, and whatever other streams have drawn.
 */
import { seedOf, xorshift32 } from '../base/prng.js';
import { lowest, popcount } from './search/search.js';

/** neighbouring streams begin alike */
const WARM_UP = 4;

export class Draws {
  #x: number;
  readonly #unused: number;

  /** @param unused so many low bits of each number are left out: what a seed means depends on it */
  constructor(seed: number, stream: number, unused = 0) {
    this.#x = seedOf(seed, stream);
    this.#unused = unused;
    for (let n = 0; n < WARM_UP; n++) this.#x = xorshift32(this.#x);
  }

  /** a number from 0 to n - 1 */
  below(n: number): number {
    this.#x = xorshift32(this.#x);
    return (this.#x >>> this.#unused) % n;
  }

  /** an entry of the list */
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** an entity of the mask, each as likely as any other */
  oneOf(mask: number): number {
    let rest = mask;
    for (let n = this.below(popcount(mask)); n > 0; n--) rest &= rest - 1;
    return lowest(rest);
  }
}
