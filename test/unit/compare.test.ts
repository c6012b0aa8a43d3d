/** Two records: what belongs together, when a ratio is a verdict, and which counts are judged. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Allowance, compare, type RowComparison } from '../../src/report/compare.js';
import { compareText } from '../../src/report/compare_text.js';
import type { RunRecord } from '../../src/report/record.js';
import { unpairedRatio } from '../../src/suite/bootstrap.js';
import { ipiRow, loopRow, modelRow, recordOf, replayRow, statsRow } from '../helpers/rows.js';

const NOISE = { noise: 10, countNoise: 0 };
const both = (a: RunRecord, b: RunRecord, allowance: Allowance = NOISE) =>
  compare({ name: 'a.json', record: a }, { name: 'b.json', record: b }, allowance);
const rows = (a: object[], b: object[], allowance: Allowance = NOISE) => both(recordOf(a), recordOf(b), allowance);
/** what becomes of one row */
function one(a: object, b: object, allowance: Allowance = NOISE): RowComparison {
  const { rows: [row], onlyA, onlyB } = rows([a], [b], allowance);
  expect({ onlyA, onlyB }).toEqual({ onlyA: [], onlyB: [] });
  return row!;
}
const plain = { good: String, bad: String, strong: String, dim: String };

/** nine rounds around `ns` */
const around = (ns: number) => [1.02, 0.99, 1, 1.01, 0.98, 1, 1.03, 0.97, 1].map((by) => ns * by);
const timed = (ns: number, own: object = {}) => {
  const samples = around(ns);
  const [nsMin, nsMax] = [Math.min(...samples), Math.max(...samples)];
  return loopRow({ nsPerPair: ns, nsMin, nsMax, samples, rounds: 9, ...own });
};
const updates = (mops: number, own: object = {}) => statsRow({ mops, samples: around(mops), rounds: 9, ...own });

describe('unpairedRatio', () => {
  const figures = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 15 });

  test('is of medians, its interval lies within what the rounds allow, and is the same every time', () => {
    fc.assert(fc.property(figures, figures, (a, b) => {
      const { ratio, low, high } = unpairedRatio(a, b);
      expect(low).toBeGreaterThanOrEqual(Math.min(...b) / Math.max(...a));
      expect(high).toBeLessThanOrEqual(Math.max(...b) / Math.min(...a));
      expect(low).toBeLessThanOrEqual(high);
      expect(unpairedRatio(a, b)).toEqual({ ratio, low, high });
    }), { numRuns: 25 });
  });

  test('rounds that agree leave no doubt; their order says nothing', () => {
    expect(unpairedRatio([2, 2, 2], [3, 3, 3, 3])).toEqual({ ratio: 1.5, low: 1.5, high: 1.5 });
    expect(unpairedRatio([1, 2, 9], [4, 4, 4]).ratio).toBe(2);
    expect(unpairedRatio([9, 1, 2], [4, 4, 4]).ratio).toBe(2);
  });
});

