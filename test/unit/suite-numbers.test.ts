/** What the suites make of times: how many operations fill a round, and ratios of rounds taken in turn. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calibrate, pairedRatio, rounds, suiteMemory } from '../../src/suite/suite.js';
import { suiteOptions } from '../helpers/rows.js';

describe('calibrate', () => {
  test('asks for as many operations as take the time wanted', () => {
    expect(calibrate(1000, 10, 40)).toBe(4000);
    expect(calibrate(20_000, 80, 40)).toBe(10_000);
  });

  test('asks for an even number, at least two', () => {
    expect(calibrate(1, 1000, 1)).toBe(2);
    expect(calibrate(3, 1, 1)).toBe(2);
  });

  test('does not believe a trial that took no time', () => {
    expect(calibrate(100, 0, 40)).toBe(calibrate(100, 0.05, 40));
  });

  test('a round of hours is cut to 200 million operations, whatever 32 bits would make of it', () => {
    for (const minutes of [1, 7, 10, 60, 600]) expect(calibrate(20_000, 0.05, minutes * 60_000)).toBe(200_000_000);
  });

  test('is always a number a loop can count to', () => {
    const time = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200_000_000 }), time, time, (ops, took, ms) => {
        const result = calibrate(ops, took, ms);
        return Number.isInteger(result) && result % 2 === 0 && result >= 2 && result <= 200_000_000;
      }),
    );
  });
});

describe('pairedRatio', () => {
  test('is the median of the ratios round by round, not the ratio of medians', () => {
    // the host slowed down under rounds 2 and 3: both policies took ten times as long
    expect(pairedRatio([3, 30, 30], [1, 10, 10]).ratio).toBe(3);
    expect(pairedRatio([2, 8, 30], [1, 2, 3]).ratio).toBe(4);
  });

  test('rounds that agree have an interval of no width', () => {
    expect(pairedRatio([5, 10, 15], [1, 2, 3])).toEqual({ ratio: 5, low: 5, high: 5 });
  });

  test('one round is all its interval', () => {
    expect(pairedRatio([7], [2])).toEqual({ ratio: 3.5, low: 3.5, high: 3.5 });
  });

  test('the interval holds the median, lies within the rounds, and is the same every time', () => {
    const figures = fc.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1000 })), {
      minLength: 1, maxLength: 20,
    });
    fc.assert(
      fc.property(figures, (pairs) => {
        const a = pairs.map(([one]) => one);
        const b = pairs.map(([, two]) => two);
        const { ratio, low, high } = pairedRatio(a, b);
        const all = pairs.map(([one, two]) => one / two);
        expect(low).toBeGreaterThanOrEqual(Math.min(...all));
        expect(low).toBeLessThanOrEqual(ratio);
        expect(high).toBeGreaterThanOrEqual(ratio);
        expect(high).toBeLessThanOrEqual(Math.max(...all));
        expect(pairedRatio(a, b)).toEqual({ ratio, low, high });
      }),
      { numRuns: 50 },
    );
  });

  test('a wild round moves the interval and leaves the median', () => {
    const quiet = Array.from({ length: 14 }, () => 2);
    const { ratio, low } = pairedRatio([...quiet, 500], Array.from({ length: 15 }, () => 1));
    expect({ ratio, low }).toEqual({ ratio: 2, low: 2 });
  });
});

describe('rounds', () => {
  test('an interruption ends them quietly: what was measured stands', async () => {
    const abort = new AbortController();
    const done: number[] = [];
    await rounds(suiteOptions({ signal: abort.signal }), 10, async (round) => {
      if (round === 2) {
        abort.abort(new Error('interrupted'));
        throw abort.signal.reason;
      }
      done.push(round);
    });
    expect(done).toEqual([0, 1]);
  });

  test('any other failure is passed on', async () => {
    const failing = rounds(suiteOptions(), 10, () => Promise.reject(new RangeError('no')));
    await expect(failing).rejects.toThrow(RangeError);
  });
});

describe('the memory of a suite', () => {
  test("is the user's, else the suite's own, else enough for very many CPUs", () => {
    expect(suiteMemory(suiteOptions({ memory: '8MiB' }), 2, '32MiB')).toEqual({ memory: '8MiB' });
    expect(suiteMemory(suiteOptions(), 2, '32MiB')).toEqual({ memory: '32MiB' });
    expect(suiteMemory(suiteOptions(), 256, '32MiB')).toEqual({});
  });
});
