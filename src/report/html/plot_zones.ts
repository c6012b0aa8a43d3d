/** plot_zones.ts — zones over time: a row a zone, its colour how much of it is in use; at most CPUs. */
import { scaleLinear } from 'd3-scale';
import type { ModelRow, ZoneMap } from '../../lab/model/row.js';
import { integer } from '../table.js';
import { type Axis, duration } from './axis.js';
import type { Detail } from './detail.js';
import type { Figure, Key } from './figure.js';
import { foldBy, LEVELS, mapDrawing, moreMaps } from './map.js';
import { cpusText, naming } from './rows.js';
import { element, label } from './svg.js';

const WIDTH = 384;
const [LEFT, TOP] = [70, 28];
/** of a row, at most and at least */
const [HIGH, LOW] = [14, 2.5];
const DIMENSIONS = ['alloc', 'free', 'stats', 'signalDelay', 'cpus'] as const;

interface Folded {
  readonly name: string;
  readonly cpu: number;
  readonly used: readonly number[];
}

/** @param rows of one workload and cost profile */
export function zonesFigures(rows: readonly ModelRow[], detail: Detail): Figure[] {
  const known = rows.filter(({ zones }) => zones && zones.ns.length > 1 && zones.zones.length > 0);
  const most = Math.max(...known.map(({ cpus }) => cpus));
  const shown = known.filter(({ cpus }) => cpus === most);
  const { name } = naming(shown, DIMENSIONS);
  return shown.slice(0, detail.maps).map((row, n) => {
    const left = n === detail.maps - 1 ? shown.length - detail.maps : 0;
    return figureOf(row, row.zones!, shown.length > 1 ? name(row) : '', left, detail);
  });
}

/** @param left maps that are not shown */
function figureOf(
  { workload, cpus }: ModelRow, map: ZoneMap, name: string, left: number, detail: Detail,
): Figure {
  const zones = [...map.zones].sort((a, b) => a.cpu - b.cpu || a.chunk - b.chunk);
  const by = foldBy(zones.length, 2 * detail.cells);
  const perColumn = foldBy(map.ns.length, detail.cells * 2);
  const rows = folded(zones, map.ns.length, by, perColumn);
  const columns = rows[0]!.used.length;
  const height = Math.max(LOW, Math.min(HIGH, 320 / rows.length));
  const level = (column: number, row: number) => {
    const used = rows[row]!.used[column]!;
    return used <= 0 ? -1 : Math.min(LEVELS - 1, Math.floor((used * LEVELS) / 100.001));
  };
  const bottom = TOP + rows.length * height;
  const first = map.ns[0]!;
  const x = timeAxis(map.ns.at(-1)! - first);
  const notes = [
    ...(by > 1 ? [`Folded: a row is the mean of ${by} zones that follow each other.`] : []),
    ...(perColumn > 1 ? [`Folded: a column is the mean of ${perColumn} samples.`] : []), ...moreMaps(left),
  ];
  const last = zones.map(({ used }) => used.at(-1) ?? 0);
  const mean = last.reduce((sum, used) => sum + used, 0) / last.length;
  return {
    title: `Zones over time: ${workload}, ${cpusText(cpus)}${name && `, ${name}`}`,
    says: 'A row is a zone, by its CPU and the size of its chunks; its colour is what of it is in use; empty: nothing.',
    summary: `${integer(zones.length)} zones over ${duration(map.ns.at(-1)! - first)}; at the end ${mean.toFixed(0)} % `
      + `of a zone is in use on average, and ${last.filter((used) => used === 0).length} are empty.`,
    width: 480, height: bottom + 42,
    drawing: () => surround(rows, height, bottom, x)
      + mapDrawing(columns, rows.length, level, [LEFT, TOP], [WIDTH / columns, height]),
    legend: Array.from({ length: LEVELS }, (_, n): Key => (
      { name: `to ${Math.round(((n + 1) * 100) / LEVELS)} %`, style: n, kind: 'level' }
    )),
    notes,
    data: () => ({
      columns: [
        { head: 'zone', left: true }, { head: 'CPU' }, { head: 'chunk' }, { head: 'mean %' }, { head: 'most %' },
        { head: 'at the end %' },
      ],
      rows: zones.map(({ zone, cpu, chunk, used }) => [
        zone, String(cpu), integer(chunk), average(used).toFixed(0), String(used.reduce((a, b) => Math.max(a, b), 0)),
        String(used.at(-1) ?? 0),
      ]),
    }),
  };
}

/** The map is as wide as the time it shows. */
function timeAxis(ns: number): Axis {
  const scale = scaleLinear([0, ns], [LEFT, LEFT + WIDTH]);
  const ticks = scale.ticks(5).map((value) => ({ at: scale(value), label: duration(value) }));
  return { title: 'virtual time', range: [LEFT, LEFT + WIDTH], ticks, at: (value) => scale(Number(value)) };
}

function folded(zones: ZoneMap['zones'], times: number, by: number, perColumn: number): Folded[] {
  const columns = Math.ceil(times / perColumn);
  return Array.from({ length: Math.ceil(zones.length / by) }, (_, n) => {
    const together = zones.slice(n * by, (n + 1) * by);
    const used = Array.from({ length: columns }, (_, column) => average(
      together.flatMap((zone) => zone.used.slice(column * perColumn, (column + 1) * perColumn)),
    ));
    return { name: together[0]!.zone, cpu: together[0]!.cpu, used };
  });
}

function surround(rows: readonly Folded[], height: number, bottom: number, x: Axis): string {
  const parts = [
    element('rect', { class: 'field', x: LEFT, y: TOP, width: WIDTH, height: bottom - TOP }),
    label(0, TOP - 12, 'zones of', { class: 'strong' }),
    label(LEFT + WIDTH, bottom + 36, x.title, { class: 'strong', 'text-anchor': 'end' }),
    ...x.ticks.map(({ at, label: word }) => label(at, bottom + 18, word, { 'text-anchor': 'middle' })),
  ];
  // a word where another CPU's zones begin, as far as there is room
  let free = 0;
  for (const [n, { cpu }] of rows.entries()) {
    if (n > 0 && rows[n - 1]!.cpu === cpu) continue;
    const y = TOP + n * height;
    if (n > 0) parts.push(element('line', { class: 'grid', x1: LEFT - 6, x2: LEFT, y1: y, y2: y }));
    if (y < free) continue;
    parts.push(label(LEFT - 10, y + 11, `CPU ${cpu}`, { 'text-anchor': 'end' }));
    free = y + 13;
  }
  return parts.join('');
}

function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
