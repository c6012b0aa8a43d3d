import { describe, expect, test } from 'vitest';
import { readTrace } from '../../../src/host/trace/read.js';
import { collect, fixture, lines, logger, refusal } from './collect.js';

const HEAD = '# alloctrace 1';
const KERNEL = lines(
  '# alloctrace 1 kernel',
  '# name k',
  '# type 0 seq_read_iter',
  '# type 1 getname',
  '# cache 0 filp 232 256',
);

describe('our text format', () => {
  test('every operation of a user trace reaches the sink in order', async () => {
    const got = await collect(
      lines(
        HEAD,
        '# name demo of it',
        't 0',
        '1 0 m 1 16',
        '2 1 c 2 0',
        '3 1 a 3 64',
        '4 0 r 4 32 1',
        '5 0 f 2',
        't 9',
      ),
    );
    expect(got.log).toEqual(['0+1:16@0', '1+2:0@0', '1+3:64@0', '0~4:32<1', '0-2']);
    expect(got).toMatchObject({
      format: 'alloctrace',
      name: 'demo of it',
      kernel: false,
      types: [],
      threads: 2,
    });
    expect(got).toMatchObject({ lines: 9, events: 5, allocations: 4, frees: 2, truncated: false });
    expect(got.bad).toEqual({ count: 0, firstLine: 0, reason: '' });
  });

  test('call sites and caches of a kernel trace share one list of types', async () => {
    const got = await collect(`${KERNEL}1 0 m 1 10 16 @1\n2 3 k 2 232 256 @0\n3 3 g 1\n`);
    expect(got.types).toEqual(['seq_read_iter', 'getname', 'filp']);
    expect(got.log).toEqual(['0+1:10@1', '3+2:232@2', '3-1']);
    expect(got).toMatchObject({ kernel: true, threads: 2, dropped: { inferredFrees: 1 } });
  });

  test('a type that no header declares is called unknown', async () => {
    const got = await collect(`${KERNEL}1 0 m 1 10 16 @77\n2 0 m 2 10\n`);
    expect(got.types.at(-1)).toBe('unknown');
    expect(got.log).toEqual(['0+1:10@3', '0+2:10@3']);
    expect(got.bad.count).toBe(0);
  });

  test('a trace without any header is recognised', async () => {
    expect(await collect('1 0 m 1 8\n')).toMatchObject({ format: 'alloctrace', name: 'test', events: 1 });
  });

  test('lines may end in CR LF, and the last line in nothing', async () => {
    expect((await collect(`${HEAD}\r\n1 0 m 1 8\r\n\r\n2 0 f 1`)).log).toEqual(['0+1:8@0', '0-1']);
  });

  test.each([1, 2, 3, 7, 64])('chunks of %i bytes give the same events', async (size) => {
    const text = `${KERNEL}1 0 m 1 10 16 @1\n2 3 k 2 232 256 @0\n3 3 g 1\n`;
    expect(await collect(text, {}, size)).toEqual(await collect(text));
  });

  test('the name of the file is the name of a trace that has none', async () => {
    const { sink, log } = logger();
    const got = await readTrace(fixture('alloctrace.txt'), sink);
    expect(got).toMatchObject({ name: 'fd', events: 200, allocations: 164, frees: 40, bad: { count: 0 } });
    expect(log).toHaveLength(200);
  });

  test('another version of the format is refused', async () => {
    expect(await refusal('# alloctrace 2\n1 0 m 1 8\n')).toMatchObject({ code: 'ETRACE_FORMAT', line: 1 });
  });
});

