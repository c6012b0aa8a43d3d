/**
 * usl.ts — the universal scalability law through predicted throughput:
 *
 *   X(N) = lambda N / (1 + sigma (N-1) + kappa N (N-1))
 *
 * sigma: what CPUs wait for each other (contention); kappa: what each has to tell each other (coherency). Fitted to the
 * model's rows only: wall time has no more values of N than the host has cores.
 *
 * Least squares of log(predicted / law): a curve runs over decades, and 10 % off weighs the same on one CPU and on 64.
 * lambda follows from the other two; they are found by Levenberg-Marquardt steps with sigma, kappa >= 0. Amdahl's law
 * (kappa = 0) is fitted beside it, and AICc chooses.
 *
 * The model's rows have no repeats and no noise: there are no intervals, and what a fit leaves over is not chance but
 * where the curve is not of this form. `residual` says how far at most.
 */
import type { ModelRow } from '../lab/model/row.js';

/** What the points of one law have in common. */
export type LawKey = Pick<ModelRow, 'workload' | 'alloc' | 'free' | 'stats' | 'costs' | 'signalDelay'>;

export interface Point {
  readonly cpus: number;
  readonly opsPerUs: number;
}

/** A fitted curve. */
export interface Curve {
  /** operations per microsecond of one CPU */
  lambda: number;
  sigma: number;
  kappa: number;
  /** the number of CPUs after which more make it slower (N*); null: none within ten times the most that were fitted */
  peak: number | null;
  /** of opsPerUs, not of its logarithm */
  r2: number;
  /** largest |law / predicted - 1| of the points */
  residual: number;
  /** amdahl: kappa is 0, and explains as much */
  model: 'usl' | 'amdahl';
  /** @returns operations per microsecond of n CPUs */
  at(n: number): number;
}

export interface Law extends Curve {
  key: LawKey;
  /** by CPUs, ascending */
  points: Point[];
}

/** Different numbers of CPUs a law needs: with fewer, AICc of four parameters (the spread is one) is not defined. */
export const LAW_POINTS = 6;
const REACH = 10;
const STEPS = 100;
/** relative deviations below this are rounding: a law must not win by them */
const ROUNDING = 1e-9;

/** @returns one law for rows that differ in CPUs only; none where there are too few (lawsMissing) */
export function fitLaws(rows: readonly ModelRow[]): Law[] {
  return lawGroups(rows)
    .filter(({ points }) => numbers(points) >= LAW_POINTS)
    .map(({ key, points }) => ({ key, points, ...fitCurve(points) }));
}

/** @returns what has no law, and how many different numbers of CPUs there are of it */
export function lawsMissing(rows: readonly ModelRow[]): { key: LawKey; numbers: number }[] {
  return lawGroups(rows)
    .map(({ key, points }) => ({ key, numbers: numbers(points) }))
    .filter((group) => group.numbers < LAW_POINTS);
}

/** In order of first appearance. A row that came to nothing is no point. */
function lawGroups(rows: readonly ModelRow[]): { key: LawKey; points: Point[] }[] {
  const groups = new Map<string, { key: LawKey; points: Point[] }>();
  for (const { workload, alloc, free, stats, costs, signalDelay, cpus, opsPerUs } of rows) {
    const key = { workload, alloc, free, stats, costs, signalDelay };
    const name = JSON.stringify(key);
    if (!groups.has(name)) groups.set(name, { key, points: [] });
    if (opsPerUs > 0 && Number.isFinite(opsPerUs)) groups.get(name)!.points.push({ cpus, opsPerUs });
  }
  for (const { points } of groups.values()) points.sort((a, b) => a.cpus - b.cpus);
  return [...groups.values()];
}

const numbers = (points: readonly Point[]): number => new Set(points.map(({ cpus }) => cpus)).size;

/**
 * @param points throughputs above 0, of at least 6 different numbers of CPUs
 * @returns Amdahl's law, unless kappa explains more than a third parameter would by itself
 */
export function fitCurve(points: readonly Point[]): Curve {
  const amdahl = descend(points, ['sigma']);
  const usl = descend(points, ['sigma', 'kappa']);
  // the spread is a parameter too
  const chosen = aicc(points, usl, 4) < aicc(points, amdahl, 3) ? usl : amdahl;
  const [sigma, kappa] = chosen.parameters;
  const { lambda } = chosen;
  const at = (n: number) => (lambda * n) / slowdown(chosen.parameters, n);
  const most = Math.max(...points.map(({ cpus }) => cpus));
  const deviations = points.map(({ cpus, opsPerUs }) => Math.abs(at(cpus) / opsPerUs - 1));
  return {
    lambda, sigma, kappa, peak: peakOf(sigma, kappa, most), r2: determination(points, at),
    residual: Math.max(...deviations), model: chosen === usl ? 'usl' : 'amdahl', at,
  };
}

