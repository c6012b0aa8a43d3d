/** model_table.ts — the columns of the model's rows on a page. */
import type { ModelRow } from '../../lab/model/row.js';
import { allocator } from '../columns.js';
import { type Cells, cellsOf, type Column, integer, short } from '../table.js';

export function modelTable(rows: readonly ModelRow[]): Cells {
  const perOp = (of: (row: ModelRow) => number) => (row: ModelRow) => (row.ops > 0 ? short(of(row) / row.ops) : '-');
  const columns: Column<ModelRow>[] = [
    { head: 'workload', cell: (row) => row.workload, left: true },
    { head: 'costs', cell: (row) => row.costs, left: true },
    ...allocator(rows as never) as Column<ModelRow>[],
    { head: 'free', cell: (row) => row.free, left: true },
    { head: 'stats', cell: (row) => row.stats, left: true },
    { head: 'delay', cell: (row) => String(row.signalDelay), left: true },
    { head: 'CPUs', cell: (row) => String(row.cpus) },
    { head: 'op/µs', cell: (row) => short(row.opsPerUs) },
    { head: 'accesses/op', cell: perOp(({ counts }) => counts.accesses) },
    { head: 'locked/op', cell: perOp(({ counts }) => counts.locked) },
    { head: 'transfers/op', cell: perOp(({ counts }) => counts.transfers) },
    { head: 'remote frees', cell: ({ counts }) => integer(counts.remoteFrees) },
    { head: 'messages', cell: ({ counts }) => integer(counts.ipiMessages) },
    { head: 'interrupts', cell: ({ counts }) => integer(counts.ipiInterrupts) },
    { head: 'CAS fails', cell: ({ counts }) => integer(counts.casFails) },
    { head: 'sleeps', cell: ({ counts }) => integer(counts.sleeps) },
    { head: 'audit', cell: (row) => row.audit, left: true },
  ];
  return cellsOf(columns, rows);
}
