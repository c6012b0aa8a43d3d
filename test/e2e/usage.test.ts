/** Asking for help, asking for what there is, and asking for what there is not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FREE_NAMES, STATS_NAMES } from '../../src/base/policy.js';
import { cli, root, run, smpalloc } from './helpers/cli.js';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

describe('help', () => {
  const helps = ['--help', '-h', 'bench --help', 'replay --help', 'ddb --help'];
  test.concurrent.each(helps)('%s begins with examples and names the exit codes', async (args) => {
    const { code, stdout, stderr } = await smpalloc(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const titles = stdout.match(/^[A-Z][^:\n]*(?=:\n)/gm);
    expect(titles?.[0]).toBe('Examples');
    expect(titles?.at(-1)).toBe('Exit codes');
    expect(stdout).toMatch(/0 ok.*1 a claim.*2 usage.*3 panic.*4 time-out.*130 interrupted/);
  });

  test('every example of help is a command line that is understood', async () => {
    const texts = await Promise.all(helps.map((args) => smpalloc(args)));
    const lines = texts.flatMap(({ stdout }) => [...stdout.matchAll(/^ +smpalloc ((?:bench|replay)[^#>\n]*)/gm)]);
    expect(lines.length).toBeGreaterThan(5);
    // --tunable x: refused after everything else was found right
    const ends = await Promise.all(lines.map(([, args]) => smpalloc(`${args!.trim()} --tunable x`)));
    for (const { stderr } of ends) expect(stderr).toBe("error: --tunable: 'x' is not NAME=NUMBER\n");
  });

  test('lists every option of the commands', async () => {
    const { stdout } = await smpalloc('bench --help');
    const options = 'cpus memory free stats seed duration ops rounds signal-delay json quiet peers tunable timeout';
    for (const option of options.split(' ')) expect(stdout).toContain(`--${option}`);
  });

  test.concurrent.each(['--version', '-v'])('%s is the version of the package', async (args) => {
    const { code, stdout } = await smpalloc(args);
    expect(code).toBe(0);
    expect(stdout).toContain(`smpalloc/${version}`);
  });
});

describe('list', () => {
  test('names suites, policies, bundled traces and variables', async () => {
    const { code, stdout, stderr } = await smpalloc('list');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of ['ipi', 'freebsd', 'ring', 'rchunks', 'mutex-up', 'redis-io3', 'kern.rbatch=32']) {
      expect(stdout).toMatch(new RegExp(`^\\S+ +${name.replace('.', '\\.')}\\b`, 'm'));
    }
  });

  test('is the same as JSON', async () => {
    const { code, stdout } = await smpalloc('list --json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      suites: expect.objectContaining({ ipi: expect.any(String), larson: expect.any(String) }),
      allocators: ['dragonfly', 'freebsd'], free: FREE_NAMES, stats: STATS_NAMES,
      traces: expect.arrayContaining(['redis-io3', 'kernel-net']),
      tunables: { 'kern.rbatch': { initial: 32, doc: expect.any(String) } }, sysctls: expect.any(Array),
    });
  });
});

describe('what there is not is an error of use, with what was perhaps meant', () => {
  test.concurrent.each([
    ['', /a command is missing: bench, replay, model, list/],
    ['bnch', /no command 'bnch'; did you mean 'bench'\?/],
    ['xyzzy', /no command 'xyzzy'; there are bench, replay, model, list/],
    ['bench ippi', /no suite 'ippi'; did you mean 'ipi'\?/],
    ['bench toString', /no suite 'toString'; there are ipi, /],
    ['bench --cpu 2', /unknown option --cpu; did you mean '--cpus'\?/],
    ['bench --signl-delay 2', /unknown option --signl-delay; did you mean '--signal-delay'\?/],
    ['bench --wat', /unknown option --wat; see smpalloc bench --help/],
    ['bench --strict', /unknown option --strict/],
    ['list --cpus 2', /unknown option --cpus/],
    ['list extra', /extra/],
    ['replay', /missing required args/],
    ['replay a b', /Unused args: `b`/],
    ['replay radis-io3', /no file 'radis-io3'; did you mean 'redis-io3'\? bundled traces are fd, /],
    ['bench pair --alloc linux', /--alloc: 'linux' is not an allocator; there are dragonfly, freebsd/],
    ['bench pair --alloc fresbd', /--alloc: 'fresbd' is not an allocator; did you mean 'freebsd'\?/],
    ['bench pair --alloc freebsd --free ipi', /--free: freebsd has no remote-free policies; expected --alloc /],
    ['bench pair --fail 10', /--fail: dragonfly does not fail on demand; expected --alloc freebsd/],
    ['bench pair --alloc dragonfly,freebsd --fail 10', /--fail: dragonfly does not fail on demand/],
    ['bench pair --alloc freebsd --fail 9,type=nix', /--fail: no malloc type 'nix'; there are .*temp/],
    ['bench pair --free rchunk', /--free: 'rchunk' is not a policy; did you mean 'rchunks'\?/],
    ['bench pair --free rbatch,ipj', /--free: 'ipj' is not a policy; did you mean 'ipi'\?/],
    ['bench stats --stats mutx', /--stats: 'mutx' is not a policy; did you mean 'mutex'\?/],
    ['bench ring --cpus 2 --stats mutex-up', /mutex-up.*only right with cpus: 1/],
  ])('smpalloc %s', async (args, message) => {
    const { code, stdout, stderr } = await smpalloc(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: /);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});

describe('a value that cannot be is named, with what would be right', () => {
  const cpus = 'a whole number from 1 to 256';
  const count = 'a whole number from 1';
  const time = "'40ms', '2s' or '1m'";
  test.concurrent.each([
    ['--cpus 0', '0', cpus],
    ['--cpus 500', '500', cpus],
    ['--cpus 1.5', '1.5', cpus],
    ['--cpus -1', '-1', cpus],
    ['--cpus abc', '"abc"', 'number'],
    ['--cpus', '--cpus', 'missing'],
    ['--cpus 2 --cpus 3', '[2,3]', 'number'],
    ['--rounds 0', '0', count],
    ['--rounds 2.5', '2.5', count],
    ['--ops 0', '0', count],
    ['--ops many', '"many"', 'number'],
    ['--duration x', '"x"', time],
    ['--duration 0', '0', time],
    ['--duration -1s', '"-1s"', time],
    ['--timeout 5h', '"5h"', time],
    ['--memory 1k', '"1k"', 'at least one megabyte'],
    ['--memory 3GiB', '"3GiB"', '2GiB at the most'],
    ['--memory nonsense', '"nonsense"', "'256MiB'"],
    ['--memory -5', '-5', "'256MiB'"],
    ['--memory 8KiB', '8192 bytes', 'MiB for'],
    ['--memory 8MiB --cpus 200', '8388608 bytes', 'MiB for 200 CPUs'],
    ['--signal-delay -3', '-3', "from 0, or 'tick'"],
    ['--signal-delay 1.5', '1.5', "from 0, or 'tick'"],
    ['--signal-delay soon', '"soon"', "from 0, or 'tick'"],
    ['--alloc freebsd --fail 0', '"0"', 'a whole number from 1 to 2147483647'],
    ['--alloc freebsd --fail often', '"often"', 'a whole number from 1'],
    ['--alloc freebsd --fail 5,cpu=2 --cpus 2', '"2"', 'a whole number from 0 to 1'],
    ['--alloc freebsd --fail 5,typ=temp', "'typ=temp'", 'RATE[,type=NAME][,cpu=N]'],
    ['--alloc freebsd --fail 5,', "''", 'RATE[,type=NAME][,cpu=N]'],
    ['--seed x', '"x"', 'number'],
    ['--seed 1e99', '1e+99', 'from 0 to 4294967295'],
    ['--tunable kern.rbach=3', "'kern.rbach'", "did you mean 'kern.rbatch'?"],
    ['--tunable __proto__=3', "'__proto__'", 'kern.zone_cache'],
    ['--tunable kern.rbatch', "'kern.rbatch'", 'NAME=NUMBER'],
    ['--tunable kern.rbatch=', "'kern.rbatch='", 'NAME=NUMBER'],
    ['--tunable kern.rbatch=1=2', "'kern.rbatch=1=2'", 'NAME=NUMBER'],
    ['--tunable kern.rbatch=x', '"x"', 'number'],
    ['--tunable kern.rbatch=0', '0', 'from 1 to 4096'],
    ['--tunable kern.rbatch=8,kern.zone_cache=-1', '-1', 'from 0 to 100000'],
  ])('bench pair %s', async (args, value, right) => {
    const { code, stdout, stderr } = await smpalloc(`bench pair ${args}`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: /);
    expect(stderr).toContain(value);
    expect(stderr).toContain(right);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  test('an empty word is no value', async () => {
    const ends = await Promise.all(
      [['--free', ''], ['--seed', ''], ['--signal-delay', ''], ['--tunable', ''], ['--memory', '']].map((flag) =>
        run(process.execPath, [cli, 'bench', 'pair', ...flag]),
      ),
    );
    for (const { code, stderr } of ends) {
      expect(stderr).toMatch(/^error: /);
      expect(code).toBe(2);
    }
  });
});