describe('bad lines of our text format', () => {
  const bads: [string, string, RegExp][] = [
    ['a free of an id never born', '3 0 f 9', /id 9 is not alive: "3 0 f 9"/],
    ['a free of a dead id', '3 0 f 1', /id 1 is not alive/],
    ['a realloc of a dead id', '3 0 r 3 8 1', /id 1 is not alive/],
    ['an id born twice', '3 0 m 2 8', /id 2 is born twice/],
    ['a realloc to an id born twice', '3 0 r 2 8 2', /id 2 is born twice/],
    ['a negative size', '3 0 m 3 -8', /SIZE must be an integer of 0\.\.2147483647: "3 0 m 3 -8"/],
    ['a size that is no integer', '3 0 m 3 8.5', /SIZE must/],
    ['a size over 2^31 - 1', '3 0 m 3 2147483648', /SIZE must/],
    ['a size of 400 digits', `3 0 m 3 ${'9'.repeat(400)}`, /SIZE must/],
    ['a negative realloc size', '3 0 r 3 -8 2', /SIZE must/],
    ['a missing size', '3 0 m 3', /SIZE must/],
    ['a field too many', '3 0 f 2 7', /a free is SEQ CPU f ID/],
    ['a field too many in an allocation', '3 0 m 3 8 8 @1 7', /an allocation is/],
    ['a missing OLDID', '3 0 r 3 8', /a realloc is SEQ CPU r ID SIZE OLDID/],
    ['a type that is no number', '3 0 m 3 8 8 @x', /a type must be @/],
    ['a type without @', '3 0 m 3 8 8 1', /a type must be @/],
    ['a blank at the end', '3 0 f 2 ', /a free is/],
    ['two blanks', '3  0 f 2', /CPU must/],
    ['a cpu over 65535', '3 65536 f 2', /CPU must be an integer of 0\.\.65535/],
    ['a negative cpu', '3 -1 f 2', /CPU must/],
    ['id 0', '3 0 m 0 8', /ID must be a positive integer/],
    ['an unknown operation', '3 0 x 3 8', /the operation must be one of/],
    ['an operation of two letters', '3 0 mm 3 8', /ID must|operation/],
    ['SEQ 0', '0 0 f 2', /SEQ must be a positive integer/],
    ['a line of one field', '3', /CPU must/],
    ['bytes that are no text', '\x00\xff\x01', /SEQ must/],
    ['a time mark without a time', 't ', /a time mark is t US/],
    ['a type header without a name', '# type 3', /a type header is/],
  ];
  const around = (bad: string) =>
    lines(HEAD, '1 0 m 1 8', '2 0 m 2 8', '', bad, '4 1 m 8 8', '5 0 f 8').replace('\n\n', '\n# \n');

  test.each(bads)('%s is counted, named by its line, and skipped', async (_, bad, reason) => {
    const got = await collect(around(bad).replace('2 0 m 2 8\n', '2 0 r 2 8 1\n'));
    expect(got.bad).toMatchObject({ count: 1, firstLine: 5, reason: expect.stringMatching(reason) });
    expect(got.log.slice(-2)).toEqual(['1+8:8@0', '0-8']);
    expect(got.events).toBe(4);
  });

  test.each(bads)('%s is an error when strict', async (_, bad, reason) => {
    const error = await refusal(around(bad).replace('2 0 m 2 8\n', '2 0 r 2 8 1\n'), { strict: true });
    expect(error).toMatchObject({ name: 'TraceError', code: 'ETRACE_STRICT', path: 'test', line: 5 });
    expect(error.message).toMatch(reason);
  });

  test('a gap in SEQ is counted and its event used', async () => {
    const got = await collect(lines(HEAD, '1 0 m 1 8', '5 0 m 2 8', '6 0 f 1'));
    expect(got.bad).toEqual({ count: 1, firstLine: 3, reason: expect.stringMatching(/SEQ 5 follows 1/) });
    expect(got.events).toBe(3);
  });

  test('the first of many bad lines is the one that is named', async () => {
    const got = await collect(lines(HEAD, '1 0 m 1 8', '2 0 f 7', '3 0 f 8', '4 0 f 9'));
    expect(got.bad).toMatchObject({ count: 3, firstLine: 3, reason: expect.stringMatching(/id 7/) });
  });

  test('fewer events than the header says is a trace cut short', async () => {
    const text = lines(HEAD, '# events 3', '1 0 m 1 8', '2 0 f 1');
    expect(await collect(text)).toMatchObject({ truncated: true, events: 2, bad: { count: 0 } });
    expect(await refusal(text, { strict: true })).toMatchObject({ code: 'ETRACE_TRUNCATED' });
  });
});