describe('time', () => {
  test('of the same is within noise', () => {
    const verdict = { verdict: 'within noise', basis: 'bootstrap', regressions: [] };
    expect(one(timed(10), timed(10.3))).toMatchObject(verdict);
  });

  test('nanoseconds: lower is better', () => {
    const worse = { verdict: 'slower', better: 'lower', regressions: ['time'] };
    expect(one(timed(10), timed(13))).toMatchObject(worse);
    expect(one(timed(13), timed(10))).toMatchObject({ verdict: 'faster', regressions: [] });
  });

  test('operations a microsecond: higher is better', () => {
    const worse = { verdict: 'slower', better: 'higher', regressions: ['time'] };
    expect(one(updates(100), updates(70))).toMatchObject(worse);
    expect(one(updates(70), updates(100))).toMatchObject({ verdict: 'faster', regressions: [] });
  });

  test('what is slower one way is faster the other way, as clearly', () => {
    const ns = fc.double({ min: 1, max: 100, noNaN: true });
    const opposite: Record<string, string> = { slower: 'faster', faster: 'slower', 'within noise': 'within noise' };
    fc.assert(fc.property(ns, ns, fc.double({ min: 0, max: 50, noNaN: true }), (a, b, noise) => {
      const there = one(timed(a), timed(b), { ...NOISE, noise });
      const back = one(timed(b), timed(a), { ...NOISE, noise });
      // the interval's ends are drawn, and those of the way back are others
      if (Math.abs(Math.abs(Math.log(b / a)) - Math.log(1 + noise / 100)) > 0.08) {
        expect(back.verdict).toBe(opposite[there.verdict]);
      }
    }), { numRuns: 20 });
  });

  test('is slower only when the whole interval is past the noise', () => {
    expect(one(timed(10), timed(11.05))).toMatchObject({ verdict: 'within noise' });
    expect(one(timed(10), timed(11.05), { ...NOISE, noise: 5 })).toMatchObject({ verdict: 'slower' });
    const wild = loopRow({ nsPerPair: 20, samples: [8, 9, 9, 9, 20, 21, 22, 23, 24], rounds: 9 });
    expect(one(timed(10), wild).verdict).toBe('within noise');
  });

  test('without the rounds, fastest and slowest have to be apart', () => {
    const old = (ns: number) => {
      const { samples: _, ...row } = timed(ns, { nsMin: 0.9 * ns, nsMax: 1.1 * ns });
      return row;
    };
    expect(one(old(10), old(12))).toMatchObject({ basis: 'range', verdict: 'within noise' });
    expect(one(timed(10), old(20))).toMatchObject({ basis: 'range', verdict: 'slower' });
    expect(one(old(10), old(5))).toMatchObject({ basis: 'range', verdict: 'faster' });
  });

  test('so it is with fewer than five rounds', () => {
    const few = loopRow({ samples: [9, 10, 12] });
    expect(one(few, timed(20))).toMatchObject({ basis: 'range', low: expect.closeTo(19.4 / 12) });
  });

  test('of a single pass decides nothing', () => {
    expect(one(replayRow({ mops: 10 }), replayRow({ mops: 2 }))).toMatchObject({
      ratio: 0.2, low: null, basis: 'none', verdict: 'undecided', regressions: [],
    });
    expect(one(replayRow({ mops: 0 }), replayRow())).toMatchObject({ ratio: null, verdict: 'undecided' });
  });

  test('that the host took is not the code', () => {
    // twice as long on the wall, as much of the CPU: its threads had half the cores
    const before = timed(10, { cpus: 2, wallSeconds: 1, cpuSeconds: 1.9 });
    expect(one(before, timed(20, { cpus: 2, wallSeconds: 1, cpuSeconds: 0.95 })).verdict).toBe('undecided');
    expect(one(before, timed(20, { cpus: 2, wallSeconds: 1, cpuSeconds: 1.8 })).verdict).toBe('slower');
    // slower as well as asleep more
    expect(one(before, timed(80, { cpus: 2, wallSeconds: 1, cpuSeconds: 0.95 })).verdict).toBe('slower');
  });

  test('of one CPU that had to share its core decides nothing', () => {
    const shared = timed(30, { cpus: 1, wallSeconds: 1, cpuSeconds: 0.6 });
    expect(one(timed(10, { cpus: 1, wallSeconds: 1, cpuSeconds: 1 }), shared)).toMatchObject({
      verdict: 'undecided', cores: [1, 0.6],
    });
  });
});

