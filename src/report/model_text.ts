/**
 * model_text.ts — a sweep of the model on the terminal: throughput and counts of each cell, which lines move and where
 * the time goes at the largest number of CPUs, the laws.
 */
import type { LineCount, ModelRow, ModelTime } from '../lab/model/row.js';
import { lawText } from './law_text.js';
import { type Column, integer, short, table } from './table.js';
import type { Paint } from './text.js';

/** lines of a table of lines; the rest is summed */
const MOST_LINES = 10;

export function modelText(rows: readonly ModelRow[], paint: Paint): string {
  const parts = byWorkload(rows).flatMap((group) => {
    const { workload, costs } = group[0]!;
    const largest = atMost(group);
    const at = `at ${largest[0]!.cpus} CPUs`;
    return [
      `${paint.strong(workload)}  ${paint.dim(`model, costs of ${costs}: counts are exact, times predictions`)}`,
      cells(group),
      `${paint.dim(`line transfers an operation, ${at}, by structure line`)}\n${lineTable(largest)}`,
      `${paint.dim(`where the time goes, ${at}, percent`)}\n${timeTable(largest)}`,
    ];
  });
  const failed = rows.filter(({ audit }) => audit !== 'ok');
  for (const row of failed) parts.push(paint.bad(`AUDIT FAILED  ${row.workload} ${policies(row)}: ${row.audit}`));
  return [...parts, lawText(rows, paint)].filter((part) => part !== '').join('\n\n');
}

