/**
 * profile_text.ts — MALLOC_PROFILE of a run, allocators side by side: for each size requests, what they really got, and
 * what of that nobody had asked for. A size without requests has no row.
 */
import { type ProfileRow, profileTotal, wastePercent } from '../observe/malloc_profile.js';
import type { Row } from '../suite/claims.js';
import { type Column, integer, table } from './table.js';
import type { Paint } from './text.js';

interface Profiled {
  readonly alloc: string;
  readonly bySize: ReadonlyMap<number | null, ProfileRow>;
  readonly rows: readonly ProfileRow[];
}

/** A table for each suite and trace that was profiled. */
export function profileText(rows: readonly Row[], paint: Paint): string[] {
  const tables = new Map<string, Profiled[]>();
  for (const row of rows) {
    if (row.profile === undefined) continue;
    const title = 'trace' in row ? `${row.suite} ${row.trace}` : row.suite;
    const side = tables.get(title) ?? [];
    // policies ask for the same and get the same: an allocator's first will do
    if (side.every(({ alloc }) => alloc !== row.alloc)) {
      side.push({ alloc: row.alloc, rows: row.profile, bySize: new Map(row.profile.map((one) => [one.size, one])) });
    }
    tables.set(title, side);
  }
  const note = paint.dim('requests by size; real size: bytes of the largest block given');
  return [...tables].map(
    ([title, side]) => `${paint.strong(`profile of ${title}`)}  ${note}\n${sizes(side)}\n\n${totals(side)}`,
  );
}

function sizes(side: readonly Profiled[]): string {
  const found = new Set(side.flatMap(({ rows }) => rows.map(({ size }) => size)));
  const all = [...found].sort((a, b) => (a ?? Number.MAX_VALUE) - (b ?? Number.MAX_VALUE));
  const columns: Column<number | null>[] = [
    { head: 'size', cell: (size) => (size === null ? 'more' : String(size)) },
    ...side.flatMap(({ alloc, bySize }) => {
      const cell = (text: (row: ProfileRow) => string) => (size: number | null) => {
        const row = bySize.get(size);
        return row === undefined ? '-' : text(row);
      };
      return [
        { head: `${alloc}: requests`, cell: cell(({ requests }) => integer(requests)) },
        { head: 'real size', cell: cell(({ largest }) => String(largest)) },
        { head: 'waste %', cell: cell((row) => wastePercent(row).toFixed(1)) },
      ];
    }),
  ];
  return table(columns, all);
}

function totals(side: readonly Profiled[]): string {
  const columns: Column<Profiled>[] = [
    { head: 'alloc', cell: ({ alloc }) => alloc, left: true },
    { head: 'requests', cell: ({ rows }) => integer(profileTotal(rows).requests) },
    { head: 'total used', cell: ({ rows }) => integer(profileTotal(rows).given) },
    { head: 'total waste', cell: ({ rows }) => integer(profileTotal(rows).given - profileTotal(rows).asked) },
    { head: 'waste %', cell: ({ rows }) => wastePercent(profileTotal(rows)).toFixed(1) },
  ];
  return table(columns, side);
}
