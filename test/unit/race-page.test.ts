/** The HTML report of an exploration: one sound file, whose script says what words hold. */
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { raceHtml } from '../../src/report/race_html.js';
import { balance, exploration, failing, hostile } from '../helpers/explorations.js';

/** Runs the page's script over as much of a document as it asks for: one counterexample that has one word. */
function run(html: string) {
  const listeners: Record<string, (event: object) => void> = {};
  const listen = (name: string) => (type: string, act: (event: object) => void) => {
    listeners[`${name} ${type}`] = act;
  };
  const element = (own: object = {}) => ({
    textContent: '', attributes: {} as Record<string, string>, classList: { add() {}, toggle() {} },
    setAttribute(name: string, value: string) { this.attributes[name] = value; },
    removeAttribute(name: string) { delete this.attributes[name]; },
    scrollIntoView() {}, ...own,
  });
  const rows = [...html.matchAll(/data-first="(\d+)" data-last="(\d+)"/g)].map(([, first, last]) =>
    element({ dataset: { first, last } }));
  const marked = () => rows.filter((row) => 'aria-current' in row.attributes);
  const json = /<script type="application\/json">(.*?)<\/script>/s.exec(html)![1]!;
  const max = Number(/type="range" min="0" max="(\d+)"/.exec(html)![1]);
  const slider = element({ addEventListener: listen('slider') });
  let at = '0';
  Object.defineProperty(slider, 'value', {
    get: () => at, set: (text) => { at = String(Math.min(max, Math.max(0, Number(text)))); },
  });
  const now = element();
  const word = element({ cells: [element(), element()] }) as unknown as { cells: { textContent: string }[] };
  const parts: Record<string, unknown> = {
    script: element({ textContent: json }), 'input[type=range]': slider, 'input[type=checkbox]': null, '.now': now,
  };
  const lists: Record<string, unknown[]> = {
    '.trace tbody': [{ querySelectorAll: () => rows }], '.values tbody tr': [word],
  };
  const section = {
    querySelector: (selector: string) => parts[selector],
    querySelectorAll: (selector: string) => lists[selector] ?? marked(),
    addEventListener: listen('section'),
  };
  runInNewContext(/<script>([\s\S]*)<\/script>\n<\/body>/.exec(html)![1]!, {
    document: {
      documentElement: element(), querySelectorAll: () => [section], addEventListener: listen('document'),
    },
  });
  return {
    value: () => word.cells[1]!.textContent,
    status: () => now.textContent,
    current: () => marked().map((row) => (row as unknown as { dataset: { first: string } }).dataset.first),
    key: (key: string) => listeners['document keydown']!({ key, target: { tagName: 'BODY' }, preventDefault() {} }),
    slide(to: number) {
      at = String(to);
      listeners['slider input']!({});
    },
  };
}

describe('the page', () => {
  test('is one file that asks for nothing', () => {
    const html = raceHtml(failing());
    expect(html).not.toMatch(/\b(src|href)=|https?:|@import|url\(/);
    expect(html).toContain("default-src 'none'");
    expect(html).toContain('prefers-color-scheme: dark');
  });

  test('is sound whatever a scenario says', () => {
    const html = raceHtml(hostile).replace('<!doctype html>', '');
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html).not.toContain('alert("x")</script>');
    const bare = html.replace(/<(script|style)([^>]*)>[\s\S]*?<\/\1>/g, '<$1></$1>');
    expect(() => balance(bare, ['meta', 'input', 'br'])).not.toThrow();
    expect(bare.replace(/<[^<>]*>/g, '')).not.toMatch(/[<>]/);
  });

  test('has the columns, the command and what is needed to use it without seeing it', () => {
    const html = raceHtml(failing());
    expect(html).toContain('smpalloc race replay free-list a3c7b');
    expect(html).toContain('<th scope="col">cpu0 remote</th>');
    expect(html).toContain('<label for="step0">step</label>');
    expect(html).toContain('role="status"');
    expect(raceHtml(exploration())).not.toContain('<section');
  });

  test('carries data its script can read, also under TSO', () => {
    const data = (html: string) => JSON.parse(/<script type="application\/json">(.*?)<\/script>/s.exec(html)![1]!);
    const { words, steps } = data(raceHtml(failing()));
    expect(words).toEqual(['0']);
    expect(steps.map(([, value, writes]: [number, string, number]) => [value, writes])).toEqual([
      ['0', 0], ['0x40400', 1], ['0x40400', 0], ['0x40400', 1], ['0', 1],
    ]);
    // a plain store is in the store buffer until it is drained
    expect(data(raceHtml(failing({}, { memory: 'tso' }))).steps.at(-1).slice(0, 3)).toEqual([0, '0', 0]);
    expect(data(raceHtml(hostile)).steps[0][3]).toContain('<script>');
  });

  test('shows what the words hold after the step that is chosen', () => {
    const page = run(raceHtml(failing()));
    expect([page.value(), page.status(), page.current()]).toEqual(['0', 'before the first step', []]);
    for (const value of ['0', '0x40400', '0x40400', '0x40400', '0', '0']) {
      page.key('ArrowRight');
      expect(page.value()).toBe(value);
    }
    expect(page.current()).toEqual(['5']);
    expect(page.status()).toBe('step 5 of 5: cpu1 st z_RChunks := 0 (was 0x40400)');
    page.key('ArrowLeft');
    expect(page.current()).toEqual(['4']);
    page.slide(0);
    expect([page.value(), page.current()]).toEqual(['0', []]);
  });
});
