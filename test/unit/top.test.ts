/** The screen of `smpalloc top` as text: given numbers, given sizes. */
import { describe, expect, test } from 'vitest';
import { keyPressed } from '../../src/cli/top_keys.js';
import { intervalBetween } from '../../src/observe/interval.js';
import { bar, clock, compact, compactBytes, curve, percent } from '../../src/report/compact.js';
import { cut, fitting, type Line, lineWidth, painted, type RolePaint, span } from '../../src/report/lines.js';
import { FIRST_VIEW, topBlock, topScreen, type TopView } from '../../src/report/top_text.js';
import { busy, sample, type, zone } from '../helpers/samples.js';

const VIEW: TopView = { ...FIRST_VIEW, source: 'larson', waitMs: 1000, look: 'unicode', history: [1, 2, 4] };

const texts = (lines: readonly Line[]) => lines.map((line) => line.map(({ text }) => text).join('').trimEnd());
const screen = (columns: number, rows: number, view: Partial<TopView> = {}, interval = busy()) =>
  texts(topScreen(interval, { ...VIEW, ...view }, { columns, rows }).lines);

describe('numbers', () => {
  test.each([
    [null, '-'], [0, '0'], [0.04, '0.04'], [7.5, '7.5'], [12.4, '12'], [999, '999'], [9999, '9999'], [10_000, '10.0k'],
    [99_960, '100k'], [999_600, '1.00M'], [12_345_678, '12.3M'], [1.5e12, '1.50T'], [-20_000, '-20.0k'],
  ])('%j is %s', (value, text) => {
    expect(compact(value)).toBe(text);
  });

  test.each([[null, '-'], [0, '0'], [1023, '1023'], [1024, '1.00K'], [1_048_576, '1.00M'], [1023 * 1024, '1.00M'],
    [-2048, '-2.00K']])('%j bytes are %s', (value, text) => {
    expect(compactBytes(value)).toBe(text);
  });

  test('bars and curves go from nothing to all, in what the terminal can show', () => {
    expect([bar(0, 4, 'unicode'), bar(0.5, 4, 'ascii'), bar(7, 4, 'unicode'), bar(1, 4, 'plain')])
      .toEqual(['░░░░', '##..', '████', '']);
    expect([curve([0, 1, 2], 'unicode'), curve([], 'ascii'), curve([0, 0], 'ascii')]).toEqual(['▁▅█', '', '__']);
    expect([percent(0.125), percent(null), percent(Number.NaN)]).toEqual(['13%', '-', '-']);
    expect([clock(7), clock(754), clock(3723)]).toEqual(['0:07', '12:34', '1:02:03']);
  });
});

describe('a line', () => {
  test('is cut, and what a name has in it that is no text is a dot', () => {
    expect(cut([span('abc', 'bad'), span('def')], 4)).toEqual([{ text: 'abc', role: 'bad' }, { text: 'd' }]);
    expect(cut([span('a\x1b[31mb')], 9)).toEqual([{ text: 'a.[31mb' }]);
  });

  test('of items has those that fit, from the left', () => {
    const items = ['one', 'two', 'three'].map((text) => [span(text)]);
    expect(texts([fitting(items, 13), fitting(items, 12), fitting(items, 2)])).toEqual(['one  two', 'one  two', 'on']);
  });

  test('is painted by roles', () => {
    const paint = new Proxy({}, { get: (_, role) => (text: string) => `<${String(role)}>${text}` }) as RolePaint;
    expect(painted([span('a', 'bad'), span('b ')], paint)).toBe('<bad>ab');
  });
});

