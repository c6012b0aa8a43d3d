/** stress_html.ts — stress runs as one HTML file that needs nothing else. */
import { escapeMarkup as text } from './markup.js';
import { htmlPage, madeBy } from './html/page.js';
import type { StressRecord } from '../lab/stress/record.js';
import { frequency, powerText, stressCircumstances } from './stress_text.js';
import { integer } from './table.js';

const HEADS = ['RESULT', 'SAMPLES', 'FREQ', 'EXPECT', 'DESCRIPTION'];

export function stressHtml(records: readonly StressRecord[], command: string): string {
  const { node, cpu, os } = records[0]?.environment ?? { node: '', cpu: '', os: '' };
  const main = `<h1>race stress</h1>
<p class="soft">${text([cpu, os, `Node ${node}`].join(', '))}</p>
${records.map(section).join('\n')}`;
  return htmlPage('race stress', main, { foot: madeBy(command) });
}

function section(record: StressRecord): string {
  const rows = record.rows.map(({ result, samples, expect, description }) => {
    const style = expect === 'FORBIDDEN' ? ' class="fail"' : '';
    const name = `<th scope="row">${text(result)}</th>`;
    const numbers = `<td class="n">${integer(samples)}</td><td class="n">${frequency(samples, record.samples)}</td>`;
    return `<tr>${name}${numbers}<td${style}>${expect}</td><td>${text(description)}</td></tr>`;
  });
  const heads = HEADS.map((head) => `<th scope="col">${head}</th>`).join('');
  const counts = `${integer(record.samples)} samples in ${record.seconds.toFixed(1)} s`;
  return `<section>
<h2>${text(record.scenario)}</h2>
<p>${text(record.title)} <span class="soft">(${text(record.origin)})</span></p>
<p class="soft">${text(stressCircumstances(record).join('; '))}</p>
<table><caption>${counts}</caption><thead><tr>${heads}</tr></thead><tbody>${rows.join('\n')}</tbody></table>
<p>${powerText(record).map(text).join('<br>')}</p>
</section>`;
}
