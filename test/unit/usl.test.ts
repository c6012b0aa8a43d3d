/** The universal scalability law: known parameters come back, and what is no law is not made one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelRow } from '../../src/lab/model/row.js';
import { lawText } from '../../src/report/law_text.js';
import { type Curve, fitCurve, fitLaws, LAW_POINTS, lawsMissing, type Point } from '../../src/suite/usl.js';
import { modelRow } from '../helpers/rows.js';

const CPUS = [1, 2, 4, 8, 16, 32, 64];
const law = (lambda: number, sigma: number, kappa: number) => (n: number) =>
  (lambda * n) / (1 + sigma * (n - 1) + kappa * n * (n - 1));
const pointsOf = (at: (n: number) => number, cpus: readonly number[] = CPUS) =>
  cpus.map((n) => ({ cpus: n, opsPerUs: at(n) }));
const sweep = (at: (n: number) => number, own: Partial<ModelRow> = {}, cpus: readonly number[] = CPUS) =>
  cpus.map((n, cell) => modelRow({ cell, cpus: n, opsPerUs: at(n), ...own }));
const plain = { good: String, bad: String, strong: String, dim: String };

function errorOf({ lambda, sigma, kappa }: Pick<Curve, 'lambda' | 'sigma' | 'kappa'>, points: readonly Point[]) {
  return points.reduce((sum, { cpus, opsPerUs }) => sum + Math.log(opsPerUs / law(lambda, sigma, kappa)(cpus)) ** 2, 0);
}

describe('parameters that are known come back', () => {
  const lambda = fc.double({ min: -3, max: 4, noNaN: true }).map((x) => 10 ** x);
  const sigma = fc.oneof(fc.constant(0), fc.double({ min: -4, max: 1.5, noNaN: true }).map((x) => 10 ** x));
  const kappa = fc.double({ min: -4, max: 0.5, noNaN: true }).map((x) => 10 ** x);
  const cpus = fc.uniqueArray(fc.integer({ min: 1, max: 256 }), { minLength: 8, maxLength: 20 }).filter(
    (ns) => Math.min(...ns) < 8 && Math.max(...ns) > 32,
  );

  test('with contention and coherency, whatever the unit and the numbers of CPUs', () => {
    fc.assert(fc.property(lambda, sigma, kappa, cpus, (l, s, k, ns) => {
      const fit = fitCurve(pointsOf(law(l, s, k), ns));
      expect(fit.model).toBe('usl');
      expect(fit.residual).toBeLessThan(1e-6);
      expect(fit.kappa / fit.lambda / (k / l)).toBeCloseTo(1, 4);
      if (ns.includes(1)) expect(fit.lambda / l).toBeCloseTo(1, 5);
    }), { numRuns: 60 });
  });

  test("with contention alone it is Amdahl's law", () => {
    fc.assert(fc.property(lambda, sigma, (l, s) => {
      const fit = fitCurve(pointsOf(law(l, s, 0)));
      expect(fit).toMatchObject({ model: 'amdahl', kappa: 0 });
      expect(fit.lambda / l).toBeCloseTo(1, 6);
      expect(fit.sigma).toBeCloseTo(s, 6);
    }), { numRuns: 60 });
  });

  test('where they are blurred, no others nearby fit better', () => {
    const noise = fc.array(fc.double({ min: -0.2, max: 0.2, noNaN: true }), { minLength: 7, maxLength: 7 });
    fc.assert(fc.property(lambda, sigma, kappa, noise, (l, s, k, wrong) => {
      const points = pointsOf(law(l, s, k)).map(({ cpus: n, opsPerUs }, at) => (
        { cpus: n, opsPerUs: opsPerUs * Math.exp(wrong[at]!) }
      ));
      const fit = fitCurve(points);
      // but for rounding
      const least = errorOf(fit, points) * (1 - 1e-9) - 1e-20;
      expect(Math.min(fit.sigma, fit.kappa)).toBeGreaterThanOrEqual(0);
      const other = fit.model === 'usl' ? fit.kappa : 0;
      for (const by of [0.9, 0.99, 1.01, 1.1]) {
        expect(errorOf({ ...fit, lambda: fit.lambda * by }, points)).toBeGreaterThanOrEqual(least);
        expect(errorOf({ ...fit, sigma: fit.sigma * by }, points)).toBeGreaterThanOrEqual(least);
        expect(errorOf({ ...fit, sigma: fit.sigma + 1e-4 * by }, points)).toBeGreaterThanOrEqual(least);
        expect(errorOf({ ...fit, kappa: other * by }, points)).toBeGreaterThanOrEqual(least);
      }
    }), { numRuns: 60 });
  });
});

describe('what a fit says', () => {
  test('perfectly linear: no contention, no peak', () => {
    const fit = fitCurve(pointsOf((n) => 10 * n));
    expect(fit).toMatchObject({ model: 'amdahl', sigma: 0, kappa: 0, peak: null, r2: 1 });
    expect(fit.at(64)).toBeCloseTo(640, 6);
  });

  test('more than linear is linear at best: sigma and kappa do not go below 0', () => {
    expect(fitCurve(pointsOf((n) => n ** 1.1))).toMatchObject({ sigma: 0, kappa: 0 });
  });

  test('a mutex that two CPUs meet at: everything collapses, one CPU is the best', () => {
    const measured = [13, 2, 1.5, 1.3, 1.25, 1.2, 1.2];
    const fit = fitCurve(CPUS.map((cpus, n) => ({ cpus, opsPerUs: measured[n]! })));
    expect(fit.sigma).toBeGreaterThan(1);
    expect(fit).toMatchObject({ model: 'amdahl', peak: 1 });
    expect(fit.residual).toBeLessThan(0.1);
    expect(fit.r2).toBeGreaterThan(0.99);
  });

  test('a line that is always busy: throughput stays where it is', () => {
    const flat = { model: 'amdahl', lambda: expect.closeTo(7), sigma: expect.closeTo(1), r2: 1 };
    expect(fitCurve(pointsOf(() => 7))).toMatchObject(flat);
  });

  test('the peak is where throughput is largest', () => {
    const fit = fitCurve(pointsOf(law(10, 0.05, 0.001)));
    expect(fit.peak).toBeCloseTo(Math.sqrt(0.95 / 0.001), 3);
    for (const n of [25, 30, 32, 40]) expect(fit.at(fit.peak!)).toBeGreaterThanOrEqual(fit.at(n));
  });

  test('a peak far beyond what was looked at is not announced', () => {
    expect(fitCurve(pointsOf(law(10, 0.05, 1e-6)))).toMatchObject({ model: 'usl', peak: null });
  });

  test('a knee is no law: the residual says how far it is off', () => {
    const { residual, at } = fitCurve(pointsOf((n) => Math.min(10 * n, 100)));
    expect(residual).toBeGreaterThan(0.1);
    expect(Math.abs(at(8) / 80 - 1)).toBeLessThanOrEqual(residual);
  });
});

describe('laws of a sweep', () => {
  test('rows that differ in CPUs only have one, in whatever order they come', () => {
    const mutex = sweep(law(10, 3, 0.1), { stats: 'mutex' });
    const critical = sweep((n) => 20 * n);
    const rows = [...mutex, ...critical].sort((a, b) => b.cpus - a.cpus);
    const laws = fitLaws(rows);
    expect(laws.map(({ key }) => key.stats)).toEqual(['mutex', 'critical']);
    expect(laws[0]!.points.map(({ cpus }) => cpus)).toEqual(CPUS);
    expect(laws[1]!.key).toEqual({
      workload: 'larson', alloc: 'dragonfly', free: 'rbatch', stats: 'critical', costs: 'ccx', signalDelay: 'profile',
    });
  });

  test('signal delays and cost profiles are different machines', () => {
    const others = [{}, { signalDelay: 30 }, { costs: 'sockets' }];
    expect(fitLaws(others.flatMap((own) => sweep((n) => n, own)))).toHaveLength(3);
  });

  test('one number of CPUs has none, nor have five, however often', () => {
    const five = CPUS.slice(0, 5);
    expect(LAW_POINTS).toBe(6);
    expect(fitLaws([])).toEqual([]);
    expect(fitLaws(sweep((n) => n, {}, [4]))).toEqual([]);
    expect(fitLaws([...sweep((n) => n, {}, five), ...sweep((n) => n, {}, five)])).toEqual([]);
    expect(lawsMissing(sweep((n) => n, {}, five))).toMatchObject([{ key: { workload: 'larson' }, numbers: 5 }]);
  });

  test('rows that came to nothing are no points', () => {
    const rows = sweep((n) => (n === 8 ? 0 : 5 * n));
    expect(fitLaws(rows)).toMatchObject([{ sigma: 0, lambda: expect.closeTo(5) }]);
    expect(fitLaws(rows)[0]!.points).toHaveLength(6);
    expect(fitLaws(sweep(() => 0))).toEqual([]);
    expect(fitLaws(sweep(() => Number.POSITIVE_INFINITY))).toEqual([]);
  });

  test('a sweep that does not begin at one CPU has a law that does', () => {
    const [fit] = fitLaws(sweep(law(12, 0.1, 0.002), {}, [2, 4, 8, 16, 32, 64]));
    expect(fit!.lambda).toBeCloseTo(12, 6);
    expect(fit!.at(1)).toBeCloseTo(12, 6);
  });
});

describe('the table of laws', () => {
  test('has a line a law, and says what has none', () => {
    const rows = [
      ...sweep((n) => 20 * n), ...sweep(law(10, 0.05, 0.0004), { stats: 'mutex' }),
      ...sweep((n) => n, { workload: 'ring' }, [1, 2, 4]), ...sweep((n) => n, { workload: 'pair' }, [1]),
    ];
    const [title, ...lines] = lawText(rows, plain).split('\n');
    expect(title).toMatch(/^scalability laws {2}X\(N\) = /);
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['workload', 'free', 'stats', 'X(1) op/us', 'sigma', 'kappa', 'N*', 'R2', 'off by', 'law'],
      ['larson', 'rbatch', 'critical', '20', '0', '0', '-', '1.0000', '0.0 %', 'amdahl'],
      ['larson', 'rbatch', 'mutex', '10', '0.0500', '4.0e-4', '48.7', '1.0000', '0.0 %', 'usl'],
      ['no law: ring dragonfly rbatch critical ccx profile: 3 numbers of CPUs; expected 6 or more'],
    ]);
  });

  test('says what they differ in', () => {
    const rows = [...sweep((n) => n), ...sweep((n) => n, { signalDelay: 30 })];
    expect(lawText(rows, plain)).toMatch(/workload +delay +free/);
    expect(lawText(rows, plain)).not.toMatch(/costs/);
  });

  test('is empty where nothing was swept', () => {
    expect(lawText([], plain)).toBe('');
    expect(lawText([modelRow()], plain)).toBe('');
  });
});
