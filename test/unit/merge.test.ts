/** Shards of a sweep: joined they are the record one run would have made, or it is said what does not go together. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeRecords, ranges } from '../../src/report/merge.js';
import type { RunRecord } from '../../src/report/record.js';
import { loopRow, modelRow, recordOf } from '../helpers/rows.js';

const CELLS = 8;
const COMMAND = 'model larson --cpus 1,2,4 --json';
const cell = (n: number, own: object = {}) => modelRow({ cell: n, cpus: 2 ** n, opsPerUs: 10 + n, ...own });
const sweep = (cells: readonly number[], config: object = {}, own: object = {}): RunRecord =>
  recordOf(cells.map((n) => cell(n, own)), {
    config: { command: COMMAND, cells: CELLS, shard: null, profiles: ['ccx'], ...config },
    complete: cells.length === CELLS,
  });
const shard = (i: number, n: number, cells: readonly number[]) =>
  sweep(cells, { command: `model larson --shard ${i}/${n} --cpus 1,2,4 --json`, shard: `${i}/${n}` });
const all = Array.from({ length: CELLS }, (_, n) => n);
const merge = (...records: RunRecord[]) =>
  mergeRecords(records.map((record, n) => ({ name: `${'abcdefgh'[n]}.json`, record })), () => []);

describe('shards of one sweep', () => {
  test('however they were dealt and in whatever order they come, make the record of the whole', () => {
    const whole = sweep(all);
    const hand = fc.integer({ min: 0, max: 3 });
    const dealt = fc.tuple(fc.array(hand, { minLength: CELLS, maxLength: CELLS }), fc.boolean());
    fc.assert(fc.property(dealt, ([hands, back]) => {
      const shards = [0, 1, 2, 3].map((i) => shard(i + 1, 4, all.filter((n) => hands[n] === i)));
      const { record, missing, warnings } = merge(...(back ? shards.reverse() : shards));
      expect(record).toEqual(whole);
      expect({ missing, warnings }).toEqual({ missing: [], warnings: [] });
    }));
  });

  test('may overlap where they agree', () => {
    expect(merge(shard(1, 2, [0, 1, 2, 3, 4]), shard(2, 2, [4, 5, 6, 7, 0])).record).toEqual(sweep(all));
  });

  test('one is enough if it has everything', () => {
    expect(merge(shard(1, 1, [...all].reverse())).record).toEqual(sweep(all));
  });

  test('are incomplete when cells are missing, and those are named', () => {
    const { record, missing } = merge(shard(1, 3, [0, 3]), shard(3, 3, [5]));
    expect(record.complete).toBe(false);
    expect(record.rows.map((row) => row.suite === 'model' && row.cell)).toEqual([0, 3, 5]);
    expect(ranges(missing)).toBe('1-2, 4, 6-7');
  });

  test('an interrupted one is completed by another', () => {
    const interrupted = { ...shard(1, 2, [0, 2]), complete: false };
    expect(merge(interrupted, shard(1, 2, [0, 2, 4, 6]), shard(2, 2, [1, 3, 5, 7])).record.complete).toBe(true);
  });

  test('may have had other lanes and talked less', () => {
    const one = sweep([0, 1, 2, 3], { command: 'model larson --jobs 2 --shard=1/2 --cpus 1,2,4 --json --quiet' });
    const two = sweep([4, 5, 6, 7], { command: 'model larson --cpus 1,2,4 --json --shard 2/2' });
    expect(merge(one, two).record.config.command).toBe('model larson --jobs 2 --cpus 1,2,4 --json --quiet');
  });

  test('claims are judged on all of their rows', () => {
    const claim = { id: 'x', source: 'y', text: 'z', pass: true };
    const halves = [shard(1, 2, all.slice(4)), shard(2, 2, all.slice(0, 4))];
    const { record } = mergeRecords(halves.map((half) => ({ name: 'a', record: half })), (rows) => [
      { ...claim, measured: rows.map((row) => row.cell).join('') },
    ]);
    expect(record.claims).toEqual([{ ...claim, measured: '01234567' }]);
  });

  test('from elsewhere are joined, and it is said', () => {
    const other = recordOf([cell(1)], { config: sweep([]).config }, { node: 'v24.0.0', cpu: 'another' });
    expect(merge(shard(1, 2, [0]), other).warnings).toEqual([
      'node: v20.20.2 in a.json, v24.0.0 in b.json; the record says v20.20.2',
    ]);
  });
});

describe('what does not go together is named', () => {
  test.each<[string, RunRecord, RegExp]>([
    ['another seed', sweep([1], { seed: 2 }), /^merge: config\.seed: 1 in a\.json, 2 in b\.json: not of one sweep$/],
    ['another sweep', sweep([1], { command: 'model larson --cpus 1' }), /config\.command: "model larson --cpus 1,2,4"/],
    ['another size', sweep([1], { cells: 9 }), /config\.cells: 8 in a\.json, 9 in b\.json/],
    ['another profile', sweep([1], { profiles: ['host'] }), /config\.profiles\.0: "ccx" in a\.json, "host" in b/],
    ['a setting one does not have', sweep([1], { ops: 7 }), /config\.ops: nothing in a\.json, 7 in b\.json/],
    [
      'a count that differs', sweep([0], {}, { counts: { ...cell(0).counts, transfers: 301 } }),
      /^merge: cell 0\.counts\.transfers: 300 in a\.json, 301 in b\.json: counts have to be the same$/,
    ],
    ['a line that differs', sweep([0], {}, { lines: [] }), /cell 0\.lines\.0: \{"line":"SLZone.* in a.*, nothing in b/],
    ['another audit', sweep([0], {}, { audit: 'zone 3: 1 chunk lost' }), /cell 0\.audit: "ok" in a\.json, "zone 3/],
  ])('%s', (_, other, message) => {
    expect(() => merge(sweep([0]), other)).toThrow(message);
  });

  test.each<[string, RunRecord, RegExp]>([
    ['a bench record', recordOf([loopRow()]), /^merge: a\.json: config\.cells: missing; expected the number of cells/],
    ['half a cell', sweep([0.5]), /a\.json: rows\.0\.cell: 0\.5; expected a whole number below 8/],
    ['a cell beyond the end', sweep([0, 8]), /a\.json: rows\.1\.cell: 8; expected a whole number below 8/],
    ['a number of cells that is none', sweep([0], { cells: 'all' }), /config\.cells: "all"; expected the number/],
    [
      'a row of something else', { ...sweep([0]), rows: recordOf([loopRow()]).rows },
      /a\.json: rows\.0: of suite pair; expected rows of a model/,
    ],
  ])('%s', (_, record, message) => {
    expect(() => merge(record)).toThrow(message);
  });
});

test('numbers are told in ranges', () => {
  expect(ranges([])).toBe('');
  expect(ranges([3])).toBe('3');
  expect(ranges([0, 1, 2, 5, 7, 8])).toBe('0-2, 5, 7-8');
});
