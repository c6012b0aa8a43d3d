/** smpalloc race stress, merge, confirm: outcome tables, records that add up, verdict lines, and what they refuse. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { parseStress } from '../../../src/report/stress_record.js';
import { smpalloc, startSmpalloc } from '../helpers/cli.js';

const dir = mkdtempSync(join(tmpdir(), 'stress-'));
afterAll(() => rmSync(dir, { recursive: true }));
const SCENARIOS = fileURLToPath(new URL('../../fixtures/race/stressed.mjs', import.meta.url));

describe('race stress', () => {
  test('a race that was let in is FORBIDDEN: a table, how often it was seen, exit code 1', async () => {
    const { code, stdout, stderr } = await smpalloc('race stress R44 --defect R44 --time 300ms --quiet');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^ {2}RESULT +SAMPLES +FREQ +EXPECT +DESCRIPTION$/m);
    expect(stdout).toMatch(/^ {2}double-free +[\d,]+ +[\d.]+ % +FORBIDDEN {2}0x/m);
    expect(stdout).toMatch(/^ {2}power: seen in 1 of 1 samples$/m);
    expect(stdout).toMatch(/^ {2}the explorer: 1 of 1 schedules with at most 0 preemptions fail/m);
  });

  test('nothing FORBIDDEN is exit code 0, in a record that says what is excluded', async () => {
    const html = join(dir, 'clean.html');
    const { code, stdout } = await smpalloc(`race stress R50 --time 300ms --json --html ${html}`);
    expect(code).toBe(0);
    const [record] = parseStress(stdout, 'stdout');
    expect(record).toMatchObject({ scenario: 'R50', defects: [], widened: false, known: { defect: 'R50' } });
    expect(record!.rows).toMatchObject([{ result: 'ok', expect: 'ACCEPTABLE', samples: record!.samples }]);
    expect(readFileSync(html, 'utf8')).toContain('would have been seen (95 %)');
  });

  test('more workers than cores are warned of', async () => {
    const { stderr, stdout } = await smpalloc('race stress uma-zone-limit remote-free --time 100ms --no-explore');
    const crowded = /^warning: more workers than the \d+ cores: remote-free; they take turns/m.test(stderr);
    expect(stdout.includes('power: no claim')).toBe(crowded);
    expect(stdout).toMatch(/^2 of 2 runs, [\d,]+ samples, none FORBIDDEN$/m);
  });

  test('^C keeps what was known', async () => {
    const { child, ended } = startSmpalloc('race stress R50 R49 --time 2s --no-explore --quiet');
    // the first has its table when it is done; the second has begun
    child.stdout!.once('data', () => child.kill('SIGINT'));
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'interrupted: this is what was known\n' });
    expect(stdout).toMatch(/^[12] of 2 runs, [\d,]+ samples, none FORBIDDEN$/m);
  });

  test.each([
    ['stress', 'a scenario is missing: a name, a file, or --all'],
    ['stress R4O', "no scenario 'R4O'; did you mean 'R4'?"],
    ['stress R40 --defect R1', "'R1' is no defect of scenario 'R40'; it has R40"],
    ['stress --all R40', "then no scenario is named; 'R40' is"],
    ['stress R40 --time 1s --budget 1s', '--time and --budget: one of them'],
    ['stress R40 --time no', '--time:'],
    ['stress R40 --shard 2/2', '1 cells are fewer than shards'],
    ['merge', 'a file is missing'],
    ['merge nowhere.jsonl', 'nowhere.jsonl cannot be read'],
    ['confirm', 'a scenario is missing'],
    ['confirm mutex', "'mutex': expected to fail is nothing"],
  ])('refuses race %s', async (args, message) => {
    const { code, stdout, stderr } = await smpalloc(`race ${args}`, { cwd: dir });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

test('runs are added up by race merge, and what is FORBIDDEN in one is in all', async () => {
  const files = await Promise.all([1, 2].map(async (seed) => {
    const file = join(dir, `${seed}.jsonl`);
    const run = await smpalloc(`race stress R44 --defect R44 --time 200ms --no-explore --json --seed ${seed}`);
    writeFileSync(file, run.stdout);
    return file;
  }));
  const { code, stdout } = await smpalloc(`race merge ${files.join(' ')} --json`);
  expect(code).toBe(1);
  const parts = files.flatMap((file) => parseStress(readFileSync(file, 'utf8'), file));
  const [merged, ...others] = parseStress(stdout, 'stdout');
  expect(others).toEqual([]);
  expect(merged!.samples).toBe(parts[0]!.samples + parts[1]!.samples);
  expect(merged!.seeds).toEqual([1, 2]);
});

describe('race confirm', () => {
  test('is a verdict line: found, clean without, replayed, stressed', async () => {
    const { code, stdout } = await smpalloc('race confirm R41 R44 --time 300ms --real 5 --quiet');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^R41 with R41: CONFIRMED {2}double-alloc in schedule \d+ \(1 preemption, 2b\); with/m);
    expect(stdout).toContain('5 of 5 replays on real workers agree');
    expect(stdout).toMatch(/^2 of 2 confirmed, [12] seen on real threads$/m);
  });

  test('of what is not as it says is exit code 1, with what is wrong', async () => {
    const file = join(dir, 'wrong.mjs');
    writeFileSync(file, `
      import list from '${SCENARIOS}';
      const seen = list.find(({ name }) => name === 'seen');
      export default { ...seen, expect: { verdict: 'pass', with: { d: 'leak' } }, defects: ['d'] };
    `);
    const { code, stdout } = await smpalloc(`race confirm ${file} --time 100ms --quiet`);
    expect(code).toBe(1);
    expect(stdout).toContain('NOT CONFIRMED: no leak was found');
  });
});
