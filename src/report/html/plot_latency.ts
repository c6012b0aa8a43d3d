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
  const known = rows.filter((row) => tailOf(row).length > 1);
  const most = Math.max(...known.map(({ cpus }) => cpus));
  const shown = known.filter(({ cpus }) => cpus === most);
  const { name } = naming(shown, DIMENSIONS);
  return inPieces(shown, MOST).map((piece, n, { length }) => figureOf(piece, pieceOf(n, length), name, detail));
}

/** For each bound the part of the operations beyond it; the last ones, beyond which nothing is, have no logarithm. */
function tailOf({ latency }: ModelRow): Point[] {
  if (!latency) return [];
  const total = latency.count.reduce((sum, count) => sum + count, 0);
  let beyond = total;
  const points = latency.ns.map((x, n): Point => {
    beyond -= latency.count[n] ?? 0;
    const y = total > 0 ? beyond / total : 0;
    return { x, y, said: `${percent(y)} take longer than ${duration(x)}` };
  });
  // where nothing is yet there is nothing to be seen
  const first = points.findIndex(({ y }) => y < 1);
  return points.slice(Math.max(0, first - 1)).filter(({ x, y }) => y > 0 && Number(x) > 0);
}

function figureOf(
  rows: readonly ModelRow[], piece: string, name: (row: ModelRow) => string, detail: Detail,
): Figure {
  const tails = rows.map(tailOf);
  const x = logAxis(tails.flat().map((point) => point.x), {
    title: 'virtual time of an operation', range: [BOX.left + 4, BOX.right], label: duration, most: 6,
  });
  const y = logAxis([1, ...tails.flat().map((point) => point.y)], {
    title: 'operations that take longer', range: [BOX.bottom, BOX.top], label: percent,
  });
  const series = rows.map((row, style): Series => (
    { name: name(row), style, points: thinned(tails[style]!, detail.points) }
  ));
  const folded = tails.some((tail) => tail.length > detail.points);
  const parts = [0.5, 0.99, 0.999];
  const at = (row: number, part: number) => tails[row]!.find((point) => point.y <= 1 - part)?.x;
  const { workload, cpus } = rows[0]!;
  const said = (value: ReturnType<typeof at>) => (value === undefined ? '-' : duration(Number(value)));
  return {
    title: `Latency: ${workload}, ${cpusText(cpus)}${piece}`,
    says: 'A point: so many of the operations take longer than that.',
    summary: rows.map((row, n) => (
      `${name(row)}: half within ${said(at(n, 0.5))}, 99 % within ${said(at(n, 0.99))}`
    )).join('; '),
    width: 480, height: BOX.bottom + 42,
    drawing: () => frame(BOX, x, y) + linesDrawing(series, x, y),
    legend: series.map((one) => ({ name: one.name, style: one.style, kind: 'line' })),
    notes: folded ? [`Folded: at most ${detail.points} of the points of a curve are drawn.`] : [],
    beside: {
      caption: 'percentiles',
      cells: {
        columns: [{ head: 'series', left: true }, ...parts.map((part) => ({ head: percent(part) }))],
        rows: rows.map((row, n) => [name(row), ...parts.map((part) => said(at(n, part)))]),
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
