/**
 * race_page.ts — style and script of a page that goes through schedules. The script gets the steps as data and works
 * out what every word held at the chosen one; without it the page is still the tables.
 */

export const STEPPING_STYLE = `
:root { --wide: 110rem; }
.counterexample h2 { font-size: 1.15rem; margin: 2.5rem 0 0; color: var(--bad); }
.trace tbody th { text-align: right; }
.trace tbody, .values tbody { font: 13px/1.45 ui-monospace, monospace; font-weight: normal; }
.trace tbody td { overflow-wrap: anywhere; } .trace tr[data-first] { cursor: pointer; }
.operation td { font-weight: 600; } .folded td { color: var(--soft); } .marked td { color: var(--bad); }
tr[aria-current] { background: var(--here); } .values .changed td { background: var(--here); font-weight: 600; }
.side { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
.side .scroll { overflow: auto; max-height: 75vh; flex: 1 1 40rem; min-width: 0; border: 1px solid var(--line); }
.controls { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; margin: .8rem 0; }
.controls input[type=range] { flex: 1 1 20rem; min-width: 0; }
html:not(.js) .controls, html:not(.js) .values { display: none; }
@media print { .side .scroll { max-height: none; overflow: visible; } .controls { display: none; } }
`;

export const STEPPING_SCRIPT = `
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
