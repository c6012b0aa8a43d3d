/** smpalloc ddb: a core dump of a panic, looked into from -c, from a pipe, at a terminal; and files that are none. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli, type Ended, run, smpalloc, until } from './helpers/cli.js';
import { hasTerminal, onTerminal } from './helpers/terminal.js';

const BENCH = 'bench larson --cpus 2 --memory 2MiB --free rbatch';
let folder: string;
let core: string;
let panic: Ended;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smpalloc-ddb-'));
  core = join(folder, 'vmcore');
  panic = await smpalloc(`${BENCH} --core ${core}`);
});
afterAll(() => rm(folder, { recursive: true }));

/** -c with its commands as one word */
const ddb = (commands: string, file = core) => run(process.execPath, [cli, 'ddb', file, '-c', commands]);

describe('a run that panics', () => {
  test('with --core leaves its memory, and says how to look into it', () => {
    expect(panic.code).toBe(3);
    expect(panic.stdout).toBe('');
    expect(panic.stderr).toContain(`\nits memory is in ${core}; to look into it: smpalloc ddb ${core}\n`);
  });

  test('without it says how to get one', async () => {
    const { stderr } = await smpalloc(BENCH);
    expect(stderr).toMatch(/\nto keep its memory: the same with --core vmcore, then smpalloc ddb vmcore\n$/);
  });

  test.each([
    ['--core /nonexistent/vmcore', /^error: --core: \/nonexistent\/vmcore cannot be written: ENOENT/],
    ['--core /', /^error: --core: \/ is a folder; expected a file/],
    ['--core', /^error: .*core/],
  ])('is refused before it begins when its core could not be written: %s', async (flag, message) => {
    const { code, stdout, stderr } = await smpalloc(`bench pair ${flag}`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('-c', () => {
  test('prints what the commands say, and nothing else', async () => {
    const { code, stdout, stderr } = await ddb('show panic; show malloc; leaks');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [message] = /panic: .*/.exec(panic.stderr)!;
    expect(stdout.split('\n').slice(0, 4)).toEqual([
      message, expect.stringMatching(/^cpuid = \d$/), '              Type        InUse       MemUse     Requests',
      expect.stringMatching(/^ +temp +\d+ +\d+K +\d+$/),
    ]);
    expect(stdout).toMatch(/^walk: \d+ live blocks, \d+ bytes$/m);
  });

  test('goes on after a wrong command, says it, and ends with 2', async () => {
    const { code, stdout, stderr } = await ddb('show maloc; cpu; quit; show panic');
    expect(code).toBe(2);
    expect(stdout).toMatch(/^cpu\d of 0-1\n$/);
    expect(stderr).toMatch(/^error: show: no 'maloc'; did you mean 'malloc'\? there are panic, /);
  });

  test('wants commands', async () => {
    const { code, stderr } = await smpalloc(`ddb ${core} -c`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .*-c/);
  });

  test('has help', async () => {
    const { stdout } = await ddb('help');
    for (const name of ['show malloc', 'leaks', 'show ktr', 'x/x', 'quit']) {
      expect(stdout).toMatch(new RegExp(`^${name}\\b`, 'm'));
    }
  });
});

test('a pipe is a script, a line a command', async () => {
  const input = 'show panic\n\nshow foo\ncpu 1 ; show pcpu\nquit\nshow malloc\n';
  const { code, stdout, stderr } = await smpalloc(`ddb ${core}`, { input });
  expect(code).toBe(2);
  expect(stdout).toMatch(/^panic: .*\ncpuid = \d\ncpu1 of 0-1\ncpu1 globaldata/);
  expect(stdout).not.toContain('InUse');
  expect(stdout).not.toContain('db{');
  expect(stderr).toMatch(/^error: show: no 'foo'; .*\n$/);
});

describe.skipIf(!hasTerminal)('at a terminal', () => {
  test('a prompt completes, remembers, and goes away with ^D', async () => {
    const terminal = onTerminal(`ddb ${core}`);
    await until('a prompt', () => /db\{\d\}> /.test(terminal.screen()));
    expect(terminal.screen()).toMatch(/vmcore: 2 CPUs, 2 MiB, of 20.*\r\n.*\r\npanic: /);
    terminal.type('show mal\t');
    await until('the whole word', () => terminal.screen().includes('show malloc'));
    terminal.type('\r');
    await until('the table', () => /Type +InUse/.test(terminal.screen()));
    terminal.type('cpu 1\r');
    await until('the other CPU', () => terminal.screen().includes('db{1}> '));
    terminal.type('\x1b[A\x1b[A\r');
    await until('the table again', () => terminal.screen().split('InUse').length === 3);
    terminal.type('nonsense\r');
    await until('an error', () => terminal.screen().includes("no command 'nonsense'"));
    terminal.type('half a line\x03');
    await until('another prompt', () => /\^C/.test(terminal.screen()));
    terminal.type('\x04');
    const { code } = await terminal.ended;
    expect(code).toBe(0);
    expect(terminal.screen()).not.toContain("no command 'half'");
  });

  test('quit leaves', async () => {
    const terminal = onTerminal(`ddb ${core}`);
    await until('a prompt', () => /db\{\d\}> /.test(terminal.screen()));
    terminal.type('quit\r');
    expect((await terminal.ended).code).toBe(0);
  });
});

describe('a file that is no core dump', () => {
  const refused = async (file: string): Promise<string> => {
    const { code, stdout, stderr } = await ddb('show panic', file);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    return stderr;
  };

  test('is refused by name: not there, something else, a folder', async () => {
    expect(await refused(join(folder, 'none'))).toMatch(/^error: .*none: ENOENT/);
    expect(await refused(cli)).toMatch(/cli\.js: not a core dump of smpalloc/);
    expect(await refused(folder)).toMatch(/^error: .*EISDIR/);
  });

  test('is refused when it is short, damaged, or of another time', async () => {
    const bytes = await readFile(core);
    const other = join(folder, 'other');
    const changed = async (change: (copy: Buffer) => unknown, length = bytes.length) => {
      const copy = Buffer.from(bytes);
      change(copy);
      await writeFile(other, copy.subarray(0, length));
      return refused(other);
    };
    expect(await changed(() => {}, 10_000)).toMatch(/other: truncated: 10000 bytes of \d+/);
    expect(await changed((copy) => copy.fill(0xff, 40, 41))).toMatch(/other: the header of the core dump is damaged/);
    expect(await changed((copy) => copy.write('7', 7))).toMatch(/other: core dump of format 7, written by smpalloc /);
    // SB_GD, which is word 33 of the memory
    expect(await changed((copy) => copy.writeUInt32LE(12345, 4096 + 33 * 4))).toMatch(
      /other: the superblock is damaged: SB_GD is 12345, expected a multiple of 64/,
    );
  });

  test('is asked for', async () => {
    const { code, stderr } = await smpalloc('ddb');
    expect(code).toBe(2);
    expect(stderr).toMatch(/missing required args/);
  });
});

test('ddb --help begins with examples and has -c', async () => {
  const { code, stdout } = await smpalloc('ddb --help');
  expect(code).toBe(0);
  expect(stdout).toMatch(/Examples:\n[\s\S]*smpalloc ddb vmcore[\s\S]*-c <COMMANDS>/);
});
