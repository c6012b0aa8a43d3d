/** dots.ts — a value a row with the interval it lies in, on one axis: what is compared stands below each other. */
import type { Axis, Value } from './axis.js';
import { fitted, labelRoom } from './bars.js';
import { element, label, mark } from './svg.js';

export interface Dot {
  readonly label: string;
  readonly style: number;
  readonly value: Value;
  /** ends of its interval */
  readonly low?: number;
  readonly high?: number;
  readonly said: string;
}

export interface DotGroup {
  /** '' for the only one */
  readonly name: string;
  readonly dots: readonly Dot[];
}

export interface DotsOptions {
  readonly groups: readonly DotGroup[];
  /** @param range the coordinates there are for values */
  readonly axis: (range: readonly [number, number]) => Axis;
  readonly width: number;
  /** a value that is marked: there both are alike */
  readonly even?: number;
}

const ROW = 22;
const HEAD = 22;
const AXIS = 44;
const TOP = 8;
/** room of a row's name, at most */
const NAMES = 170;

export function dotsHeight(groups: readonly DotGroup[]): number {
  const heads = groups.filter(({ name }) => name !== '').length * HEAD;
  return TOP + heads + groups.reduce((sum, { dots }) => sum + dots.length, 0) * ROW + AXIS;
}

export function dotsDrawing({ groups, axis, width, even }: DotsOptions): string {
  const all = groups.flatMap(({ dots }) => dots);
  const room = labelRoom(all.map((dot) => dot.label), NAMES);
  const x = axis([room + 8, width - labelRoom(all.map(({ said }) => said)) - 8]);
  const bottom = dotsHeight(groups) - AXIS;
  const parts = x.ticks.map(({ at, label: word }) => (
    element('line', { class: 'grid', x1: at, x2: at, y1: TOP, y2: bottom })
      + label(at, bottom + 16, word, { 'text-anchor': 'middle' })
  ));
  if (even !== undefined) {
    parts.push(element('line', { class: 'even', x1: x.at(even), x2: x.at(even), y1: TOP, y2: bottom }));
  }
  parts.push(label(x.range[1], bottom + 33, x.title, { class: 'strong', 'text-anchor': 'end' }));
  let y = TOP;
  for (const { name, dots } of groups) {
    if (name !== '') {
      parts.push(label(0, y + 15, name, { class: 'strong' }));
      y += HEAD;
    }
    for (const dot of dots) {
      parts.push(label(room - 6, y + 15, fitted(dot.label, room), { 'text-anchor': 'end' }), dotMark(dot, x, y + 11));
      parts.push(label(width, y + 15, dot.said, { 'text-anchor': 'end', class: 'total' }));
      y += ROW;
    }
  }
  return parts.join('');
}

function dotMark({ label: name, style, value, low, high, said }: Dot, x: Axis, y: number): string {
  const point = mark(x.at(value), y, style, `${name}: ${said}`);
  if (low === undefined || high === undefined) return point;
  const [from, to] = [x.at(low), x.at(high)];
  const kind = `whisker s${style}`;
  const ends = [from, to].map((at) => element('line', { class: kind, x1: at, x2: at, y1: y - 5, y2: y + 5 }));
  return element('line', { class: kind, x1: from, x2: to, y1: y, y2: y }) + ends.join('') + point;
}
