/**
 * map.ts — a field of cells in a few levels of one colour. Cells of a level are one path: a map of 64 x 64 takes some
 * kilobytes, not hundreds. A larger one is folded: neighbours become one cell.
 */
import { element, px } from './svg.js';

/** levels of colour there are; cells of none stay empty */
export const LEVELS = 6;

/** @param level of the cell in a column and row: 0 ... LEVELS - 1, or -1 for none; place, and size of a cell */
export function mapDrawing(
  columns: number, rows: number, level: (column: number, row: number) => number,
  [left, top]: readonly [number, number], [width, height]: readonly [number, number],
): string {
  const paths = Array.from({ length: LEVELS }, () => '');
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; ) {
      const first = column;
      const of = level(column, row);
      while (column < columns && level(column, row) === of) column++;
      if (of < 0) continue;
      // cells that touch overlap a little: else a seam is seen between them
      const [x, y] = [left + first * width, top + row * height];
      paths[of] += `M${px(x)} ${px(y)}h${px((column - first) * width + 0.2)}v${px(height + 0.2)}h-${px(
        (column - first) * width + 0.2,
      )}z`;
    }
  }
  return paths.map((d, of) => (d === '' ? '' : element('path', { class: `q${of}`, d }))).join('');
}

/** How many neighbours become one, for `count` of them to be at most `most`. */
export function foldBy(count: number, most: number): number {
  return Math.max(1, Math.ceil(count / most));
}

/** Sums of neighbours, along both sides. */
export function foldSquare(values: readonly (readonly number[])[], by: number): number[][] {
  const size = Math.ceil(values.length / by);
  const folded = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (const [row, line] of values.entries()) {
    for (const [column, value] of line.entries()) {
      const of = folded[Math.floor(row / by)]!;
      const at = Math.floor(column / by);
      if (at < size) of[at]! += value;
    }
  }
  return folded;
}

/** What a map says of others like it that are not shown. */
export function moreMaps(left: number): string[] {
  return left > 0 ? [`Folded: maps of ${left} more ${left === 1 ? 'machine' : 'machines'} are left out.`] : [];
}
