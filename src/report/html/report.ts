/**
 * report.ts — records as one page: of each what was asked, its claims, its drawings, its tables, and at the foot where
 * it ran. A page that would be too large is made again with less, and says so (detail.ts).
 */
import { SmpallocError } from '../../base/errors.js';
import type { Claim } from '../../suite/claims.js';
import { NOT_AUDITED } from '../../suite/suite.js';
import { escapeMarkup as text } from '../markup.js';
import type { RunRecord } from '../record.js';
import { integer } from '../table.js';
import { suiteTables } from '../text.js';
import { type Detail, DETAILS, PAGE_BYTES } from './detail.js';
import { type Figure, figureHtml } from './figure.js';
import { footHtml, warningsOf } from './foot.js';
import { type Drawn, drawings } from './kinds.js';
import { modelTable } from './model_table.js';
import { htmlPage } from './page.js';
import { messagesFigures } from './plot_messages.js';
import { patterns, REPORT_STYLE } from './report_style.js';
import { modelRows, rowsOf, suiteRows } from './rows.js';
import { SORTING_SCRIPT } from './sorting.js';
import { htmlTable } from './tables.js';

/**
 * @returns HTML of less than PAGE_BYTES
 * @throws SmpallocError ESMP_INPUT when even the least that is still a report would be more
 */
export function reportHtml(records: readonly RunRecord[]): string {
  let size = 0;
  for (const [level, detail] of DETAILS.entries()) {
    const html = pageOf(records, detail, level > 0);
    size = Buffer.byteLength(html);
    if (size < PAGE_BYTES) return html;
  }
  const least = `${records.length === 1 ? 'this record' : `these ${records.length} records`} at its least`;
  const right = `expected at most ${integer(PAGE_BYTES)}: fewer records, or fewer rows in them`;
  throw new SmpallocError('ESMP_INPUT', `report: a page of ${least} takes ${integer(size)} bytes; ${right}`);
}

function pageOf(records: readonly RunRecord[], detail: Detail, folded: boolean): string {
  const [first] = records;
  const single = first && records.length === 1;
  const title = single ? commandOf(first) : `smpalloc: ${records.length} records`;
  const limit = `${integer(PAGE_BYTES / 1000)} kB`;
  const main = [
    patterns(), `<h1>${single ? `<code>${text(title)}</code>` : text(title)}</h1>`,
    ...(folded ? [`<p class="note">More than ${limit} hold: the page is folded, and says where.</p>`] : []),
    ...(single ? [] : [contents(records)]), ...together(records, detail),
    ...records.map((record, n) => recordSection(record, detail, `r${n}`, !single)),
  ];
  const foot = `<footer>${records.map((record, n) => footHtml(record, `r${n}`)).join('\n')}</footer>\n`;
  return htmlPage(title, main.join('\n'), { foot, style: REPORT_STYLE, script: SORTING_SCRIPT });
}

function commandOf({ config }: RunRecord): string {
  return `smpalloc ${config.command}`;
}

function contents(records: readonly RunRecord[]): string {
  const items = records.map((record, n) => `<li><a href="#r${n}"><code>${text(commandOf(record))}</code></a></li>`);
  return `<nav aria-label="records"><ol>${items.join('')}</ol></nav>`;
}

/** What only several records show: rows of different runs that differ in the signal delay. */
function together(records: readonly RunRecord[], detail: Detail): string[] {
  const alone = records.flatMap((record) => messagesFigures([record]));
  const all = records.length > 1 ? messagesFigures(records) : [];
  const points = (figures: readonly Figure[]) => figures.reduce((sum, { data }) => sum + data().rows.length, 0);
  if (points(all) <= points(alone)) return [];
  return ['<h2>All records together</h2>', plots(all.slice(0, detail.figures), 'all', detail)];
}