describe('the model is exact', () => {
  test('the same is the same', () => {
    expect(one(modelRow(), modelRow())).toMatchObject({ verdict: 'same', basis: 'exact', counts: [], regressions: [] });
  });

  test('any difference is one, a regression past the noise', () => {
    expect(one(modelRow(), modelRow({ opsPerUs: 1990 }))).toMatchObject({ verdict: 'slower', regressions: [] });
    expect(one(modelRow(), modelRow({ opsPerUs: 1500 }))).toMatchObject({ verdict: 'slower', regressions: ['time'] });
    expect(one(modelRow(), modelRow({ opsPerUs: 2001 }))).toMatchObject({ verdict: 'faster', regressions: [] });
  });

  const { counts } = modelRow();

  test('every count that differs is named; more of what costs is a regression, by one', () => {
    const { counts: named, regressions } = one(modelRow(), modelRow({
      counts: { ...counts, transfers: 301, locked: 39, accesses: 10_100, ipiMessages: 13 },
    }));
    expect(named).toEqual([
      { name: 'accesses', a: 10_000, b: 10_100, exact: true, regression: false },
      { name: 'locked', a: 40, b: 39, exact: true, regression: false },
      { name: 'transfers', a: 300, b: 301, exact: true, regression: true },
      { name: 'ipiMessages', a: 12, b: 13, exact: true, regression: true },
    ]);
    expect(regressions).toEqual(['transfers', 'ipiMessages']);
  });

  test('--count-noise lets them rise', () => {
    const more = modelRow({ counts: { ...counts, transfers: 303, locked: 44 } });
    expect(one(modelRow(), more, { ...NOISE, countNoise: 1 }).regressions).toEqual(['locked']);
    const none = modelRow({ counts: { ...counts, sleeps: 0 } });
    expect(one(none, modelRow(), { ...NOISE, countNoise: 50 }).regressions).toEqual(['sleeps']);
  });

  test("a structure's line that only one of them touches counts 0 in the other", () => {
    const line = { line: 'malloc_type ks_mtx', transfers: 7, invalidations: 0, locked: 0, queueNs: 0, waitNs: 0 };
    expect(one(modelRow(), modelRow({ lines: [...modelRow().lines, line] })).counts).toEqual([
      { name: 'transfers of malloc_type ks_mtx', a: 0, b: 7, exact: true, regression: false },
    ]);
  });
});

describe('counts of native runs', () => {
  test('differ, and are not judged', () => {
    expect(one(ipiRow(), ipiRow({ ipiMessages: 900, casFails: 3 }))).toMatchObject({
      counts: [
        { name: 'ipiMessages', a: 500, b: 900, exact: false, regression: false },
        { name: 'casFails', a: 0, b: 3, exact: false, regression: false },
      ],
      regressions: [],
    });
  });

  test('locked operations of one CPU are exact', () => {
    const locked = (cpus: number, lockedPerOp: number) => timed(10, { cpus, lockedPerOp });
    expect(one(statsRow({ lockedPerOp: 0 }), statsRow({ lockedPerOp: 2 })).regressions).toEqual(['lockedPerOp']);
    expect(one(locked(1, 0), locked(1, 1)).regressions).toEqual(['lockedPerOp']);
    expect(one(locked(2, 1), locked(2, 1.01)).regressions).toEqual([]);
  });

  test('what the trace says is exact, and no cost', () => {
    expect(one(replayRow(), replayRow({ allocations: 1001 }))).toMatchObject({
      counts: [{ name: 'allocations', exact: true, regression: false }], regressions: [],
    });
  });

  test('messages of a loop are told by remote frees: a faster run does more of both', () => {
    const run = (by: number) => timed(10, { remoteFrees: 1000 * by, ipiMessages: 20 * by });
    expect(one(run(1), run(3)).counts).toEqual([]);
  });

  test('that only one of them knows are not compared', () => {
    const { pagesPeak: _, ...old } = timed(10);
    expect(one(old, timed(10)).counts).toEqual([]);
  });
});

