/**
 * top_text.ts — the screen of `smpalloc top`, as text of a given size: a pure function of an interval and a view.
 *
 *   title      what is watched, its policies, how long it has been up            ┐
 *   calls      allocations and frees a second, remote ones, their course         │ as many as the height allows
 *   IPIs       messages, interrupts, what a message brought                      │
 *   memory     pages in use, free ones, the largest free block                   ┘
 *   panels     CPUs, malloc types, zones: the one in focus gets the room that is left
 *   keys
 */
import type { Interval } from '../observe/interval.js';
import { bar, clock, compact, compactBytes, curve, type Look, percent } from './compact.js';
import { cut, fitting, leftAndRight, type Line, lineWidth, type Role, span } from './lines.js';
import { PANEL_NAMES, type PanelName, type TopPanel, topPanels } from './top_columns.js';
import { type PanelText, type PanelView, panelText } from './top_panel.js';

export interface TopView {
  /** what is watched: a workload, a socket */
  readonly source: string;
  readonly waitMs: number;
  readonly paused: boolean;
  readonly help: boolean;
  readonly focus: PanelName;
  /** the panel in focus has the screen for itself */
  readonly only: boolean;
  readonly panels: Readonly<Record<PanelName, PanelView>>;
  /** where the columns by CPU begin */
  readonly firstCpu: number;
  /** allocations a second of the intervals so far, the newest last */
  readonly history: readonly number[];
  /** what the screen can show */
  readonly look: Look;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface TopScreen {
  readonly lines: readonly Line[];
  /** of each panel that is there */
  readonly shown: Readonly<Partial<Record<PanelName, Omit<PanelText, 'lines'>>>>;
}

export const FIRST_VIEW: Omit<TopView, 'source' | 'waitMs' | 'look'> = {
  paused: false, help: false, focus: 'cpus', only: false, firstCpu: 0, history: [],
  panels: {
    cpus: { sort: null, reverse: false, scroll: 0 }, types: { sort: null, reverse: false, scroll: 0 },
    zones: { sort: null, reverse: false, scroll: 0 },
  },
};

/** rows from which on there is room for all of the header, and for empty lines between panels */
const ROOMY = 16;
/** lines of a panel that the others leave it, and lines below which there is room for hardly more than one panel */
const LEAST_ROWS = 3;
const LITTLE = 10;
const MEMORY_CELLS = 16;

export function topScreen(interval: Interval, view: TopView, size: Size): TopScreen {
  const head = topHead(interval, view, size);
  const foot = size.rows >= 6 ? [keys(view, size.columns)] : [];
  const gap = size.rows >= ROOMY ? 1 : 0;
  const room = size.rows - head.length - foot.length - gap;
  const { lines, shown } = view.help ? { lines: helpLines(), shown: {} } : body(interval, view, size.columns, room);
  const middle = [...Array.from({ length: gap }, (): Line => []), ...lines].slice(0, Math.max(0, room + gap));
  const blank = Array.from({ length: size.rows - head.length - foot.length - middle.length }, (): Line => []);
  const all = [...head, ...middle, ...blank, ...foot].slice(0, size.rows);
  return { lines: all.map((line) => cut(line, size.columns)), shown };
}

// ---- above the panels

function topHead(interval: Interval, view: TopView, size: Size): Line[] {
  const wide = size.columns;
  const title = titleLine(interval, view, wide);
  if (interval.panic !== '') return [title, [span(`panic: ${interval.panic}`, 'bad')]];
  const calls = interval.seconds === null ? waiting(view) : callsLine(interval, view, wide);
  if (size.rows < 8) return [title, calls];
  const memory = memoryLine(interval, view, wide);
  return size.rows < ROOMY ? [title, calls, memory] : [title, calls, ipiLine(interval, wide), memory];
}

function titleLine({ machine }: Interval, { source, paused, waitMs }: TopView, columns: number): Line {
  const policies = machine.free === '-' ? [machine.alloc, machine.stats] : [machine.alloc, machine.free, machine.stats];
  const most = Math.max(12, Math.trunc(columns / 3));
  const short = source.length > most ? `...${source.slice(3 - most)}` : source;
  const state = paused ? span('paused', 'warn') : span(`every ${wait(waitMs)}`);
  const items: Line[] = [
    [span(short, 'strong')], [span(policies.join(' '))], [span(`${machine.ncpu} CPU${machine.ncpu === 1 ? '' : 's'}`)],
    [span(`up ${clock(machine.uptime)}`)],
  ];
  return leftAndRight(fitting(items, columns), [state], columns);
}

const wait = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);

