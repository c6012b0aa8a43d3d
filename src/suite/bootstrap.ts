/** bootstrap.ts — how sure a ratio of two runs is: what other rounds of the same kind would have made of it. */
import { median, quantileSorted } from 'simple-statistics';
import { xorshift32 } from '../base/prng.js';
import type { Ratio } from './suite.js';

const RESAMPLES = 2000;
const SEED = 0x9e3779b9 | 0;

/**
 * Ratio of the medians b / a, with its 95 % interval. Rounds of different runs do not belong together: each run is
 * resampled by itself. Seeded: the same figures have the same interval.
 * @param a, b positive figures, at least one each
 */
export function unpairedRatio(a: readonly number[], b: readonly number[]): Ratio {
  let x = SEED;
  const resampled = (values: readonly number[]) =>
    median(values.map(() => {
      x = xorshift32(x);
      return values[(x >>> 0) % values.length]!;
    }));
  const ratios = Array.from({ length: RESAMPLES }, () => resampled(b) / resampled(a)).sort((p, q) => p - q);
  const ratio = median([...b]) / median([...a]);
  return { ratio, low: quantileSorted(ratios, 0.025), high: quantileSorted(ratios, 0.975) };
}
