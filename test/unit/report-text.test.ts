/** Records for people: numbers, tables, a line a claim. */
import { describe, expect, test } from 'vitest';
import { type Column, integer, short, table } from '../../src/report/table.js';
import { claimsText, type Paint, suiteText } from '../../src/report/text.js';
import { judge } from '../../src/suite/claims.js';
import { NOT_AUDITED } from '../../src/suite/suite.js';
import { ipiRow, loopRow, replayRow, statsRow } from '../helpers/rows.js';

const plain: Paint = { good: (text) => text, bad: (text) => text, strong: (text) => text, dim: (text) => text };
const marked: Paint = { ...plain, good: (text) => `<g>${text}</g>`, bad: (text) => `<b>${text}</b>` };

describe('numbers', () => {
  test.each([
    [0, '0'], [1, '1'], [1.5, '1.50'], [10, '10'], [12.345, '12.3'], [99.94, '99.9'], [99.96, '100'], [100, '100'],
    [1234.5, '1,235'], [0.5, '0.500'], [0.00123456, '0.00123'], [-2.5, '-2.50'], [null, '-'], [undefined, '-'],
  ])('%j in three digits is %s', (value, text) => {
    expect(short(value)).toBe(text);
  });

  test('a count has separators and no fraction', () => {
    expect([0, 999, 1000, 1234567.6].map(integer)).toEqual(['0', '999', '1,000', '1,234,568']);
  });
});

describe('a table', () => {
  const columns: Column<[string, number]>[] = [
    { head: 'name', cell: ([name]) => name, left: true },
    { head: 'n', cell: ([, n]) => String(n) },
  ];

  test('has words left, numbers right, two blanks between and none at the end', () => {
    expect(table(columns, [['a', 1], ['longer', 1000]])).toBe('name       n\na          1\nlonger  1000');
    expect(table([...columns].reverse(), [['a', 1], ['longer', 1000]])).toBe('   n  name\n   1  a\n1000  longer');
  });

  test('without rows is its head', () => {
    expect(table(columns, [])).toBe('name  n');
  });
});

