/** tables.ts — tables of a page: they sort (sorting.ts), and a long one says what it left out. */
import { escapeMarkup as text } from '../markup.js';
import { type Cells, integer } from '../table.js';

export interface TableOptions {
  readonly caption?: string;
  /** rows that are shown, at most */
  readonly most?: number;
  /** words of some cells that are to be seen at once, and their class */
  readonly marks?: Readonly<Record<string, string>>;
  /** columns of sentences, which may be broken into lines */
  readonly wide?: readonly number[];
}

/** A table that scrolls by itself where it is wider than the page. */
export function htmlTable(table: Cells, options: TableOptions): string {
  const { caption = '', most = Number.POSITIVE_INFINITY, marks = {}, wide = [] } = options;
  const { columns, rows } = table;
  const shown = rows.slice(0, most);
  const heads = columns.map(({ head, left }) => `<th scope="col"${left ? '' : ' class="n"'}>${text(head)}</th>`);
  const lines = shown.map((cells) => `<tr>${cells.map((cell, n) => {
    const { left } = columns[n]!;
    const kinds = [left ? '' : 'n', wide.includes(n) ? 'wide' : '', marks[cell] ?? ''].filter(Boolean).join(' ');
    const own = kinds === '' ? '' : ` class="${kinds}"`;
    return n === 0 && left ? `<th scope="row"${own}>${text(cell)}</th>` : `<td${own}>${text(cell)}</td>`;
  }).join('')}</tr>`);
  const left = rows.length - shown.length;
  const more = left > 0 ? `; ${integer(left)} more rows are in the record` : '';
  const title = `${caption}${more}`.replace(/^; /, '');
  const name = text(caption || 'table');
  const head = title === '' ? '' : `<caption>${text(title)}</caption>`;
  return `<div class="scroll" role="region" tabindex="0" aria-label="${name}">
<table class="sorts">${head}
<thead><tr>${heads.join('')}</tr></thead>
<tbody>${lines.join('\n')}</tbody></table></div>`;
}
