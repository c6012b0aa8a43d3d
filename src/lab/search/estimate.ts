/**
 * estimate.ts — how many schedules there are: Knuth's probes (1975). A probe goes down the tree at random; the product
 * of the numbers of branches it passed is an unbiased estimate of the number of leaves. The tail is heavy: where trees
 * are large, few probes meet the large products, and the estimate is too low.
 */
import type { Subject } from '../subject.js';
import { popcount } from './search.js';
import { Draws } from './sampling.js';

export function estimateTree(subject: Subject, samples: number, seed: number): { schedules: number; error: number } {
  const { access } = subject.engine;
  let sum = 0;
  let squares = 0;
  for (let n = 0; n < samples; n++) {
    const draws = new Draws(seed, n);
    let leaves = 1;
    access.hooks.decide = () => {
      const enabled = access.enabled();
      if (enabled === 0) return -1;
      leaves *= popcount(enabled);
      return draws.oneOf(enabled);
    };
    subject.execute();
    sum += leaves;
    squares += leaves * leaves;
  }
  const schedules = sum / samples;
  const variance = Math.max(0, squares / samples - schedules * schedules);
  return { schedules, error: Math.sqrt(variance / Math.max(1, samples - 1)) };
}
