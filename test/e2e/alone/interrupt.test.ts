/** ^C: what is known is printed, nothing is left running; a second one does not wait. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseRecord } from '../../../src/report/record.js';
import { runs, startSmpalloc, until } from '../helpers/cli.js';
import { CTRL_C, hasTerminal, onTerminal } from '../helpers/terminal.js';

const dir = mkdtempSync(join(tmpdir(), 'interrupt-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Is there a process of this number that still runs? */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasTerminal)('^C on a terminal', () => {
  test('prints the record of the rounds done by then', async () => {
    const path = join(dir, 'run.json');
    const run = onTerminal(`bench pair --free rbatch --rounds 100000 --duration 5ms --json > ${path}`);
    await until('the third round', () => /round ([3-9]|\d\d+) of/.test(run.screen()));
    run.type(CTRL_C);
    const { code } = await run.ended;
    expect(code).toBe(130);
    const { complete, rows, claims } = parseRecord(readFileSync(path, 'utf8'));
    expect({ complete, claims }).toEqual({ complete: false, claims: [] });
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ suite: 'pair', audit: 'not audited: interrupted' });
    expect(rows[0]!.rounds).toBeGreaterThanOrEqual(2);
    expect(alive(run.pid())).toBe(false);
  });

  test('keeps the cells of a model that are finished', async () => {
    const path = join(dir, 'model.json');
    const run = onTerminal(`model pair --cpus 1,2,4,...,256 --ops 20000 --json > ${path}`);
    await until('the third cell', () => /([3-9]|\d\d) of \d+ cells/.test(run.screen()));
    run.type(CTRL_C);
    const { code } = await run.ended;
    expect(code).toBe(130);
    const { complete, rows } = parseRecord(readFileSync(path, 'utf8'));
    expect(complete).toBe(false);
    expect(rows.length).toBeGreaterThanOrEqual(3);
    expect(rows.every((row) => row.audit === 'ok')).toBe(true);
    expect(alive(run.pid())).toBe(false);
  });

  test('before the second suite knows anything prints the first', async () => {
    const run = onTerminal('bench pair larson --cpus 2 --free rbatch --rounds 1 --duration 20ms');
    await until('the round of the first suite', () => run.screen().includes('round 1 of 1'));
    // the second one begins by warming up, for more than a second
    await new Promise((resolve) => setTimeout(resolve, 500));
    run.type(CTRL_C);
    const { code, stdout: screen } = await run.ended;
    expect(code).toBe(130);
    expect(screen).toMatch(/pair\S* .*1 rounds in turn/);
    expect(screen).not.toMatch(/larson\S* .*1 rounds in turn/);
    expect(screen).toContain('interrupted: this is what was known');
    expect(screen).not.toContain('FAILED');
  });

  test.skipIf(!runs('cc', '--version'))('a second one leaves at once', async () => {
    // a C program's round is waited for, unless one insists
    const run = onTerminal('bench pair --peers --free rbatch --rounds 1 --duration 2s > /dev/null');
    await until('a peer', () => run.screen().includes('glibc, round 1'));
    process.kill(run.pid(), 'SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(alive(run.pid())).toBe(true);
    const second = Date.now();
    process.kill(run.pid(), 'SIGINT');
    const { code } = await run.ended;
    expect(code).toBe(130);
    expect(Date.now() - second).toBeLessThan(1500);
  });
});

test('SIGINT in the middle of a replay prints a record that says it is not complete', async () => {
  const { child, ended } = startSmpalloc('replay - --json --cpus 2', { limitMs: 30_000 });
  const events = Array.from({ length: 60_000 }, (_, n) => `${n + 1} ${n % 3} m ${n + 1} ${n % 1000}\n`).join('');
  // more than a pipe holds: once it is written the command reads, and waits for the rest
  await new Promise((resolve) => child.stdin!.write(events, resolve));
  child.kill('SIGINT');
  const { code, stdout } = await ended;
  expect(code).toBe(130);
  const { complete, rows } = parseRecord(stdout);
  expect(complete).toBe(false);
  expect(rows).toEqual([expect.objectContaining({ suite: 'replay', audit: 'not audited: interrupted' })]);
});
