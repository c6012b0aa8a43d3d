/** columns.ts — columns that several tables have. */
import { PAGE_SIZE } from '../base/param.js';
import type { TraceRow } from '../suite/replay.js';
import type { RowBase, Traffic } from '../suite/suite.js';
import { type Column, integer, short } from './table.js';

/** Which allocator: where it is not dragonfly in every row. */
export function allocator<T extends RowBase>(rows: readonly T[]): Column<T>[] {
  if (rows.every(({ alloc }) => alloc === 'dragonfly')) return [];
  return [{ head: 'alloc', cell: ({ alloc }) => alloc, left: true }];
}

/** Mallocs that were made to fail: where some were to. */
export function failed<T extends RowBase>(rows: readonly T[]): Column<T>[] {
  if (rows.every((row) => row.failed === undefined)) return [];
  return [{ head: 'failed', cell: (row) => (row.failed === undefined ? '-' : integer(row.failed)) }];
}

export function memory<T extends Traffic>(): Column<T>[] {
  return [
    { head: 'locked/op', cell: ({ lockedPerOp }) => (lockedPerOp === null ? '-' : String(lockedPerOp)) },
    { head: 'pages peak', cell: ({ pagesPeak }) => integer(pagesPeak) },
    { head: 'used/asked', cell: ({ pagesPeak, askedPeak }) => times(pagesPeak * PAGE_SIZE, askedPeak) },
    { head: 'waste %', cell: ({ waste }) => (waste === null ? '-' : waste.toFixed(1)) },
  ];
}

/** Where the tables of ipi and replay end alike. */
export function traced<T extends TraceRow>(rows: readonly T[]): Column<T>[] {
  const zones = (row: T, cell: string) => (row.alloc === 'dragonfly' ? cell : '-');
  return [
    { head: 'CAS tries', cell: (row) => zones(row, integer(row.casTries)) },
    { head: 'fails', cell: (row) => zones(row, integer(row.casFails)) },
    { head: 'zones peak/end', cell: (row) => zones(row, `${row.zonesPeak}/${row.zonesEnd}`) },
    ...memory<T>(),
    ...failed(rows),
    { head: 'Mop/s', cell: (row) => short(row.mops) },
    { head: 'CPU s', cell: (row) => short(row.cpuSeconds) },
  ];
}

function times(used: number, asked: number | null): string {
  return asked === null || asked === 0 ? '-' : `${short(used / asked)}x`;
}