/** @param titled with its command line: it is not the page's title */
function recordSection(record: RunRecord, detail: Detail, id: string, titled: boolean): string {
  const { environment, claims, complete } = record;
  const warnings = warningsOf(record).length;
  const where = [
    environment.time.slice(0, 16).replace('T', ' '), environment.cpu, `${environment.cores} cores`,
    `Node ${environment.node}`, `smpalloc ${environment.smpalloc}`,
  ];
  const drawn = drawings(record, detail);
  return [
    `<section id="${id}">`, ...(titled ? [`<h2><code>${text(commandOf(record))}</code></h2>`] : []),
    `<p class="soft">${text(where.join(', '))} (<a href="#${id}foot">all of it</a>)</p>`,
    ...(complete ? [] : ['<p class="warning fail">Interrupted: the rows are what was known by then.</p>']),
    ...(warnings > 0 ? [`<p class="warning"><a href="#${id}foot">${counted(warnings, 'warning')}</a></p>`] : []),
    ...badAudits(record), ...claimsTable(claims, detail),
    ...figureSections(drawn, id, detail), ...tables(record, detail), missing(drawn), '</section>',
  ].join('\n');
}

function counted(count: number, what: string): string {
  return `${integer(count)} ${what}${count === 1 ? '' : 's'}`;
}

function badAudits(record: RunRecord): string[] {
  return rowsOf(record).filter(({ audit }) => audit !== 'ok' && audit !== NOT_AUDITED).slice(0, 20).map(
    ({ suite, free, stats, audit }) => (
      `<p class="warning fail">AUDIT FAILED ${text(`${suite} ${free} ${stats}: ${audit}`)}</p>`
    ),
  );
}

function claimsTable(claims: readonly Claim[], detail: Detail): string[] {
  if (claims.length === 0) return [];
  const passed = claims.filter(({ pass }) => pass).length;
  const cells = {
    columns: ['verdict', 'claim', 'measured', 'source', 'id'].map((head) => ({ head, left: true })),
    rows: claims.map(({ pass, text: claim, measured, source, id }) => (
      [pass ? 'PASS' : 'FAIL', claim, measured, source, id]
    )),
  };
  const caption = `${passed} of ${claims.length} hold`;
  const marks = { PASS: 'pass verdict', FAIL: 'fail verdict' };
  return ['<h3>Claims</h3>', htmlTable(cells, { caption, marks, most: detail.rows, wide: [1, 2] })];
}

/** As many figures as the page has room for. */
function figureSections({ groups }: Drawn, id: string, detail: Detail): string[] {
  const all = groups.reduce((sum, { figures }) => sum + figures.length, 0);
  let room = detail.figures;
  const sections = groups.flatMap(({ title, figures }, n) => {
    const shown = figures.slice(0, room);
    room -= shown.length;
    return shown.length === 0 ? [] : [`<h3>${text(title)}</h3>`, plots(shown, `${id}g${n}`, detail)];
  });
  if (all <= detail.figures) return sections;
  const left = `${counted(all - detail.figures, 'drawing')} of ${all} left out`;
  return [...sections, `<p class="note">Folded: ${left}. A record of fewer rows shows them all.</p>`];
}

function plots(figures: readonly Figure[], id: string, detail: Detail): string {
  return `<div class="plots">${figures.map((one, n) => figureHtml(one, `${id}f${n}`, detail)).join('\n')}</div>`;
}

function tables(record: RunRecord, detail: Detail): string[] {
  const rows = rowsOf(record);
  const model = modelRows(rows);
  const parts = suiteTables(suiteRows(rows)).map(({ title, note, cells }) => (
    `<h3>${text(title)}</h3>${htmlTable(cells, { caption: note, most: detail.rows })}`
  ));
  if (model.length > 0) {
    const caption = 'counts are exact, times are predictions of the cost profile';
    parts.push(`<h3>model</h3>${htmlTable(modelTable(model), { caption, most: detail.rows })}`);
  }
  return parts;
}

function missing({ missing: none }: Drawn): string {
  if (none.length === 0) return '';
  const items = none.map(({ name, needs }) => `<li>${text(name)}: <code>smpalloc ${text(needs)}</code></li>`);
  const summary = '<summary>what is not drawn, and what would make it</summary>';
  return `<details class="data">${summary}<ul>${items.join('')}</ul></details>`;
}
