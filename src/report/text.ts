/** text.ts — a record for people: a table a suite, then a line a claim. */
import type { Claim, Row } from '../suite/claims.js';
import type { IpiRow } from '../suite/ipi.js';
import { LOOP_NAMES, type LoopRow } from '../suite/loops.js';
import type { ReplayRow } from '../suite/replay_row.js';
import type { StatsRow } from '../suite/stats.js';
import { NOT_AUDITED } from '../suite/suite.js';
import { allocator, failed, memory, traced } from './columns.js';
import { profileText } from './profile_text.js';
import { type Cells, cellsOf, type Column, integer, layOut, short } from './table.js';

export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  strong(text: string): string;
  dim(text: string): string;
}

/** The rows of one suite. */
export interface SuiteTable {
  readonly title: string;
  readonly note: string;
  readonly cells: Cells;
}

/** A table a suite, in a fixed order. */
export function suiteTables(rows: readonly Row[]): SuiteTable[] {
  const tables: SuiteTable[] = [];
  const add = (title: string, note: string, cells: Cells) => tables.push({ title, note, cells });
  const ipi = rows.filter((row): row is IpiRow => row.suite === 'ipi');
  if (ipi.length > 0) add('IPI table', 'recorded traces; counts of one pass, medians', ipiTable(ipi));
  const stats = rows.filter((row): row is StatsRow => row.suite === 'stats');
  const ratios = 'malloc_type updates; ratio = time over critical, 95 % interval';
  if (stats.length > 0) add('stats table', ratios, statsTable(stats));
  for (const name of LOOP_NAMES) {
    const loops = rows.filter((row): row is LoopRow => row.suite === name);
    if (loops.length > 0) add(name, `${loops[0]!.rounds} rounds in turn; ns an operation of one CPU`, loopTable(loops));
  }
  const replay = rows.filter((row): row is ReplayRow => row.suite === 'replay');
  if (replay.length > 0) add('replay', replay[0]!.trace, replayTable(replay));
  return tables;
}

export function suiteText(rows: readonly Row[], paint: Paint): string {
  const parts = suiteTables(rows).map(
    ({ title, note, cells }) => `${paint.strong(title)}  ${paint.dim(note)}\n${layOut(cells)}`,
  );
  parts.push(...profileText(rows, paint));
  const audits = rows.filter(({ audit }) => audit !== 'ok' && audit !== NOT_AUDITED);
  for (const row of audits) {
    const policy = row.alloc === 'dragonfly' ? row.free : row.alloc;
    parts.push(paint.bad(`AUDIT FAILED  ${row.suite} ${policy} ${row.stats}: ${row.audit}`));
  }
  return parts.join('\n\n');
}

export function claimsText(claims: readonly Claim[], paint: Paint): string {
  return claims
    .map(({ id, pass, text, measured }) => {
      const verdict = pass ? paint.good('PASS') : paint.bad('FAIL');
      return `${verdict}  ${text}: ${measured}  ${paint.dim(`[${id}]`)}`;
    })
    .join('\n');
}

function ipiTable(rows: readonly IpiRow[]): Cells {
  const columns: Column<IpiRow>[] = [
    { head: 'trace', cell: (row) => row.trace, left: true },
    ...allocator(rows),
    { head: 'free', cell: (row) => row.free, left: true },
    { head: 'allocations', cell: (row) => integer(row.allocations) },
    { head: 'remote frees', cell: (row) => integer(row.remoteFrees) },
    { head: 'messages', cell: (row) => integer(row.ipiMessages) },
    { head: 'interrupts', cell: (row) => integer(row.ipiInterrupts) },
    { head: 'avoided', cell: (row) => integer(row.ipiAvoided) },
    { head: 'per 1000', cell: (row) => short(row.per1000) },
    { head: 'reduction', cell: (row) => `${integer(row.reduction)}x` },
    ...traced(rows),
  ];
  return cellsOf(columns, rows);
}

function statsTable(rows: readonly StatsRow[]): Cells {
  const columns: Column<StatsRow>[] = [
    { head: 'where', cell: (row) => row.where, left: true },
    { head: 'CPUs', cell: (row) => String(row.cpus) },
    ...allocator(rows),
    { head: 'stats', cell: (row) => row.stats, left: true },
    { head: 'Mop/s', cell: (row) => short(row.mops) },
    { head: 'ratio', cell: (row) => row.ratioToCritical.toFixed(2) },
    { head: '95 %', cell: (row) => `${row.ratioLow.toFixed(2)}..${row.ratioHigh.toFixed(2)}` },
    { head: 'locked/op', cell: (row) => short(row.lockedPerOp) },
    ...failed(rows),
    { head: 'CPU s', cell: (row) => short(row.cpuSeconds) },
  ];
  const order = (row: StatsRow) => (row.where === 'update' ? 0 : 1000) + row.cpus;
  return cellsOf(columns, [...rows].sort((a, b) => order(a) - order(b)));
}

function loopTable(rows: readonly LoopRow[]): Cells {
  const peers = Object.keys(rows[0]!.peers ?? {});
  const compared = rows.some((row) => row.ratioToDragonfly !== undefined);
  const ratio: Column<LoopRow> = {
    head: 'ratio',
    cell: ({ ratioToDragonfly }) => (ratioToDragonfly === undefined ? '-' : ratioToDragonfly.toFixed(2)),
  };
  const columns: Column<LoopRow>[] = [
    ...allocator(rows),
    { head: 'free', cell: (row) => row.free, left: true },
    { head: 'stats', cell: (row) => row.stats, left: true },
    { head: 'CPUs', cell: (row) => String(row.cpus) },
    { head: 'ns', cell: (row) => short(row.nsPerPair) },
    { head: 'min..max', cell: (row) => `${short(row.nsMin)}..${short(row.nsMax)}` },
    { head: 'Mop/s', cell: (row) => short(row.mops) },
    ...(compared ? [ratio] : []),
    { head: 'remote frees', cell: (row) => integer(row.remoteFrees) },
    { head: 'messages', cell: (row) => integer(row.ipiMessages) },
    ...memory<LoopRow>(),
    ...failed(rows),
    { head: 'CPU s', cell: (row) => short(row.cpuSeconds) },
    ...peers.map((peer) => ({ head: peer, cell: (row: LoopRow) => short(row.peers?.[peer]) })),
  ];
  return cellsOf(columns, rows);
}

function replayTable(rows: readonly ReplayRow[]): Cells {
  const columns: Column<ReplayRow>[] = [
    ...allocator(rows),
    { head: 'free', cell: (row) => row.free, left: true },
    { head: 'CPUs', cell: (row) => String(row.cpus) },
    { head: 'allocations', cell: (row) => integer(row.allocations) },
    { head: 'frees', cell: (row) => integer(row.frees) },
    { head: 'remote', cell: (row) => integer(row.remoteFrees) },
    { head: 'messages', cell: (row) => integer(row.ipiMessages) },
    { head: 'interrupts', cell: (row) => integer(row.ipiInterrupts) },
    { head: 'per 1000', cell: (row) => short(row.per1000) },
    ...traced(rows),
  ];
  return cellsOf(columns, rows);
}
