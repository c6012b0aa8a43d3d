/** lines.ts — series of points in a frame: with a mark each where they are few, else one now and then. */
import { curveLinear, curveStepBefore, line } from 'd3-shape';
import type { Axis, Value } from './axis.js';
import { element, mark, px, STYLES } from './svg.js';

export interface Point {
  readonly x: Value;
  readonly y: number;
  /** instead of 'x, y' */
  readonly said?: string;
}

export interface Series {
  readonly name: string;
  readonly style: number;
  readonly points: readonly Point[];
  /** what is drawn through the points instead of straight lines between them */
  readonly curve?: readonly Point[];
  /** a staircase: a value holds for all that is before its point */
  readonly steps?: boolean;
}

/** marks of a line that has more points than these */
const MARKS = 12;

export function linesDrawing(series: readonly Series[], x: Axis, y: Axis): string {
  return series.map(({ name, style, points, curve, steps = false }) => {
    const index = style % STYLES;
    const path = pathOf(curve ?? points, x, y, steps);
    const every = Math.max(1, Math.ceil(points.length / MARKS));
    // a staircase of many steps is seen without
    const marks = (steps && every > 1 ? [] : points)
      .filter((_, n) => n % every === 0 || n === points.length - 1)
      .map((point) => {
        const said = point.said ?? `${x.title} ${point.x}, ${y.title} ${point.y}`;
        return mark(x.at(point.x), y.at(point.y), style, `${name}: ${said}`);
      });
    return `${element('path', { class: `series s${index} d${index}`, d: path })}${marks.join('')}`;
  }).join('');
}

function pathOf(points: readonly Point[], x: Axis, y: Axis, steps: boolean): string {
  const draw = line<Point>((point) => x.at(point.x), (point) => y.at(point.y));
  draw.curve(steps ? curveStepBefore : curveLinear);
  const path = draw([...points]) ?? '';
  return path.replace(/-?\d+\.\d+/g, (number) => px(Number(number)));
}

/** What a description says of series: where each begins and where it ends. */
export function seriesSummary(
  series: readonly Series[], x: (value: Value) => string, y: (value: number) => string,
): string {
  return series.map(({ name, points }) => {
    const [first, last] = [points[0]!, points.at(-1)!];
    if (points.length === 1) return `${name}: ${y(first.y)} at ${x(first.x)}`;
    return `${name}: from ${y(first.y)} at ${x(first.x)} to ${y(last.y)} at ${x(last.x)}`;
  }).join('; ');
}

/** Of many points `most`, evenly, the first and the last among them. */
export function thinned<T>(points: readonly T[], most: number): readonly T[] {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, n) => points[Math.round((n * (points.length - 1)) / (most - 1))]!);
}
