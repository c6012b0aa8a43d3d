/**
 * figure.ts — a drawing on a page: title, what it shows, the drawing with a description for who does not see it, a
 * legend, what was folded, and its data as a table. It is made here, not in the browser: it needs no script, prints,
 * and takes its colours from the page's style.
 */
import { escapeMarkup as text } from '../markup.js';
import { type Cells, integer } from '../table.js';
import type { Detail } from './detail.js';
import { element, markPath, STYLES } from './svg.js';
import { htmlTable } from './tables.js';

export interface Key {
  readonly name: string;
  readonly style: number;
  readonly kind: 'line' | 'fill' | 'level';
}

export interface Figure {
  readonly title: string;
  /** what is to be seen, in a sentence or two */
  readonly says: string;
  /** what it shows in these data, for who does not see it */
  readonly summary: string;
  readonly width: number;
  readonly height: number;
  /** SVG; asked for when there is room for it on the page */
  readonly drawing: () => string;
  readonly legend: readonly Key[];
  /** what was folded, and what could not be drawn */
  readonly notes: readonly string[];
  /** a table that belongs to it, and is seen */
  readonly beside?: { readonly caption: string; readonly cells: Cells };
  readonly data: () => Cells;
}

/** @param id unique on the page */
export function figureHtml(figure: Figure, id: string, detail: Detail): string {
  const { title, says, summary, width, height, drawing, legend, notes, beside } = figure;
  const svg = element(
    'svg',
    { viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`, role: 'img', 'aria-labelledby': `${id}t ${id}d` },
    element('title', { id: `${id}t` }, text(title)), element('desc', { id: `${id}d` }, text(summary)), drawing(),
  );
  const keys = legend.map((key) => `<li>${swatch(key)}${text(key.name)}</li>`).join('');
  const remarks = notes.map((note) => `<p class="note">${text(note)}</p>`).join('');
  return `<figure class="plot" id="${id}">
<figcaption><h4>${text(title)}</h4><p class="soft">${text(says)}</p></figcaption>
${svg}
${keys === '' ? '' : `<ul class="legend">${keys}</ul>`}${remarks}
${beside ? htmlTable(beside.cells, { caption: beside.caption, most: Math.max(detail.data, 8) }) : ''}
${dataTable(figure, detail)}
</figure>`;
}

function dataTable(figure: Figure, detail: Detail): string {
  const data = figure.data();
  const count = `${integer(data.rows.length)} ${data.rows.length === 1 ? 'row' : 'rows'}`;
  if (detail.data === 0) return `<p class="note data">its data: ${count} in the record</p>`;
  const table = htmlTable(data, { caption: `data of: ${figure.title}`, most: detail.data });
  return `<details class="data"><summary>data (${count})</summary>${table}</details>`;
}

function swatch({ style, kind }: Key): string {
  const box = { viewBox: kind === 'line' ? '0 0 28 12' : '0 0 14 12', 'aria-hidden': 'true', class: 'swatch' };
  if (kind === 'level') return element('svg', box, element('rect', { class: `q${style}`, width: 14, height: 12 }));
  if (kind === 'fill') return element('svg', box, element('rect', { class: `f${style}`, width: 14, height: 12 }));
  const index = style % STYLES;
  const line = element('line', { class: `series s${index} d${index}`, x1: 0, x2: 28, y1: 6, y2: 6 });
  const point = element('path', { class: `mark s${index}`, d: markPath(style), transform: 'translate(14 6)' });
  return element('svg', box, line, point);
}
