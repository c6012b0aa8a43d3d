/** frame.ts — what stands around a plot: lines at the ticks, their words, and what the axes are. */
import type { Axis } from './axis.js';
import { element, label } from './svg.js';

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** how far the axis goes on beyond where values have a logarithm */
const BEYOND = 6;

/** @param x undefined: the plot below has its words */
export function frame({ left, top, right, bottom }: Box, x: Axis | undefined, y: Axis): string {
  const parts = y.ticks.map(({ at, label: word }) => (
    element('line', { class: 'grid', x1: left, x2: right, y1: at, y2: at })
      + label(left - 6, at + 4, word, { 'text-anchor': 'end' })
  ));
  // a zero and a word stand beside a logarithmic axis, not on it
  const [from, to] = x ? [x.range[0] - BEYOND, x.range[1] + BEYOND] : [left, right];
  parts.push(element('line', { class: 'axis', x1: from, x2: to, y1: bottom, y2: bottom }));
  parts.push(label(0, top - 12, y.title, { class: 'strong' }));
  for (const { at, label: word } of x?.ticks ?? []) {
    parts.push(element('line', { class: 'axis', x1: at, x2: at, y1: bottom, y2: bottom + 4 }));
    parts.push(label(at, bottom + 17, word, { 'text-anchor': 'middle' }));
  }
  if (x) parts.push(label(right, bottom + 34, x.title, { class: 'strong', 'text-anchor': 'end' }));
  return parts.join('');
}
