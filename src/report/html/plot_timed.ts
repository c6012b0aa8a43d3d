/**
 * plot_timed.ts — what was measured on threads: nanoseconds of an allocation and a free with the fastest and slowest
 * round, ratios with their 95 % interval, and messages per 1000 remote frees of recorded traces.
 */
import type { ModelRow } from '../../lab/model/row.js';
import type { LoopRow } from '../../suite/loops.js';
import type { TraceRow } from '../../suite/replay.js';
import type { StatsRow } from '../../suite/stats.js';
import { short } from '../table.js';
import { linearAxis, logAxis, type Value } from './axis.js';
import { type Dot, type DotGroup, dotsDrawing, dotsHeight, type DotsOptions } from './dots.js';
import type { Figure } from './figure.js';
import { type AnyRow, cpusText, groupBy, type Named, naming } from './rows.js';

const WIDTH = 480;
/** a C allocator's mark */
const PEER = 5;
const styleOf = (alloc: string): number => Math.max(0, ['dragonfly', 'freebsd', 'netbsd'].indexOf(alloc));

/** A drawing for each loop: their times have little in common. */
export function pairFigures(rows: readonly AnyRow[]): Figure[] {
  const loops = rows.filter((row): row is LoopRow => 'nsPerPair' in row && row.nsPerPair > 0);
  return [...groupBy(loops, ({ suite }) => suite)].map(([suite, same]) => {
    const { name, common } = naming(same, ['alloc', 'free', 'stats', 'cpus']);
    const own = same.map((row): Dot => {
      const { nsPerPair: value, nsMin: low, nsMax: high } = row;
      const said = `${short(value)} ns (${short(low)}..${short(high)})`;
      return { label: name(row), style: styleOf(row.alloc), value, low, high, said };
    });
    const peers = Object.entries(same[0]!.peers ?? {}).map(([peer, ns]): Dot => (
      { label: `${peer} (C)`, style: PEER, value: ns, said: `${short(ns)} ns` }
    ));
    const values = [...own, ...peers].flatMap(({ value, high }) => [Number(value), high ?? 0]);
    return dotsFigure({
      title: `Nanoseconds of an allocation and a free: ${suite}`,
      says: `Median of the rounds; the line spans the fastest and the slowest. ${common && `All: ${common}.`}`,
      groups: [{ name: '', dots: [...own, ...peers] }], columns: ['ns', 'fastest', 'slowest'],
      axis: (range) => linearAxis(values, { title: 'ns of one CPU', range, most: 4 }),
    });
  });
}

export function ratioFigures(rows: readonly AnyRow[]): Figure[] {
  const stats = rows.filter((row): row is StatsRow => row.suite === 'stats' && 'ratioToCritical' in row);
  const where = { update: 'the update alone', malloc: 'in malloc and free' };
  const byPlace = groupsOf(
    stats, (row) => `${where[row.where]}, ${cpusText(row.cpus)}`, ['alloc', 'stats'],
    (row) => [row.ratioToCritical, row.ratioLow, row.ratioHigh],
  );
  const loops = rows.filter((row): row is LoopRow => 'ratioToDragonfly' in row && row.ratioToDragonfly !== undefined);
  const byLoop = groupsOf(
    loops, ({ suite, cpus }) => `${suite}, ${cpusText(cpus)}`, ['alloc', 'stats'],
    (row) => [row.ratioToDragonfly!, row.ratioLow, row.ratioHigh],
  );
  return [
    ...ratioFigure('Statistics: time over that of critical sections', byPlace, 'time over critical'),
    ...ratioFigure('Time over that of dragonfly', byLoop, 'time over dragonfly'),
  ];
}

/** Of traces: the main job's number. */
export function traceFigures(rows: readonly AnyRow[]): Figure[] {
  const traces = rows.filter((row): row is AnyRow & TraceRow => (
    'per1000' in row && row.alloc === 'dragonfly' && row.remoteFrees > 0
  ));
  if (traces.length < 2) return [];
  const { name, common } = naming<AnyRow & TraceRow>(traces, ['free', 'stats', 'signalDelay', 'cpus']);
  const groups = [...groupBy(traces, ({ trace }) => trace)].map(([trace, same]): DotGroup => ({
    name: trace,
    dots: same.map((row) => ({ label: name(row), style: 0, value: row.per1000, said: short(row.per1000) })),
  }));
  const values = traces.map(({ per1000 }) => per1000);
  return [dotsFigure({
    title: 'Messages per 1000 remote frees',
    says: `Recorded traces: messages of every kind that a remote-free policy sends. ${common && `All: ${common}.`}`,
    groups, columns: ['messages per 1000'],
    axis: (range) => logAxis(values, { title: 'messages per 1000 remote frees', range, most: 5 }),
  })];
}