describe('what belongs together', () => {
  test('is the same experiment, wherever it stands', () => {
    const a = [timed(10, { suite: 'local' }), timed(20), updates(5, { where: 'malloc' }), updates(50)];
    const { rows: found } = rows(a, [...a].reverse());
    expect(found.map(({ ratio }) => ratio)).toEqual([1, 1, 1, 1]);
  });

  test('other policies, CPUs, costs and delays are other experiments, and are listed', () => {
    const a = [timed(10), timed(10, { free: 'locked' }), modelRow(), modelRow({ cpus: 64 })];
    const b = [timed(10), timed(10, { cpus: 4 }), modelRow({ costs: 'sockets' }), modelRow({ signalDelay: 30 })];
    const result = rows(a, b);
    expect(result.rows).toHaveLength(1);
    expect(result.onlyA.map(({ free, cpus }) => [free, cpus])).toEqual([['locked', 2], ['rbatch', 2], ['rbatch', 64]]);
    expect(result.onlyB).toHaveLength(3);
  });

  test("a loop's signal delay is that of its run", () => {
    const a = recordOf([timed(10)], { config: { signalDelay: 30 } });
    expect(both(a, recordOf([timed(10)])).rows).toEqual([]);
    expect(both(a, a).rows).toHaveLength(1);
  });

  test('the same experiment twice is compared in order', () => {
    const { rows: found, onlyB } = rows([timed(10), timed(20)], [timed(11), timed(22), timed(33)]);
    expect(found.map(({ b }) => b)).toEqual([11, 22]);
    expect(onlyB).toHaveLength(1);
  });

  test('an audit that fails now is a regression, one that failed before is none', () => {
    expect(one(timed(10), timed(10, { audit: 'zone 3' })).regressions).toEqual(['audit']);
    expect(one(timed(10, { audit: 'zone 3' }), timed(10)).regressions).toEqual([]);
  });

  test('where they ran and what was asked is told where it differs', () => {
    const a = recordOf([timed(10)], { config: { command: 'bench pair', tunables: {}, rounds: 9 } });
    const asked = { command: 'bench', tunables: { 'kern.rbatch': 1 }, rounds: 3 };
    const b = recordOf([timed(10)], { config: asked }, { cores: 64 });
    expect(both(a, b).differences).toEqual([
      { what: 'cores', a: 2, b: 64 }, { what: 'tunables', a: {}, b: { 'kern.rbatch': 1 } },
    ]);
  });
});

describe('the text', () => {
  test('has a line an experiment, the counts that differ, and a sum', () => {
    const { counts } = modelRow();
    const a = recordOf([timed(10), updates(100), modelRow(), timed(5, { suite: 'ring' })]);
    const b = recordOf([timed(13), updates(100), modelRow({ counts: { ...counts, transfers: 400 } })]);
    const parts = compareText(both(a, b), plain).split('\n\n');
    expect(parts[0]).toMatch(/^A {2}a\.json {2}smpalloc bench, 2026.*\nB {2}b\.json/);
    const table = parts[1]!.split('\n').map((line) => line.split(/ {2,}/));
    const interval = expect.stringMatching(/^1\.2\d\.\.1\.3\d$/);
    expect(table[1]).toEqual(['pair', 'rbatch', 'critical', '2', '10', '13', 'ns', '1.300', interval, 'slower']);
    expect(table[3]).toEqual(expect.arrayContaining(['model', 'larson', 'exact', 'same']));
    expect(parts[2]!.split('\n')).toEqual([
      'differs  model larson dragonfly rbatch critical, 2 CPUs, ccx, signal delay profile',
      '  transfers 300 -> 400  MORE',
    ]);
    expect(parts[3]).toBe('only in A: ring dragonfly rbatch critical, 2 CPUs');
    expect(parts[4]).toBe('3 compared: 1 slower, 1 the same, 1 within 10 % noise; 2 regressions');
  });

  test('says why nothing is decided', () => {
    const busy = timed(30, { cpus: 1, wallSeconds: 1, cpuSeconds: 0.5 });
    const text = compareText(rows([busy, replayRow()], [busy, replayRow()]), plain);
    expect(text).toContain('pair dragonfly rbatch critical, 1 CPU: its threads had 0.50 cores in A, 0.50 in B');
    expect(text).toContain('- of a single figure nobody knows');
    expect(text).toMatch(/2 compared: 2 undecided; no regression$/);
  });

  test('names the lines that changed most', () => {
    const lines = (by: number) => [1, 2, 3, 4, 5].map((n) => (
      { line: `L${n}`, transfers: n * by, invalidations: 0, locked: 0, queueNs: 0, waitNs: 0 }
    ));
    const text = compareText(rows([modelRow({ lines: lines(10) })], [modelRow({ lines: lines(30) })]), plain);
    expect([...text.matchAll(/transfers of (L\d)/g)].map(([, line]) => line)).toEqual(['L5', 'L4', 'L3']);
  });
});
