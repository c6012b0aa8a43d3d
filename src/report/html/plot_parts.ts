/**
 * plot_parts.ts — of rows of the model, in stacked bars: which structures' lines went from CPU to CPU, and where the
 * time went. Bars of one machine stand together, by CPUs.
 */
import type { ModelRow, ModelTime } from '../../lab/model/row.js';
import { integer, short } from '../table.js';
import { linearAxis, percent } from './axis.js';
import { type Bar, type BarGroup, barsDrawing, barsHeight, labelRoom, type Part } from './bars.js';
import type { Figure } from './figure.js';
import { cpusText, groupBy, inPieces, naming, pieceOf } from './rows.js';

const DIMENSIONS = ['alloc', 'free', 'stats', 'signalDelay'] as const;
const WIDTH = 480;
/** room for what stands behind a bar, at least */
const TOTAL = 62;
/** bars of a drawing, about: machines are not divided */
const BARS = 28;
/** structures that have a colour of their own */
const TOP = 8;
const OTHERS = 'others';
/** the class that fills what is not worth a colour */
const NEUTRAL = 8;

/** @param rows of one workload and cost profile */
export function transfersFigures(rows: readonly ModelRow[]): Figure[] {
  // none at all is a result too, beside machines that have some
  const counted = rows.some(({ counts }) => counts.transfers > 0) ? rows.filter(({ ops }) => ops > 0) : [];
  return pieces(counted, (piece, behind) => {
    const named = topLines(piece);
    const perOp = (row: ModelRow, line: string) => transfersOf(row, line, named) / row.ops;
    const all = [...named, ...(piece.some((row) => perOp(row, OTHERS) > 0) ? [OTHERS] : [])];
    const total = (row: ModelRow) => all.reduce((sum, line) => sum + perOp(row, line), 0);
    const bar = (row: ModelRow): Bar => ({
      label: cpusText(row.cpus), total: short(total(row)),
      parts: all.map((line, n): Part => {
        const value = perOp(row, line);
        const said = `${short(value)} transfers an operation`;
        return { name: line, style: line === OTHERS ? NEUTRAL : n, value, said };
      }),
    });
    return {
      title: `Transfers per operation by structure: ${piece[0]!.workload}${behind}`,
      says: 'Lines that had to come from another CPU, or that another CPU had to give up.',
      unit: 'line transfers per operation', parts: all, bar, most: Math.max(...piece.map(total)),
      cell: (row, line) => short(perOp(row, line)),
    };
  });
}

const TIMES: Readonly<Record<keyof ModelTime, string>> = {
  own: 'own lines', locked: 'locked operations', memory: 'memory', transfer: 'lines of others',
  queue: 'waiting for a line', ipi: 'interrupts', spin: 'wait loops', sleep: 'asleep', idle: 'idle',
};

/** @param rows of one workload and cost profile */
export function timeFigures(rows: readonly ModelRow[]): Figure[] {
  const timed = rows.filter(({ time }) => timeOf(time) > 0);
  return pieces(timed, (piece, behind) => {
    const kinds = (Object.keys(TIMES) as (keyof ModelTime)[]).filter((one) => piece.some(({ time }) => time[one] > 0));
    const share = (row: ModelRow, kind: keyof ModelTime) => row.time[kind] / timeOf(row.time);
    const index = (kind: keyof ModelTime) => Object.keys(TIMES).indexOf(kind);
    const kindOf = (name: string) => kinds.find((kind) => TIMES[kind] === name)!;
    const bar = (row: ModelRow): Bar => ({
      label: cpusText(row.cpus), total: row.ops > 0 ? `${short(timeOf(row.time) / row.ops)} ns` : '-',
      parts: kinds.map((kind): Part => (
        { name: TIMES[kind], style: index(kind), value: share(row, kind), said: percent(share(row, kind)) }
      )),
    });
    return {
      title: `Where the time goes: ${piece[0]!.workload}${behind}`,
      says: 'Of the virtual time of all CPUs; behind a bar: nanoseconds of CPU time an operation.',
      unit: 'of the time of all CPUs', parts: kinds.map((kind) => TIMES[kind]), bar, most: 1,
      cell: (row, name) => percent(share(row, kindOf(name))),
    };
  });
}

