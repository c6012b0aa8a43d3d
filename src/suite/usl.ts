/**
 * usl.ts — provisional: the universal scalability law by its linearised form, for drawings to be tried with. The fit
 * that is to take its place has the same interface.
 */
import { linearRegression } from 'simple-statistics';
import type { ModelRow } from '../lab/model/row.js';

export interface Law {
  key: Pick<ModelRow, 'workload' | 'alloc' | 'free' | 'stats' | 'costs' | 'signalDelay'>;
  points: { cpus: number; opsPerUs: number }[];
  lambda: number;
  sigma: number;
  kappa: number;
  /** N*; null: the law has no peak */
  peak: number | null;
  r2: number;
  residual: number;
  at(n: number): number;
}

const KEYS = ['workload', 'alloc', 'free', 'stats', 'costs', 'signalDelay'] as const;

export function fitLaws(rows: readonly ModelRow[]): Law[] {
  const groups = new Map<string, ModelRow[]>();
  for (const row of rows) {
    const key = KEYS.map((one) => row[one]).join(' ');
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].filter((group) => group.length > 2).map(fit);
}

function fit(group: readonly ModelRow[]): Law {
  const points = group.map(({ cpus, opsPerUs }) => ({ cpus, opsPerUs })).sort((a, b) => a.cpus - b.cpus);
  const lambda = points[0]!.opsPerUs / points[0]!.cpus;
  // (N lambda / X - 1) / (N - 1) = sigma + kappa N
  const { m, b } = linearRegression(
    points.filter(({ cpus }) => cpus > 1).map(({ cpus: n, opsPerUs }) => [n, ((n * lambda) / opsPerUs - 1) / (n - 1)]),
  );
  const [sigma, kappa] = [Math.max(0, b), Math.max(0, m)];
  const at = (n: number) => (lambda * n) / (1 + sigma * (n - 1) + kappa * n * (n - 1));
  const mean = points.reduce((sum, { opsPerUs }) => sum + opsPerUs, 0) / points.length;
  const squares = (of: (point: { cpus: number; opsPerUs: number }) => number) =>
    points.reduce((sum, point) => sum + of(point) ** 2, 0);
  const left = squares(({ cpus, opsPerUs }) => opsPerUs - at(cpus));
  const key = Object.fromEntries(KEYS.map((one) => [one, group[0]![one]])) as unknown as Law['key'];
  return {
    key, points, lambda, sigma, kappa, at, peak: kappa > 0 ? Math.sqrt(Math.max(0, 1 - sigma) / kappa) : null,
    r2: 1 - left / squares(({ opsPerUs }) => opsPerUs - mean), residual: Math.sqrt(left / points.length) / mean,
  };
}
