/** smpalloc bench: what it measures, prints and records. Rounds are short: no figure is believed here. */
import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { record, runs, smpalloc } from './helpers/cli.js';

const cores = availableParallelism();
const positive = expect.toSatisfy((value: unknown) => typeof value === 'number' && value > 0, 'a number over 0');
const whole = expect.toSatisfy(Number.isInteger, 'a whole number');

describe('the main job', () => {
  test('runs ipi and stats, and prints a table each and a line for every claim', async () => {
    const { code, stdout, stderr } = await smpalloc('bench --rounds 1 --ops 1000 --warm-up 20ms');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^smpalloc \d+\.\d+\.\d+, Node v\d+.* cores\)/);
    expect(stdout).toMatch(/^IPI table /m);
    expect(stdout).toMatch(/^stats table /m);
    const verdicts = stdout.match(/^(PASS|FAIL) {2}.+: .+ {2}\[.+\]$/gm) ?? [];
    expect(verdicts).toHaveLength(8);
    const ids = verdicts.map((line) => /\[(.+)\]$/.exec(line)![1]);
    expect(ids).toEqual([
      'S2.3 redis-io3', 'S2.3 kernel-net', 'S0.19 update', 'S0.19 update, SMP', 'S0.19 malloc, SMP', 'S0.20 UP',
      'S0.11 locked', 'audit',
    ]);
    // counts do not depend on how long the rounds are
    for (const id of ['S2.3 redis-io3', 'S2.3 kernel-net', 'S0.11 locked', 'audit']) {
      expect(verdicts.find((line) => line.endsWith(`[${id}]`))).toMatch(/^PASS/);
    }
    expect(code).toBe(verdicts.some((line) => line.startsWith('FAIL')) ? 1 : 0);
  });

  test('a claim that does not hold is a FAIL and exit code 1', async () => {
    // rounds of two updates measure the clock: nothing can be five times slower than nothing
    const { code, stdout } = await smpalloc(
      'bench stats --stats critical,mutex --cpus 1 --ops 2 --warm-up 20ms --rounds 9',
    );
    expect(stdout).toMatch(/^FAIL {2}critical sections beat mutex 5x or more on the update alone at 1 CPU: /m);
    expect(code).toBe(1);
  });
});

