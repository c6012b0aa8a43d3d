/**
 * race_columns.ts — rows of a trace drawn for a terminal: a column a CPU while they fit, else one with the CPU before.
 *
 *      cpu0 owner                 | cpu1 remote                | where
 *    1 load z_RChunks -> 0        |                            | slab_link.ts:88
 *    4>                           |*st z_RChunks := 0 (was 8)  | slab_remote.ts:120
 */
import type { TraceRow } from './race_rows.js';
import type { Paint } from './text.js';

/** a column narrower than this says nothing */
const LEAST_COLUMN = 24;
/** '  12>' and the blank or '*' before the text */
const NUMBER_WIDTH = 5;
const BAR = ' | ';

/** @param width of the terminal */
export function drawColumns(
  titles: readonly string[], rows: readonly TraceRow[], width: number, paint: Paint,
): string[] {
  const widths = columnWidths(titles, rows, width);
  return widths ? sideBySide(titles, rows, widths, paint) : oneColumn(titles, rows, width, paint);
}

function whereWidth(rows: readonly TraceRow[]): number {
  return Math.max(0, ...rows.map(({ line }) => line.length));
}

/** What each column wants, the widest cut down until all fit; null: they do not. */
function columnWidths(titles: readonly string[], rows: readonly TraceRow[], width: number): number[] | null {
  const wanted = titles.map((title) => title.length + 1);
  for (const { column, text } of rows) wanted[column] = Math.max(wanted[column]!, text.length + 1);
  let over = wanted.reduce((sum, one) => sum + one + BAR.length, NUMBER_WIDTH + whereWidth(rows)) - width;
  for (; over > 0; over--) {
    const widest = wanted.indexOf(Math.max(...wanted));
    if (wanted[widest]! <= LEAST_COLUMN) return null;
    wanted[widest]!--;
  }
  return wanted;
}

function sideBySide(
  titles: readonly string[], rows: readonly TraceRow[], widths: readonly number[], paint: Paint,
): string[] {
  const join = (front: string, cells: readonly string[], where: string) =>
    `${front.padEnd(NUMBER_WIDTH)}${cells.map((cell, n) => cell.padEnd(widths[n]!)).join(BAR)}${BAR}${where}`.trimEnd();
  const lines = [paint.strong(join('', titles.map((title) => ` ${title}`), 'where'))];
  for (const row of rows) {
    const texts = wrap(row.text, widths[row.column]! - 1);
    for (const [n, text] of texts.entries()) {
      const cells = titles.map((_, column) => (column === row.column ? `${n === 0 ? mark(row) : ' '}${text}` : ''));
      lines.push(painted(row, join(n === 0 ? number(row) : '', cells, n === 0 ? row.line : ''), paint));
    }
  }
  return lines;
}

function oneColumn(titles: readonly string[], rows: readonly TraceRow[], width: number, paint: Paint): string[] {
  const names = titles.map((title) => title.split(' ')[0]!);
  const nameWidth = Math.max(...names.map((name) => name.length)) + 1;
  const front = NUMBER_WIDTH + nameWidth + 1;
  const lines = titles.map((title) => paint.strong(title));
  for (const row of rows) {
    const text = row.line === '' ? row.text : `${row.text}  (${row.line})`;
    for (const [n, part] of wrap(text, Math.max(LEAST_COLUMN, width - front)).entries()) {
      const name = (n === 0 ? names[row.column]! : '').padEnd(nameWidth);
      const start = `${(n === 0 ? number(row) : '').padEnd(NUMBER_WIDTH)}${name}${n === 0 ? mark(row) : ' '}`;
      lines.push(painted(row, `${start}${part}`.trimEnd(), paint));
    }
  }
  return lines;
}

function number(row: TraceRow): string {
  return row.kind === 'operation' ? '' : `${String(row.first).padStart(4)}${row.switched ? '>' : ''}`;
}

function mark({ marked }: TraceRow): string {
  return marked ? '*' : ' ';
}

function painted({ kind, marked }: TraceRow, line: string, paint: Paint): string {
  if (marked) return paint.bad(line);
  if (kind === 'operation') return paint.strong(line);
  return kind === 'folded' ? paint.dim(line) : line;
}

/** Lines of at most `width` characters, broken at blanks where there are any; what follows the first is indented. */
export function wrap(text: string, width: number, indent = '  '): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const blank = rest.lastIndexOf(' ', width);
    const cut = blank > 2 && rest.slice(0, blank).trim() !== '' ? blank : width;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = `${indent}${rest.slice(cut).trimStart()}`;
  }
  return [...lines, rest];
}
