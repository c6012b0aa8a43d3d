/** plot_waste.ts — the staircase of waste: of what requests of a size were given, the part nobody had asked for. */
import { type ProfileRow, profileTotal, wastePercent } from '../../observe/malloc_profile.js';
import type { Row } from '../../suite/claims.js';
import { integer } from '../table.js';
import { linearAxis, logAxis, type Value } from './axis.js';
import type { Figure } from './figure.js';
import { type Box, frame } from './frame.js';
import { linesDrawing, type Point, type Series } from './lines.js';
import { type AnyRow, groupBy } from './rows.js';

const BOX: Box = { left: 46, right: 466, top: 28, bottom: 250 };
const MORE = 'more';

interface Profiled {
  readonly title: string;
  readonly alloc: string;
  readonly profile: readonly ProfileRow[];
}

/** A drawing for each suite and trace that was profiled, allocators side by side. */
export function wasteFigures(rows: readonly AnyRow[]): Figure[] {
  const profiled = rows.flatMap((row): Profiled[] => {
    const { suite, alloc, profile = [] } = row as Row;
    return profile.length === 0 ? [] : [{ title: 'trace' in row ? `${suite} ${row.trace}` : suite, alloc, profile }];
  });
  return [...groupBy(profiled, ({ title }) => title).values()].map(figureOf);
}

function figureOf(profiled: readonly Profiled[]): Figure {
  // policies ask for the same and get the same: an allocator's first will do
  const sides = [...groupBy(profiled, ({ alloc }) => alloc).values()].map(([first]) => first!);
  const sizes: Value[] = sides.flatMap(({ profile }) => profile.map(({ size }) => size ?? MORE));
  const x = logAxis(sizes, { title: 'bytes asked for', range: [BOX.left + 8, BOX.right - 12] });
  const all = sides.flatMap(({ profile }) => profile.map(wastePercent));
  const y = linearAxis(all, { title: '% of the bytes given', range: [BOX.bottom, BOX.top] });
  const series = sides.map(({ alloc, profile }, style): Series => ({
    name: `${alloc}: ${wastePercent(profileTotal(profile)).toFixed(1)} % in all`, style, steps: true,
    points: profile.map((row): Point => {
      const waste = wastePercent(row);
      const said = `${row.size ?? 'more'} bytes: ${waste.toFixed(1)} %, ${integer(row.requests)} requests`;
      return { x: row.size ?? MORE, y: waste, said };
    }),
  }));
  const { title } = profiled[0]!;
  return {
    title: `Waste by size: ${title}`,
    says: 'What requests of a size were given and had not asked for. Sizes are rounded up to 16 bytes.',
    summary: sides.map(({ alloc, profile }) => {
      const total = profileTotal(profile);
      return `${alloc}: ${wastePercent(total).toFixed(1)} % of all bytes, ${integer(total.requests)} requests`;
    }).join('; '),
    width: 480, height: BOX.bottom + 42,
    drawing: () => frame(BOX, x, y) + linesDrawing(series, x, y),
    legend: series.map(({ name, style }) => ({ name, style, kind: 'line' })), notes: [],
    data: () => ({
      columns: [
        { head: 'alloc', left: true }, { head: 'size' }, { head: 'requests' }, { head: 'asked' }, { head: 'given' },
        { head: 'largest' }, { head: 'waste %' },
      ],
      rows: sides.flatMap(({ alloc, profile }) => profile.map((row) => [
        alloc, row.size === null ? MORE : String(row.size), integer(row.requests), integer(row.asked),
        integer(row.given), integer(row.largest), wastePercent(row).toFixed(1),
      ])),
    }),
  };
}
