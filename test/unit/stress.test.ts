/** What is said of stress runs: rows that add up, what a clean one says, results that cross from thread to thread. */
import { describe, expect, test } from 'vitest';
import { SR_DOUBLES } from '../../src/base/stress.js';
import type { StressRecord } from '../../src/lab/stress/record.js';
import { readResults, writeResults } from '../../src/lab/stress/results.js';
import { stressHtml } from '../../src/report/stress_html.js';
import { mergeStress, parseStress } from '../../src/report/stress_record.js';
import { frequency, powerText, stressText } from '../../src/report/stress_text.js';

const paint = { good: String, bad: String, strong: String, dim: String };

function record(over: Partial<StressRecord> = {}): StressRecord {
  return {
    schema: 'smpalloc-race-stress-1', scenario: 'R40', title: 'a title', origin: 'here', cpus: ['owner', 'remote'],
    machine: { alloc: 'dragonfly', free: 'rsignal2', stats: 'critical', mutex: 'futex', invariants: false },
    defects: ['R40'], widened: false, seeds: [1], workers: 2, cores: 2, samples: 1000, seconds: 2,
    rows: [
      { result: 'lost-wakeup', samples: 10, expect: 'FORBIDDEN', description: 'stranded' },
      { result: 'ok', samples: 990, expect: 'ACCEPTABLE', description: '' },
    ],
    known: null, unseen: '', environment: { node: 'v20', cpu: 'a', os: 'b' }, ...over,
  };
}
const clean = (over: Partial<StressRecord> = {}): StressRecord =>
  record({ defects: [], rows: [{ result: 'ok', samples: 1000, expect: 'ACCEPTABLE', description: '' }], ...over });

describe('the outcome table', () => {
  test('has a row a result, with its share and its grade', () => {
    const text = stressText(record(), paint).join('\n');
    expect(text).toMatch(/RESULT +SAMPLES +FREQ +EXPECT +DESCRIPTION/);
    expect(text).toMatch(/lost-wakeup +10 +1\.00 % +FORBIDDEN +stranded/);
    expect(text).toContain('2 workers on 2 cores; with defect R40');
  });

  test('shows small shares with two digits', () => {
    expect([1, 33, 500_000].map((n) => frequency(n, 10_000_000))).toEqual(['0.000010 %', '0.00033 %', '5.00 %']);
    expect([frequency(0, 5), frequency(0, 0)]).toEqual(['0.00 %', '-']);
  });
});

describe('the power of a run', () => {
  test('is how often it was seen, if it was', () => {
    expect(powerText(record())).toEqual(['power: seen in 1 of 100 samples']);
  });

  test('of a clean one is the rate it excludes: three in all its samples', () => {
    const said = 'power: a failure in 1 of 333 samples or more often would have been seen (95 %)';
    expect(powerText(clean())).toEqual([said]);
  });

  test('is none where workers take turns, or real threads cannot show it', () => {
    expect(powerText(clean({ workers: 3 }))).toEqual(['power: no claim: 3 workers take turns on 2 cores']);
    expect(powerText(clean({ unseen: 'it takes two threads of a CPU' }))).toEqual([
      'power: none: it takes two threads of a CPU',
    ]);
  });

  test('comes with the window the explorer knows', () => {
    const known = {
      cls: 'lost-wakeup', token: 'b19a', defect: 'R40', preemptions: 1, schedules: 213, failing: 17, all: true,
    };
    expect(powerText(clean({ known }))[1]).toBe(
      'the explorer: with defect R40 17 of 213 schedules with at most 1 preemption fail (lost-wakeup)',
    );
    expect(powerText(record({ known: { ...known, all: false } }))[1]).toBe(
      'the explorer: 17 of the first 213 schedules with at most 1 preemption fail (lost-wakeup)',
    );
  });
});

describe('runs added up', () => {
  test('have the counts of both, by result', () => {
    const [merged, ...others] = mergeStress([record(), clean(), record({ seeds: [2], rows: [
      { result: 'lost-wakeup', samples: 5, expect: 'FORBIDDEN', description: 'stranded' },
      { result: 'panic', samples: 995, expect: 'FORBIDDEN', description: 'x' },
    ] })]);
    expect(merged).toMatchObject({ samples: 2000, seconds: 4, seeds: [1, 2] });
    expect(merged!.rows.map(({ result, samples }) => [result, samples])).toEqual([
      ['lost-wakeup', 15], ['ok', 990], ['panic', 995],
    ]);
    expect(others).toHaveLength(1);
  });

  test('are apart when the machine, the defects or the windows are', () => {
    const machine = { ...record().machine, free: 'rtagged' };
    expect(mergeStress([record(), record({ machine }), record({ widened: true }), clean()])).toHaveLength(4);
  });

  test('are read from lines, and what is wrong is named', () => {
    const text = `${JSON.stringify(record())}\n\n${JSON.stringify(clean())}\n`;
    expect(parseStress(text, 'a.jsonl')).toEqual([record(), clean()]);
    expect(() => parseStress('{}\n', 'a.jsonl')).toThrow('a.jsonl:1: schema');
    expect(() => parseStress(`${JSON.stringify(record())}\nno`, 'a.jsonl')).toThrow('a.jsonl:2: no JSON');
    const odd = { ...record(), rows: [{ ...record().rows[0]!, samples: -1 }] };
    expect(() => parseStress(JSON.stringify(odd), 'a.jsonl')).toThrow('a.jsonl:1: rows.0.samples');
  });
});

test('the page needs nothing else, and says how it was made', () => {
  const page = stressHtml([record({ title: '<script>' })], 'smpalloc race stress R40');
  expect(page).toContain("default-src 'none'");
  expect(page).toContain('&lt;script&gt;');
  expect(page).not.toMatch(/https?:/);
  expect(page).toContain('smpalloc race stress R40');
});

test('results cross from thread to thread as they were', () => {
  const doubles = new Float64Array(2 * SR_DOUBLES);
  const lists = [[0, -1.5, undefined, true], [], [false, 7n, 'text']];
  writeResults(doubles, SR_DOUBLES, lists);
  const read: unknown[][] = [[1], [2], [3]];
  readResults(doubles, SR_DOUBLES, read);
  // what is no number, truth or nothing cannot cross
  expect(read).toEqual([[0, -1.5, undefined, true], [], [false, 7n, null]]);
  expect(doubles.subarray(0, SR_DOUBLES).every((value) => value === 0)).toBe(true);
});