function waiting({ waitMs }: TopView): Line {
  return [span(`waiting for the second sample, ${wait(waitMs)}: rates are differences`, 'warn')];
}

/** `allocs 12.3M/s` */
function rate(what: string, value: number | null, role?: Role): Line {
  return [span(`${what} `), span(value === null ? '-' : `${compact(value)}/s`, role)];
}

const of = (part: number | null, whole: number | null): number | null =>
  part === null || whole === null || whole === 0 ? null : part / whole;

function callsLine({ perSecond: all, machine }: Interval, { history, look }: TopView, columns: number): Line {
  const remote: Line[] = all.remoteFrees === null ? [] : [
    [...rate('remote', all.remoteFrees), span(` ${percent(of(all.remoteFrees, all.frees))}`)],
  ];
  const none = machine.stats === 'none' ? [[span('statistics policy none: calls are not counted', 'dim')]] : [];
  const left = fitting(
    [...none, rate('allocs', all.allocs, 'strong'), rate('frees', all.frees, 'strong'), ...remote], columns,
  );
  const room = columns - lineWidth(left) - 3;
  return leftAndRight(left, [span(curve(history.slice(-Math.max(1, room)), look), 'dim')], columns);
}

function ipiLine({ perSecond: all }: Interval, columns: number): Line {
  const share = of(all.avoided, all.interrupts === null || all.avoided === null ? null : all.interrupts + all.avoided);
  const thousand = of(all.messages, all.remoteFrees);
  const late = of(all.casFails, all.casTries);
  const each = of(all.handled, all.runs);
  return fitting([
    rate('IPIs', all.messages, 'strong'), rate('interrupts', all.interrupts),
    [span(`avoided ${percent(share)}`)],
    ...(each === null ? [] : [[span(`${compact(each)} a run`)]]),
    ...(thousand === null ? [] : [[span(`${compact(thousand * 1000)} per 1000 remote frees`)]]),
    ...(late === null ? [] : [[span(`CAS too late ${percent(late)}`)]]),
  ], columns);
}

function memoryLine(interval: Interval, { look }: TopView, columns: number): Line {
  const { size, total, free, wired, peak, blocks } = interval.pages;
  const part = total === 0 ? 0 : wired / total;
  const role: Role = part > 0.9 ? 'bad' : part > 0.7 ? 'warn' : 'good';
  const order = blocks.findLastIndex((count) => count > 0);
  const spare = interval.cpus.reduce((sum, { spareZones }) => sum + spareZones, 0);
  const barSpans = look === 'plain' ? [] : [span(bar(part, MEMORY_CELLS, look), role), span(' ')];
  const bytes = (pages: number) => compactBytes(pages * size);
  return fitting([
    [span('memory '), ...barSpans, span(`${bytes(wired)} of ${bytes(total)}`)],
    [span(`free ${compact(free)} pages`)],
    [span(`largest block ${order < 0 ? 'none' : bytes(2 ** order)}`)],
    [span(`peak ${bytes(peak)}`)],
    ...(interval.machine.alloc === 'dragonfly' ? [[span(`${spare} spare zones`)]] : []),
  ], columns);
}

// ---- the panels

function body(
  interval: Interval, view: TopView, columns: number, room: number,
): { lines: Line[]; shown: TopScreen['shown'] } {
  const panels = topPanels(interval, view.firstCpu, view.look);
  const heights = panelHeights(panels, view, room);
  const shown: Partial<Record<PanelName, PanelText>> = {};
  const lines: Line[] = [];
  for (const name of PANEL_NAMES) {
    const rows = heights[name];
    if (rows === 0) continue;
    if (lines.length > 0 && room >= ROOMY) lines.push([]);
    const { look } = view;
    const text = panelText(panels[name], view.panels[name], { columns, rows, focused: name === view.focus, look });
    shown[name] = text;
    lines.push(...text.lines);
  }
  return { lines, shown };
}

