/** What a terminal is shown, and what a pipe is not. */
import { describe, expect, test } from 'vitest';
import { parseRecord } from '../../src/report/record.js';
import { cli, fixture, run, smpalloc, start } from './helpers/cli.js';
import { hasTerminal, onTerminal } from './helpers/terminal.js';

const ESC = '\x1b';
const bench = 'bench pair --free rbatch --rounds 3 --duration 20ms';
const replay = `replay ${fixture('ftrace.txt')}`;

describe.skipIf(!hasTerminal)('on a terminal', () => {
  test('a line on stderr says how far it is, and is wiped away at the end', async () => {
    const { stdout: screen, code } = await onTerminal(`${bench} > /dev/null`).ended;
    expect(code).toBe(0);
    const drawn = screen.split(`${ESC}[K`);
    expect(drawn[0]).toMatch(/\rpair {2}[#.]{24} rbatch, round \d of 3 {2}\d+ s$/);
    expect(drawn.at(-2)).toBe('\r');
    expect(drawn.at(-1)!.trim()).toBe('');
  });

  test('stdout has its table without a trace of that line', async () => {
    const { stdout: screen } = await onTerminal(`${bench} 2> /dev/null`).ended;
    expect(screen).toContain('pair');
    expect(screen).not.toMatch(/round \d of 3/);
    expect(screen).not.toContain(`${ESC}[K`);
  });

  test.each([
    ['with --quiet', '--quiet', {}],
    ['in CI', '', { CI: 'true' }],
  ])('there is no such line %s', async (_, flag, env) => {
    const { stdout: screen } = await onTerminal(`${bench} ${flag} > /dev/null`, { env }).ended;
    expect(screen).toMatch(/^pid \d+\s*$/);
  });

  test('verdicts are coloured, and plain with NO_COLOR', async () => {
    const screens = await Promise.all(
      [{}, { NO_COLOR: '1' }].map((env) => onTerminal(`${replay} 2> /dev/null`, { env }).ended),
    );
    const [coloured, plain] = screens.map(({ stdout }) => stdout);
    expect(coloured).toContain(`${ESC}[32mPASS${ESC}[39m`);
    expect(plain).toContain('PASS');
    expect(plain).not.toContain(ESC);
  });
});

describe('into a pipe', () => {
  test.each([
    ['nothing is coloured', {}, false],
    ['nothing is coloured in CI', { CI: 'true' }, false],
    ['FORCE_COLOR colours', { FORCE_COLOR: '1' }, true],
    ['NO_COLOR outdoes FORCE_COLOR', { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('%s', async (_, env, coloured) => {
    const { stdout, stderr } = await smpalloc(replay, { env });
    expect(stdout).toContain('PASS');
    expect(stdout.includes(ESC)).toBe(coloured);
    // a remark, and no progress
    expect(stderr).toMatch(/^left out: .*\n$/);
  });

  test('an error is plain too', async () => {
    const { stderr } = await smpalloc('bench --cpus 0');
    expect(stderr).toMatch(/^error: cpus: 0/);
  });

  test('a large record is complete though its reader is slow', async () => {
    // the command is part of the record: half a megabyte of it
    const flags = Array.from({ length: 5 }, () => `--tunable ${'kern.rbatch=8,'.repeat(7000)}kern.rbatch=8`).join(' ');
    const { child, ended } = start(process.execPath, [cli, ...`${replay} --json ${flags}`.split(' ')]);
    child.stdout!.pause();
    setTimeout(() => child.stdout!.resume(), 2500);
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(stdout.length).toBeGreaterThan(450_000);
    expect(parseRecord(stdout).config.command).toMatch(/kern\.rbatch=8$/);
  });

  const shell = (line: string, args: string) =>
    run('/bin/sh', ['-c', line], { env: { NODE: process.execPath, CLI: cli, ARGS: args } });

  test('a reader that has seen enough is no error', async () => {
    const line = '{ "$NODE" "$CLI" $ARGS; echo "code $?" >&2; } | true';
    const { stdout, stderr } = await shell(line, `${replay} --quiet`);
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: 'code 0\n' });
  });

  test('the record is whole though nobody hears the remarks', async () => {
    const line = '{ { "$NODE" "$CLI" $ARGS; echo "code $?" >&4; } 2>&1 >&3 | true; } 3>&1 4>&2';
    const { stdout, stderr } = await shell(line, `${replay} --json`);
    expect(stderr).toBe('code 0\n');
    expect(parseRecord(stdout).rows).toHaveLength(1);
  });

  test('head gets its line', async () => {
    const { code, stdout, stderr } = await shell('"$NODE" "$CLI" $ARGS | head -1', 'list');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^kind +name +what\n$/);
  });
});
