/**
 * plot_timed.ts — what was measured on threads: nanoseconds of an allocation and a free with the fastest and slowest
 * round, ratios with their 95 % interval, and messages per 1000 remote frees of recorded traces.
 */
import type { LoopRow } from '../../suite/loops.js';
import type { TraceRow } from '../../suite/replay.js';
import type { StatsRow } from '../../suite/stats.js';
import { short } from '../table.js';
import { type Axis, linearAxis, logAxis, type Value } from './axis.js';
import { labelRoom } from './bars.js';
import { type Dot, type DotGroup, dotsDrawing, dotsHeight } from './dots.js';
import type { Figure } from './figure.js';
import { type AnyRow, cpusText, groupBy, naming } from './rows.js';

const WIDTH = 480;
/** room for the numbers behind a row */
const SAID = 118;
const MACHINE = ['alloc', 'free', 'stats', 'cpus'] as const;

export function pairFigures(rows: readonly AnyRow[]): Figure[] {
  const loops = rows.filter((row): row is LoopRow => 'nsPerPair' in row && row.nsPerPair > 0);
  if (loops.length === 0) return [];
  const { name } = naming(loops, MACHINE);
  const groups = [...groupBy(loops, ({ suite }) => suite)].map(([suite, same]): DotGroup => ({
    name: suite,
    dots: same.flatMap((row): Dot[] => {
      const { nsPerPair: value, nsMin: low, nsMax: high } = row;
      const said = `${short(value)} ns (${short(low)}..${short(high)})`;
      const peers = same[0] === row ? Object.entries(row.peers ?? {}) : [];
      return [
        { label: name(row), style: styleOf(row.alloc), value, low, high, said },
        ...peers.map(([peer, ns]): Dot => ({ label: peer, style: PEER, value: ns, said: `${short(ns)} ns` })),
      ];
    }),
  }));
  const values = groups.flatMap(({ dots }) => dots.flatMap(({ value, high }) => [Number(value), high ?? 0]));
  return [dotsFigure({
    title: 'Nanoseconds of an allocation and a free', says: 'Median of the rounds; the line spans the fastest and the slowest.',
    groups, unit: 'ns', axis: (range) => linearAxis(values, { title: 'ns of one CPU', range }), columns: ['ns', 'fastest', 'slowest'],
  })];
}

export function ratioFigures(rows: readonly AnyRow[]): Figure[] {
  const stats = rows.filter((row): row is StatsRow => row.suite === 'stats' && 'ratioToCritical' in row);
  const loops = rows.filter((row): row is LoopRow => 'ratioToDragonfly' in row && row.ratioToDragonfly !== undefined);
  const figures: Figure[] = [];
  const where = { update: 'update alone', malloc: 'in malloc and free' };
  const { name } = naming(stats, ['alloc', 'stats']);
  const statsGroups = [...groupBy(stats, (row) => `${where[row.where]}, ${cpusText(row.cpus)}`)].map(
    ([group, same]): DotGroup => ({ name: group, dots: same.map((row) => (
      ratioDot(name(row), row.alloc, row.ratioToCritical, row.ratioLow, row.ratioHigh)
    )) }),
  );
  if (stats.length > 0) {
    figures.push(ratioFigure('Statistics: time over that of critical sections', statsGroups, 'time over critical'));
  }
  const loopName = naming(loops, ['alloc', 'stats', 'cpus']).name;
  const loopGroups = [...groupBy(loops, ({ suite }) => suite)].map(([suite, same]): DotGroup => ({
    name: suite,
    dots: same.map((row) => ratioDot(loopName(row), row.alloc, row.ratioToDragonfly!, row.ratioLow, row.ratioHigh)),
  }));
  if (loops.length > 0) figures.push(ratioFigure('Time over that of dragonfly', loopGroups, 'time over dragonfly'));
  return figures;
}

/** Of traces: the main job's number. */
export function traceFigures(rows: readonly AnyRow[]): Figure[] {
  const traces = rows.filter((row): row is AnyRow & TraceRow => 'per1000' in row && row.alloc === 'dragonfly' && row.remoteFrees > 0);
  if (traces.length < 2) return [];
  const { name } = naming(traces, ['free', 'stats', 'signalDelay', 'cpus']);
  const groups = [...groupBy(traces, ({ trace }) => trace)].map(([trace, same]): DotGroup => ({
    name: trace,
    dots: same.map((row) => ({
      label: name(row), style: 0, value: row.per1000, said: `${short(row.per1000)} of 1000`,
    })),
  }));
  const values = traces.map(({ per1000 }) => per1000);
  return [dotsFigure({
    title: 'Messages per 1000 remote frees', says: 'Recorded traces: what a remote-free policy sends, of every kind of message.',
    groups, unit: 'messages', axis: (range) => logAxis(values, { title: 'messages per 1000 remote frees', range, most: 5 }),
    columns: ['messages per 1000'],
  })];
}

function ratioDot(name: string, alloc: string, value: number, low?: number, high?: number): Dot {
  const interval = low === undefined || high === undefined ? '' : ` (${low.toFixed(2)}..${high.toFixed(2)})`;
  return {
    label: name, style: styleOf(alloc), value, said: `${value.toFixed(2)}x${interval}`,
    ...(low !== undefined && high !== undefined && { low, high }),
  };
}

function ratioFigure(title: string, groups: readonly DotGroup[], unit: string): Figure {
  const values = groups.flatMap(({ dots }) => dots.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]));
  return dotsFigure({
    title, says: 'Median of the rounds and its 95 % interval. On the line at 1 both take the same time.', groups, unit,
    axis: (range) => logAxis([1, ...values], { title: unit, range, most: 6 }), even: 1, columns: ['ratio', 'low', 'high'],
  });
}

interface Dots {
  readonly title: string;
  readonly says: string;
  readonly groups: readonly DotGroup[];
  readonly unit: string;
  readonly axis: (range: readonly [number, number]) => Axis;
  readonly even?: number;
  readonly columns: readonly string[];
}

function dotsFigure({ title, says, groups, axis, even, columns }: Dots): Figure {
  const room = labelRoom(groups.flatMap(({ dots }) => dots.map(({ label }) => label)), 160);
  const x = axis([room + 8, WIDTH - SAID]);
  const cell = (value: Value | undefined) => (typeof value === 'number' ? short(value) : '-');
  return {
    title, says,
    summary: groups.map(({ name, dots }) => `${name}: ${dots.map(({ label, said }) => `${label} ${said}`).join(', ')}`).join('; '),
    width: WIDTH, height: dotsHeight(groups), drawing: dotsDrawing(groups, x, room, WIDTH, even), legend: [], notes: [],
    data: {
      columns: [{ head: 'group', left: true }, { head: 'row', left: true }, ...columns.map((head) => ({ head }))],
      rows: groups.flatMap(({ name, dots }) => dots.map((dot) => (
        [name, dot.label, ...[dot.value, dot.low, dot.high].slice(0, columns.length).map(cell)]
      ))),
    },
  };
}

/** a C allocator's mark */
const PEER = 5;
const styleOf = (alloc: string): number => Math.max(0, ['dragonfly', 'freebsd', 'netbsd'].indexOf(alloc));
