/** smpalloc top as a user sees it: on a terminal, into a pipe, of a machine that lives, and of one that dies. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boot, type Machine } from '../../src/host/machine.js';
import type { Interval } from '../../src/observe/interval.js';
import { smpalloc, startSmpalloc, until } from './helpers/cli.js';
import { hasTmux, Terminal } from './helpers/tmux.js';

const folder = mkdtempSync(join(tmpdir(), 'smpalloc-top-'));
const socket = join(folder, 'machine');
let machine: Machine;
let over = false;
let working: Promise<void>;

/** A machine that does something, and leaves the cores to others most of the time. */
async function work(): Promise<void> {
  const [types] = (await machine.run('smpalloc:workloads', 'defineTypes', [['temp']])) as number[][];
  while (!over) {
    await machine.run('smpalloc:workloads', 'pair', [types![0], 64, 1000]);
    await sleep(5);
  }
}

beforeAll(async () => {
  machine = await boot({ cpus: 2, memory: '16MiB', listen: socket });
  working = work();
});
afterAll(async () => {
  over = true;
  await working;
  await machine.stop();
  rmSync(folder, { recursive: true });
});

const LARGE = { columns: 100, rows: 24 };
const drawn = /q quit/;

describe.skipIf(!hasTmux)('on a terminal (tmux)', () => {
  test('it draws what the machine does, and again at every size, without wrapping', async () => {
    using terminal = new Terminal('draws', `top ${socket} -w 100ms`, LARGE);
    const screen = await terminal.shows(/allocs [\d.]+k?\/s/);
    expect(screen).toContain(`${socket.slice(-25)}  dragonfly rbatch critical  2 CPUs`);
    expect(screen).toMatch(/^▾CPU {2}state {2}alloc\/s/m);
    expect(screen).toMatch(/^temp +[\d.]+k? +[\d.]+k? /m);
    expect(terminal.lines()).toHaveLength(24);
    for (const size of [{ columns: 40, rows: 10 }, { columns: 130, rows: 40 }]) {
      terminal.resize(size);
      await until('drawn again', () => terminal.lines().length === size.rows && drawn.test(terminal.lines().at(-1)!));
      expect(Math.max(...terminal.lines().map((line) => line.length))).toBeLessThanOrEqual(size.columns);
    }
    expect(terminal.text).toContain('CAS late');
  });

  test('q leaves with 0, and what stood there before stands there again', async () => {
    using terminal = new Terminal('quits', `top ${socket} -w 100ms`, LARGE);
    await terminal.shows(drawn);
    terminal.type('q');
    expect(await terminal.shows(/code/)).toMatch(/^BEFORE\npid \d+\ncode 0$/);
    expect(terminal.restored).toBe(true);
  });

  test.each([
    ['^C with 130', 'C-c', /interrupted\ncode 130$/], ['^D with 0', 'C-d', /code 0$/],
  ])('%s does so too', async (_, key, end) => {
    using terminal = new Terminal(`leaves-${key}`, `top ${socket} -w 100ms`, LARGE);
    await terminal.shows(drawn);
    terminal.type(key);
    expect(await terminal.shows(/code/)).toMatch(end);
    expect(terminal.text).toMatch(/^BEFORE/);
    expect(terminal.restored).toBe(true);
  });

  test('keys choose: help, panel, sorting, pause', async () => {
    using terminal = new Terminal('keys', `top ${socket} -w 100ms`, LARGE);
    await terminal.shows(drawn);
    terminal.type('h');
    await terminal.shows(/pause, and go on/);
    terminal.type('Escape');
    await terminal.shows(/^temp/m);
    terminal.type('t', 'o', '3');
    await terminal.shows(/TYPE {2}alloc\/s ▾free\/s/);
    expect(terminal.text).not.toContain('state');
    terminal.type('Space');
    await terminal.shows(/paused/);
    const still = terminal.text;
    terminal.type('-', '+', 'Space');
    await terminal.shows(/every 100 ms/);
    expect(still).toMatch(/space go on/);
  });

  test('colours are there, and with NO_COLOR none', async () => {
    using coloured = new Terminal('colour', `top ${socket} -w 100ms`, LARGE);
    using plain = new Terminal('plain', `top ${socket} -w 100ms`, LARGE, { NO_COLOR: '1' });
    await Promise.all([coloured.shows(drawn), plain.shows(drawn)]);
    expect(coloured.lines(true).join('\n')).toContain('\x1b[7m');
    expect(plain.lines(true).join('\n')).not.toContain('\x1b');
  });

  test('where UTF-8 is not read, ASCII draws it', async () => {
    using terminal = new Terminal('ascii', `top ${socket} -w 100ms`, LARGE, { LC_ALL: 'C' });
    await terminal.shows(/memory #*\.+ /);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the question
    expect(terminal.text).toMatch(/^[\x00-\x7f]*$/);
  });

  test.each([
    ['SIGTERM', 'SIGTERM', 'code 143', {}],
    ['an exception nobody expected', 'SIGUSR2', 'boom', {
      NODE_OPTIONS: `--import=data:text/javascript,process.on('SIGUSR2',()=>{throw(Error('boom'))})`,
    }],
  ] as const)('%s restores the screen', async (_, signal, last, env) => {
    using terminal = new Terminal(`dies-${signal}`, `top ${socket} -w 100ms`, LARGE, env);
    await terminal.shows(drawn);
    process.kill(terminal.pid, signal);
    expect(await terminal.shows(/code/)).toContain(last);
    expect(terminal.text).toMatch(/^BEFORE/);
    expect(terminal.restored).toBe(true);
  });

  test('^Z gives the terminal back to the shell, and fg has the screen again', async () => {
    const script = (command: string) => `set -m; ${command}; echo "stopped $?"; read key; fg; echo "code $?"`;
    using terminal = new Terminal('suspends', `top ${socket} -w 100ms`, LARGE, {}, script);
    await terminal.shows(drawn);
    terminal.type('C-z');
    expect(await terminal.shows(/^stopped 148$/m)).toMatch(/^BEFORE/);
    expect(terminal.restored).toBe(true);
    terminal.type('Enter');
    await terminal.shows(drawn);
    terminal.type('q');
    await terminal.shows(/code 0/);
  });

  test('the end of the machine ends it, with a word about it', async () => {
    const path = join(folder, 'mortal');
    const { child, ended } = startSmpalloc(`top pair --cpus 1 --listen ${path} --json -w 100ms`);
    child.stdout!.resume();
    await until('it listens', () => existsSync(path));
    using terminal = new Terminal('mourns', `top ${path} -w 100ms`, LARGE);
    await terminal.shows(/allocs [\d.]+[kM]?\/s/);
    child.kill('SIGKILL');
    await ended;
    expect(await terminal.shows(/code/)).toMatch(/^BEFORE\npid \d+\nthe machine has stopped\ncode 0$/);
    expect(terminal.restored).toBe(true);
  });

  test('a machine of its own that panics has its report on the restored screen', async () => {
    using terminal = new Terminal('panics', 'top larson --cpus 2 --memory 4MiB', { columns: 130, rows: 50 });
    const screen = await terminal.shows(/code/);
    expect(screen).toMatch(/^BEFORE/);
    expect(screen).toMatch(/^error: panic: .*memory/m);
    expect(screen).toMatch(/code 3$/);
  });
});

describe('into a pipe', () => {
  test('a block of lines a sample, without escapes', async () => {
    const { code, stdout, stderr } = await smpalloc(`top ${socket} -w 100ms -c 3`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const blocks = stdout.trimEnd().split('\n\n\n');
    expect(stdout.match(/^ *CPU {2}state/gm)).toHaveLength(3);
    expect(stdout).not.toContain('\x1b');
    expect(blocks[0]).toMatch(/^\S*machine {2}dragonfly rbatch critical {2}2 CPUs/);
    expect(stdout).toMatch(/^temp +[\d.]+k? +[\d.]+k? /m);
  });

  test('--json: one text a sample, whose rates are those of the time it says', async () => {
    const { code, stdout } = await smpalloc(`top ${socket} -w 200ms -n 3 --json`);
    expect(code).toBe(0);
    const samples = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Interval);
    expect(samples).toHaveLength(3);
    for (const [n, { seconds, machine: facts, perSecond, cpus, types, pages }] of samples.entries()) {
      expect(seconds).toBeGreaterThan(0.19);
      expect(facts).toMatchObject({ alloc: 'dragonfly', ncpu: 2, free: 'rbatch' });
      expect(cpus.map(({ cpu }) => cpu)).toEqual([0, 1]);
      expect(types).toMatchObject([{ name: 'temp' }]);
      expect(pages.free + pages.wired).toBe(pages.total);
      if (n === 0) continue;
      const done = types[0]!.requests - samples[n - 1]!.types[0]!.requests;
      expect(perSecond.allocs! * seconds!).toBeCloseTo(done, 0);
    }
  });

  test('a workload of its own is watched the same way', async () => {
    const { code, stdout } = await smpalloc('top ring --cpus 2 --alloc freebsd -w 200ms -n 3 --json');
    expect(code).toBe(0);
    const samples = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Interval);
    expect(samples[0]!.machine).toMatchObject({ alloc: 'freebsd', ncpu: 2 });
    const rates = samples.map(({ zones }) => zones.find(({ name }) => name === '64')?.perSecond.allocs ?? 0);
    expect(Math.max(...rates)).toBeGreaterThan(0);
  });

  test('a trace is replayed again and again, for --duration', async () => {
    const { code, stdout } = await smpalloc('top redis-io3 --cpus 2 -w 200ms --duration 1500ms');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^redis-io3 .*\nallocs [\d.]+[kM]?\/s/);
  });

  test.each([
    ['no-such', "top: no machine, suite or trace 'no-such'"], ['rinq', "did you mean 'ring'"],
    ['ring --alloc dragonfly,freebsd', '--alloc: dragonfly,freebsd are several'],
    ['ring -w 1ms', '-w: 1 ms is too often'],
    ['-', "'-' is where keys are typed"], ['package.json', 'package.json:1: unknown trace format'],
    ['ring -c 0', '-c: 0 is not usable'], ['SOCKET --cpus 4', '--cpus: the machine at'],
  ])('top %s is refused', async (args, message) => {
    const { code, stderr } = await smpalloc(`top ${args.replace('SOCKET', socket)}`);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
