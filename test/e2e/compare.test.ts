/** compare and merge as commands: files and pipes, exit codes, what is said of what does not go together. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { median } from '../../src/suite/suite.js';
import { loopRow, modelRow, recordOf } from '../helpers/rows.js';
import { record, smpalloc } from './helpers/cli.js';

const dir = mkdtempSync(join(tmpdir(), 'compare-'));
afterAll(() => rmSync(dir, { recursive: true }));

function file(name: string, value: unknown): string {
  const path = join(dir, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

const pair = (ns: number) => loopRow({ nsPerPair: ns, samples: [0.98, 0.99, 1, 1.01, 1.02].map((by) => by * ns) });
const a = file('a.json', recordOf([pair(10)]));
const slower = file('slower.json', recordOf([pair(13)]));
const other = file('other.json', recordOf([modelRow()]));
const cell = (n: number, own: object = {}) => modelRow({ cell: n, cpus: 2 ** n, ...own });
const shard = (cells: readonly number[], own: object = {}) => recordOf(
  cells.map((n) => cell(n)), { config: { command: 'model larson', cells: 3, shard: '1/2', ...own }, complete: false },
);
const even = file('even.json', shard([0, 2]));
const odd = file('odd.json', shard([1]));

describe('smpalloc compare', () => {
  test('is 0 and within noise for a record and itself', async () => {
    const { code, stdout, stderr } = await smpalloc(`compare ${a} ${a}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^A {2}.*a\.json/);
    expect(stdout).toMatch(/\n1 compared: 1 within 10 % noise; no regression\n$/);
  });

  test('is 1 for a regression, 0 where the noise covers it, and 0 the other way round', async () => {
    const ends = await Promise.all([
      smpalloc(`compare ${a} ${slower}`), smpalloc(`compare ${a} ${slower} --noise 40%`),
      smpalloc(`compare ${slower} ${a}`),
    ]);
    expect(ends.map(({ code }) => code)).toEqual([1, 0, 0]);
    expect(ends[0]!.stdout).toMatch(/slower\n/);
    expect(ends[2]!.stdout).toMatch(/faster\n/);
  });

  test('reads one of the two from a pipe, and prints JSON', async () => {
    const { code, stdout } = await smpalloc(`compare ${a} - --json`, { input: JSON.stringify(recordOf([pair(13)])) });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'smpalloc-compare/1', a: { name: a }, b: { name: '-' }, noise: 10, regressions: 1,
      rows: [{ experiment: { suite: 'pair' }, verdict: 'slower', basis: 'bootstrap', regressions: ['time'] }],
    });
  });

  test('says on stderr where they ran differently, and not with --quiet', async () => {
    const there = file('there.json', recordOf([pair(10)], { complete: false }, { cores: 64, node: 'v24.0.0' }));
    const { stderr } = await smpalloc(`compare ${a} ${there}`);
    expect(stderr.trimEnd().split('\n')).toEqual([
      `warning: ${there}: of a run that was interrupted`,
      'warning: node: "v20.20.2" in A, "v24.0.0" in B', 'warning: cores: 2 in A, 64 in B',
    ]);
    expect(await smpalloc(`compare ${a} ${there} --quiet`)).toMatchObject({ code: 0, stderr: '' });
  });

  test.concurrent.each([
    ['compare', /compare: 0 records; expected two: smpalloc compare A\.json B\.json$/m],
    [`compare ${a}`, /compare: 1 records; expected two/],
    [`compare ${a} ${a} ${a}`, /compare: 3 records; expected two.*; compare each with the same A/],
    ['compare - -', /standard input is one record only/],
    [`compare ${a} ${other}`, /have no experiment in common: 1 rows of A, 1 of B/],
    [`compare ${a} ${join(dir, 'none.json')}`, /none\.json: ENOENT/],
    [`compare ${a} ${file('cut.json', '{"schema": ')}`, /cut\.json: not JSON/],
    [`compare ${a} ${file('odd-schema.json', { schema: 'x/1' })}`, /odd-schema\.json: schema: /],
    [`compare ${a} ${a} --noise much`, /--noise: "much" is not a number/],
    [`compare ${a} ${a} --noise -1`, /--noise: -1 is not usable; expected a percentage from 0 to 1000/],
    [`compare ${a} ${a} --count-noise 2000`, /--count-noise: 2000 is not usable/],
    [`compare ${a} ${a} --nois 3`, /unknown option --nois; did you mean '--noise'\?/],
    ['merge', /merge: a record is missing/],
    ['merge - -', /standard input is one record only/],
    [`merge ${a}`, /merge: .*a\.json: config\.cells: missing/],
    [`merge ${even} ${file('seed.json', shard([1], { seed: 7 }))}`, /config\.seed: 1 in .*even.*, 7 in .*seed\.json/],
    [
      `merge ${even} ${file('moved.json', { ...shard([]), rows: [cell(2, { ns: 501 })] })}`,
      /merge: cell 2\.ns: 500 in .*even\.json, 501 in .*moved\.json/,
    ],
  ])('smpalloc %s is bad input', async (args, message) => {
    const { code, stdout, stderr } = await smpalloc(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: /);
    expect(stderr).toMatch(message);
  });
});

describe('smpalloc merge', () => {
  test('joins the shards, from files and a pipe, to a record that can be compared', async () => {
    const { code, stdout, stderr } = await smpalloc(`merge ${even} -`, { input: JSON.stringify(shard([1])) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '2 records: 3 of 3 cells\n' });
    const config = { command: 'model larson', cells: 3, shard: null };
    const whole = recordOf([0, 1, 2].map((n) => cell(n)), { config });
    const audit = { id: 'audit', source: 'ours', text: 'every cell ends with its identities intact', pass: true };
    expect(JSON.parse(stdout)).toEqual({ ...whole, claims: [{ ...audit, measured: '3 of 3 cells' }] });
    const compared = await smpalloc(`compare ${file('whole.json', whole)} - --quiet`, { input: stdout });
    expect(compared.code).toBe(0);
    expect(compared.stdout).toMatch(/3 compared: 3 the same; no regression/);
  });

  test('is 1 when cells are missing, and prints what there is', async () => {
    const { code, stdout, stderr } = await smpalloc(`merge ${odd} --json`);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '1 record: 1 of 3 cells\nmissing cells: 0, 2\n' });
    expect(JSON.parse(stdout)).toMatchObject({ complete: false, rows: [{ cell: 1 }] });
  });
});

test('bench keeps its rounds: the figure of a row is their median', async () => {
  const short = '--rounds 5 --ops 5000 --warm-up 10ms --quiet';
  const { rows } = await record(`bench pair stats --cpus 1 --stats critical ${short}`);
  expect(rows.length).toBeGreaterThan(2);
  for (const row of rows) {
    expect(row.samples).toHaveLength(5);
    expect(median(row.samples!)).toBe(row.suite === 'pair' ? row.nsPerPair : row.suite === 'stats' && row.mops);
    expect(row.wallSeconds).toBeGreaterThan(0);
  }
});
