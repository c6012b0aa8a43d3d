/** model.test.ts — smpalloc model as a user runs it: tables, records, shards that come together, bad input. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseRecord } from '../../src/report/record.js';
import { record, smpalloc } from './helpers/cli.js';

const dir = mkdtempSync(join(tmpdir(), 'model-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('smpalloc model', () => {
  test('prints what moves, by the name of its line', async () => {
    const { code, stdout, stderr } = await smpalloc('model stats-malloc --stats critical,mutex --cpus 1,4 --ops 100');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/CPUs +stats +op\/us +speed-up +locked\/op +transfers\/op/);
    expect(stdout).toMatch(/line transfers an operation, at 4 CPUs/);
    expect(stdout).toMatch(/malloc_type ks_mtx +0 +[1-9]/);
    expect(stdout).toMatch(/PASS +mutex statistics collapse at 4 CPUs|FAIL/);
  });

  test('gives the same rows again, and the same from shards that are merged', async () => {
    const sweep = 'model pair ring-short --free ipi,rbatch --cpus 1,2 --ops 100 --quiet';
    const whole = await record(sweep);
    const parts: string[] = [];
    for (const n of [1, 2]) {
      const { stdout } = await smpalloc(`${sweep} --shard ${n}/2 --json`);
      const path = join(dir, `part${n}.json`);
      writeFileSync(path, stdout);
      parts.push(path);
    }
    const { code, stdout } = await smpalloc(`merge ${parts.join(' ')} --quiet`);
    expect(code).toBe(0);
    const merged = parseRecord(stdout);
    expect(merged.rows).toEqual(whole.rows);
    expect(merged.claims).toEqual(whole.claims);
    expect(merged.complete).toBe(true);
    expect(whole.rows).toHaveLength(whole.config.cells as number);
  });

  test('shows the two regimes of z_RChunks on the ring', async () => {
    const { rows } = await record('model ring --free ipi,rchunks --cpus 4 --signal-delay 0,30 --quiet');
    const messages = (free: string, delay: number) => {
      const row = rows.find((one) => one.suite === 'model' && one.free === free && one.signalDelay === delay);
      if (row?.suite !== 'model') throw new Error('no such row');
      return row.counts.ipiMessages;
    };
    expect(messages('ipi', 0) / messages('rchunks', 0)).toBeLessThan(2);
    expect(messages('ipi', 30) / messages('rchunks', 30)).toBeGreaterThan(100);
  });

  test('takes a profile of the user, and writes a report', async () => {
    const chiplets = new URL('../../src/lab/model/profiles/chiplets.json', import.meta.url);
    const profile = JSON.parse(readFileSync(chiplets, 'utf8'));
    const path = join(dir, 'mine.json');
    writeFileSync(path, JSON.stringify({ ...profile, name: 'mine' }));
    const html = join(dir, 'out.html');
    const { rows } = await record(`model pair --cpus 2 --ops 50 --profile ${path} --html ${html} --quiet`);
    expect(rows[0]).toMatchObject({ costs: 'mine' });
    expect(readFileSync(html, 'utf8')).toContain('<!doctype html>');
  });

  test('runs a trace of the user as recorded', async () => {
    const path = join(dir, 'small.txt');
    writeFileSync(path, readFileSync(new URL('../fixtures/trace/alloctrace.txt', import.meta.url)));
    const { rows, code } = await record(`model ${path} --cpus 2 --free rbatch --quiet`);
    expect(code).toBe(0);
    expect(rows.every((row) => row.suite === 'model' && row.workload === `trace:${path}`)).toBe(true);
  });

  test.each([
    ['model pear', /no workload, trace or file 'pear'; did you mean 'pair'/],
    ['model pair --cpus 0', /--cpus: "?0"? is not usable; expected whole numbers from 1 to 256/],
    ['model pair --cpus 1,2,...,1', /--cpus: .* is not usable/],
    ['model pair --cpus 300', /--cpus: "?300"? is not usable/],
    ['model pair --profile cplets', /no profile or file 'cplets'; did you mean 'chiplets'/],
    ['model pair --shard 3/2', /--shard: "3\/2" is not usable; expected I\/N/],
    ['model pair --signal-delay soon', /--signal-delay: 'soon' is not usable/],
    ['model pair --stats mutx', /'mutx' is not a policy; did you mean 'mutex'/],
    ['model pair --free ipi --alloc freebsd', /--free: freebsd has no remote-free policies/],
    ['model pair --stats mutex-up --cpus 2', /mutex-up/],
    ['model --validate --cpus 4', /--cpus: --validate has its own/],
  ])('%s is refused by name', async (args, message) => {
    const { code, stdout, stderr } = await smpalloc(args);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});
