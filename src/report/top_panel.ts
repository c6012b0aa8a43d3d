/** top_panel.ts — a table in a box: the columns its width holds, the rows its height holds, sorted and scrolled. */
import type { Look } from './compact.js';
import { type Line, type Span, span } from './lines.js';
import type { TopColumn, TopPanel } from './top_columns.js';

export interface PanelView {
  /** head of the column that sorts it; null: the panel's own choice */
  readonly sort: string | null;
  readonly reverse: boolean;
  /** rows scrolled away */
  readonly scroll: number;
}

export interface PanelText {
  readonly lines: readonly Line[];
  /** heads of the columns that are there */
  readonly heads: readonly string[];
  /** the one it is sorted by */
  readonly sort: string;
  /** rows scrolled away, no more than there are */
  readonly scroll: number;
}

export interface PanelBox {
  readonly columns: number;
  /** lines, head and all */
  readonly rows: number;
  readonly focused: boolean;
  readonly look: Look;
}

const GAP = 2;
/** columns below which no column gives way to the place in the list */
const NARROW = 60;
/** beside the head that sorts, and where it sorts the other way round */
const MARKS: Readonly<Record<Look, readonly string[]>> = { unicode: ['▾', '▴'], ascii: ['*', '^'], plain: ['', ''] };

export function panelText(panel: TopPanel, view: PanelView, box: PanelBox): PanelText {
  const room = Math.max(0, box.rows - 1);
  const scroll = Math.max(0, Math.min(view.scroll, panel.rows.length - room));
  const last = Math.min(panel.rows.length, scroll + room);
  const where = last - scroll < panel.rows.length ? `${scroll + 1}-${last} of ${panel.rows.length}` : '';
  const reserved = where === '' || box.columns < NARROW ? 0 : GAP + where.length;
  const columns = chosen(panel, box.columns - reserved);
  const widths = columns.map((column) => widthOf(column, panel.rows));
  const sort = wantedSort(panel, view);
  const head = headLine(columns, widths, sort, view.reverse, where, box);
  const rows = sorted(panel, view).slice(scroll, last).map((row) => rowLine(columns, widths, row));
  return { lines: [head, ...rows], heads: columns.map((column) => column.head), sort, scroll };
}

/** The user's choice, unless this machine has no such column. */
function wantedSort({ columns, sort }: TopPanel, view: PanelView): string {
  return columns.some(({ head }) => head === view.sort) ? view.sort! : sort;
}

/** Columns that fit, in their own order: those of the lowest ranks. One too wide does not keep a narrower one out. */
function chosen({ columns, rows }: TopPanel, width: number): TopColumn<unknown>[] {
  const kept = new Set<TopColumn<unknown>>();
  let used = -GAP;
  for (const column of [...columns].sort((a, b) => a.rank - b.rank)) {
    const more = GAP + widthOf(column, rows);
    if (used + more > width && kept.size > 0) continue;
    kept.add(column);
    used += more;
  }
  return columns.filter((column) => kept.has(column));
}

function widthOf(column: TopColumn<unknown>, rows: readonly unknown[]): number {
  const least = Math.max(column.head.length, column.width);
  // numbers have a width of their own, so that columns stand still; names are as long as they are
  return column.rank > 0 ? least : Math.max(least, ...rows.map((row) => column.show(row).length));
}

function sorted(panel: TopPanel, view: PanelView): unknown[] {
  const { columns, rows } = panel;
  const [first] = columns;
  const head = wantedSort(panel, view);
  const wanted = columns.find((column) => column.head === head)!;
  const direction = view.reverse ? -1 : 1;
  return [...rows].sort((a, b) => direction * compared(wanted, a, b) || compared(first!, a, b));
}

/** The largest first, what nobody knows last; names and numbers that are names the other way round. */
function compared({ value, rank }: TopColumn<unknown>, a: unknown, b: unknown): number {
  const [x, y] = [value(a), value(b)];
  if (x === y) return 0;
  if (x === null || y === null) return x === null ? 1 : -1;
  const ascending = typeof x === 'string' || rank === 0;
  return x < y === ascending ? -1 : 1;
}

function headLine(
  columns: readonly TopColumn<unknown>[], widths: readonly number[], sort: string, reverse: boolean, where: string,
  { columns: width, focused, look }: PanelBox,
): Line {
  const mark = MARKS[look][reverse ? 1 : 0]!;
  const line = Array.from({ length: width }, () => ' ');
  const write = (text: string, from: number) => {
    for (const [n, letter] of [...text].entries()) if (from + n < width) line[from + n] = letter;
  };
  let at = 0;
  for (const [n, { head, left }] of columns.entries()) {
    const from = left ? at : at + widths[n]! - head.length;
    write(head, from);
    // in the gap beside the head
    if (head === sort) write(mark, left ? from + head.length : Math.max(0, from - 1));
    at += widths[n]! + GAP;
  }
  if (at + where.length <= width) write(where, width - where.length);
  return [span(line.join(''), focused ? 'focus' : 'head')];
}

function rowLine(columns: readonly TopColumn<unknown>[], widths: readonly number[], row: unknown): Line {
  const spans: Span[] = [];
  for (const [n, column] of columns.entries()) {
    if (n > 0) spans.push(span(' '.repeat(GAP)));
    const text = column.show(row);
    const role = column.role?.(row);
    spans.push(span(column.left ? text.padEnd(widths[n]!) : text.padStart(widths[n]!), role));
  }
  return spans;
}
