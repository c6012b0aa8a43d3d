/** The commits' sentences as checks: what decides them, which way, and when nothing does. */
import { describe, expect, test } from 'vitest';
import { judge, type Row } from '../../src/suite/claims.js';
import { NOT_AUDITED } from '../../src/suite/suite.js';
import { ipiRow, loopRow, replayRow, statsRow } from '../helpers/rows.js';

const verdicts = (rows: readonly Row[]) => Object.fromEntries(judge(rows).map(({ id, pass }) => [id, pass]));
const measured = (rows: readonly Row[], id: string) => judge(rows).find((claim) => claim.id === id)?.measured;

describe('IPI messages fall a hundredfold (DragonFly 5fee07e6)', () => {
  const against = (own: Parameters<typeof ipiRow>[0]) => [
    ipiRow({ free: 'ipi' }),
    ipiRow({ free: 'rchunks', ipiMessages: 5, ...own }),
  ];

  test('holds at exactly a hundred', () => {
    expect(verdicts(against({ reduction: 100 }))).toEqual({ 'S2.3 redis-io3': true, audit: true });
  });

  test('fails below, and does not round itself up', () => {
    const rows = against({ reduction: 99.7 });
    expect(verdicts(rows)['S2.3 redis-io3']).toBe(false);
    expect(measured(rows, 'S2.3 redis-io3')).toBe('99x (5 messages for 500 remote frees)');
  });

  test('is judged trace by trace', () => {
    const rows = [
      ...against({ reduction: 2000 }),
      ipiRow({ free: 'ipi', trace: 'kernel-net' }), ipiRow({ free: 'rchunks', trace: 'kernel-net', reduction: 3 }),
    ];
    expect(verdicts(rows)).toMatchObject({ 'S2.3 redis-io3': true, 'S2.3 kernel-net': false });
  });

  test('is not decided without the policy it is measured against', () => {
    expect(verdicts([ipiRow({ free: 'rchunks', reduction: 2000 })])).toEqual({ audit: true });
    const strangers = [ipiRow({ free: 'ipi', trace: 'a' }), ipiRow({ free: 'rchunks', trace: 'b' })];
    expect(verdicts(strangers)).toEqual({ audit: true });
  });

  test('is not decided where nothing is remote, as on one CPU', () => {
    const alone = { cpus: 1, remoteFrees: 0, ipiMessages: 0, per1000: 0 };
    const rows = [ipiRow({ ...alone, free: 'ipi' }), ipiRow({ ...alone, free: 'rchunks' })];
    expect(verdicts(rows)).toEqual({ audit: true });
  });

  test('a replayed trace decides nothing but its audit', () => {
    expect(verdicts([replayRow({ free: 'ipi' }), replayRow({ free: 'rchunks' })])).toEqual({ audit: true });
  });
});

describe('critical sections beat the mutex (FreeBSD 63a7e0a3)', () => {
  const one = { cpus: 1 };
  const critical = [
    statsRow(one), statsRow({ ...one, where: 'malloc' }), statsRow(), statsRow({ where: 'malloc' }),
  ];
  const mutex = (own: Parameters<typeof statsRow>[0]) => statsRow({ stats: 'mutex', ...own });

  test('fivefold on the update, 1.3-fold on malloc where CPUs meet', () => {
    const rows = [
      ...critical, mutex({ ...one, ratioToCritical: 5 }), mutex({ ratioToCritical: 4.99 }),
      mutex({ where: 'malloc', ratioToCritical: 1.3 }), mutex({ ...one, where: 'malloc', ratioToCritical: 0.1 }),
    ];
    expect(verdicts(rows)).toEqual({
      'S0.19 update': true, 'S0.19 update, SMP': false, 'S0.19 malloc, SMP': true, 'S0.11 locked': true, audit: true,
    });
  });

  test('says the ratio and its interval', () => {
    const row = mutex({ ...one, ratioToCritical: 5.678, ratioLow: 5.1, ratioHigh: 6 });
    expect(measured([...critical, row], 'S0.19 update')).toBe('5.68x (95 %: 5.10 to 6.00)');
  });

  test('on one CPU a plain-store mutex must lose for certain: by the low end of the interval', () => {
    const up = (ratioLow: number) => statsRow({ ...one, stats: 'mutex-up', ratioToCritical: 1.2, ratioLow });
    expect(verdicts([...critical, up(1.01)])).toMatchObject({ 'S0.20 UP': true });
    expect(verdicts([...critical, up(0.99)])).toMatchObject({ 'S0.20 UP': false });
    expect(verdicts([...critical, up(1)])).toMatchObject({ 'S0.20 UP': false });
  });

  test('one locked operation in a local malloc and free is one too many', () => {
    const rows = [statsRow({ ...one, where: 'malloc', lockedPerOp: 0.01 })];
    expect(verdicts(rows)).toEqual({ 'S0.11 locked': false, audit: true });
    expect(measured(rows, 'S0.11 locked')).toBe('0.01 locked operations a pair');
  });

  test('is not decided without critical', () => {
    expect(verdicts([mutex({ ...one, ratioToCritical: 9 })])).toEqual({ audit: true });
  });
});