/**
 * Lines of each panel, 0: it is left out. The one in focus takes what it needs of what the others' least leaves; where
 * there is little room, of all.
 */
export function panelHeights(
  panels: Readonly<Record<PanelName, TopPanel>>, { focus, only }: Pick<TopView, 'focus' | 'only'>, room: number,
): Record<PanelName, number> {
  const heights: Record<PanelName, number> = { cpus: 0, types: 0, zones: 0 };
  const needs = (name: PanelName) => 1 + panels[name].rows.length;
  const little = room < LITTLE;
  const least = (name: PanelName) => {
    const most = name === focus && (only || little) ? room : Math.max(LEAST_ROWS, Math.trunc(room / 5));
    return Math.min(needs(name), most);
  };
  let left = room - (room >= ROOMY && !only ? PANEL_NAMES.length - 1 : 0);
  for (const name of new Set([focus, ...PANEL_NAMES])) {
    const rows = Math.min(left, least(name));
    // a head without a row says nothing
    if (name !== focus && (only || rows < Math.min(2, needs(name)))) continue;
    heights[name] = rows;
    left -= rows;
  }
  const grow = (name: PanelName, most: number) => {
    const more = heights[name] === 0 ? 0 : Math.min(left, most, needs(name) - heights[name]);
    heights[name] += more;
    left -= more;
    return more;
  };
  grow(focus, left);
  // what is left goes to the others line by line
  while (PANEL_NAMES.map((name) => grow(name, 1)).some((more) => more > 0));
  return heights;
}

// ---- below them

function keys({ help, paused, look }: TopView, columns: number): Line {
  const arrows = look === 'unicode' ? '↑↓' : 'arrows';
  const items = help ? ['any key: back', 'q quit'] : [
    'q quit', 'h help', 'tab panel', 's sort', `space ${paused ? 'go on' : 'pause'}`, '+ - interval',
    `${arrows} scroll`, 'o only this', 'r reverse',
  ];
  return fitting(items.map((text) => [span(text, 'dim')]), columns);
}

const HELP: readonly (readonly [key: string, what: string])[] = [
  ['q, ^D', 'quit; ^C too, with exit code 130'],
  ['tab, c t z', 'the panel keys are about: CPUs, types, zones'],
  ['o', 'only this panel, or all'],
  ['s, 1 ... 9', 'sort by the next column, by the n-th'],
  ['r', 'the other way round'],
  ['arrows, page keys', 'scroll rows; left, right: columns by CPU'],
  ['space', 'pause, and go on'],
  ['+, -', 'look more often, less often'],
  ['^Z', 'suspend'],
  ['', ''],
  ['alloc/s, free/s', 'calls of malloc and free that succeeded'],
  ['remote/s', 'frees of chunks whose zone is another CPU\'s'],
  ['IPI/s', 'messages sent; intr/s: interrupts raised for them'],
  ['avoid/s', 'messages whose target had been interrupted already'],
  ['run/s', 'runs of the IPI handler; done/s: messages it did'],
  ['queued', 'messages on their way to this CPU now'],
  ['home/s', 'chunks that came back through RChunks'],
  ['CAS late', 'compare-and-swaps on RChunks that lost'],
  ['growth/s', 'bytes in use, more than a second before'],
  ['out, full', 'chunks in use or on their way home, of all'],
  ['caches, cpu0 ...', "items in CPUs' buckets; of the slabs: zones they own"],
];

function helpLines(): Line[] {
  return HELP.map(([key, what]) => [span(key.padEnd(19), 'strong'), span(what)]);
}

// ---- where nobody looks at a screen

/** One interval as plain lines, an empty one at the end. */
export function topBlock(interval: Interval, view: TopView, columns: number): string {
  const panels = topPanels(interval, 0, view.look);
  const lines: Line[] = topHead(interval, view, { columns, rows: ROOMY });
  for (const name of PANEL_NAMES) {
    const rows = panels[name].rows.length + 1;
    const box = { columns, rows, focused: false, look: view.look };
    if (rows > 1) lines.push([], ...panelText(panels[name], view.panels[name], box).lines);
  }
  return `${lines.map((line) => cut(line, columns).map(({ text }) => text).join('').trimEnd()).join('\n')}\n\n`;
}
