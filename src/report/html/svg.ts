/** svg.ts — elements of a drawing, as text: attributes escaped, coordinates to a tenth. */
import { symbol, symbolCircle, symbolCross, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape';
import { escapeMarkup } from '../markup.js';

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** @param children markup, or text that is escaped already */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const pairs = Object.entries(attributes).filter(([, value]) => value !== undefined && value !== '');
  const open = pairs.map(([key, value]) => ` ${key}="${typeof value === 'number' ? px(value) : escapeMarkup(value!)}"`);
  const inside = children.join('');
  return inside === '' ? `<${name}${open.join('')}/>` : `<${name}${open.join('')}>${inside}</${name}>`;
}

/** A coordinate. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

export function label(x: number, y: number, text: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escapeMarkup(text));
}

/** What a pointer at rest is told. */
export function hint(text: string): string {
  return element('title', {}, escapeMarkup(text));
}

/** colours, dash patterns and marks there are; of each, by number, the style has a class */
export const STYLES = 8;

const MARKS = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolCross];
const AREA = 46;

/** A mark of a style, its middle at 0, 0. */
export function markPath(style: number): string {
  const path = symbol(MARKS[style % MARKS.length]!, AREA)() ?? '';
  return path.replace(/-?\d+\.\d+/g, (number) => px(Number(number)));
}

export function mark(x: number, y: number, style: number, said: string): string {
  const place = `translate(${px(x)} ${px(y)})`;
  return element('path', { class: `mark s${style % STYLES}`, d: markPath(style), transform: place }, hint(said));
}
