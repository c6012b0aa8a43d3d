/** bars.ts — parts of a whole, a bar a row, bars of one machine under its name; what a bar sums to stands behind it. */
import type { Axis } from './axis.js';
import { element, hint, label } from './svg.js';

export interface Part {
  readonly name: string;
  /** of the class that fills it */
  readonly style: number;
  readonly value: number;
  readonly said: string;
}

export interface Bar {
  readonly label: string;
  readonly parts: readonly Part[];
  readonly total: string;
}

export interface BarGroup {
  /** '' where a bar is a group of its own */
  readonly name: string;
  readonly bars: readonly Bar[];
}

const ROW = 19;
const HEAD = 20;
const AXIS = 44;
const GLYPH = 7;
const TOP = 8;

/** Room that words take, in coordinates: letters differ, and so do fonts. */
export function labelRoom(labels: readonly string[], most = 190): number {
  return Math.min(most, Math.max(30, ...labels.map((text) => text.length * GLYPH)) + 8);
}

/** Words that fit into the room of labels; the rest a pointer shows. */
export function fitted(text: string, room: number): string {
  const letters = Math.floor((room - 8) / GLYPH + 0.01);
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}

export function barsHeight(groups: readonly BarGroup[]): number {
  const heads = groups.filter(({ name }) => name !== '').length * HEAD;
  return TOP + heads + groups.reduce((sum, { bars }) => sum + bars.length, 0) * ROW + AXIS;
}

/** @param room of the labels: where bars begin */
export function barsDrawing(groups: readonly BarGroup[], x: Axis, room: number): string {
  const bottom = barsHeight(groups) - AXIS;
  const [left, right] = x.range;
  const parts = x.ticks.map(({ at, label: word }) => (
    element('line', { class: 'grid', x1: at, x2: at, y1: TOP, y2: bottom })
      + label(at, bottom + 16, word, { 'text-anchor': 'middle' })
  ));
  parts.push(label(right, bottom + 33, x.title, { class: 'strong', 'text-anchor': 'end' }));
  let y = TOP;
  for (const { name, bars } of groups) {
    if (name !== '') {
      parts.push(label(0, y + 14, name, { class: 'strong' }));
      y += HEAD;
    }
    for (const bar of bars) {
      const name = fitted(bar.label, room);
      parts.push(label(left - 6, y + 13, name, { 'text-anchor': 'end' }), ...barParts(bar, x, y));
      y += ROW;
    }
  }
  return parts.join('');
}

function barParts({ parts, total }: Bar, x: Axis, y: number): string[] {
  let sum = 0;
  const drawn = parts.map(({ name, style, value, said }) => {
    const from = x.at(sum);
    sum += value;
    const width = x.at(sum) - from;
    if (width < 0.05) return '';
    const box = { class: `f${style} part`, x: from, y: y + 2, width, height: ROW - 5 };
    return element('rect', box, hint(`${name}: ${said}`));
  });
  return [...drawn, label(x.at(sum) + 6, y + 13, total, { class: 'total' })];
}
