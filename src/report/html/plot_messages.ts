/**
 * plot_messages.ts — messages against signal latency: how many of the messages a remote-free policy saves, it saves
 * because the signal is late. Rows that differ in the delay only; zones, where they are known, in a panel below.
 */
import type { ModelRow } from '../../lab/model/row.js';
import type { LoopRow } from '../../suite/loops.js';
import type { TraceRow } from '../../suite/replay.js';
import type { RunRecord } from '../record.js';
import { short } from '../table.js';
import { type Axis, linearAxis, logAxis, type Value } from './axis.js';
import type { Figure } from './figure.js';
import { type Box, frame } from './frame.js';
import { linesDrawing, type Point, type Series, seriesSummary } from './lines.js';
import { type AnyRow, groupBy, inPieces, type Named, naming, pieceOf, rowsOf } from './rows.js';

interface Signal extends Named {
  readonly workload: string;
  readonly signalDelay: number | string;
  /** messages per 1000 remote frees */
  readonly messages: number;
  readonly zones: number | null;
}

const DIMENSIONS = ['alloc', 'free', 'stats', 'cpus'] as const;
const WIDTH = 480;
const [LEFT, RIGHT] = [46, 470];
const MESSAGES: Box = { left: LEFT, right: RIGHT, top: 28, bottom: 230 };
const ZONES: Box = { left: LEFT, right: RIGHT, top: 268, bottom: 350 };
const ALONE: Box = { ...MESSAGES, bottom: 250 };
const MOST = 8;

/** @param records rows of which may belong together */
export function messagesFigures(records: readonly Pick<RunRecord, 'rows' | 'config'>[]): Figure[] {
  const signals = records.flatMap((record) => rowsOf(record).flatMap((row) => signalOf(row, record.config) ?? []));
  return [...groupBy(signals, ({ workload, costs }) => `${workload} ${costs ?? ''}`).values()].flatMap(figuresOf);
}

/** What a row says of signals; null: nothing was freed remotely, or nobody knows how late signals were. */
function signalOf(row: AnyRow, config: RunRecord['config']): Signal | null {
  const { alloc, free, stats, cpus } = row;
  const of = (workload: string, delay: unknown, messages: number, frees: number, zones: number | null) => {
    if (frees === 0 || (typeof delay !== 'number' && typeof delay !== 'string')) return null;
    return { alloc, free, stats, cpus, workload, signalDelay: delay, messages: (1000 * messages) / frees, zones };
  };
  if (row.suite === 'model') {
    const { workload, counts, zones, signalDelay } = row as ModelRow;
    const found = of(workload, signalDelay, counts.ipiMessages, counts.remoteFrees, zones?.zones.length ?? null);
    return found && { ...found, costs: row.costs };
  }
  if (row.suite === 'stats') return null;
  const { remoteFrees, ipiMessages, zonesPeak } = row as LoopRow | TraceRow;
  // a loop's delay is the run's: it has none of its own
  const [name, delay] = 'trace' in row ? [row.trace, row.signalDelay] : [row.suite, config.signalDelay];
  return of(name, delay, ipiMessages, remoteFrees, row.alloc === 'dragonfly' ? zonesPeak : null);
}

function figuresOf(signals: readonly Signal[]): Figure[] {
  const groups = groupBy(signals, (row) => DIMENSIONS.map((one) => row[one]).join(' '));
  const several = [...groups.values()].map(oneADelay).filter((rows) => rows.length > 1);
  return inPieces(several, MOST).map((piece, n, { length }) => figureOf(piece, pieceOf(n, length)));
}

/** By delay, words last; of several of one delay the last, which is the newest. */
function oneADelay(rows: readonly Signal[]): Signal[] {
  const order = ({ signalDelay }: Signal) => (typeof signalDelay === 'number' ? signalDelay : Number.MAX_VALUE);
  const delays = new Map(rows.map((row) => [row.signalDelay, row]));
  return [...delays.values()].sort((a, b) => order(a) - order(b));
}

function figureOf(groups: readonly (readonly Signal[])[], piece: string): Figure {
  const rows = groups.flat();
  const { name, common } = naming(rows, DIMENSIONS);
  const delays: Value[] = rows.map(({ signalDelay }) => signalDelay);
  const title = 'signal delay (polls)';
  const x = logAxis(delays, { title, range: [LEFT + 8, RIGHT - 14] });
  const known = rows.every(({ zones }) => zones !== null);
  const box = known ? MESSAGES : ALONE;
  const range = [box.bottom, box.top] as const;
  const y = logAxis(rows.map(({ messages }) => messages), { title: 'messages per 1000 remote frees', range });
  const series = (of: (row: Signal) => number): Series[] => groups.map((group, style) => ({
    name: name(group[0]!), style, points: group.map((row): Point => ({ x: row.signalDelay, y: of(row) })),
  }));
  const messages = series((row) => row.messages);
  const { workload, costs } = rows[0]!;
  return {
    title: `Messages against signal latency: ${workload}${piece}`,
    says: [
      'The later the owner sees a signal, the more frees one message stands for.', costs && `Costs: ${costs}.`,
      common && `All: ${common}.`,
    ].filter(Boolean).join(' '),
    summary: seriesSummary(messages, (value) => `a delay of ${value}`, (value) => `${short(value)} messages`),
    width: WIDTH, height: (known ? ZONES : ALONE).bottom + 42,
    drawing: () => frame(box, known ? undefined : x, y) + linesDrawing(messages, x, y)
      + (known ? zonesPanel(rows, series((row) => row.zones!), x) : ''),
    legend: messages.map(({ name: one, style }) => ({ name: one, style, kind: 'line' })),
    notes: [],
    data: () => ({
      columns: [
        { head: 'series', left: true }, { head: 'delay' }, { head: 'messages per 1000' }, { head: 'zones' },
      ],
      rows: rows.map((row) => (
        [name(row), String(row.signalDelay), short(row.messages), row.zones === null ? '-' : String(row.zones)]
      )),
    }),
  };
}

function zonesPanel(rows: readonly Signal[], series: readonly Series[], x: Axis): string {
  const range = [ZONES.bottom, ZONES.top] as const;
  const y = linearAxis(rows.map(({ zones }) => zones ?? 0), { title: 'zones', range, most: 3 });
  return frame(ZONES, x, y) + linesDrawing(series, x, y);
}
