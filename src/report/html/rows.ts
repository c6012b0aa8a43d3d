/** rows.ts — rows of a record as drawings see them: which belong together, and what a row is called among its like. */
import type { ModelRow } from '../../lab/model/row.js';
import type { Row } from '../../suite/claims.js';
import type { RunRecord } from '../record.js';

export type AnyRow = Row | ModelRow;

export function modelRows(rows: readonly AnyRow[]): ModelRow[] {
  return rows.filter((row): row is ModelRow => row.suite === 'model');
}

export function suiteRows(rows: readonly AnyRow[]): Row[] {
  return rows.filter((row): row is Row => row.suite !== 'model');
}

/** A record's rows: what the schema let through. */
export function rowsOf(record: Pick<RunRecord, 'rows'>): AnyRow[] {
  return record.rows as unknown as AnyRow[];
}

/** In order of first appearance. */
export function groupBy<T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const name = key(row);
    const group = groups.get(name);
    if (group) group.push(row);
    else groups.set(name, [row]);
  }
  return groups;
}

/** What rows of a drawing may differ in. */
export interface Named {
  readonly alloc: string;
  readonly free: string;
  readonly stats: string;
  readonly cpus: number;
  readonly signalDelay?: number | string;
  readonly workload?: string;
  readonly costs?: string;
}

export type Dimension = keyof Named;

const WORDS: Readonly<Record<Dimension, (row: Named) => string>> = {
  workload: (row) => row.workload ?? '',
  alloc: (row) => row.alloc,
  free: (row) => (row.free === '-' ? '' : row.free),
  stats: (row) => `stats ${row.stats}`,
  signalDelay: (row) => delayText(row.signalDelay ?? ''),
  cpus: (row) => cpusText(row.cpus),
  costs: (row) => row.costs ?? '',
};

export function cpusText(cpus: number): string {
  return `${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`;
}

export function delayText(delay: number | string): string {
  return delay === 'profile' ? "the profile's delay" : `delay ${delay}`;
}

/**
 * A name for each row, of what not all of them have in common; and what they have in common.
 * @param dimensions in which they may differ, in the order they are named
 */
export function naming<T extends Named>(rows: readonly T[], dimensions: readonly Dimension[]) {
  const differ = dimensions.filter((one) => new Set(rows.map((row) => String(row[one] ?? ''))).size > 1);
  const say = (row: T, of: readonly Dimension[]) => of.map((one) => WORDS[one](row)).filter((word) => word !== '');
  const common = rows[0] ? say(rows[0], dimensions.filter((one) => !differ.includes(one))).join(', ') : '';
  // nothing differs: what they are, then
  const own: readonly Dimension[] = differ.length > 0 ? differ : ['alloc', 'free'];
  return { common, name: (row: T) => say(row, own).join(', ') };
}

/** `list` in pieces of about the same length, none longer than `most`. */
export function inPieces<T>(list: readonly T[], most: number): T[][] {
  const pieces = Math.ceil(list.length / most);
  const size = Math.ceil(list.length / Math.max(1, pieces));
  return Array.from({ length: pieces }, (_, n) => list.slice(n * size, (n + 1) * size));
}

/** ', 2 of 3' behind a title, where there are several */
export function pieceOf(n: number, of: number): string {
  return of > 1 ? `, ${n + 1} of ${of}` : '';
}