function byWorkload(rows: readonly ModelRow[]): ModelRow[][] {
  const groups = new Map<string, ModelRow[]>();
  for (const row of rows) {
    const key = `${row.workload} ${row.costs}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

function atMost(rows: readonly ModelRow[]): ModelRow[] {
  const most = Math.max(...rows.map(({ cpus }) => cpus));
  const largest = rows.filter(({ cpus }) => cpus === most);
  // a trace as recorded, and folded to as many CPUs, is one
  return largest.filter((row, n) => largest.findIndex((other) => policies(other) === policies(row)) === n);
}

const policies = ({ alloc, free, stats, signalDelay }: ModelRow): string =>
  [alloc, free, stats, signalDelay].join(' ');

function cells(rows: readonly ModelRow[]): string {
  const remote = rows.some(({ counts }) => counts.remoteFrees > 0);
  const perOp = (row: ModelRow, count: number) => short(count / row.ops);
  const columns: Column<ModelRow>[] = [
    { head: 'CPUs', cell: (row) => String(row.cpus) },
    ...differing(rows),
    { head: 'op/us', cell: (row) => short(row.opsPerUs) },
    { head: 'speed-up', cell: (row) => speedUp(row, rows) },
    { head: 'locked/op', cell: (row) => perOp(row, row.counts.locked) },
    { head: 'transfers/op', cell: (row) => perOp(row, row.counts.transfers) },
    { head: 'invalid./op', cell: (row) => perOp(row, row.counts.invalidations) },
    ...(remote ? remoteColumns : []),
    { head: 'lock wait %', cell: (row) => short(lockWait(row)) },
  ];
  return table(columns, [...rows].sort((a, b) => a.cpus - b.cpus || a.cell - b.cell));
}

const remoteColumns: Column<ModelRow>[] = [
  { head: 'remote frees', cell: ({ counts }) => integer(counts.remoteFrees) },
  { head: 'messages', cell: ({ counts }) => integer(counts.ipiMessages) },
  { head: 'per 1000', cell: ({ counts }) => ratio(1000 * counts.ipiMessages, counts.remoteFrees) },
  { head: 'interrupts', cell: ({ counts }) => integer(counts.ipiInterrupts) },
  { head: 'handler runs', cell: ({ counts }) => integer(counts.handlerRuns) },
  { head: 'done/run', cell: ({ counts }) => ratio(counts.handled, counts.handlerRuns) },
];

const ratio = (a: number, b: number): string => (b === 0 ? '-' : short(a / b));

/** Columns of what is not the same in all rows; the policies of statistics or frees, whichever is. */
function differing(rows: readonly ModelRow[]): Column<ModelRow>[] {
  const names = [['alloc', 'alloc'], ['free', 'free'], ['stats', 'stats'], ['signalDelay', 'delay']] as const;
  return names
    .filter(([name]) => rows.some((row) => row[name] !== rows[0]![name]))
    .map(([name, head]) => ({ head, cell: (row) => String(row[name]), left: true }));
}

/** Against the same policies on the fewest CPUs, which count for what they are. */
function speedUp(row: ModelRow, rows: readonly ModelRow[]): string {
  const same = rows.filter((other) => policies(other) === policies(row));
  const first = same.reduce((a, b) => (b.cpus < a.cpus ? b : a));
  return first.cpus === row.cpus ? '-' : `${short((row.opsPerUs / first.opsPerUs) * first.cpus)}x`;
}

/** Percent of all CPU time in loops and asleep for a lock, and waiting for its line. */
function lockWait(row: ModelRow): number {
  const locks = row.lines.filter(({ line }) => isLock(line));
  const waits = locks.reduce((sum, { waitNs, queueNs }) => sum + waitNs + queueNs, 0);
  return (100 * waits) / (row.cpus * row.ns);
}

/** Lines with a mutex in them: their names say so. */
function isLock(line: string): boolean {
  return /mtx|lock/i.test(line);
}

function lineTable(rows: readonly ModelRow[]): string {
  const totals = new Map<string, number>();
  for (const { lines, ops } of rows) {
    for (const { line, transfers } of lines) totals.set(line, (totals.get(line) ?? 0) + transfers / ops);
  }
  const moved = [...totals].filter(([, perOp]) => perOp > 0).sort((a, b) => b[1] - a[1]).map(([line]) => line);
  if (moved.length === 0) return 'none';
  const rest = moved.slice(MOST_LINES);
  const entries: [string, readonly string[]][] = moved.slice(0, MOST_LINES).map((line) => [line, [line]]);
  if (rest.length > 0) entries.push([`${rest.length} others`, rest]);
  entries.push(['all', moved]);
  const columns: Column<[string, readonly string[]]>[] = [
    { head: 'line', cell: ([title]) => title, left: true },
    ...rows.map((row) => ({
      head: columnName(row, rows),
      cell: ([, names]: [string, readonly string[]]) => short(sum(row.lines, names) / row.ops),
    })),
  ];
  return table(columns, entries);
}

const sum = (lines: readonly LineCount[], names: readonly string[]): number =>
  lines.filter(({ line }) => names.includes(line)).reduce((total, { transfers }) => total + transfers, 0);

/** What tells a column from the others. */
function columnName(row: ModelRow, rows: readonly ModelRow[]): string {
  const parts = (['alloc', 'free', 'stats', 'signalDelay'] as const)
    .filter((name) => rows.some((other) => other[name] !== row[name]))
    .map((name) => String(row[name]));
  return parts.length > 0 ? parts.join(' ') : row.free === '-' ? row.alloc : row.free;
}

const TIME_HEADS: Readonly<Record<keyof ModelTime, string>> = {
  own: 'own lines', locked: 'locked ops', memory: 'memory', transfer: 'transfers', queue: 'line queues', ipi: 'IPIs',
  spin: 'spinning', sleep: 'asleep', idle: 'done early',
};

function timeTable(rows: readonly ModelRow[]): string {
  const columns: Column<ModelRow>[] = [
    { head: 'policy', cell: (row) => columnName(row, rows), left: true },
    ...Object.entries(TIME_HEADS).map(([part, head]) => ({
      head, cell: (row: ModelRow) => short((100 * row.time[part as keyof ModelTime]) / (row.cpus * row.ns)),
    })),
  ];
  return table(columns, rows);
}