describe('the text of a run', () => {
  const all = [ipiRow(), statsRow(), loopRow(), loopRow({ suite: 'ring' }), replayRow({ trace: 'mine' })];

  test('has a table a suite, in a fixed order', () => {
    const titles = suiteText(all, plain).split('\n\n').map((part) => part.split('  ')[0]);
    expect(titles).toEqual(['IPI table', 'stats table', 'pair', 'ring', 'replay']);
  });

  test('each line of a table is as wide as its head, at most', () => {
    for (const part of suiteText(all, plain).split('\n\n')) {
      const [, head, ...lines] = part.split('\n');
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(head!.length);
    }
  });

  test('shows the update before malloc, few CPUs before many', () => {
    const rows = [
      statsRow({ where: 'malloc' }), statsRow(), statsRow({ where: 'malloc', cpus: 1 }), statsRow({ cpus: 1 }),
    ];
    const lines = suiteText(rows, plain).split('\n').slice(2).map((line) => line.split(/\s+/).slice(0, 2).join(' '));
    expect(lines).toEqual(['update 1', 'update 2', 'malloc 1', 'malloc 2']);
  });

  test('names the allocator where it is not dragonfly alone', () => {
    const freebsd = { alloc: 'freebsd', free: '-' } as const;
    for (const row of [ipiRow, statsRow, loopRow, replayRow]) {
      expect(suiteText([row()], plain)).not.toContain('alloc ');
      const [, head, first, second] = suiteText([row(), row(freebsd)], plain).split('\n');
      expect(head).toMatch(/\balloc\b/);
      expect([first, second]).toEqual([expect.stringContaining('dragonfly'), expect.stringContaining('freebsd')]);
    }
    const [, , row] = suiteText([replayRow({ ...freebsd, zonesPeak: 0, zonesEnd: 0 })], plain).split('\n');
    expect(row).not.toContain('0/0');
  });

  test('has locked operations, pages, what they hold and what is wasted of it', () => {
    const counts = { lockedPerOp: 0.02, pagesPeak: 1000, askedPeak: 2_048_000, waste: 12.34 };
    const [, head, line] = suiteText([loopRow(counts)], plain).split('\n');
    expect(head).toMatch(/locked\/op {2}pages peak {2}used\/asked {2}waste %/);
    expect(line).toMatch(/ 0\.02 +1,000 +2x +12\.3 /);
    const [, , unknown] = suiteText([loopRow({ askedPeak: null, waste: null })], plain).split('\n');
    expect(unknown).toMatch(/ - +64 +- +- /);
  });

  test('has failures where mallocs were made to fail, ratios where there are two allocators', () => {
    expect(suiteText([loopRow()], plain)).not.toMatch(/ (failed|ratio) /);
    const freebsd = loopRow({ alloc: 'freebsd', free: '-', failed: 12, ratioToDragonfly: 1.234 });
    const [, head, , line] = suiteText([loopRow(), freebsd], plain).split('\n');
    expect(head).toMatch(/ratio .* failed/);
    expect(line).toMatch(/ 1\.23 .* 12 /);
  });

  test('a profile has a row a size that was asked for, allocators side by side, and what was wasted', () => {
    const rows = [
      loopRow({ profile: [{ size: 112, requests: 10, asked: 1000, given: 1040, largest: 104 }] }),
      loopRow({ free: 'ipi', profile: [{ size: 16, requests: 1, asked: 1, given: 8, largest: 8 }] }),
      loopRow({
        alloc: 'freebsd', free: '-',
        profile: [
          { size: 112, requests: 10, asked: 1000, given: 1280, largest: 128 },
          { size: null, requests: 1, asked: 20_000, given: 20_480, largest: 20_480 },
        ],
      }),
    ];
    const [, profile, totals] = suiteText(rows, plain).split('\n\n');
    expect(profile!.split('\n').map((line) => line.trim().split(/\s+/))).toEqual([
      expect.arrayContaining(['profile', 'of', 'pair']),
      'size dragonfly: requests real size waste % freebsd: requests real size waste %'.split(' '),
      ['112', '10', '104', '3.8', '10', '128', '21.9'],
      ['more', '-', '-', '-', '1', '20480', '2.3'],
    ]);
    expect(totals!.split('\n').map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ['alloc', 'requests', 'total used', 'total waste', 'waste %'],
      ['dragonfly', '10', '1,040', '40', '3.8'],
      ['freebsd', '11', '21,760', '760', '3.5'],
    ]);
  });

  test('has a column for each peer', () => {
    const [, head, line] = suiteText([loopRow({ peers: { glibc: 4.5, mimalloc: 3 } })], plain).split('\n');
    expect(head).toMatch(/glibc {2}mimalloc$/);
    expect(line).toMatch(/4\.50 +3$/);
  });

  test('says a failed audit in so many words', () => {
    const text = suiteText([loopRow({ audit: 'pages: 3 lost' })], marked);
    expect(text).toContain('<b>AUDIT FAILED  pair rbatch critical: pages: 3 lost</b>');
  });

  test('an audit that interruption prevented has not failed', () => {
    expect(suiteText([loopRow({ audit: NOT_AUDITED })], plain)).not.toContain('FAILED');
  });

  test('of no rows is empty', () => {
    expect(suiteText([], plain)).toBe('');
    expect(claimsText([], plain)).toBe('');
  });

  test('a claim is a line: verdict, sentence, number, source', () => {
    const claims = judge([
      ipiRow({ free: 'ipi' }), ipiRow({ free: 'rchunks', reduction: 3, ipiMessages: 9 }),
    ]);
    expect(claimsText(claims, marked).split('\n')).toEqual([
      '<b>FAIL</b>  z_RChunks: IPI messages fall 100x or more on redis-io3: ' +
        '3x (9 messages for 500 remote frees)  [S2.3 redis-io3]',
      expect.stringMatching(/^<g>PASS<\/g> {2}every run ends .*: 2 of 2 rows {2}\[audit\]$/),
    ]);
  });
});
