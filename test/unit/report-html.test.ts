/** Records as a page: what is drawn of which rows, what is not, and that the page stays small and sound. */
import { describe, expect, test } from 'vitest';
import type { ModelRow } from '../../src/lab/model/row.js';
import { cpuAxis, duration, linearAxis, logAxis, percent, plain } from '../../src/report/html/axis.js';
import { PAGE_BYTES } from '../../src/report/html/detail.js';
import { foldSquare } from '../../src/report/html/map.js';
import { naming } from '../../src/report/html/rows.js';
import { reportHtml } from '../../src/report/html/report.js';
import type { RunRecord } from '../../src/report/record.js';
import { modelRow, record, sweep } from '../helpers/records.js';
import { balance } from '../helpers/explorations.js';
import { ipiRow, loopRow, replayRow, statsRow } from '../helpers/rows.js';

const titles = (html: string): string[] => [...html.matchAll(/<h4>(.*?)<\/h4>/g)].map(([, title]) => title!);
const titlesOf = (...rows: object[]): string[] => titles(reportHtml([record(rows)]));
/** the text of a page, without tags */
const textOf = (html: string): string => html.replace(/<(script|style)[\s\S]*?<\/\1>/g, '').replace(/<[^>]*>/g, ' ');
const config = (command: string, own: object = {}): Pick<RunRecord, 'config'> => (
  { config: { command, seed: 1, cpus: 2, ...own } }
);
const profile = [
  { size: 16, requests: 10, asked: 100, given: 160, largest: 16 },
  { size: null, requests: 1, asked: 20_000, given: 20_480, largest: 20_480 },
];

describe('a number on an axis', () => {
  test.each([[0, '0'], [20, '20'], [1500, '1.5k'], [2e6, '2M'], [3e9, '3G'], [0.25, '0.25']])('%d is %s', (value, text) => {
    expect(plain(value)).toBe(text);
  });

  test.each([[4, '4 ns'], [1500, '1.5 µs'], [2e6, '2 ms'], [3e9, '3 s']])('%d nanoseconds are %s', (ns, text) => {
    expect(duration(ns)).toBe(text);
  });

  test('a small part is no exponent as long as it can be read', () => {
    expect([1, 0.1, 0.00001].map(percent)).toEqual(['100 %', '10 %', '0.001 %']);
  });
});

describe('an axis', () => {
  const range = [0, 400] as const;

  test('logarithmic, has a place before it for zero and behind it for words', () => {
    const axis = logAxis([0, 30, 1000, 'tick'], { title: 'delay', range });
    expect(axis.at(0)).toBe(0);
    expect(axis.at('tick')).toBe(400);
    const places = [0, 30, 1000, 'tick'].map((value) => axis.at(value));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(axis.ticks[0]).toEqual({ at: 0, label: '0' });
    expect(axis.ticks.at(-1)).toEqual({ at: 400, label: 'tick' });
  });

  test('has few labels, each in its place, over one decade as over twelve', () => {
    for (const values of [[1, 1], [3, 7], [0.000001, 1], [1, 1e12], [0]]) {
      const { ticks } = logAxis(values, { title: '', range });
      expect(ticks.length).toBeGreaterThan(1);
      expect(ticks.length).toBeLessThanOrEqual(9);
      for (const { at } of ticks) expect(at).toSatisfy((x: number) => x >= 0 && x <= 400.5);
    }
  });

  test('downwards, stands on its head', () => {
    const axis = logAxis([0, 1, 10], { title: '', range: [300, 0] });
    expect(axis.at(0)).toBe(300);
    expect(axis.at(10)).toBe(0);
  });

  test('of CPUs, has a step for a doubling', () => {
    const axis = cpuAxis([1, 2, 64], { title: 'CPUs', range });
    expect(axis.at(4) - axis.at(2)).toBeCloseTo(axis.at(64) - axis.at(32));
    expect(axis.ticks.map(({ label }) => label)).toEqual(['1', '2', '4', '8', '16', '32', '64']);
  });

  test('linear, begins at 0 whatever the values, and all zeros are no division by zero', () => {
    expect(linearAxis([90, 100], { title: '', range }).at(0)).toBe(0);
    expect(linearAxis([0, 0], { title: '', range }).at(0)).toBe(0);
  });
});