describe('the screen', () => {
  test.each([[80, 24], [120, 40], [40, 10], [200, 60], [20, 5], [1, 1], [81, 15], [60, 16]])(
    'of %i x %i has as many lines, none wider', (columns, rows) => {
      for (const interval of [busy(), busy(64, Array.from({ length: 100 }, (_, n) => `type ${n}`))]) {
        for (const focus of ['cpus', 'types', 'zones'] as const) {
          const { lines } = topScreen(interval, { ...VIEW, focus }, { columns, rows });
          expect(lines).toHaveLength(rows);
          for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(columns);
        }
      }
    },
  );

  test('at 80 x 24 has what an engineer looks for', () => {
    expect(screen(80, 24)).toEqual([
      'larson  dragonfly rbatch critical  2 CPUs  up 0:03                     every 1 s',
      'allocs 90.0k/s  frees 60.0k/s  remote 20.0k/s 33%                            ▃▅█',
      'IPIs 2000/s  interrupts 1000/s  avoided 50%  2 a run  100 per 1000 remote frees',
      'memory ████░░░░░░░░░░░░ 0.98M of 3.91M  free 750 pages  largest block 16.0K',
      '',
      '▾CPU  state  alloc/s  free/s  remote/s   IPI/s  intr/s  avoid/s   run/s  queued',
      '   0  run      30.0k   20.0k     10.0k    1000     500      500     500       0',
      '   1  run      60.0k   40.0k     10.0k    1000     500      500     500       0',
      '',
      'TYPE   ▾alloc/s  free/s  in use  memory  growth/s  mean B  share',
      'devbuf    60.0k   30.0k   60.0k   5.72M     2.86M     100  ███████░░░  67%',
      'temp      30.0k   30.0k       0       0         0     100  ███░░░░░░░  33%',
      '',
      '  ZONE  zones     out    free ▾memory  full              cpu0   cpu1',
      '  1024      6     200     300    768K  ████░░░░░░  40%      3      3',
      '    64      4     100     300    512K  ███░░░░░░░  25%      2      2',
      '     8      2       0     300    256K  ░░░░░░░░░░   0%      1      1',
      ...Array(6).fill(''),
      'q quit  h help  tab panel  s sort  space pause  + - interval  ↑↓ scroll',
    ]);
  });

  test('at 40 x 10 is a panel or two', () => {
    expect(screen(40, 10, { look: 'ascii' })).toEqual([
      'larson  dragonfly rbatch critical',
      'allocs 90.0k/s  frees 60.0k/s        -=#',
      'memory ####............ 0.98M of 3.91M',
      '*CPU  state  alloc/s  free/s  remote/s',
      '   0  run      30.0k   20.0k     10.0k',
      '   1  run      60.0k   40.0k     10.0k',
      'TYPE   *alloc/s  free/s  in use  memory',
      'devbuf    60.0k   30.0k   60.0k   5.72M',
      'temp      30.0k   30.0k       0       0',
      'q quit  h help  tab panel  s sort',
    ]);
  });

  test('before the second sample says that it waits, and shows what there is', () => {
    const first = intervalBetween(null, sample({ types: [type('temp', [5, 2], [0, 0])] }));
    const lines = screen(80, 24, { waitMs: 500 }, first);
    expect(lines[1]).toBe('waiting for the second sample, 500 ms: rates are differences');
    expect(lines).toContainEqual(expect.stringMatching(/^temp +- +- +3 +300 +- +- +-$/));
  });

  test('of a machine that panicked has its last words', () => {
    const before = sample({ at: 0 });
    const lines = screen(60, 20, {}, intervalBetween(before, sample({ at: 1000, panic: 'cpu1: died\nx' })));
    expect(lines[1]).toBe('panic: cpu1: died.x');
  });

  test('of UMA has zones, where their free items lie, and no remote frees', () => {
    const machine = { alloc: 'freebsd', free: '-' };
    const zones = [zone('64', { allocs: 100, used: 60, cached: 40, bucketed: 128, slabbed: 7, cpus: [32, 8] })];
    const text = screen(120, 30, {}, intervalBetween(
      sample({ machine, zones: [zone('64')] }), sample({ at: 1000, machine, zones }),
    )).join('\n');
    expect(text).toContain('larson  freebsd critical');
    expect(text).not.toContain('remote');
    expect(text).toMatch(/^64 +64 +100 +0 +60 +40 +128 +7 +0 +32 +8$/m);
  });

  test('scrolls the panel in focus, and says where it is', () => {
    const interval = busy(64);
    const view = { ...VIEW, only: true, panels: { ...VIEW.panels, cpus: { ...VIEW.panels.cpus, scroll: 1e9 } } };
    const { lines, shown } = topScreen(interval, view, { columns: 80, rows: 24 });
    expect(texts(lines)[5]).toMatch(/^▾CPU .* 48-64 of 64$/);
    expect(texts(lines).at(-2)).toMatch(/^ {2}63 {2}run/);
    expect(shown.cpus!.scroll).toBe(47);
  });

  test('has columns by CPU from the one scrolled to', () => {
    expect(screen(80, 24, { firstCpu: 10 }, busy(64)).join('\n')).toMatch(/full {13}cpu10 {2}cpu11 /);
  });

  test('sorts by a column, the other way round, and by its own where there is no such', () => {
    const first = (sort: string | null, reverse = false) => {
      const panels = { ...VIEW.panels, types: { sort, reverse, scroll: 0 } };
      const lines = screen(80, 24, { panels });
      return lines[lines.findIndex((line) => line.startsWith('TYPE')) + 1]!.split(' ')[0];
    };
    expect([first(null), first('alloc/s', true), first('TYPE'), first('TYPE', true), first('no such')])
      .toEqual(['devbuf', 'temp', 'devbuf', 'temp', 'devbuf']);
  });

  test('explains its keys', () => {
    expect(screen(80, 30, { help: true }).join('\n')).toContain('space              pause, and go on');
    expect(screen(80, 24, { paused: true })[0]).toMatch(/paused$/);
  });
});

