/**
 * race_page.ts — the frame of the HTML reports, their style, and the script that goes through a schedule. The script
 * gets the steps as data and works out what every word held at the chosen one; without it the page is still the tables.
 */
import { escapeMarkup } from './markup.js';

const PAGE_STYLE = `
:root { color-scheme: light dark; --back: #fff; --text: #1c1e21; --soft: #5b6067; --line: #d5d9de; --here: #fff2c4;
  --bad: #b3261e; --good: #1d6b2f; --head: #f3f5f7; }
@media (prefers-color-scheme: dark) { :root { --back: #15181c; --text: #e4e6e9; --soft: #a2a8b0; --line: #3a4048;
  --here: #4a3f12; --bad: #ff8a80; --good: #7fd08f; --head: #1f242a; } }
body { background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 110rem; padding: 1rem 1.5rem 4rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 0; color: var(--bad); overflow-wrap: anywhere; }
.soft { color: var(--soft); } .fail { color: var(--bad); } .pass { color: var(--good); } .verdict { font-weight: 600; }
table { border-collapse: collapse; } caption { text-align: left; color: var(--soft); padding: .2rem 0; }
th, td { text-align: left; vertical-align: top; padding: .1rem .6rem; border-bottom: 1px solid var(--line); }
thead th { position: sticky; top: 0; background: var(--head); } td.n, .trace tbody th { text-align: right; }
.trace tbody, .values tbody, code { font: 13px/1.45 ui-monospace, monospace; font-weight: normal; }
.trace tbody td { overflow-wrap: anywhere; } .trace tr[data-first] { cursor: pointer; }
.operation td { font-weight: 600; } .folded td { color: var(--soft); } .marked td { color: var(--bad); }
tr[aria-current] { background: var(--here); } .values .changed td { background: var(--here); font-weight: 600; }
.side { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
.scroll { overflow: auto; max-height: 75vh; flex: 1 1 40rem; border: 1px solid var(--line); }
.scroll:focus-visible, input:focus-visible { outline: 2px solid var(--text); }
.controls { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; margin: .8rem 0; }
.controls input[type=range] { flex: 1 1 20rem; }
html:not(.js) .controls, html:not(.js) .values { display: none; }
@media print { .scroll { max-height: none; overflow: visible; } .controls { display: none; } }
`;

const PAGE_SCRIPT = `
'use strict';
document.documentElement.classList.add('js');
const moves = { ArrowLeft: -1, ArrowRight: 1 };
let active = null;
for (const section of document.querySelectorAll('section.counterexample')) {
  const { words, steps } = JSON.parse(section.querySelector('script').textContent);
  const slider = section.querySelector('input[type=range]');
  const every = section.querySelector('input[type=checkbox]');
  const now = section.querySelector('.now');
  const bodies = section.querySelectorAll('.trace tbody');
  const cells = [...section.querySelectorAll('.values tbody tr')];
  const visible = () => bodies[every && every.checked ? 1 : 0];
  function show(scroll) {
    const at = Number(slider.value);
    const values = words.map((initial) => initial);
    for (const [word, value, writes] of steps.slice(0, at)) if (writes && word >= 0) values[word] = value;
    const touched = at > 0 ? steps[at - 1][0] : -1;
    cells.forEach((row, word) => {
      row.cells[1].textContent = values[word];
      row.classList.toggle('changed', word === touched);
    });
    const text = at > 0 ? 'step ' + at + ' of ' + steps.length + ': ' + steps[at - 1][3] : 'before the first step';
    now.textContent = text;
    slider.setAttribute('aria-valuetext', text);
    for (const row of section.querySelectorAll('.trace tr[aria-current]')) row.removeAttribute('aria-current');
    for (const row of visible().querySelectorAll('tr[data-first]')) {
      if (at < Number(row.dataset.first) || at > Number(row.dataset.last)) continue;
      row.setAttribute('aria-current', 'step');
      if (scroll) row.scrollIntoView({ block: 'nearest' });
    }
  }
  function go(step) {
    active = section;
    slider.value = String(step);
    show(true);
  }
  section.move = (by) => go(Number(slider.value) + by);
  slider.addEventListener('input', () => go(slider.value));
  section.addEventListener('click', (event) => {
    active = section;
    const row = event.target.closest('tr[data-first]');
    if (row) go(row.dataset.first);
  });
  if (every) every.addEventListener('change', () => {
    bodies[0].hidden = every.checked;
    bodies[1].hidden = !every.checked;
    show(true);
  });
  active = active || section;
  show(false);
}
document.addEventListener('keydown', (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target.tagName === 'INPUT') return;
  if (!active || !(event.key in moves)) return;
  event.preventDefault();
  active.move(moves[event.key]);
});
`;

/**
 * A page that loads nothing, whatever the texts in it say.
 * @param title as it is to be read @param main,foot HTML @param stepping with the script that goes through schedules
 */
export function htmlPage(title: string, main: string, { foot = '', stepping = false } = {}): string {
  const script = stepping ? "; script-src 'unsafe-inline'" : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'${script}">
<meta name="viewport" content="width=device-width">
<title>${escapeMarkup(title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
${main}
</main>
${foot}${stepping ? `<script>${PAGE_SCRIPT}</script>\n` : ''}</body>
</html>
`;
}
