/** table.ts — plain tables: numbers to the right, words to the left, two blanks between, no boxes. */

export interface Column<T> {
  readonly head: string;
  readonly cell: (row: T) => string;
  /** words stand left */
  readonly left?: boolean;
}

/** A table as it is read: whoever draws it needs to know no more. */
export interface Cells {
  readonly columns: readonly { readonly head: string; readonly left?: boolean }[];
  readonly rows: readonly (readonly string[])[];
}

export function cellsOf<T>(columns: readonly Column<T>[], rows: readonly T[]): Cells {
  return { columns, rows: rows.map((row) => columns.map((column) => column.cell(row))) };
}

export function table<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  return layOut(cellsOf(columns, rows));
}

export function layOut({ columns, rows: cells }: Cells): string {
  const widths = columns.map((column, n) => Math.max(column.head.length, ...cells.map((line) => line[n]!.length)));
  const line = (texts: readonly string[]) =>
    texts
      .map((text, n) => (columns[n]!.left ? text.padEnd(widths[n]!) : text.padStart(widths[n]!)))
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ head }) => head)), ...cells.map(line)].join('\n');
}

/** 1234567 -> 1,234,567 */
export function integer(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Three significant digits, without an exponent. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-';
  if (value === 0) return '0';
  if (Math.abs(value) >= 100) return integer(value);
  return value.toPrecision(3).replace(/\.0+$/, '');
}
