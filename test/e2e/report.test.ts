/** smpalloc report and --html: pages from records, and what a real browser makes of them. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { record, sweep } from '../helpers/records.js';
import { ipiRow, loopRow, statsRow } from '../helpers/rows.js';
import { Browser, hasChromium, type Opened } from './helpers/chromium.js';
import { smpalloc } from './helpers/cli.js';
import { colours, cutWords, described, isFocused, onPaper, tamper, tooWide } from './helpers/in_page.js';

const dir = mkdtempSync(join(tmpdir(), 'report-'));
afterAll(() => rmSync(dir, { recursive: true }));
const file = (name: string): string => join(dir, name);

const profile = [16, 64, 1024].map((size) => ({ size, requests: 9, asked: size * 8, given: size * 9, largest: size }));
const everything = record(
  [
    ...[900, 5, 12_000].map((per1000) => ipiRow({ per1000 })), ipiRow({ free: 'rchunks' }), statsRow(),
    statsRow({ stats: 'mutex', ratioToCritical: 9, ratioLow: 8, ratioHigh: 11 }),
    loopRow({ profile, peers: { glibc: 7 } }),
    ...sweep({ cpus: [1, 2, 4, 8], stats: ['critical', 'mutex'] }),
    ...sweep({ workloads: ['ring'], cpus: [4], delays: [0, 30, 1000, 'tick'], free: ['ipi', 'rchunks'] }),
  ],
  {
    claims: [true, false].map((pass) => ({ id: 'c', source: 's', text: 'it holds', pass, measured: '3x' })),
    environment: { ...record([]).environment, warnings: ['8 virtual CPUs on 2 cores'] },
  },
);
const json = JSON.stringify(everything);
writeFileSync(file('run.json'), json);

describe('smpalloc report', () => {
  test('prints a page of a record', async () => {
    const { code, stdout, stderr } = await smpalloc(`report ${file('run.json')}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    expect(stdout.match(/<figure/g)!.length).toBeGreaterThan(10);
  });

  test('takes one from a pipe, several at once, and writes to a file', async () => {
    const { code, stdout } = await smpalloc(`report - ${file('run.json')} -o ${file('two.html')}`, { input: json });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(readFileSync(file('two.html'), 'utf8')).toContain('<title>smpalloc: 2 records</title>');
    expect(statSync(file('two.html')).size).toBeLessThan(400_000);
  });

  test('takes what race explore --json printed', async () => {
    const explored = await smpalloc('race explore R40 --defect R40 --json --quiet');
    const { code, stdout } = await smpalloc('report -', { input: explored.stdout });
    expect(code).toBe(0);
    expect(stdout).toContain('<h1>R40</h1>');
    expect(stdout).toContain('made by <code>smpalloc report -</code>');
  });

  test.each([
    ['a field that is wrong', () => json.replace('"cpus":2', '"cpus":"two"'), /stdin: .*rows\.0\.cpus: /],
    ['another schema', () => json.replace('smpalloc/1', 'smpalloc/9'), /stdin: schema: .*"smpalloc\/9"/],
    ['no JSON', () => '<html>', /stdin: not JSON: /],
    ['nothing', () => '', /stdin: not JSON: /],
  ])('refuses %s by its name', async (_, input, message) => {
    const { code, stdout, stderr } = await smpalloc('report -', { input: input() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test.each([
    ['report', /a record is missing/],
    ['report none.json', /none\.json: ENOENT/],
    [`report ${file('run.json')} -o /no/such/folder/x.html`, /--output: there is no folder/],
  ])('%s is bad usage', async (args, message) => {
    const { code, stderr } = await smpalloc(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('bench and replay write the same page with --html, beside what they print', async () => {
    const bench = await smpalloc(`bench pair --rounds 1 --ops 1000 --warm-up 20ms --json --html ${file('pair.html')}`);
    expect(JSON.parse(bench.stdout).rows).toHaveLength(1);
    expect(readFileSync(file('pair.html'), 'utf8')).toContain('Nanoseconds of an allocation and a free: pair');
    const early = await smpalloc('bench pair --html /no/such/folder/x.html');
    expect(early).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--html: there is no folder') });
  });
});

/** Relative luminance of a colour as a browser computes it. */
function luminance(colour: string): number {
  const [r, g, b] = colour.match(/[\d.]+/g)!.slice(0, 3).map((text) => {
    const value = Number(text) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

// says why where it is skipped: helpers/chromium.ts
describe.skipIf(!hasChromium)('in Chromium, a report', () => {
  const browser = new Browser();
  let opened: Opened;
  beforeAll(async () => {
    await smpalloc(`report ${file('run.json')} -o ${file('run.html')}`);
    await browser.start();
    opened = await browser.open(file('run.html'));
  });
  afterAll(() => browser.stop());

  /** first cells of the table with this caption */
  const column = (caption: string, of: number) => opened.page.locator('table', { hasText: caption }).first()
    .locator('tbody tr').evaluateAll((rows, n) => rows.map((row) => row.children[n]!.textContent), of);
  const head = (caption: string, name: string) => opened.page.locator('table', { hasText: caption }).first()
    .getByRole('columnheader', { name, exact: true });
  const CAPTION = 'recorded traces; counts of one pass';
  const MESSAGES = 'per 1000';
  const AT = 7;

  test('asks for nothing but itself, and nothing is wrong in the console', () => {
    expect(opened.requests).toEqual([pathToFileURL(file('run.html')).href]);
    expect(opened.complaints).toEqual([]);
  });

  test('lets nothing run or load that was not in it', async () => {
    const { page, complaints } = await browser.open(file('run.html'));
    await page.evaluate(tamper);
    expect(await page.title()).not.toBe('taken');
    await expect.poll(() => complaints.length).toBeGreaterThan(1);
    expect(complaints.join('\n')).toContain('Content Security Policy');
    await page.close();
  });

  test('sorts a table by a click, as numbers, up, down, and as it was', async () => {
    const asItWas = await column(CAPTION, AT);
    const button = head(CAPTION, MESSAGES).getByRole('button');
    await button.click();
    expect(await column(CAPTION, AT)).toEqual(['5', '900', '1,000', '12,000']);
    expect(await head(CAPTION, MESSAGES).getAttribute('aria-sort')).toBe('ascending');
    await button.click();
    expect(await column(CAPTION, AT)).toEqual(['12,000', '1,000', '900', '5']);
    expect(await head(CAPTION, MESSAGES).getAttribute('aria-sort')).toBe('descending');
    await button.click();
    expect(await column(CAPTION, AT)).toEqual(asItWas);
    expect(await head(CAPTION, MESSAGES).getAttribute('aria-sort')).toBe('none');
  });

  test('sorts by the keyboard alone, words as words', async () => {
    const button = head(CAPTION, 'free').getByRole('button');
    await head(CAPTION, 'trace').getByRole('button').focus();
    await opened.page.keyboard.press('Tab');
    expect(await button.evaluate(isFocused)).toBe(true);
    await opened.page.keyboard.press('Enter');
    await opened.page.keyboard.press('Space');
    expect(await head(CAPTION, 'free').getAttribute('aria-sort')).toBe('descending');
    expect((await column(CAPTION, 1))[0]).toBe('rchunks');
  });

  test('tells who does not see a plot its title and what it shows', async () => {
    const plots = await opened.page.evaluate(described);
    expect(plots.length).toBeGreaterThan(10);
    for (const [title, description] of plots) {
      expect(title!.length).toBeGreaterThan(5);
      expect(description).toMatch(/\d/);
    }
  });

  test('shows what a plot is drawn from when it is asked by keyboard', async () => {
    const details = opened.page.locator('figure details').first();
    await details.locator('summary').focus();
    await opened.page.keyboard.press('Enter');
    expect(await details.locator('table').isVisible()).toBe(true);
  });

  test.each(['light', 'dark'] as const)('can be read in %s', async (colorScheme) => {
    await opened.page.emulateMedia({ colorScheme });
    const seen = await opened.page.evaluate(colours);
    expect(luminance(seen.back) > 0.5).toBe(colorScheme === 'light');
    expect(Math.min(...seen.texts.map((text: string) => contrast(text, seen.back)))).toBeGreaterThan(4.5);
    expect(Math.min(...seen.lines.map((line: string) => contrast(line, seen.back)))).toBeGreaterThan(3);
  });

  test('is light on paper, without what paper cannot do, and all of a table is on it', async () => {
    await opened.page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    // what an A4 page has room for between its margins
    await opened.page.setViewportSize({ width: 700, height: 1000 });
    const { back, data, cut, plots } = await opened.page.evaluate(onPaper);
    expect((await opened.page.evaluate(tooWide)).page).toBeLessThanOrEqual(700);
    expect(luminance(back)).toBeGreaterThan(0.9);
    expect({ data, cut }).toEqual({ data: 0, cut: 0 });
    expect(plots).toBeGreaterThan(10);
    // a pattern that is printed as a picture would make megabytes of it
    const pdf = await opened.page.pdf({ format: 'A4' });
    expect(pdf.length).toBeLessThan(1_000_000);
    await opened.page.emulateMedia({ media: 'screen', colorScheme: 'light' });
  });

  test.each([400, 1280])('is nowhere wider than a window of %d pixels', async (width) => {
    await opened.page.setViewportSize({ width, height: 900 });
    const { page, out } = await opened.page.evaluate(tooWide);
    expect(out).toEqual([]);
    expect(page).toBeLessThanOrEqual(width);
  });

  test('of a race steps through its schedule, and nothing is wrong there either', async () => {
    await smpalloc(`race explore R40 --defect R40 --quiet --html ${file('race.html')}`);
    const { page, requests, complaints } = await browser.open(file('race.html'), { width: 400, height: 800 });
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.now').textContent()).toMatch(/^step 1 of \d+: cpu/);
    expect((await page.evaluate(tooWide)).page).toBeLessThanOrEqual(400);
    expect({ requests: requests.length, complaints }).toEqual({ requests: 1, complaints: [] });
    await page.close();
  });

  test('has no word that is cut off at the edge of its plot', async () => {
    expect(await opened.page.evaluate(cutWords)).toEqual([]);
  });
});
