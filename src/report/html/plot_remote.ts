/** plot_remote.ts — remote frees as a map of CPUs: who freed, and whose zone it was. Of each workload the most CPUs. */
import type { ModelRow } from '../../lab/model/row.js';
import { integer } from '../table.js';
import { plain } from './axis.js';
import type { Detail } from './detail.js';
import type { Figure, Key } from './figure.js';
import { foldBy, foldSquare, LEVELS, mapDrawing, moreMaps } from './map.js';
import { cpusText, naming } from './rows.js';
import { element, label } from './svg.js';

const SIDE = 300;
const [LEFT, TOP] = [58, 44];
const DIMENSIONS = ['alloc', 'free', 'stats', 'signalDelay'] as const;

/** @param rows of one workload and cost profile */
export function remoteFigures(rows: readonly ModelRow[], detail: Detail): Figure[] {
  const known = rows.filter((row) => (row.remote?.length ?? 0) > 1 && sum(row.remote!.flat()) > 0);
  const most = Math.max(...known.map(({ cpus }) => cpus));
  const shown = known.filter(({ cpus }) => cpus === most);
  const { name } = naming(shown, DIMENSIONS);
  // who frees is the workload's doing: machines under which it does the same share a map
  const maps = new Map<string, ModelRow[]>();
  for (const row of shown) {
    const picture = JSON.stringify(row.remote);
    maps.set(picture, [...(maps.get(picture) ?? []), row]);
  }
  const pictures = [...maps.values()];
  return pictures.slice(0, detail.maps).map((alike, n) => {
    const left = n === detail.maps - 1 ? pictures.length - detail.maps : 0;
    return figureOf(alike, pictures.length > 1 ? alike.map(name).join('; ') : '', left, detail);
  });
}

/** @param left maps that are not shown */
function figureOf(alike: readonly ModelRow[], name: string, left: number, detail: Detail): Figure {
  const { workload, cpus, remote } = alike[0]!;
  const by = foldBy(remote!.length, detail.cells);
  const counts = foldSquare(remote!, by);
  const size = SIDE / counts.length;
  const largest = Math.max(...counts.flat());
  const levels = levelsOf(largest);
  const level = (column: number, row: number) => {
    const count = counts[row]![column]!;
    return count === 0 ? -1 : levels.findIndex((upTo) => count <= upTo);
  };
  const total = sum(counts.flat());
  const pairs = remote!.flatMap((line, from) => line.map((count, to) => ({ from, to, count })))
    .filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  const legend = levels.map((upTo, n): Key => (
    { name: `${plain(n === 0 ? 1 : levels[n - 1]! + 1)} to ${plain(upTo)}`, style: n, kind: 'level' }
  ));
  const busiest = pairs[0]!;
  return {
    title: `Remote frees, CPU by CPU: ${workload}, ${cpusText(cpus)}${name && `, ${name}`}`,
    says: 'A row is a CPU that frees, a column the CPU whose zone it is; empty: none.',
    summary: `${integer(total)} remote frees over ${integer(pairs.length)} pairs of CPUs; most of a pair: `
      + `${integer(busiest.count)} by CPU ${busiest.from} of chunks of CPU ${busiest.to}.`,
    width: 480, height: TOP + SIDE + 14,
    drawing: () => surround(counts.length, by, size)
      + mapDrawing(counts.length, counts.length, level, [LEFT, TOP], [size, size]),
    legend,
    notes: [
      ...(by > 1 ? [`Folded: a cell is ${by} x ${by} CPUs, its frees added up.`] : []), ...moreMaps(left),
    ],
    data: () => ({
      columns: [{ head: 'freed by' }, { head: 'of CPU' }, { head: 'frees' }],
      rows: pairs.map(({ from, to, count }) => [String(from), String(to), integer(count)]),
    }),
  };
}

/** Upper ends of the levels: even steps of the logarithm, or of the number where it is small. */
function levelsOf(largest: number): number[] {
  if (largest <= LEVELS) return Array.from({ length: largest }, (_, n) => n + 1);
  const ends = Array.from({ length: LEVELS }, (_, n) => Math.round(largest ** ((n + 1) / LEVELS)));
  return [...new Set(ends)];
}

function surround(cells: number, by: number, size: number): string {
  const parts = [
    element('rect', { class: 'field', x: LEFT, y: TOP, width: SIDE, height: SIDE }),
    label(LEFT, 14, 'owner of the zone', { class: 'strong' }), label(0, TOP - 10, 'freed by', { class: 'strong' }),
  ];
  const every = Math.ceil(cells / 8);
  for (let n = 0; n < cells; n += every) {
    const middle = (n + 0.5) * size;
    parts.push(label(LEFT - 6, TOP + middle + 4, String(n * by), { 'text-anchor': 'end' }));
    parts.push(label(LEFT + middle, TOP - 8, String(n * by), { 'text-anchor': 'middle' }));
  }
  return parts.join('');
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
