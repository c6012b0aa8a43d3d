/** What comes before the lines: files, streams, gzip, detection, and input meant to hurt. */

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { constants, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { readTrace, readTraceStream } from '../../../src/host/trace/read.js';
import { collect, lines, logger, refusal } from './collect.js';

const dir = mkdtempSync(join(tmpdir(), 'trace-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** `n` objects, each born and freed at once. */
function trace(n: number): string {
  const text = ['# alloctrace 1', '# name many'];
  for (let i = 1; i <= n; i++) text.push(`${2 * i - 1} 0 m ${i} ${(i * 7919) % 4096}`, `${2 * i} 1 f ${i}`);
  return lines(...text);
}

describe('files', () => {
  test.each([
    ['a missing file', join(dir, 'none.txt'), /ENOENT/],
    ['a directory', dir, /EISDIR/],
  ])('%s is unreadable, and the message says why', async (_, path, why) => {
    const error = await readTrace(path, logger().sink).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'TraceError', code: 'ETRACE_UNREADABLE', path });
    expect(String(error)).toMatch(why);
  });

  test.skipIf(process.getuid?.() === 0)('a file without permission is unreadable', async () => {
    const path = join(dir, 'secret.txt');
    writeFileSync(path, trace(1));
    chmodSync(path, 0);
    await expect(readTrace(path, logger().sink)).rejects.toMatchObject({
      code: 'ETRACE_UNREADABLE',
      message: expect.stringMatching(/EACCES/),
    });
  });

  test('a stream that fails is unreadable', async () => {
    const source = new Readable({ read: () => source.destroy(new Error('EIO: i/o error')) });
    await expect(readTraceStream(source, 'disk', logger().sink)).rejects.toMatchObject({
      code: 'ETRACE_UNREADABLE',
      message: 'disk: cannot be read: EIO: i/o error',
    });
  });

  test.skipIf(process.platform === 'win32')('a FIFO is read to the end of its writer', async () => {
    const path = join(dir, 'pipe');
    execFileSync('mkfifo', [path]);
    const reading = readTrace(path, logger().sink);
    await writeFile(path, trace(50_000));
    expect(await reading).toMatchObject({ name: 'many', events: 100_000, bad: { count: 0 } });
  });

  test('the file name without .txt.gz is the name of a trace that says none', async () => {
    const path = join(dir, 'my.trace.txt.gz');
    writeFileSync(path, gzipSync('1 0 m 1 8\n'));
    expect(await readTrace(path, logger().sink)).toMatchObject({ name: 'my.trace', events: 1 });
  });

  test('an error of the sink is passed on as it is', async () => {
    const sink = { ...logger().sink, drain: () => Promise.reject(new RangeError('full')) };
    await expect(readTraceStream(Readable.from([Buffer.from(trace(1))]), 'x', sink)).rejects.toThrow(
      RangeError,
    );
  });
});

describe('detection', () => {
  test.each([
    ['', 'ETRACE_EMPTY', /empty/],
    ['\n\n \n', 'ETRACE_EMPTY', /empty/],
    ['#!/bin/sh\necho\n', 'ETRACE_FORMAT', /begins "#!\/bin\/sh"; known are: .*mtrace/],
    ['{"a":1}', 'ETRACE_FORMAT', /unknown trace format/],
    ['\x00\x01\x02\x7f', 'ETRACE_FORMAT', /\\u0000/],
    ['PERFILE2\x00\x00', 'ETRACE_FORMAT', /perf script/],
    ['\x17\x08\x44tracing6\x00', 'ETRACE_FORMAT', /trace-cmd report/],
    ['BZh91AY', 'ETRACE_FORMAT', /bzip2/],
  ])('%j is refused with %s', async (text, code, message) => {
    const error = await refusal(text);
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
  });

  test('a long first line is shortened in the message', async () => {
    expect((await refusal('x'.repeat(100_000))).message.length).toBeLessThan(300);
  });

  test('input that never becomes a trace is given up after 64 KiB', async () => {
    let reads = 0;
    const source = new Readable({ read: () => source.push(Buffer.alloc(4096, reads++ % 2 ? 120 : 10)) });
    await expect(readTraceStream(source, 'x', logger().sink)).rejects.toMatchObject({
      code: 'ETRACE_FORMAT',
    });
    expect(reads).toBeLessThan(100);
  });

  test('a format is known as soon as its first line is there', async () => {
    const source = new PassThrough();
    const { sink, log } = logger();
    const reading = readTraceStream(source, 'pipe', sink);
    source.write('1 0 m 1 8\n1');
    await expect.poll(() => log).toEqual(['0+1:8@0']);
    source.end();
    await reading;
  });

  test('a trace without one allocation is refused with what was in it', async () => {
    const error = await refusal(' cc 12 [000] 1.000001: sched:sched_switch: x=y\nnoise\n');
    expect(error).toMatchObject({ code: 'ETRACE_EMPTY' });
    expect(error.message).toMatch(/2 lines, 1 bad, 1 events of other kinds, the first bad line is 2/);
  });
});

describe('gzip', () => {
  test.each([1, 3, 1000, 1 << 16])('chunks of %i bytes inflate to the same events', async (size) => {
    const text = trace(200);
    expect(await collect(gzipSync(text), {}, size)).toEqual(await collect(text));
  });

  test('several members are one trace', async () => {
    const text = trace(500);
    const members = [gzipSync(text.slice(0, 5000)), gzipSync(text.slice(5000))];
    expect(await collect(Buffer.concat(members))).toMatchObject({ events: 1000, truncated: false });
  });

  test('zeros after the end are padding', async () => {
    const padded = Buffer.concat([gzipSync(trace(9)), Buffer.alloc(100_000)]);
    expect(await collect(padded, {}, 4096)).toMatchObject({ events: 18, truncated: false });
  });

  test('a cut file gives what is whole in it, without its last half line', async () => {
    const whole = await collect(trace(20_000));
    const packed = gzipSync(trace(20_000));
    for (const part of [0.3, 0.8, 1 - 3 / packed.length]) {
      const got = await collect(packed.subarray(0, packed.length * part));
      expect(got).toMatchObject({ truncated: true, bad: { count: 0 } });
      expect(got.log).toEqual(whole.log.slice(0, got.events));
      expect(got.events / whole.events).toBeGreaterThan(part - 0.2);
    }
  });

  test('a cut file is an error when strict, and when nothing is left of it', async () => {
    const packed = gzipSync(trace(20_000));
    expect(await refusal(packed.subarray(0, 9000), { strict: true })).toMatchObject({
      code: 'ETRACE_TRUNCATED',
    });
    expect(await refusal(packed.subarray(0, 12))).toMatchObject({ code: 'ETRACE_TRUNCATED' });
    expect(await refusal(packed.subarray(0, 2))).toMatchObject({ code: 'ETRACE_TRUNCATED' });
  });

  test('damaged data is an error', async () => {
    const packed = gzipSync(trace(20_000));
    packed.fill(0x55, 30_000, 30_100);
    const error = await refusal(packed);
    expect(error).toMatchObject({ code: 'ETRACE_UNREADABLE' });
    expect(error.message).toMatch(/damaged gzip data/);
  });

  test('a gzip in a gzip is an unknown format', async () => {
    expect(await refusal(gzipSync(gzipSync(trace(9))))).toMatchObject({ code: 'ETRACE_FORMAT' });
  });
});

describe('hostile input', () => {
  /** A gzip of `mib` MiB: `start`, then comments or one endless line. */
  const bomb = (start: string, mib: number, fill: string): Buffer => {
    const member = gzipSync(Buffer.alloc(1 << 24, fill), { level: constants.Z_BEST_COMPRESSION });
    return Buffer.concat([gzipSync(start), ...Array.from({ length: mib / 16 }, () => member)]);
  };

  test.each(['x', '# '])(
    'a gzip bomb of %j is stopped',
    async (fill) => {
      const before = process.memoryUsage().rss;
      const error = await refusal(bomb('# alloctrace 1\n1 0 m 1 8\n', 1024, fill));
      expect(error).toMatchObject({ code: 'ETRACE_BOMB' });
      expect(error.message).toMatch(/gzip bomb: \d+ bytes gave \d+ so far \(\d+ to 1/);
      expect(process.memoryUsage().rss - before).toBeLessThan(400 << 20);
    },
    30_000,
  );

  test('a bomb before any format is known is an unknown format', async () => {
    expect(await refusal(bomb('', 512, 'x'))).toMatchObject({ code: 'ETRACE_FORMAT' });
  });

  test('a line of 10 MB is skipped without being held', async () => {
    const text = Buffer.concat([
      Buffer.from('1 0 m 1 8\n2 0 f '),
      Buffer.alloc(10_000_000, '1'),
      Buffer.from('\n3 0 f 1\n'),
    ]);
    const got = await collect(text, {}, 1 << 16);
    expect(got.log).toEqual(['0+1:8@0', '0-1']);
    expect(got.bad).toMatchObject({ count: 1, firstLine: 2, reason: 'the line is longer than 65536 bytes' });
    expect(await refusal(text, { strict: true })).toMatchObject({ code: 'ETRACE_STRICT', line: 2 });
  });

  test('a line of 10 MB without an end is a bad line too', async () => {
    const got = await collect(`1 0 m 1 8\n${'x'.repeat(10_000_000)}`);
    expect(got).toMatchObject({ events: 1, lines: 2, bad: { count: 1, firstLine: 2 } });
  });

  test.each([1, 5, 1 << 16])('maxLine is exact, in chunks of %i', async (size) => {
    const text = '1 0 m 1 8\n# 345678\n# 34567890\n2 0 f 1\n';
    const got = await collect(text, { maxLine: 9 }, size);
    expect(got.bad).toMatchObject({ count: 1, firstLine: 3 });
    expect(got.events).toBe(2);
  });

  test('ids spread to collide in a table of any size do not slow it down', async () => {
    let text = '# alloctrace 1\n';
    for (let i = 1; i <= 300_000; i++) text += `${i} 0 m ${i * 65_536} 8\n`;
    const start = performance.now();
    expect(await collect(text)).toMatchObject({ events: 300_000, bad: { count: 0 } });
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

describe('a signal', () => {
  const reason = new Error('enough');

  test.skipIf(process.platform === 'win32')('ends the wait for a FIFO that nobody writes', async () => {
    const path = join(dir, 'fifo');
    execFileSync('mkfifo', [path]);
    const signal = AbortSignal.timeout(20);
    const error = await readTrace(path, logger().sink, { signal }).catch((e: unknown) => e);
    expect(error).toBe(signal.reason);
  });

  test('that has fired already ends the read at once', async () => {
    const signal = AbortSignal.abort(reason);
    await expect(collect(trace(10), { signal })).rejects.toBe(reason);
    await expect(readTrace(join(dir, 'none.txt'), logger().sink, { signal })).rejects.toBe(reason);
  });

  test('ends a read that waits for input', async () => {
    const source = new PassThrough();
    source.write('1 0 m 1 8\n');
    const abort = new AbortController();
    const reading = readTraceStream(source, 'pipe', logger().sink, { signal: abort.signal });
    setTimeout(() => abort.abort(reason), 20);
    await expect(reading).rejects.toBe(reason);
    expect(source.destroyed).toBe(true);
  });

  test('ends a read whose sink is stuck', async () => {
    const abort = new AbortController();
    const sink = { ...logger().sink, drain: () => new Promise<void>(() => {}) };
    const reading = readTraceStream(Readable.from([Buffer.from(trace(9))]), 'x', sink, {
      signal: abort.signal,
    });
    setTimeout(() => abort.abort(reason), 20);
    await expect(reading).rejects.toBe(reason);
  });

  test('is heard in the middle of an endless input, and the sink then hears no more', async () => {
    const chunk = Buffer.from('\n'.repeat(65_536));
    const source = new Readable({ read: () => source.push(chunk) });
    source.unshift(Buffer.from('1 0 m 1 8\n'));
    const abort = new AbortController();
    let drains = 0;
    const sink = { ...logger().sink, drain: async () => void drains++ };
    const reading = readTraceStream(source, 'x', sink, { signal: abort.signal });
    setTimeout(() => abort.abort(reason), 50);
    await expect(reading).rejects.toBe(reason);
    await new Promise((resolve) => setTimeout(resolve, 20)); // the chunk in hand
    const heard = drains;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(drains).toBe(heard);
  });
});

test('a slow sink holds the input back', async () => {
  let pushed = 0;
  const chunk = Buffer.from('# comment\n'.repeat(6000));
  const source = new Readable({ read: () => source.push(pushed++ < 200 ? chunk : null) });
  source.unshift(Buffer.from('1 0 m 1 8\n'));
  let drained = 0;
  let lead = 0;
  const drain = async () => {
    lead = Math.max(lead, pushed - drained);
    drained = pushed;
    await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await readTraceStream(source, 'x', { ...logger().sink, drain });
  expect(pushed).toBe(201);
  expect(lead).toBeLessThan(8);
});