/** Where X(N) is largest: at one CPU when a second one is in the way already. */
function peakOf(sigma: number, kappa: number, most: number): number | null {
  if (sigma >= 1) return 1;
  const peak = Math.max(1, Math.sqrt((1 - sigma) / kappa));
  return peak <= REACH * most ? peak : null;
}

function determination(points: readonly Point[], at: (n: number) => number): number {
  const left = sum(points, ({ cpus, opsPerUs }) => (opsPerUs - at(cpus)) ** 2);
  const mean = sum(points, ({ opsPerUs }) => opsPerUs) / points.length;
  const all = sum(points, ({ opsPerUs }) => (opsPerUs - mean) ** 2);
  // in a flat line there is nothing to be explained
  const flat = points.length * (mean * ROUNDING) ** 2;
  return all > flat ? 1 - left / all : Number(left <= flat);
}

/** Akaike's criterion for few points. @param k parameters */
function aicc({ length: n }: readonly Point[], { error }: Fit, k: number): number {
  return n * Math.log(Math.max(error / n, ROUNDING ** 2)) + 2 * k + (2 * k * (k + 1)) / (n - k - 1);
}

// ---- least squares

type Pair = readonly [number, number];

interface Fit {
  /** sigma, kappa */
  readonly parameters: Pair;
  /** the best for these */
  readonly lambda: number;
  /** log(predicted / law) of each point, and the sum of their squares */
  readonly residuals: readonly number[];
  readonly error: number;
}

/** How many times longer an operation takes among n CPUs than alone. */
function slowdown([sigma, kappa]: Pair, n: number): number {
  return 1 + sigma * (n - 1) + kappa * n * (n - 1);
}

function fitOf(points: readonly Point[], parameters: Pair): Fit {
  const logs = points.map(({ cpus, opsPerUs }) => Math.log((opsPerUs * slowdown(parameters, cpus)) / cpus));
  const mean = sum(logs, (log) => log) / logs.length;
  const residuals = logs.map((log) => log - mean);
  return { parameters, lambda: Math.exp(mean), residuals, error: sum(residuals, (residual) => residual ** 2) };
}

/**
 * From a straight line downhill: log(slowdown) is concave, so that a step does not overshoot where it is long. What
 * does not lead down is damped until it does, or until it is no step any more.
 */
function descend(points: readonly Point[], free: readonly ('sigma' | 'kappa')[]): Fit {
  let best = fitOf(points, [0, 0]);
  for (let step = 0, damping = 0; step < STEPS && damping < 1e9; step++) {
    const next = candidates(points, best, damping)
      .filter(([sigma, kappa]) => sigma >= 0 && kappa >= 0 && (kappa === 0 || free.includes('kappa')))
      .map((parameters) => fitOf(points, parameters))
      .reduce((least, fit) => (fit.error < least.error ? fit : least), best);
    const down = next.error < best.error * (1 - 1e-12);
    damping = down ? damping / 10 : Math.max(damping * 10, 1e-3);
    best = next;
  }
  return best;
}

/** Where a step may lead: both parameters move, one of them ends at 0 and the other moves, both end at 0. */
function candidates(points: readonly Point[], { parameters, residuals }: Fit, damping: number): Pair[] {
  const [sigma, kappa] = parameters;
  const p = centred(points.map(({ cpus: n }) => (n - 1) / slowdown(parameters, n)));
  const q = centred(points.map(({ cpus: n }) => (n * (n - 1)) / slowdown(parameters, n)));
  const pp = dot(p, p) * (1 + damping);
  const qq = dot(q, q) * (1 + damping);
  const pq = dot(p, q);
  const pr = -dot(p, residuals);
  const qr = -dot(q, residuals);
  const determinant = pp * qq - pq * pq;
  return [
    [sigma + (pr * qq - qr * pq) / determinant, kappa + (qr * pp - pr * pq) / determinant],
    [sigma + (pr + pq * kappa) / pp, 0],
    [0, kappa + (qr + pq * sigma) / qq],
    [0, 0],
  ];
}

function centred(values: readonly number[]): number[] {
  const mean = sum(values, (value) => value) / values.length;
  return values.map((value) => value - mean);
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((all, one) => all + of(one), 0);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((all, one, n) => all + one * b[n]!, 0);
}