test('a block of lines has every row, no bars and no marks', () => {
  const block = topBlock(busy(64), { ...VIEW, look: 'plain' }, 120);
  expect(block.endsWith('\n\n')).toBe(true);
  expect(block).toMatch(/^ {2}63 {2}run /m);
  expect(block).toMatch(/^TYPE +alloc\/s .*share +requests$/m);
  expect(block).not.toMatch(/[#▾█*]/);
});

describe('a key', () => {
  const shown = topScreen(busy(64), VIEW, { columns: 80, rows: 24 }).shown;
  const press = (view: TopView, ...keys: string[]) =>
    keys.reduce((now, key) => keyPressed(now, key, shown, 64), view);

  test.each([
    ['tab', { focus: 'types' }], ['z', { focus: 'zones' }], ['o', { only: true }], ['space', { paused: true }],
    ['+', { waitMs: 500 }], ['-', { waitMs: 2000 }], ['h', { help: true }], ['right', { firstCpu: 1 }],
    ['left', { firstCpu: 0 }], ['x', {}], ['', {}],
  ])('%s', (key, change) => {
    expect(press(VIEW, key)).toEqual({ ...VIEW, ...change });
  });

  test('leads out of the help and does nothing else', () => {
    expect(press(VIEW, 'h', 'space')).toEqual(VIEW);
  });

  test('goes round: three tabs are none, a step back leads to where one was', () => {
    expect(press(VIEW, 'tab', 'tab', 'tab', '+', '-')).toEqual(VIEW);
    expect(press(VIEW, ...Array(20).fill('+')).waitMs).toBe(100);
    expect(press(VIEW, ...Array(20).fill('-')).waitMs).toBe(60_000);
    expect(press(VIEW, ...Array(99).fill('right')).firstCpu).toBe(63);
  });

  test('sorts by the next column, or the n-th, of those that are there', () => {
    expect(press(VIEW, 's').panels.cpus.sort).toBe('state');
    expect(press(VIEW, '3').panels.cpus.sort).toBe('alloc/s');
    expect(press(VIEW, '3', 'r').panels.cpus).toMatchObject({ sort: 'alloc/s', reverse: true });
    expect(press({ ...VIEW, only: true, focus: 'zones' }, '9')).toMatchObject({ focus: 'zones' });
  });

  test('scrolls from where the screen is, not below nothing', () => {
    expect(press(VIEW, 'down').panels.cpus.scroll).toBe(1);
    expect(press(VIEW, 'up').panels.cpus.scroll).toBe(0);
    expect(press(VIEW, 'end').panels.cpus.scroll).toBeGreaterThan(1e9);
  });
});
