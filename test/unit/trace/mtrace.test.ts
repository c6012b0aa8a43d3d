import { describe, expect, test } from 'vitest';
import { readTrace } from '../../../src/host/trace/read.js';
import { collect, fixture, lines, logger } from './collect.js';

describe('glibc mtrace', () => {
  test('births, deaths and realloc pairs reach the sink', async () => {
    const got = await collect(
      lines(
        '= Start',
        '@ /lib64/ld-linux-x86-64.so.2:[0x10cb3] + 0x55fe13f6b4a0 0x120',
        '@ ./a b:(main+0x1d)[0x1292] + 0x55fe13f6b830 0',
        '@ ./mt:[0x1292] < 0x55fe13f6b830',
        '@ ./mt:[0x1292] > 0x55fe13f6b900 0x384',
        '@ ./mt:[0x129f] - 0x55fe13f6b900',
        '= End',
      ),
    );
    expect(got.log).toEqual(['0+1:288@0', '0+2:0@0', '0~3:900<2', '0-3']);
    expect(got).toMatchObject({ format: 'mtrace', kernel: false, threads: 1, types: [], bad: { count: 0 } });
  });

  test('a realloc that stays in place is a death and a birth at one address', async () => {
    const got = await collect(lines('= Start', '+ 0x10 0x8', '< 0x10', '> 0x10 0x9', '- 0x10'));
    expect(got.log).toEqual(['0+1:8@0', '0~2:9<1', '0-2']);
    expect(got.dropped.inferredFrees).toBe(0);
  });

  test('a realloc of an address older than the trace is a birth', async () => {
    const got = await collect(lines('= Start', '@ a < 0x10', '@ a > 0x20 0x9'));
    expect(got).toMatchObject({ log: ['0+1:9@0'], dropped: { unknownFrees: 1 }, bad: { count: 0 } });
  });

  test('failed allocations and frees of nothing are dropped', async () => {
    const got = await collect(
      lines(
        '= Start',
        '@ a + 0x10 0x8',
        '@ a + (nil) 0x99',
        '@ a ! 0x10 0x7fffffff',
        '@ a - (nil)',
        '@ a - 0x10',
      ),
    );
    expect(got.log).toEqual(['0+1:8@0', '0-1']);
    expect(got.dropped).toMatchObject({ failedAllocs: 2, nullFrees: 1, unknownFrees: 0 });
  });

  test('a live address allocated again was freed unseen', async () => {
    const got = await collect(lines('= Start', '@ a + 0x10 0x8', '@ a + 0x10 0x9'));
    expect(got).toMatchObject({ log: ['0+1:8@0', '0-1', '0+2:9@0'], dropped: { inferredFrees: 1 } });
  });

  test.each([
    ['a line of something else', '@ a ? 0x10', /not a line of mtrace/],
    ['a negative size', '@ a + 0x20 -0x8', /size|not a line/],
    ['a size over 2^31 - 1', '@ a + 0x20 0x80000000', /size 2147483648 is not/],
    ['an allocation without a size', '@ a + 0x20', /not a line of mtrace/],
    ['a second half of a realloc alone', '@ a > 0x20 0x8', /not a line of mtrace/],
  ])('%s is a bad line', async (_, bad, reason) => {
    const got = await collect(lines('= Start', '@ a + 0x10 0x8', bad, '@ a - 0x10'));
    expect(got.bad).toEqual({ count: 1, firstLine: 3, reason: expect.stringMatching(reason) });
    expect(got.log).toEqual(['0+1:8@0', '0-1']);
  });

  test('the first half of a realloc alone is a bad line and a free', async () => {
    const between = await collect(lines('= Start', '@ a + 0x10 0x8', '@ a < 0x10', '@ a + 0x20 0x8'));
    expect(between).toMatchObject({ log: ['0+1:8@0', '0-1', '0+2:8@0'], bad: { count: 1 } });
    const last = await collect(lines('= Start', '@ a + 0x10 0x8', '@ a < 0x10'));
    expect(last).toMatchObject({ log: ['0+1:8@0', '0-1'], bad: { count: 1, firstLine: 3 } });
  });

  test('a recorded excerpt is read without a bad line', async () => {
    const got = await readTrace(fixture('mtrace.txt'), logger().sink, { strict: true });
    expect(got).toMatchObject({ format: 'mtrace', events: 48, allocations: 46, frees: 4 });
    expect(got.dropped.unknownFrees).toBe(3);
  });
});
