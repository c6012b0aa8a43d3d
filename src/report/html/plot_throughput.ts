/**
 * plot_throughput.ts — throughput against CPUs: what the model predicts as points, the universal scalability law
 * through them, and a straight line of who would scale without loss.
 */
import type { ModelRow } from '../../lab/model/row.js';
import { fitLaws, type Law } from '../../suite/usl.js';
import { short } from '../table.js';
import { cpuAxis, logAxis } from './axis.js';
import type { Figure } from './figure.js';
import { type Box, frame } from './frame.js';
import { linesDrawing, type Point, type Series, seriesSummary } from './lines.js';
import { cpusText, groupBy, inPieces, naming, pieceOf } from './rows.js';
import { element, hint } from './svg.js';

const DIMENSIONS = ['alloc', 'free', 'stats', 'signalDelay'] as const;
const WIDTH = 480;
const BOX: Box = { left: 46, right: 466, top: 28, bottom: 260 };
const MOST = 8;
const KEYS = ['workload', 'alloc', 'free', 'stats', 'costs', 'signalDelay'] as const;
/** points of a curve */
const SMOOTH = 48;

/** @param rows of one workload and cost profile */
export function throughputFigures(rows: readonly ModelRow[]): Figure[] {
  const groups = [...groupBy(rows, keyOf).values()]
    .map((group) => [...group].sort((a, b) => a.cpus - b.cpus))
    .filter((group) => new Set(group.map(({ cpus }) => cpus)).size > 1);
  const laws = new Map(fitLaws(groups.flat()).map((law) => [keyOf(law.key), law]));
  return inPieces(groups, MOST).map((piece, n, { length }) => figureOf(piece, laws, pieceOf(n, length)));
}

const keyOf = (of: Law['key']): string => KEYS.map((one) => of[one]).join(' ');

function figureOf(groups: readonly (readonly ModelRow[])[], laws: ReadonlyMap<string, Law>, piece: string): Figure {
  const rows = groups.flat();
  const { name, common } = naming(rows, DIMENSIONS);
  const cpus = rows.map((row) => row.cpus);
  const most = Math.max(...cpus);
  const lawOf = (group: readonly ModelRow[]) => laws.get(keyOf(group[0]!));
  const ideal = Math.max(...groups.map((group) => lawOf(group)?.lambda ?? group[0]!.opsPerUs / group[0]!.cpus));
  const x = cpuAxis(cpus, { title: 'CPUs', range: [BOX.left + 6, BOX.right - 6] });
  const speeds = [...rows.map(({ opsPerUs }) => opsPerUs), ideal * most];
  const y = logAxis(speeds, { title: 'operations per microsecond, predicted', range: [BOX.bottom, BOX.top] });
  const series = groups.map((group, style): Series => {
    const law = lawOf(group);
    const points = group.map((row): Point => ({ x: row.cpus, y: row.opsPerUs }));
    return { name: name(group[0]!), style, points, ...(law && { curve: curveOf(law, group) }) };
  });
  const line = element(
    'line',
    { class: 'ideal', x1: x.at(1), y1: y.at(ideal), x2: x.at(most), y2: y.at(ideal * most) },
    hint('ideal: every CPU as fast as the first'),
  );
  const fitted = groups.flatMap((group) => lawOf(group) ?? []);
  const { workload } = rows[0]!;
  return {
    title: `Throughput against CPUs: ${workload}${piece}`,
    says: `Points: the model. Lines: the scalability law; dotted: no loss at all. ${common && `All: ${common}.`}`,
    summary: seriesSummary(series, (value) => cpusText(Number(value)), (value) => `${short(value)} operations per µs`),
    width: WIDTH, height: BOX.bottom + 42,
    drawing: () => frame(BOX, x, y) + line + linesDrawing(series, x, y),
    legend: series.map(({ name: one, style }) => ({ name: one, style, kind: 'line' })),
    notes: fitted.length < groups.length ? ['Straight lines where there are too few points for the law.'] : [],
    ...(fitted.length > 0 && { beside: lawTable(fitted, (law) => name({ ...rows[0]!, ...law.key })) }),
    data: () => ({
      columns: [{ head: 'series', left: true }, { head: 'CPUs' }, { head: 'operations per µs' }, { head: 'the law' }],
      rows: groups.flatMap((group) => group.map((row) => (
        [name(row), String(row.cpus), short(row.opsPerUs), short(lawOf(group)?.at(row.cpus))]
      ))),
    }),
  };
}

function curveOf(law: Law, group: readonly ModelRow[]): Point[] {
  const [from, to] = [group[0]!.cpus, group.at(-1)!.cpus];
  const points = Array.from({ length: SMOOTH + 1 }, (_, n) => from * (to / from) ** (n / SMOOTH));
  return points.map((n) => ({ x: n, y: law.at(n) })).filter(({ y }) => y > 0);
}

function lawTable(laws: readonly Law[], name: (law: Law) => string): NonNullable<Figure['beside']> {
  const fine = (value: number) => (value < 1e-9 ? '0' : Number(value.toPrecision(3)).toString());
  return {
    caption: 'X(N) = λN / (1 + σ(N − 1) + κN(N − 1)); N*: where it is largest; off by: a point, at most',
    cells: {
      columns: [
        { head: 'series', left: true }, { head: 'λ' }, { head: 'σ' }, { head: 'κ' }, { head: 'N*' }, { head: 'R²' },
        { head: 'off by' },
      ],
      rows: laws.map((law) => [
        name(law), short(law.lambda), fine(law.sigma), fine(law.kappa), law.peak === null ? '-' : short(law.peak),
        law.r2.toFixed(3), `${(100 * law.residual).toFixed(1)} %`,
      ]),
    },
  };
}