describe('the record', () => {
  test('of ipi has messages and what they fell by, trace by trace', async () => {
    const args = 'bench ipi --free ipi,rchunks --rounds 1 --signal-delay tick';
    const { code, rows, claims, complete } = await record(args);
    expect({ code, complete }).toEqual({ code: 0, complete: true });
    expect(rows.map(({ trace, free }) => `${trace} ${free}`)).toEqual([
      'redis-io3 ipi', 'redis-io3 rchunks', 'kernel-net ipi', 'kernel-net rchunks',
    ]);
    for (const row of rows) {
      expect(row).toMatchObject({
        suite: 'ipi', alloc: 'dragonfly', stats: 'critical', audit: 'ok', cpus: Math.max(2, cores),
        allocations: positive, remoteFrees: positive, ipiMessages: whole, ipiInterrupts: whole, mops: positive,
        signalDelay: 'tick',
      });
    }
    const [all, linked] = rows as unknown as { remoteFrees: number; ipiMessages: number; reduction: number }[];
    expect(all).toMatchObject({ ipiMessages: all!.remoteFrees, reduction: 1 });
    expect(linked!.reduction).toBeGreaterThan(100);
    expect(claims.map(({ pass }) => pass)).toEqual([true, true, true]);
  });

  test('of stats has the update and malloc, on one CPU and on all, with ratios and locked operations', async () => {
    const { rows } = await record('bench stats --rounds 2 --ops 500 --warm-up 20ms --cpus 2');
    const at = rows.map(({ where, cpus, stats }) => `${where} ${cpus} ${stats}`);
    const policies = ['critical', 'unpadded', 'atomic', 'mutex', 'mutex-up', 'none'];
    const expected = ['1', '2'].flatMap((cpus) =>
      ['update', 'malloc'].flatMap((where) =>
        policies.filter((stats) => cpus === '1' || stats !== 'mutex-up').map((stats) => `${where} ${cpus} ${stats}`),
      ),
    );
    expect(at).toEqual(expected);
    for (const row of rows) {
      const base = { suite: 'stats', alloc: 'dragonfly', free: 'rbatch', audit: 'ok' };
      expect(row).toMatchObject({ ...base, mops: positive, rounds: 2 });
      expect(row.ratioToCritical).toBeGreaterThanOrEqual(row.ratioLow as number);
      expect(row.ratioToCritical).toBeLessThanOrEqual(row.ratioHigh as number);
    }
    const locked = (stats: string) =>
      rows.filter((row) => row.stats === stats && row.cpus === 1).map(({ lockedPerOp }) => lockedPerOp);
    expect(locked('critical')).toEqual([0, 0]);
    expect(locked('mutex')).toEqual([2, 4]);
    expect(rows.find(({ stats }) => stats === 'critical')).toMatchObject({ ratioToCritical: 1 });
  });

  test('of stats has critical beside whatever was asked for: ratios are to it', async () => {
    const { rows } = await record(
      'bench stats --stats mutex-up --rounds 1 --ops 10 --warm-up 20ms --cpus 2 --memory 8MiB',
    );
    expect(rows.map(({ where, cpus, stats }) => `${where} ${cpus} ${stats}`)).toEqual([
      'update 1 critical', 'update 1 mutex-up', 'malloc 1 critical', 'malloc 1 mutex-up', 'update 2 critical',
      'malloc 2 critical',
    ]);
  });

  test('of the loops has nanoseconds, and counts of a whole number of steps', async () => {
    const few = '--warm-up 20ms --free rbatch --rounds 1 --ops 100 --cpus 2';
    const { code, rows } = await record(`bench pair local larson xmalloc ring ${few}`);
    expect(code).toBe(0);
    expect(rows.map(({ suite }) => suite)).toEqual(['pair', 'local', 'larson', 'xmalloc', 'ring']);
    for (const row of rows) {
      expect(row).toMatchObject({
        alloc: 'dragonfly', free: 'rbatch', stats: 'critical', cpus: 2, audit: 'ok', nsPerPair: positive,
        mops: positive, rounds: 1, remoteFrees: whole, ipiMessages: whole, ipiInterrupts: whole,
      });
      expect(row).not.toHaveProperty('peers');
    }
    const [pair, local, , xmalloc, ring] = rows as unknown as { remoteFrees: number }[];
    expect([pair!.remoteFrees, local!.remoteFrees]).toEqual([0, 0]);
    expect(xmalloc!.remoteFrees).toBe(4096);
    expect(ring!.remoteFrees).toBe(200);
  });

  test('of the loops has a row for every pair of policies', async () => {
    const { rows } = await record(
      'bench ring --free ipi,locked --stats none,atomic --rounds 1 --ops 64 --warm-up 20ms --cpus 2',
    );
    const pairs = rows.map(({ free, stats }) => `${free} ${stats}`);
    expect(pairs).toEqual(['ipi none', 'ipi atomic', 'locked none', 'locked atomic']);
  });

  test('of two allocators has them side by side, with what both can be counted by', async () => {
    const few = '--warm-up 20ms --alloc dragonfly,freebsd --free rbatch --rounds 2 --ops 2000 --cpus 2';
    const { rows, config } = await record(`bench pair local larson xmalloc ring ${few}`);
    expect(config.alloc).toEqual(['dragonfly', 'freebsd']);
    const names = ['pair', 'local', 'larson', 'xmalloc', 'ring'];
    expect(rows.map(({ suite, alloc, free }) => `${suite} ${alloc} ${free}`)).toEqual(
      names.flatMap((name) => [`${name} dragonfly rbatch`, `${name} freebsd -`]),
    );
    const number = expect.any(Number);
    for (const row of rows) {
      const counts = { lockedPerOp: number, waste: number, pagesPeak: positive, mops: positive };
      expect(row).toMatchObject({ audit: 'ok', ...counts });
      expect(row.remoteFrom).toBe(row.alloc === 'freebsd' ? 'loop' : 'zones');
      if (row.alloc === 'freebsd') expect(row).toMatchObject({ ipiMessages: 0, ratioToDragonfly: positive });
    }
    const freebsd = rows.filter(({ alloc }) => alloc === 'freebsd') as unknown as { remoteFrees: number }[];
    expect(freebsd.map(({ remoteFrees }) => remoteFrees)).toEqual([0, 0, 20_000, 8192, 8000]);
    expect(freebsd[0]).toMatchObject({ lockedPerOp: 0, waste: 0 });
  });

  test('of statistics compares policies within an allocator', async () => {
    const few = '--warm-up 20ms --alloc dragonfly,freebsd --stats critical,mutex --rounds 2 --ops 500 --cpus 2';
    const { rows } = await record(`bench stats ${few}`);
    const at1 = rows.filter(({ cpus, where }) => cpus === 1 && where === 'malloc');
    expect(at1.map(({ alloc, stats, lockedPerOp }) => `${alloc} ${stats} ${lockedPerOp}`)).toEqual([
      'dragonfly critical 0', 'dragonfly mutex 4', 'freebsd critical 0', 'freebsd mutex 4',
    ]);
    const critical = rows.filter(({ stats }) => stats === 'critical');
    for (const row of critical) expect(row).toMatchObject({ ratioToCritical: 1, audit: 'ok' });
  });

  test('of mallocs that were made to fail counts them, and everything is in its place', async () => {
    const few = '--warm-up 20ms --alloc freebsd --fail 7 --rounds 2 --ops 700 --cpus 2';
    const { code, rows, config } = await record(`bench pair local larson xmalloc ring ${few}`);
    expect(code).toBe(0);
    expect(config.fail).toEqual({ rate: 7 });
    for (const row of rows) expect(row).toMatchObject({ audit: 'ok', failed: positive });
    expect(rows[0]!.failed).toBe(400);
    const one = '--warm-up 20ms --fail 7,type=temp,cpu=1 --rounds 1 --ops 700 --cpus 2';
    const { rows: narrow } = await record(`bench ring --alloc freebsd ${one}`);
    expect(narrow[0]).toMatchObject({ audit: 'ok', failed: 100 });
  });

  test('has what sizes were asked for and given, with --profile', async () => {
    const { rows } = await record(
      'bench pair xmalloc --profile --free rbatch --rounds 2 --ops 100 --warm-up 20ms --cpus 2',
    );
    const [pair, xmalloc] = rows as unknown as { profile: object[]; waste: number }[];
    expect(pair).toMatchObject({ waste: 0, profile: [{ size: 64, requests: 400, asked: 25_600, given: 25_600 }] });
    expect(xmalloc!.profile).toMatchObject([{ size: 64, requests: 8192 }, { size: null, requests: 2, given: 40_960 }]);
  });

  test('says what was asked for', async () => {
    const machine = '--free rbatch,ipi --cpus 1 --memory 64MiB --signal-delay 3 --tunable kern.rbatch=4';
    const command = `bench pair ${machine} --rounds 1 --ops 10 --warm-up 20ms --seed 7 --duration 1.5s`;
    const { config, environment } = await record(command);
    expect(config).toMatchObject({
      command: `${command} --json`, seed: 7, cpus: 1, memory: '64MiB', roundMs: 1500, rounds: 1, ops: 10,
      free: ['rbatch', 'ipi'], stats: null, signalDelay: 3, tunables: { 'kern.rbatch': 4 },
    });
    const { version: node, arch } = process;
    expect(environment).toMatchObject({ node, arch, cores, flavour: 'release', warnings: [] });
  });

  test.skipIf(!runs('cc', '--version'))('has the C allocators of the same rounds, when asked for', async () => {
    const { code, rows } = await record('bench pair --peers --rounds 1 --ops 20000 --warm-up 20ms');
    expect(code).toBe(0);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ suite: 'pair', cpus: 1, nsPerPair: positive, peers: { glibc: positive } });
  });
});

