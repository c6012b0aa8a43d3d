/** Records: what one of ours looks like, and what is said about one that is none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SmpallocError } from '../../src/base/errors.js';
import { environment } from '../../src/report/environment.js';
import { parseRecord, RECORD_SCHEMA, readRecord } from '../../src/report/record.js';
import { judge } from '../../src/suite/claims.js';
import { ipiRow, loopRow, replayRow, statsRow } from '../helpers/rows.js';

const dir = mkdtempSync(join(tmpdir(), 'record-'));
afterAll(() => rmSync(dir, { recursive: true }));

const rows = [
  ipiRow({ free: 'ipi' }), replayRow({ cpuSeconds: null, signalDelay: 0 }), statsRow(),
  loopRow({ peers: { glibc: 4.5, mimalloc: 3 } }),
  loopRow({
    alloc: 'freebsd', free: '-', remoteFrom: 'loop', ratioToDragonfly: 1.1, ratioLow: 1, ratioHigh: 1.2, failed: 7,
    profile: [{ size: null, requests: 1, asked: 20_000, given: 20_480, largest: 20_480 }],
  }),
];
const record = (own: Record<string, unknown> = {}) => ({
  schema: RECORD_SCHEMA, environment: environment(2, false), config: { command: 'bench', seed: 1, cpus: 2 }, rows,
  claims: judge(rows), complete: true, ...own,
});
const parse = (value: unknown) => parseRecord(JSON.stringify(value), 'run.json');
const withRow = (row: object) => record({ rows: [rows[0], row] });

function refusal(value: unknown): string {
  try {
    parse(value);
  } catch (error) {
    expect(SmpallocError.is(error) && error.code).toBe('ESMP_INPUT');
    return (error as Error).message;
  }
  return 'accepted';
}

describe('a record', () => {
  test('comes back as it was written, every kind of row', () => {
    const written = record();
    expect(parse(written)).toEqual(written);
  });

  test('may say more than we know: fields of later versions are kept', () => {
    const more = record({ extra: 1, rows: [{ ...rows[0], later: 'yes' }] });
    expect(parse(more)).toMatchObject({ extra: 1, rows: [{ later: 'yes' }] });
  });

  test('of a version that counted less is a record too', () => {
    const later = ['remoteFrom', 'pagesPeak', 'askedPeak', 'waste', 'samples', 'wallSeconds'];
    const old = Object.fromEntries(Object.entries(rows[3]!).filter(([name]) => !later.includes(name)));
    expect(parse(record({ rows: [old] })).rows).toEqual([old]);
  });

  test('is read from a file', async () => {
    const path = join(dir, 'run.json');
    writeFileSync(path, JSON.stringify(record()));
    expect((await readRecord(path)).rows).toHaveLength(5);
  });
});

describe('what is no record is refused by name of file and field', () => {
  test('no file', async () => {
    const path = join(dir, 'none.json');
    await expect(readRecord(path)).rejects.toMatchObject({
      code: 'ESMP_INPUT', message: expect.stringMatching(/none\.json: ENOENT/),
    });
  });

  test('no JSON', () => {
    expect(() => parseRecord('{"schema": "smp', 'cut.json')).toThrow(/^cut\.json: not JSON: /);
    expect(() => parseRecord('')).toThrow(/^record: not JSON: /);
  });

  test('no object', () => {
    for (const value of [null, 3, 'x', []]) expect(refusal(value)).toMatch(/^run\.json: /);
  });

  test('another schema', () => {
    expect(refusal(record({ schema: 'smpalloc/2' }))).toMatch(/^run\.json: schema: .*"smpalloc\/1".*"smpalloc\/2"/);
  });

  test.each([
    ['an unknown suite', { ...rows[0], suite: 'ipx' }, 'rows.1.suite'],
    ['a missing audit', { ...rows[0], audit: undefined }, 'rows.1.audit'],
    ['a policy that never was', { ...rows[0], free: 'rlinks' }, 'rows.1.free'],
    ['no CPU at all', { ...rows[2], cpus: 0 }, 'rows.1.cpus'],
    ['half a CPU', { ...rows[2], cpus: 1.5 }, 'rows.1.cpus'],
    ['a negative count', { ...rows[0], ipiMessages: -1 }, 'rows.1.ipiMessages'],
    ['a round without a figure', { ...rows[3], samples: [10, null] }, 'rows.1.samples.1'],
    ['a number that was infinite', { ...rows[3], mops: Number.POSITIVE_INFINITY }, 'rows.1.mops'],
    ['a stats row of nowhere', { ...rows[2], where: 'here' }, 'rows.1.where'],
    ['an allocator that never was', { ...rows[0], alloc: 'linux' }, 'rows.1.alloc'],
    ['a profile without requests', { ...rows[3], profile: [{ size: 16 }] }, 'rows.1.profile.0.requests'],
    ['remote frees on hearsay', { ...rows[3], remoteFrom: 'rumour' }, 'rows.1.remoteFrom'],
    ['peers without figures', { ...rows[3], peers: { glibc: 'fast' } }, 'rows.1.peers.glibc'],
    ['a signal delay in words', { ...rows[1], signalDelay: 'tock' }, 'rows.1.signalDelay'],
  ])('%s', (_, row, field) => {
    expect(refusal(withRow(row))).toContain(`run.json: ${field}: `);
  });

  test.each([
    ['rows that are none', { rows: {} }, 'rows'],
    ['a claim without a verdict', { claims: [{ id: 'a', source: 'b', text: 'c', measured: 'd' }] }, 'claims.0.pass'],
    ['no environment', { environment: undefined }, 'environment'],
    ['an unknown flavour', { environment: { ...environment(1, false), flavour: 'debug' } }, 'environment.flavour'],
    ['not a word on whether it is complete', { complete: undefined }, 'complete'],
  ])('%s', (_, own, field) => {
    expect(refusal(record(own))).toContain(`run.json: ${field}: `);
  });
});

describe('the environment', () => {
  test('warns of more CPUs than cores', () => {
    const cores = availableParallelism();
    expect(environment(cores, false).warnings).toEqual([]);
    expect(environment(cores + 1, false).warnings).toEqual([
      expect.stringContaining(`${cores + 1} virtual CPUs on ${cores} cores`),
    ]);
  });

  test('warns of the flavour with checks', () => {
    expect(environment(1, true)).toMatchObject({
      flavour: 'invariants', warnings: [expect.stringContaining('invariants flavour')],
    });
  });
});
