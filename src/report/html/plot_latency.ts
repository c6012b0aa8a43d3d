/** plot_latency.ts — how long operations take: the part of them that takes longer, against the time; at most CPUs. */
import type { ModelRow } from '../../lab/model/row.js';
import { duration, logAxis, percent } from './axis.js';
import type { Detail } from './detail.js';
import type { Figure } from './figure.js';
import { type Box, frame } from './frame.js';
import { linesDrawing, type Point, type Series, thinned } from './lines.js';
import { cpusText, inPieces, naming, pieceOf } from './rows.js';

const DIMENSIONS = ['alloc', 'free', 'stats', 'signalDelay'] as const;
const BOX: Box = { left: 66, right: 450, top: 28, bottom: 250 };
const MOST = 8;

/** @param rows of one workload and cost profile */
export function latencyFigures(rows: readonly ModelRow[], detail: Detail): Figure[] {
  const known = rows.filter((row) => tailOf(row).length > 0);
  const most = Math.max(...known.map(({ cpus }) => cpus));
  const shown = known.filter(({ cpus }) => cpus === most);
  if (shown.every((row) => positive(tailOf(row)).length < 2)) return [];
  const { name } = naming(shown, DIMENSIONS);
  return inPieces(shown, MOST).map((piece, n, { length }) => figureOf(piece, pieceOf(n, length), name, detail));
}

/** For each bound the part of the operations beyond it, from where there are some below to where none is left. */
function tailOf({ latency }: ModelRow): Point[] {
  const total = (latency?.count ?? []).reduce((sum, count) => sum + count, 0);
  if (!latency || total === 0) return [];
  let beyond = total;
  const points = latency.ns.map((x, n): Point => {
    beyond -= latency.count[n] ?? 0;
    const y = beyond / total;
    return { x, y, said: `${percent(y)} take longer than ${duration(x)}` };
  });
  const last = points.findIndex(({ y }) => y === 0);
  return points.slice(0, last < 0 ? points.length : last + 1).filter(({ x, y }) => y < 1 && Number(x) > 0);
}

/** Those that have a place on a logarithmic axis. */
const positive = (tail: readonly Point[]): Point[] => tail.filter(({ y }) => y > 0);

function figureOf(
  rows: readonly ModelRow[], piece: string, name: (row: ModelRow) => string, detail: Detail,
): Figure {
  const tails = rows.map(tailOf);
  const drawn = tails.map((tail) => thinned(positive(tail), detail.points));
  const x = logAxis(drawn.flat().map((point) => point.x), {
    title: 'virtual time of an operation', range: [BOX.left + 4, BOX.right], label: duration, most: 6,
  });
  const y = logAxis([1, ...drawn.flat().map((point) => point.y)], {
    title: 'operations that take longer', range: [BOX.bottom, BOX.top], label: percent,
  });
  const all = rows.map((row, style): Series => ({ name: name(row), style, points: drawn[style]! }));
  const series = all.filter(({ points }) => points.length > 0);
  const short = all.filter(({ points }) => points.length === 0);
  const { workload, cpus } = rows[0]!;
  const parts = [0.5, 0.99, 0.999];
  const within = (row: number, part: number) => {
    const bound = tails[row]!.find((point) => point.y <= 1 - part + 1e-9)?.x;
    return bound === undefined ? '-' : duration(Number(bound));
  };
  return {
    title: `Latency: ${workload}, ${cpusText(cpus)}${piece}`,
    says: 'A point: so many of the operations take longer than that.',
    summary: rows.map((row, n) => (
      `${name(row)}: half within ${within(n, 0.5)}, 99 % within ${within(n, 0.99)}`
    )).join('; '),
    width: 480, height: BOX.bottom + 42,
    drawing: () => frame(BOX, x, y) + linesDrawing(series, x, y),
    legend: series.map((one) => ({ name: one.name, style: one.style, kind: 'line' })),
    notes: [
      ...short.map((one) => `${one.name}: all within ${duration(Number(tails[one.style]!.at(-1)!.x))}.`),
      ...(tails.some((tail) => positive(tail).length > detail.points)
        ? [`Folded: at most ${detail.points} of the points of a curve are drawn.`] : []),
    ],
    beside: {
      caption: 'percentiles',
      cells: {
        columns: [{ head: 'series', left: true }, ...parts.map((part) => ({ head: percent(part) }))],
        rows: rows.map((row, n) => [name(row), ...parts.map((part) => within(n, part))]),
      },
    },
    data: () => ({
      columns: [{ head: 'series', left: true }, { head: 'ns' }, { head: '% that take longer' }],
      rows: series.flatMap((one) => one.points.map((point) => (
        [one.name, String(point.x), String(Number((point.y * 100).toPrecision(3)))]
      ))),
    }),
  };
}
