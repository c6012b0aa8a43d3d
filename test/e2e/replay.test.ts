/** smpalloc replay: every format we know, and input that is damaged, hostile or not there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture, record, smpalloc, startSmpalloc } from './helpers/cli.js';

const dir = mkdtempSync(join(tmpdir(), 'replay-'));
afterAll(() => rmSync(dir, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}
const lines = (...text: string[]): string => `${text.join('\n')}\n`;

describe('a trace', () => {
  test.concurrent.each([
    ['perf-script.txt', 'perf', 60, 26],
    ['perf-script-F.txt', 'perf', 40, 20],
    ['ftrace.txt', 'ftrace', 64, 57],
    ['mtrace.txt', 'mtrace', 46, 4],
    ['alloctrace.txt', 'alloctrace', 164, 40],
  ])('%s is replayed, and every event counted', async (name, format, allocations, frees) => {
    const { code, rows, complete } = await record(`replay ${fixture(name)} --cpus 2 --free ipi,rbatch`);
    expect({ code, complete }).toEqual({ code: 0, complete: true });
    expect(rows.map(({ free }) => free)).toEqual(['ipi', 'rbatch']);
    for (const row of rows) {
      const base = { suite: 'replay', cpus: 2, stats: 'critical', audit: 'ok' };
      expect(row).toMatchObject({ ...base, format, allocations, frees });
    }
  });

  test('of ours goes by its name, and its remote frees are counted', async () => {
    const { code, rows } = await record('replay fd --free ipi --cpus 2');
    expect(code).toBe(0);
    const [row] = rows as unknown as { remoteFrees: number; ipiMessages: number }[];
    expect(row).toMatchObject({ trace: 'fd', allocations: 84539, frees: 84418, audit: 'ok' });
    expect(row!.remoteFrees).toBeGreaterThan(1000);
    expect(row!.ipiMessages).toBe(row!.remoteFrees);
  });

  test('of the user\'s own with such a name goes by ./name', async () => {
    file('fd', lines('1 0 m 1 5'));
    const { stdout } = await smpalloc('replay ./fd --json', { cwd: dir });
    expect(JSON.parse(stdout).rows[0]).toMatchObject({ allocations: 1, frees: 0 });
  });

  test('comes from stdin too, plain and gzipped, and is the same', async () => {
    const input = readFileSync(fixture('ftrace.txt'));
    const inputs = [input, gzipSync(input)];
    const ends = await Promise.all(inputs.map((bytes) => smpalloc('replay - --json', { input: bytes })));
    for (const { code, stdout } of ends) {
      expect(code).toBe(0);
      expect(JSON.parse(stdout).rows[0]).toMatchObject({ format: 'ftrace', allocations: 64, frees: 57, audit: 'ok' });
    }
  });

  test('is shown as a table, with what was left out on stderr', async () => {
    const { code, stdout, stderr } = await smpalloc(`replay ${fixture('perf-script.txt')}`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^replay {2}perf-script\nfree +CPUs +allocations +frees .*\nrbatch .* 60 +26 /m);
    expect(stdout).toMatch(/^PASS {2}every run ends/m);
    expect(stderr).toBe('left out: 31 frees of NULL, 3 frees of objects older than the trace\n');
  });

  test('--quiet prints nothing on stderr', async () => {
    const { code, stderr } = await smpalloc(`replay ${fixture('perf-script.txt')} --quiet`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('under two allocators is the same trace: what differs stands side by side', async () => {
    const { code, rows } = await record('replay fd --cpus 2 --alloc dragonfly,freebsd');
    expect(code).toBe(0);
    const [slab, uma] = rows as unknown as { [field: string]: number }[];
    expect(slab).toMatchObject({ alloc: 'dragonfly', free: 'rbatch', remoteFrom: 'zones', audit: 'ok' });
    expect(uma).toMatchObject({ alloc: 'freebsd', free: '-', remoteFrom: 'trace', audit: 'ok', ipiMessages: 0 });
    for (const field of ['allocations', 'frees', 'askedPeak']) expect(uma![field]).toBe(slab![field]);
    // powers of two waste more of a block, zones a CPU more of memory
    expect(uma!.waste).toBeGreaterThan(slab!.waste!);
    expect(uma!.pagesPeak).toBeLessThan(slab!.pagesPeak!);
  });

  test('with --profile shows sizes asked for and given, and what was wasted', async () => {
    const { code, stdout } = await smpalloc('replay fd --cpus 2 --alloc dragonfly,freebsd --profile --quiet');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^profile of replay fd /m);
    expect(stdout).toMatch(/^ *size +dragonfly: requests +real size +waste % +freebsd: requests +real size +waste %$/m);
    expect(stdout).toMatch(/^alloc +requests +total used +total waste +waste %$/m);
    expect(stdout).toMatch(/^freebsd +[\d,]+ +[\d,]+ +[\d,]+ +\d+\.\d$/m);
  });

  test('with mallocs that fail goes on without their objects', async () => {
    const { code, rows } = await record('replay fd --cpus 2 --alloc freebsd --fail 5');
    expect({ code, audit: rows[0]!.audit }).toEqual({ code: 0, audit: 'ok' });
    expect(rows[0]!.failed).toBeGreaterThan(10_000);
  });

  test('cannot fail mallocs of a type it does not have', async () => {
    const { code, stdout, stderr } = await smpalloc('replay fd --cpus 2 --alloc freebsd --fail 5,type=nix');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: --fail: no malloc type 'nix'; there are .*type 0/);
  });

  test('on one CPU counts the same every time', async () => {
    const counts = async () => {
      const { rows } = await record('replay sqlite --cpus 1 --free ipi,rchunks,rbatch');
      // a clock tick takes locked operations of its own
      return rows.map(({ mops, cpuSeconds, wallSeconds, lockedPerOp, ...row }) => row);
    };
    const [first, second] = await Promise.all([counts(), counts()]);
    expect(first).toHaveLength(3);
    expect(second).toEqual(first);
  });

  test('of a kernel may reallocate: a block is freed to the type it came from', async () => {
    const path = file('kernel.txt', lines(
      '# alloctrace 1 kernel', '# type 0 skb_alloc', '# cache 0 names 4096 4096', '1 0 m 1 8 8 @0',
      '2 0 k 2 4096 4096 @0', '3 1 r 3 16 1', '4 1 r 4 9000 2', '5 0 f 3',
    ));
    const { code, rows } = await record(`replay ${path} --cpus 2 --invariants`);
    expect(code).toBe(0);
    expect(rows[0]).toMatchObject({ allocations: 4, frees: 3, audit: 'ok' });
  });
});

describe('bad lines', () => {
  const good = lines('1 0 m 1 64', '2 0 m 2 64', '3 0 f 1');
  const bad: [string, string, RegExp][] = [
    ['an id never born', lines('1 0 m 1 64', '2 0 m 2 64', '3 0 f 7', '4 0 f 1'), /line 3: id 7 is not alive/],
    ['a double free', lines('1 0 m 1 64', '2 0 f 1', '3 0 f 1'), /line 3: id 1 is not alive/],
    ['a negative size', lines('1 0 m 1 64', '2 0 m 2 -5', '3 0 f 1'), /line 2: SIZE must be an integer of 0\.\.\d+/],
    ['a size beyond all memory', lines('1 0 m 1 64', '2 0 m 2 99999999999', '3 0 f 1'), /line 2: SIZE must be/],
    ['a negative CPU', lines('1 0 m 1 64', '2 -1 m 2 8', '3 0 f 1'), /line 2: CPU must be/],
    ['words', lines('1 0 m 1 64', 'hello', '2 0 f 1'), /line 2: SEQ must be/],
    ['a line of 10 MB', lines('1 0 m 1 64', 'x'.repeat(1e7), '2 0 f 1'), /line 2: the line is longer than 65536/],
  ];

  test.concurrent.each(bad)('%s: counted, with the line number, and left out', async (_, text, message) => {
    const { code, stdout, stderr } = await smpalloc('replay - --json', { input: text });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: 1 bad line skipped, it is line \d: .*\n$/);
    expect(stderr).toMatch(message);
    expect(JSON.parse(stdout).rows[0]).toMatchObject({ frees: 1, audit: 'ok' });
  });

  test('many: how many, and the first', async () => {
    const { code, stderr } = await smpalloc('replay -', { input: `${good}x\n4 0 f 9\n5 0 f 9\n` });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: 3 bad lines skipped, the first is line 4: /);
  });

  test.concurrent.each(bad.filter((_, n) => n % 3 === 0))('--strict makes %s an error at its line', async (what, text, message) => {
    const path = file(`strict ${what}.txt`.replaceAll(' ', '-'), text);
    const { code, stdout, stderr } = await smpalloc(`replay ${path} --strict`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`${path}:${/line (\d+)/.exec(message.source)![1]}: `);
  });

  test('--strict accepts a trace without any', async () => {
    expect((await smpalloc('replay - --strict', { input: good })).code).toBe(0);
  });
});

describe('a file that cannot be used is an error of input, and says why', () => {
  const many = lines('# alloctrace 1', ...Array.from({ length: 20_000 }, (_, n) => `${n + 1} 0 m ${n + 1} ${n % 500}`));
  const packed = gzipSync(many);
  // a line without end, packed 1000 to 1
  const bomb = Buffer.concat([
    gzipSync('# alloctrace 1\n1 0 m 1 8\n'),
    ...Array<Buffer>(20).fill(gzipSync(Buffer.alloc(1 << 24, 'x'), { level: 9 })),
  ]);
  const damaged = Buffer.from(packed);
  damaged.fill(0xff, 2000, 2100);

  test.concurrent.each<[string, () => string, RegExp]>([
    ['none there', () => join(dir, 'none.txt'), /none\.txt: cannot be read: ENOENT/],
    ['a directory', () => dir, /EISDIR: it is a directory, give one file/],
    ['empty', () => file('empty.txt', ''), /empty\.txt: the trace is empty/],
    ['empty, gzipped', () => file('empty.gz', gzipSync('')), /empty\.gz: the trace is empty/],
    ['of no format known', () => file('x.sh', '#!/bin/sh\n'), /unknown trace format, it begins "#!\/bin\/sh"/],
    ['of a binary relative', () => file('perf.data', 'PERFILE2\0\0'), /perf\.data file; give the output of/],
    ['without one allocation', () => file('neg.txt', '1 0 m 1 -5\n'), /no allocation in it .* bad line is 1: SIZE/],
    ['of a version to come', () => file('v9.txt', '# alloctrace 9\n1 0 m 1 8\n'), /alloctrace version 9; 1 is known/],
    ['gzip cut in its header', () => file('cut.gz', packed.subarray(0, 8)), /the trace ends early/],
    ['damaged gzip', () => file('damaged.gz', damaged), /damaged gzip data/],
    ['a gzip bomb', () => file('bomb.gz', bomb), /a gzip bomb: \d+ bytes gave \d+ so far/],
  ])('%s', async (_, make, message) => {
    const { code, stdout, stderr } = await smpalloc(`replay ${make()}`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: /);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  describe('gzip that was cut', () => {
    let path: string;
    beforeAll(() => {
      path = file('cut-late.txt.gz', packed.subarray(0, packed.length >> 1));
    });

    test('is replayed as far as it goes, with a warning', async () => {
      const { code, stdout, stderr } = await smpalloc(`replay ${path} --json`);
      expect(code).toBe(0);
      expect(stderr).toMatch(/^warning: the trace ends early/);
      const { allocations } = JSON.parse(stdout).rows[0];
      expect(allocations).toBeGreaterThan(1000);
      expect(allocations).toBeLessThan(20_000);
    });

    test('is an error with --strict', async () => {
      const { code, stderr } = await smpalloc(`replay ${path} --strict`);
      expect(code).toBe(2);
      expect(stderr).toContain('the trace ends early');
    });
  });
});

describe('a machine that cannot do it', () => {
  test('panics for want of memory, prints what the kernel says and the line that shows it again', async () => {
    const command = 'replay redis-io3 --cpus 2 --memory 3MiB';
    const { code, stdout, stderr } = await smpalloc(command);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^error: panic: .+\ncpuid = [01]\n/);
    expect(stderr).toContain(`\n\nto see it again: smpalloc ${command}\n`);
    expect(stderr).toMatch(/--core vmcore.*\n$/);
  });

  test('says how large a block it had no memory for', async () => {
    const { code, stderr } = await smpalloc('replay - --memory 16MiB', { input: '1 0 m 1 100000000\n' });
    expect(code).toBe(3);
    expect(stderr).toMatch(/panic: .*no memory for 100000000 bytes.*--memory/);
  });

  test('in the time given is a time-out: exit code 4', async () => {
    const { code, stdout, stderr } = await smpalloc('replay redis-io3 --timeout 1ms');
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/^error: .*not done after 1 ms\n$/);
  });

  test('leaves no writer of stdin behind: an error ends the command though the pipe is open', async () => {
    const { child, ended } = startSmpalloc('replay - --strict', { limitMs: 20_000 });
    child.stdin!.write(`nonsense\n${'x'.repeat(70_000)}\n`);
    const { code, stderr } = await ended;
    expect(code).toBe(2);
    expect(stderr).toContain('unknown trace format');
  });
});