describe('the drawings of a record', () => {
  test('rows of the model give throughput, latency, transfers, time, remote frees and zones', () => {
    expect(titlesOf(...sweep({ cpus: [1, 2, 4], stats: ['critical', 'mutex'] }))).toEqual([
      'Throughput against CPUs: larson', 'Latency: larson, 4 CPUs', 'Transfers per operation by structure: larson',
      'Where the time goes: larson', 'Remote frees, CPU by CPU: larson, 4 CPUs',
      'Zones over time: larson, 4 CPUs, stats critical', 'Zones over time: larson, 4 CPUs, stats mutex',
    ]);
  });

  test('rows that differ in the signal delay only give messages against latency', () => {
    const rows = sweep({ cpus: [4], delays: [0, 30, 1000, 'tick'], free: ['ipi', 'rchunks'] });
    expect(titlesOf(...rows)[0]).toBe('Messages against signal latency: larson');
    const html = reportHtml([record(rows)]);
    expect(textOf(html)).toContain('rchunks: from 1,000 messages at a delay of 0 to');
  });

  test('so do runs of one loop with several delays, on one page', () => {
    const ring = (delay: number, messages: number) => record(
      [loopRow({ suite: 'ring', remoteFrees: 1000, ipiMessages: messages })],
      config(`bench ring --signal-delay ${delay}`, { signalDelay: delay }),
    );
    expect(titles(reportHtml([ring(0, 900)]))).not.toContain('Messages against signal latency: ring');
    expect(titles(reportHtml([ring(0, 900), ring(30, 30)]))[0]).toBe('Messages against signal latency: ring');
  });

  test('rows of loops, statistics and traces give times, ratios, messages and waste', () => {
    expect(titlesOf(
      ipiRow(), ipiRow({ free: 'rchunks', per1000: 0.5 }), statsRow(), statsRow({ stats: 'mutex', ratioToCritical: 9 }),
      loopRow({ peers: { glibc: 5 } }),
      loopRow({ alloc: 'freebsd', free: '-', ratioToDragonfly: 1.5, ratioLow: 1.4, ratioHigh: 1.6, profile }),
    )).toEqual([
      'Messages per 1000 remote frees', 'Statistics: time over that of critical sections',
      'Time over that of dragonfly', 'Nanoseconds of an allocation and a free: pair', 'Waste by size: pair',
    ]);
  });

  test('what has no data is not drawn, and the page says what would make it', () => {
    const { remote: _, latency: __, zones: ___, ...bare } = modelRow({ cpus: 1 });
    const html = reportHtml([record([{
      ...bare, lines: [], counts: { ...bare.counts, transfers: 0, remoteFrees: 0 },
      time: Object.fromEntries(Object.keys(bare.time).map((key) => [key, 0])),
    }])]);
    expect(titles(html)).toEqual([]);
    expect(html).not.toContain('<figure');
    expect(textOf(html)).toContain('throughput against CPUs:  smpalloc model --cpus 1,2,4,8');
    expect(textOf(html)).toContain('waste by size:  smpalloc --profile');
  });

  test('no rows at all make a page that says so much', () => {
    const html = reportHtml([record([], { complete: false })]);
    expect(titles(html)).toEqual([]);
    expect(textOf(html)).toContain('Interrupted: the rows are what was known by then.');
  });

  test('a drawing has a title and a description of its own, its numbers as a table, and none of them is no number', () => {
    const rows = [...sweep({ cpus: [1, 2, 4], stats: ['critical', 'mutex'] }), loopRow({ profile })];
    const html = reportHtml([record(rows)]);
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const svgs = [...html.matchAll(/<svg viewBox[^>]*role="img" aria-labelledby="(\S+) (\S+)"/g)];
    expect(svgs).toHaveLength(titles(html).length);
    for (const [, title, description] of svgs) {
      expect(ids).toContain(title);
      expect(html).toMatch(new RegExp(`<desc id="${description}">[^<]{20,}</desc>`));
    }
    expect(html.match(/<details class="data"><summary>data/g)).toHaveLength(svgs.length);
    expect(/<main>[\s\S]*<\/footer>/.exec(html)![0]).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('names of series', () => {
  test('say what differs, and what does not stands once', () => {
    const rows = [modelRow({ stats: 'mutex' }), modelRow({ stats: 'critical' })];
    const { name, common } = naming(rows, ['alloc', 'free', 'stats', 'cpus']);
    expect(rows.map(name)).toEqual(['stats mutex', 'stats critical']);
    expect(common).toBe('dragonfly, rchunks, 4 CPUs');
  });

  test('of one row are what it is', () => {
    expect(naming([modelRow()], ['alloc', 'free']).name(modelRow())).toBe('dragonfly, rchunks');
  });
});

describe('the parts of a transfer bar', () => {
  test('are the eight busiest structures, and the others together', () => {
    const html = reportHtml([record(sweep({ cpus: [2, 4] }))]);
    const legends = [...html.matchAll(/<ul class="legend">(.*?)<\/ul>/g)].map(([, list]) => list!);
    const parts = legends.find((list) => list.includes('chunk c_Next'))!;
    expect(parts.match(/<li>/g)).toHaveLength(9);
    expect(textOf(parts).trim()).toMatch(/others$/);
  });

  test('are as long as what is left: lines that are not listed are among the others', () => {
    const row = modelRow({ cpus: 2, ops: 100, lines: [], counts: { ...modelRow().counts, transfers: 300 } });
    expect(textOf(reportHtml([record([row])]))).toMatch(/others\s+\(3 transfers an operation\)/);
  });
});

describe('what did not happen', () => {
  test('stands beside what did: a machine without transfers has a bar of none', () => {
    const none = modelRow({ stats: 'critical', lines: [], counts: { ...modelRow().counts, transfers: 0 } });
    const html = reportHtml([record([none, modelRow({ stats: 'mutex' })])]);
    expect(html).toMatch(/<desc id="\w+">stats critical, 4 CPUs: 0; stats mutex, 4 CPUs: [\d.]+, most of it/);
  });

  test('is said: operations that all take the same have no curve, and their bound', () => {
    const quick = modelRow({ stats: 'critical', latency: { ns: [16, 32, 64], count: [0, 900, 0] } });
    const html = reportHtml([record([quick, modelRow({ stats: 'mutex' })])]);
    expect(textOf(html)).toContain('stats critical: all within 32 ns.');
    expect(titlesOf(quick)).not.toContain('Latency: larson, 4 CPUs');
  });

  test('percentiles are bounds that so many operations keep to', () => {
    const latency = { ns: [10, 100, 1000, 10_000], count: [500, 490, 9, 1] };
    const html = reportHtml([record([modelRow({ latency })])]);
    expect(html).toMatch(/<td class="n">10 ns<\/td><td class="n">100 ns<\/td><td class="n">1 µs<\/td>/);
  });
});

describe('a map', () => {
  test('is folded by adding neighbours up', () => {
    expect(foldSquare([[1, 2, 3], [4, 5, 6], [7, 8, 9]], 2)).toEqual([[12, 9], [15, 9]]);
  });

  test('of 256 CPUs is folded, and says so', () => {
    const html = reportHtml([record([modelRow({ cpus: 256 })])]);
    expect(textOf(html)).toMatch(/Folded: a cell is \d+ x \d+ CPUs, its frees added up\./);
  });
});

describe('the page', () => {
  const everything = [
    ipiRow(), replayRow({ profile }), statsRow(), loopRow(), ...sweep({ cpus: [1, 2, 4], delays: [0, 30] }),
  ];

  test('is one file that asks for nothing and names its style and script by hash', () => {
    const html = reportHtml([record(everything)]);
    expect(html).not.toMatch(/\bsrc=|href="[^#]|https?:|@import|url\((?!#)/);
    expect(html).toMatch(/default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'/);
    expect(html).not.toMatch(/<[^>]+ style=| on\w+=/);
  });

  test('is sound, whatever the record says', () => {
    const nasty = '<script>alert("x")</script> & \'quotes\' </svg></desc> \u0007';
    const hostile = record(
      sweep({ cpus: [1, 2] }).map((row): ModelRow => ({
        ...row, workload: nasty, costs: nasty, audit: nasty,
        lines: row.lines.map((line) => ({ ...line, line: `${nasty}${line.line}` })),
        zones: { ns: [0, 1], zones: [{ zone: nasty, cpu: 0, chunk: 16, used: [1, 2] }] },
      })),
      {
        ...config(nasty, { more: nasty }),
        claims: [{ id: nasty, source: nasty, text: nasty, pass: true, measured: nasty }],
        environment: { ...record([]).environment, cpu: nasty, warnings: [nasty] },
      },
    );
    const html = reportHtml([hostile, hostile]).replace('<!doctype html>', '');
    expect(html.match(/<script/g)).toHaveLength(1);
    const bare = html.replace(/<(script|style)([^>]*)>[\s\S]*?<\/\1>/g, '<$1></$1>');
    expect(() => balance(bare, ['meta', 'input', 'br'])).not.toThrow();
    expect(bare.replace(/<[^<>]*>/g, '')).not.toMatch(/[<>]/);
  });

  test('has the claims, the warnings and where it comes from at its foot', () => {
    const html = reportHtml([record([loopRow()], {
      ...config('bench pair --seed 7', { signalDelay: 30 }),
      claims: [{ id: 'a', source: 'b', text: 'it holds', pass: false, measured: '3x' }],
      environment: { ...record([]).environment, warnings: ['4 virtual CPUs on 2 cores'] },
    })]);
    const foot = textOf(html.slice(html.indexOf('<footer>')));
    const said = ['smpalloc bench pair --seed 7', 'A CPU, 2 cores', 'v20.20.2', '4 virtual CPUs', 'signalDelay 30'];
    for (const one of said) expect(foot).toContain(one);
    expect(html).toContain('<th scope="row" class="fail verdict">FAIL</th>');
    expect(textOf(html)).toContain('0 of 1 hold');
  });

  test('names a machine whose audit failed', () => {
    const html = reportHtml([record([loopRow({ audit: 'zone 7 is lost' })])]);
    expect(textOf(html)).toContain('AUDIT FAILED pair rbatch critical: zone 7 is lost');
  });

  test('of several records begins with what they are', () => {
    const html = reportHtml([record([loopRow()], config('bench pair')), record([loopRow()], config('bench local'))]);
    expect(html).toContain('<title>smpalloc: 2 records</title>');
    expect(html).toContain('<a href="#r1"><code>smpalloc bench local</code></a>');
  });
});

describe('a page of too much', () => {
  const large = record(sweep({
    workloads: ['larson', 'xmalloc', 'ring'], free: ['ipi', 'rchunks', 'locked'], stats: ['critical', 'mutex'],
    delays: [0, 30], cpus: [1, 4, 16],
  }));

  test('is folded until it is small enough, and says what it left out', () => {
    const html = reportHtml([large]);
    expect(Buffer.byteLength(html)).toBeLessThan(PAGE_BYTES);
    const text = textOf(html);
    expect(text).toContain('More than 400 kB hold: the page is folded, and says where.');
    expect(text).toMatch(/Folded: \d+ drawings of \d+ left out/);
    expect(titles(html).length).toBeGreaterThan(5);
  });

  test('still has every claim, and rows it does not show are counted', () => {
    const rows = Array.from({ length: 3000 }, () => loopRow());
    const html = reportHtml([record(rows)]);
    expect(Buffer.byteLength(html)).toBeLessThan(PAGE_BYTES);
    expect(textOf(html)).toMatch(/[\d,]+ more rows are in the record/);
  });

  test('is refused when it cannot be folded so far', () => {
    const endless = record([loopRow()], config('x'.repeat(PAGE_BYTES)));
    expect(() => reportHtml([endless])).toThrow(/a page of this record at its least takes [\d,]+ bytes; expected/);
  });
});