/** Of a workload of the model: the claim of the 2010 commit, at each number of CPUs. */
export function modelMessageFigures(rows: readonly ModelRow[]): Figure[] {
  const freed = rows.filter(({ alloc, counts }) => alloc === 'dragonfly' && counts.remoteFrees > 0);
  if (new Set(freed.map(({ free }) => free)).size < 2) return [];
  const { name, common } = naming(freed, ['free', 'stats', 'signalDelay']);
  const per1000 = ({ counts }: ModelRow) => (1000 * counts.ipiMessages) / counts.remoteFrees;
  const groups = [...groupBy(freed, ({ cpus }) => cpusText(cpus))].map(([cpus, same]): DotGroup => ({
    name: cpus,
    dots: same.map((row) => ({ label: name(row), style: 0, value: per1000(row), said: short(per1000(row)) })),
  }));
  return [dotsFigure({
    title: `Messages per 1000 remote frees: ${freed[0]!.workload}`,
    says: `Messages of every kind that a remote-free policy sends. ${common && `All: ${common}.`}`,
    groups, columns: ['messages per 1000'],
    axis: (range) => logAxis(freed.map(per1000), { title: 'messages per 1000 remote frees', range, most: 5 }),
  })];
}

type Ratio = readonly [value: number, low?: number | undefined, high?: number | undefined];

function groupsOf<T extends Named>(
  rows: readonly T[], group: (row: T) => string, dimensions: readonly (keyof Named)[], ratio: (row: T) => Ratio,
): DotGroup[] {
  const { name } = naming(rows, dimensions);
  return [...groupBy(rows, group)].map(([title, same]) => ({
    name: title,
    dots: same.map((row): Dot => {
      const [value, low, high] = ratio(row);
      const dot = { label: name(row), style: styleOf(row.alloc), value };
      if (low === undefined || high === undefined) return { ...dot, said: `${value.toFixed(2)}x` };
      return { ...dot, low, high, said: `${value.toFixed(2)}x (${low.toFixed(2)}..${high.toFixed(2)})` };
    }),
  }));
}

function ratioFigure(title: string, groups: readonly DotGroup[], unit: string): Figure[] {
  if (groups.length === 0) return [];
  const values = groups.flatMap(({ dots }) => (
    dots.flatMap(({ value, low = Number(value), high = Number(value) }) => [value, low, high])
  ));
  return [dotsFigure({
    title, says: 'Median of the rounds and its 95 % interval. On the line at 1 both take the same time.', groups,
    axis: (range) => logAxis([1, ...values], { title: unit, range, most: 6 }), even: 1,
    columns: ['ratio', 'low', 'high'],
  })];
}

interface Dots extends Omit<DotsOptions, 'width'> {
  readonly title: string;
  readonly says: string;
  readonly columns: readonly string[];
}

function dotsFigure({ title, says, columns, ...options }: Dots): Figure {
  const { groups } = options;
  const cell = (value: Value | undefined) => (typeof value === 'number' ? short(value) : '-');
  const said = ({ name, dots }: DotGroup) => (
    `${name && `${name}: `}${dots.map((dot) => `${dot.label} ${dot.said}`).join(', ')}`
  );
  return {
    title, says, summary: groups.map(said).join('; '), width: WIDTH, height: dotsHeight(groups),
    drawing: () => dotsDrawing({ ...options, width: WIDTH }), legend: [], notes: [],
    data: () => ({
      columns: [{ head: 'group', left: true }, { head: 'row', left: true }, ...columns.map((head) => ({ head }))],
      rows: groups.flatMap(({ name, dots }) => dots.map((dot) => (
        [name || '-', dot.label, ...[dot.value, dot.low, dot.high].slice(0, columns.length).map(cell)]
      ))),
    }),
  };
}