describe('the same on FreeBSD', () => {
  const one = { cpus: 1, alloc: 'freebsd', free: '-' } as const;
  const two = { alloc: 'freebsd', free: '-' } as const;
  const critical = [
    statsRow(one), statsRow({ ...one, where: 'malloc' }), statsRow(two), statsRow({ ...two, where: 'malloc' }),
  ];
  const mutex = (own: Parameters<typeof statsRow>[0]) => statsRow({ stats: 'mutex', ...own });

  test('malloc is judged at one CPU too, and ids name the allocator', () => {
    const rows = [
      ...critical, mutex({ ...one, ratioToCritical: 5 }), mutex({ ...one, where: 'malloc', ratioToCritical: 1.29 }),
      statsRow({ ...one, stats: 'mutex-up', ratioLow: 0.9 }), mutex({ ...two, where: 'malloc', ratioToCritical: 1.3 }),
    ];
    expect(verdicts(rows)).toEqual({
      'S0.19 update freebsd': true, 'S0.19 malloc freebsd': false, 'S0.19 malloc freebsd, SMP': true,
      'S0.11 locked freebsd': true, audit: true,
    });
  });

  test('one allocator decides nothing about the other', () => {
    const rows = [...critical, statsRow({ cpus: 1 }), statsRow({ cpus: 1, stats: 'mutex', ratioToCritical: 1 })];
    expect(verdicts(rows)).toEqual({ 'S0.19 update': false, 'S0.11 locked freebsd': true, audit: true });
  });
});

describe('two allocators in one run', () => {
  const free = { alloc: 'freebsd', free: '-' } as const;
  const ratio = (ratioToDragonfly: number) => ({ ...free, ratioToDragonfly, ratioLow: 1, ratioHigh: 2 });

  test('pair and local may take 1.3 times as long under freebsd', () => {
    const local = [loopRow({ suite: 'local' }), loopRow({ suite: 'local', ...ratio(1.31) })];
    const rows = [loopRow(), loopRow(ratio(1.3)), ...local];
    expect(verdicts(rows)).toEqual({ 'pair freebsd': true, 'local freebsd': false, audit: true });
    expect(measured(rows, 'local freebsd')).toBe('1.31x (95 %: 1.00 to 2.00)');
  });

  test('freebsd alone is compared with nothing, and its bucket hits are counted all the same', () => {
    expect(verdicts([loopRow({ ...free, lockedPerOp: 0 })])).toEqual({ 'pair freebsd locked': true, audit: true });
    expect(verdicts([loopRow({ ...free, lockedPerOp: 0.01 })])).toMatchObject({ 'pair freebsd locked': false });
  });

  test('no claim is about other workloads, other statistics, mallocs that were made to fail or profiled', () => {
    const rows = [
      loopRow({ suite: 'ring', ...ratio(9) }), loopRow({ stats: 'mutex', ...ratio(9), lockedPerOp: 4 }),
      loopRow({ ...ratio(9), failed: 3, lockedPerOp: 2 }), loopRow({ ...ratio(9), profile: [] }),
    ];
    expect(verdicts(rows)).toEqual({ audit: true });
  });
});

describe('every run ends intact', () => {
  test('one bad row fails it, and is named with what is wrong', () => {
    const rows = [loopRow(), loopRow({ suite: 'ring', audit: 'pages: 3 lost' })];
    expect(verdicts(rows)).toEqual({ audit: false });
    expect(measured(rows, 'audit')).toBe('ring: pages: 3 lost');
  });

  test('rows of an interrupted run say nothing about it', () => {
    expect(judge([loopRow({ audit: NOT_AUDITED })])).toEqual([]);
    expect(measured([loopRow(), loopRow({ audit: NOT_AUDITED })], 'audit')).toBe('1 of 1 rows');
  });

  test('no rows, no claims', () => {
    expect(judge([])).toEqual([]);
  });
});
