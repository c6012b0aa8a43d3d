/**
 * estimate.ts — how many schedules there are: Knuth's probes (1975). A probe goes down the tree at random; the product
 * of the numbers of branches it passed is an unbiased estimate of the number of leaves. The tail is heavy: where trees
 * are large, few probes meet the large products, and the estimate is too low. No more probes are made than fit into a
 * second.
 */
import { Draws } from '../draws.js';
import type { Subject } from '../subject.js';
import { popcount } from './search.js';

const LIMIT_MS = 1000;

export function estimateTree(subject: Subject, samples: number, seed: number): { schedules: number; error: number } {
  const { access } = subject.engine;
  let sum = 0;
  let squares = 0;
  const end = performance.now() + LIMIT_MS;
  let n = 0;
  do {
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
  } while (++n < samples && performance.now() < end);
  const schedules = sum / n;
  const variance = Math.max(0, squares / n - schedules * schedules);
  // beyond the largest number there is nothing to tell
  if (!Number.isFinite(schedules) || !Number.isFinite(variance)) return { schedules: Number.MAX_VALUE, error: 0 };
  return { schedules, error: Math.sqrt(variance / Math.max(1, n - 1)) };
}
