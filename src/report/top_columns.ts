/**
 * top_columns.ts — what the panels of `smpalloc top` show of CPUs, malloc types and zones, column by column.
 *
 * A column's rank says how long it stays as the terminal gets narrower: the highest goes first.
 */
import type { CpuRow, Interval, TypeRow, ZoneRow } from '../observe/interval.js';
import type { SlabZones } from '../observe/slab_zones.js';
import { bar, compact, compactBytes, type Look, percent } from './compact.js';
import type { Role } from './lines.js';

export interface TopColumn<Row> {
  readonly head: string;
  readonly rank: number;
  /** characters of a cell, at least */
  readonly width: number;
  readonly left?: boolean;
  /** what rows are sorted by */
  value(row: Row): number | string | null;
  show(row: Row): string;
  role?(row: Row): Role | undefined;
}

export interface TopPanel<Row = unknown> {
  readonly columns: readonly TopColumn<Row>[];
  readonly rows: readonly Row[];
  /** head of the column it is sorted by as long as nobody says otherwise */
  readonly sort: string;
}

export const PANEL_NAMES = ['cpus', 'types', 'zones'] as const;
export type PanelName = (typeof PANEL_NAMES)[number];

const RATE_WIDTH = 6;
const BAR_CELLS = 10;

/** A number that is written short; nothing to see is dim. */
function number<Row>(
  head: string, rank: number, value: (row: Row) => number | null, show = compact, width = RATE_WIDTH,
): TopColumn<Row> {
  return {
    head, rank, width, value, show: (row) => show(value(row)),
    role: (row) => (value(row) === null || value(row) === 0 ? 'dim' : undefined),
  };
}

const STATE_ROLES: Readonly<Record<string, Role>> = { run: 'good', sleep: 'warn', idle: 'dim', offline: 'dim' };

function cpuColumns(slab: boolean): TopColumn<CpuRow>[] {
  const rate = (head: string, rank: number, of: keyof CpuRow['perSecond']) =>
    number<CpuRow>(head, rank, ({ perSecond }) => perSecond[of]);
  const ofZones: TopColumn<CpuRow>[] = [
    rate('remote/s', 3, 'remoteFrees'), rate('home/s', 10, 'drained'), rate('signal/s', 12, 'signals'),
    number<CpuRow>('CAS late', 11, ({ perSecond: { casTries, casFails } }) =>
      casTries === null || casFails === null || casTries === 0 ? null : casFails / casTries, percent),
    number<CpuRow>('spare', 14, ({ spareZones }) => spareZones, compact, 5),
  ];
  const [remote, ...others] = slab ? ofZones : [];
  return [
    { head: 'CPU', rank: 0, width: 4, value: ({ cpu }) => cpu, show: ({ cpu }) => String(cpu) },
    {
      head: 'state', rank: 4, width: 5, left: true, value: ({ state }) => state, show: ({ state }) => state.slice(0, 5),
      role: ({ state }) => STATE_ROLES[state],
    },
    rate('alloc/s', 1, 'allocs'), rate('free/s', 2, 'frees'), ...(remote ? [remote] : []),
    rate('IPI/s', 5, 'messages'), rate('intr/s', 6, 'interrupts'), rate('avoid/s', 8, 'avoided'),
    rate('run/s', 7, 'runs'), number<CpuRow>('queued', 9, ({ queued }) => queued), ...others,
    rate('done/s', 13, 'handled'), rate('passive/s', 15, 'passive'), rate('full/s', 16, 'fifoFull'),
  ];
}

function typeColumns(all: number | null, look: Look): TopColumn<TypeRow>[] {
  const share = ({ perSecond: { allocs } }: TypeRow) => (allocs === null || !all ? null : allocs / all);
  return [
    name('TYPE', ({ name: text }) => text),
    number('alloc/s', 1, ({ perSecond }) => perSecond.allocs),
    number('free/s', 4, ({ perSecond }) => perSecond.frees),
    number('in use', 2, ({ inuse }) => inuse),
    number('memory', 3, ({ memuse }) => memuse, compactBytes),
    {
      ...number<TypeRow>('growth/s', 5, ({ perSecond }) => perSecond.growth, compactBytes),
      role: ({ perSecond: { growth } }) => (growth === null || growth <= 0 ? 'dim' : 'warn'),
    },
    number('mean B', 6, ({ meanSize }) => meanSize),
    barColumn('share', 7, share, look),
    number('requests', 8, ({ requests }) => requests),
  ];
}

