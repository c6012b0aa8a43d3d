/** top_keys.ts — what a key does to the view of `smpalloc top`: a pure function. */
import { PANEL_NAMES, type PanelName } from '../report/top_columns.js';
import type { PanelView } from '../report/top_panel.js';
import type { TopScreen, TopView } from '../report/top_text.js';

/** milliseconds between two samples that + and - choose from */
export const WAITS = [100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];
const PAGE = 10;

const FOCUS: Readonly<Record<string, PanelName>> = { c: 'cpus', t: 'types', z: 'zones' };
const SCROLLS: Readonly<Record<string, number>> = {
  up: -1, down: 1, k: -1, j: 1, pageup: -PAGE, pagedown: PAGE, home: -Infinity, end: Infinity,
};

/** @param shown what the screen shows at that moment @returns the view as it is from then on */
export function keyPressed(view: TopView, key: string, shown: TopScreen['shown'], ncpu: number): TopView {
  if (view.help) return { ...view, help: false };
  const scroll = SCROLLS[key];
  if (scroll !== undefined) return scrolled(view, shown, scroll);
  if (/^[1-9]$/.test(key)) return sortedBy(view, shown[view.focus]?.heads[Number(key) - 1]);
  const focus = FOCUS[key];
  if (focus !== undefined) return { ...view, focus };
  switch (key) {
    case 'h': case '?': return { ...view, help: true };
    case 'tab': return { ...view, focus: PANEL_NAMES[(PANEL_NAMES.indexOf(view.focus) + 1) % PANEL_NAMES.length]! };
    case 'o': return { ...view, only: !view.only };
    case 'space': return { ...view, paused: !view.paused };
    case 's': return sortedBy(view, nextHead(view, shown));
    case 'r': return withPanel(view, (panel) => ({ ...panel, reverse: !panel.reverse }));
    case '+': return { ...view, waitMs: WAITS.findLast((ms) => ms < view.waitMs) ?? view.waitMs };
    case '-': return { ...view, waitMs: WAITS.find((ms) => ms > view.waitMs) ?? view.waitMs };
    case 'left': return { ...view, firstCpu: Math.max(0, view.firstCpu - 1) };
    case 'right': return { ...view, firstCpu: Math.min(ncpu - 1, view.firstCpu + 1) };
    default: return view;
  }
}

function withPanel(view: TopView, change: (panel: PanelView) => PanelView): TopView {
  return { ...view, panels: { ...view.panels, [view.focus]: change(view.panels[view.focus]) } };
}

/** From where the screen really is: it does not scroll past its end. */
function scrolled(view: TopView, shown: TopScreen['shown'], rows: number): TopView {
  const from = shown[view.focus]?.scroll ?? 0;
  const scroll = Math.max(0, Math.min(Number.MAX_SAFE_INTEGER, from + rows));
  return withPanel(view, (panel) => ({ ...panel, scroll }));
}

function sortedBy(view: TopView, head: string | undefined): TopView {
  return head === undefined ? view : withPanel(view, (panel) => ({ ...panel, sort: head, reverse: false, scroll: 0 }));
}

/** The column behind the one that sorts; behind the last comes the first. */
function nextHead(view: TopView, shown: TopScreen['shown']): string | undefined {
  const { heads = [], sort = '' } = shown[view.focus] ?? {};
  return heads[(heads.indexOf(sort) + 1) % heads.length];
}
