/**
 * race_html.ts — an exploration as one HTML file that needs nothing else: the summary, and per counterexample the
 * columns with a slider over its steps, which shows what every word of the trace holds after each of them.
 */
import type { Counterexample, Exploration } from '../lab/result.js';
import { valueText } from '../observe/spelling.js';
import { escapeMarkup as text, scriptJson } from './markup.js';
import { htmlPage, madeBy } from './html/page.js';
import { STEPPING_SCRIPT, STEPPING_STYLE } from './race_page.js';
import { type TraceRow, traceRows } from './race_rows.js';
import { circumstances, explorationVerdict, foundText, passName, passResult, raceLines } from './race_text.js';
import { Places, stepText } from './race_words.js';
import { integer } from './table.js';

/** @param command what made the page; '' where nobody knows */
export function raceHtml(x: Exploration, command = ''): string {
  const style = x.verdict === 'fail' ? 'fail' : 'pass';
  const main = `<h1>${text(x.scenario)}</h1>
<p>${text(x.title)} <span class="soft">(${text(x.origin)})</span></p>
<p class="verdict ${x.verdict === 'budget' ? '' : style}">${text(explorationVerdict(x))}</p>
<p class="soft">${circumstances(x).map(text).join('<br>')}</p>
${passTable(x)}
${outcomeTable(x)}
${x.counterexamples.map((c, n) => counterexample(c, n, x)).join('\n')}`;
  return htmlPage(`${x.scenario}: ${x.verdict}`, main, {
    foot: madeBy(command), style: STEPPING_STYLE, script: STEPPING_SCRIPT,
  });
}

function tableRow(cells: readonly string[]): string {
  return `<tr>${cells.map((cell, n) => (n === 0 ? `<th scope="row">${cell}</th>` : cell)).join('')}</tr>`;
}

function passTable(x: Exploration): string {
  const rows = x.passes.map((pass) => tableRow([
    text(passName(pass, x)),
    `<td class="n">${integer(pass.executions)}</td><td class="n">${integer(pass.cut)}</td>`,
    `<td class="${pass.failures > 0 ? 'fail' : ''}">${passResult(pass)}</td>`,
  ]));
  const heads = ['search', 'schedules', 'cut', 'result'];
  return `<table>${caption('What was explored', heads)}<tbody>${rows.join('\n')}</tbody></table>`;
}

function outcomeTable({ outcomes }: Exploration): string {
  const named = Object.entries(outcomes).sort(([, a], [, b]) => b - a);
  if (named.length === 0) return '';
  const rows = named.map(([name, count]) => tableRow([text(name), `<td class="n">${integer(count)}</td>`]));
  return `<table>${caption('What came out', ['outcome', 'schedules'])}<tbody>${rows.join('\n')}</tbody></table>`;
}

function caption(title: string, heads: readonly string[]): string {
  const cells = heads.map((head) => `<th scope="col">${text(head)}</th>`).join('');
  return `<caption>${text(title)}</caption><thead><tr>${cells}</tr></thead>`;
}

function counterexample(c: Counterexample, n: number, x: Exploration): string {
  const few = traceRows(c, false);
  const folded = few.some(({ kind }) => kind === 'folded');
  const checkbox = folded ? '<label><input type="checkbox"> every access</label>' : '';
  const every = folded ? `<tbody hidden>${traceTable(c, traceRows(c, true))}</tbody>` : '';
  const race = raceLines(c).filter((line) => line !== '').map((line) => text(line)).join('<br>');
  const data = stepData(c, x.memory === 'tso');
  const words = data.places.map((place) => tableRow([text(place), '<td></td>']));
  return `<section class="counterexample" aria-labelledby="title${n}">
<h2 id="title${n}">${text(c.cls)}: ${text(c.message)}</h2>
<p class="soft">${text(foundText(c))}</p>
<p>${race}</p>
<p>replay: <code>${text(`smpalloc race replay ${x.scenario} ${c.token}`)}</code></p>
<div class="controls"><label for="step${n}">step</label>
<input id="step${n}" type="range" min="0" max="${c.steps.length}" value="0">
${checkbox}<span class="soft">arrow keys step</span></div>
<p class="now" role="status"></p>
<div class="side">
<div class="scroll" role="region" tabindex="0" aria-label="trace">
<table class="trace">${caption('Who did what, in order', ['step', ...c.columns, 'where'])}
<tbody>${traceTable(c, few)}</tbody>${every}</table>
</div>
<table class="values">${caption('Words after the step', ['word', 'value'])}<tbody>${words.join('\n')}</tbody></table>
</div>
<script type="application/json">${scriptJson({ words: data.initial, steps: data.steps })}</script>
</section>`;
}

function traceTable({ columns }: Counterexample, rows: readonly TraceRow[]): string {
  return rows
    .map((row) => {
      const kind = row.marked ? 'marked' : row.kind;
      const named = row.kind === 'operation';
      const range = named ? '' : ` data-first="${row.first}" data-last="${row.last}"`;
      const number = named ? '' : `${row.first}${row.switched ? '&gt;' : ''}${row.marked ? '*' : ''}`;
      const cells = columns.map((_, n) => `<td>${n === row.column ? text(row.text) : ''}</td>`).join('');
      return `<tr class="${kind}"${range}><th scope="row">${number}</th>${cells}<td>${text(row.line)}</td></tr>`;
    })
    .join('\n');
}

/** accesses that change memory; under TSO a plain store does when it is drained */
const WRITES = new Set(['store', 'cas', 'xchg', 'add', 'or', 'and', 'drain']);
const PLAIN_WRITES = new Set(['st', 'st8', 'st64']);
/** accesses that show no 32-bit value of a word */
const WORDLESS = new Set(['ldf', 'stf', 'pause', 'mask', 'unmask', 'look', 'mark', 'move']);

/** What the page's script works with: per step its word by number or -1, the value after it, and whether it writes. */
function stepData({ steps }: Counterexample, tso: boolean) {
  const numbers = new Map<number, number>();
  const places: string[] = [];
  const initial: string[] = [];
  const said = new Places(steps);
  const rows = steps.map((step) => {
    const { word, kind, place } = step;
    const line = `cpu${step.cpu} ${stepText(step, said)}`;
    if (WORDLESS.has(kind)) return [-1, '', 0, line];
    if (!numbers.has(word)) {
      numbers.set(word, places.length);
      places.push(place);
      initial.push(valueText(place, step.old));
    }
    const writes = WRITES.has(kind) || (PLAIN_WRITES.has(kind) && !tso);
    return [numbers.get(word)!, valueText(place, step.now), writes ? 1 : 0, line];
  });
  return { places, initial, steps: rows };
}