describe('more CPUs than cores', () => {
  const args = `bench pair --free rbatch --rounds 1 --ops 10 --warm-up 20ms --cpus ${cores + 2}`;
  const warning = `${cores + 2} virtual CPUs on ${cores} cores`;

  test('are allowed, with a warning on stderr and in the record', async () => {
    const { code, stdout, stderr } = await smpalloc(`${args} --json`);
    expect(code).toBe(0);
    expect(stderr).toMatch(new RegExp(`^warning: ${warning}: .*\n$`));
    const { environment, rows } = JSON.parse(stdout);
    expect(environment.warnings).toEqual([expect.stringContaining(warning)]);
    expect(rows[0]).toMatchObject({ cpus: cores + 2, audit: 'ok' });
  });

  test('--quiet prints nothing on stderr, and the record keeps the warning', async () => {
    const { code, stdout, stderr } = await smpalloc(`${args} --json --quiet`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout).environment.warnings).toHaveLength(1);
  });
});

test('--invariants runs the flavour with all checks, and says so', async () => {
  const args = 'bench ring --free rbatch --rounds 1 --ops 64 --warm-up 20ms --cpus 2 --invariants';
  const { code, environment, rows } = await record(args);
  expect(code).toBe(0);
  expect(environment.flavour).toBe('invariants');
  expect(environment.warnings).toEqual([expect.stringContaining('invariants flavour')]);
  expect(rows[0]).toMatchObject({ suite: 'ring', audit: 'ok' });
});

test('a round that takes too long is a time-out: exit code 4, and the time it was given', async () => {
  const { code, stdout, stderr } = await smpalloc('bench ring --duration 2s --timeout 1ms');
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toMatch(/^error: .*not done after 1 ms\n$/);
});

test('a machine that runs out of memory panics: exit code 3, and the line that shows it again', async () => {
  const { code, stdout, stderr } = await smpalloc('bench larson --cpus 2 --memory 2MiB --free rbatch');
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toMatch(/^error: panic: .+\ncpuid = \d/);
  expect(stderr).toMatch(/^to see it again: smpalloc bench larson --cpus 2 --memory 2MiB --free rbatch$/m);
});

test('very many CPUs get the memory they need', async () => {
  // refused for its time, not for its memory
  const { stderr } = await smpalloc('bench pair --free rbatch --cpus 40 --timeout 1ms');
  expect(stderr).toContain('not done after 1 ms');
});