interface Bars {
  readonly title: string;
  readonly says: string;
  readonly unit: string;
  readonly parts: readonly string[];
  readonly most: number;
  bar(row: ModelRow): Bar;
  cell(row: ModelRow, part: string): string;
}

function pieces(rows: readonly ModelRow[], of: (rows: readonly ModelRow[], behind: string) => Bars): Figure[] {
  const { name } = naming(rows, DIMENSIONS);
  const machines = [...groupBy(rows, (row) => DIMENSIONS.map((one) => row[one]).join(' ')).values()]
    .map((group) => [...group].sort((a, b) => a.cpus - b.cpus));
  const longest = Math.max(1, ...machines.map((group) => group.length));
  return inPieces(machines, Math.max(1, Math.floor(BARS / longest))).map((piece, n, { length }) => {
    const shown = piece.flat();
    return figureOf(shown, of(shown, pieceOf(n, length)), name);
  });
}

function figureOf(rows: readonly ModelRow[], bars: Bars, name: (row: ModelRow) => string): Figure {
  const { title, says, unit, parts, most, bar, cell } = bars;
  const machines = [...groupBy(rows, name)];
  const single = machines.every(([, group]) => group.length === 1);
  const groups: BarGroup[] = single
    ? [{ name: '', bars: rows.map((row) => ({ ...bar(row), label: name(row) })) }]
    : machines.map(([machine, group]) => ({ name: machine, bars: group.map(bar) }));
  const room = labelRoom(groups.flatMap((group) => group.bars.map(({ label }) => label)));
  const totals = labelRoom(groups.flatMap((group) => group.bars.map(({ total }) => total)));
  const range = [room, WIDTH - Math.max(TOTAL, totals + 8)] as const;
  const x = most === 1 && unit.startsWith('of ')
    ? linearAxis([1], { title: unit, range, label: percent }) : linearAxis([most], { title: unit, range });
  const style = (part: string, n: number) => groups[0]!.bars[0]!.parts.find((one) => one.name === part)?.style ?? n;
  const busiest = (row: ModelRow) => (
    bar(row).parts.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value)[0]
  );
  const last = machines.map(([machine, group]) => {
    const row = group.at(-1)!;
    const most = busiest(row);
    if (!most) return `${machine}, ${cpusText(row.cpus)}: ${bar(row).total}`;
    return `${machine}, ${cpusText(row.cpus)}: ${bar(row).total}, most of it ${most.name} (${most.said})`;
  });
  return {
    title, says, summary: last.join('; '), width: WIDTH, height: barsHeight(groups),
    drawing: () => barsDrawing(groups, x, room),
    legend: parts.map((part, n) => ({ name: part, style: style(part, n), kind: 'fill' })), notes: [],
    data: () => ({
      columns: [{ head: 'series', left: true }, { head: 'CPUs' }, ...parts.map((head) => ({ head }))],
      rows: rows.map((row) => [name(row), integer(row.cpus), ...parts.map((part) => cell(row, part))]),
    }),
  };
}

/** The lines with the most transfers an operation in any row. */
function topLines(rows: readonly ModelRow[]): string[] {
  const most = new Map<string, number>();
  for (const { lines, ops } of rows) {
    for (const { line, transfers } of lines) most.set(line, Math.max(most.get(line) ?? 0, transfers / ops));
  }
  const named = [...most].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a).map(([line]) => line);
  // one more has its own colour rather than being all of the others
  return named.length <= TOP ? named : named.slice(0, TOP);
}

function transfersOf({ lines, counts }: ModelRow, line: string, named: readonly string[]): number {
  const of = (wanted: string) => lines.find((one) => one.line === wanted)?.transfers ?? 0;
  if (line !== OTHERS) return of(line);
  return Math.max(0, counts.transfers - named.reduce((sum, one) => sum + of(one), 0));
}

function timeOf(time: ModelTime): number {
  return (Object.keys(TIMES) as (keyof ModelTime)[]).reduce((sum, kind) => sum + time[kind], 0);
}