function classColumns(ncpu: number, firstCpu: number, look: Look): TopColumn<SlabZones>[] {
  const filled = ({ out, free }: SlabZones) => (out + free === 0 ? 0 : out / (out + free));
  return [
    { head: 'ZONE', rank: 0, width: 6, value: ({ size }) => size, show: ({ size }) => String(size) },
    number('zones', 1, ({ zones }) => zones, compact, 5),
    number('out', 2, ({ out }) => out), number('free', 3, ({ free }) => free),
    number('memory', 5, ({ bytes }) => bytes, compactBytes),
    barColumn('full', 4, filled, look),
    ...byCpu<SlabZones>(ncpu, firstCpu, ({ cpus }, cpu) => cpus[cpu] ?? 0),
  ];
}

function zoneColumns(ncpu: number, firstCpu: number): TopColumn<ZoneRow>[] {
  return [
    name('ZONE', ({ name: text }) => text),
    number('size', 5, ({ size }) => size, compact, 5),
    number('alloc/s', 1, ({ perSecond }) => perSecond.allocs), number('free/s', 4, ({ perSecond }) => perSecond.frees),
    number('used', 2, ({ used }) => used),
    // where free items lie
    number('caches', 3, ({ cached }) => cached), number('buckets', 6, ({ bucketed }) => bucketed),
    number('slabs', 7, ({ slabbed }) => slabbed),
    { ...number<ZoneRow>('fail/s', 8, ({ perSecond }) => perSecond.fails), role: failing },
    ...byCpu<ZoneRow>(ncpu, firstCpu, ({ cpus }, cpu) => cpus[cpu] ?? 0),
  ];
}

const failing = ({ perSecond: { fails } }: ZoneRow): Role => (fails ? 'bad' : 'dim');

function name<Row>(head: string, of: (row: Row) => string): TopColumn<Row> {
  return { head, rank: 0, width: 4, left: true, value: of, show: of };
}

function barColumn<Row>(
  head: string, rank: number, part: (row: Row) => number | null, look: Look,
): TopColumn<Row> {
  if (look === 'plain') return number<Row>(head, rank, part, percent, 4);
  const show = (value: number | null) =>
    value === null ? '-' : `${bar(value, BAR_CELLS, look)} ${percent(value).padStart(4)}`;
  return { ...number<Row>(head, rank, part, show, BAR_CELLS + 5), left: true };
}

/** What each CPU has of it, from the one that was scrolled to. */
function byCpu<Row>(ncpu: number, first: number, of: (row: Row, cpu: number) => number): TopColumn<Row>[] {
  const from = Math.min(first, ncpu - 1);
  return Array.from({ length: ncpu - from }, (_, n) =>
    number<Row>(`cpu${from + n}`, 20 + n, (row) => of(row, from + n), compact, 5));
}

/** The panels of an interval. @param firstCpu where the columns by CPU begin */
export function topPanels(
  { machine, cpus, types, zones, classes, perSecond }: Interval, firstCpu: number, look: Look,
): Record<PanelName, TopPanel> {
  const slab = machine.alloc === 'dragonfly';
  const zonePanel = slab
    ? { columns: classColumns(machine.ncpu, firstCpu, look), rows: classes, sort: 'memory' }
    : { columns: zoneColumns(machine.ncpu, firstCpu), rows: zones, sort: 'alloc/s' };
  const panels = {
    cpus: { columns: cpuColumns(slab), rows: cpus, sort: 'CPU' },
    types: { columns: typeColumns(perSecond.allocs, look), rows: types, sort: 'alloc/s' },
    zones: zonePanel,
  };
  // each column is asked about rows of its own panel only
  return panels as unknown as Record<PanelName, TopPanel>;
}
