/**
 * sorting.ts — the page's script: heads of tables become buttons that sort, upwards, downwards, and as they were. Cells
 * are compared as the numbers they begin with; those without one stand last. Without it tables are as they were.
 */
export const SORTING_SCRIPT = `
'use strict';
const orders = { none: 'ascending', ascending: 'descending', descending: 'none' };
const numberOf = (cell) => Number.parseFloat(cell.textContent.replaceAll(',', ''));
const order = new Intl.Collator('en', { numeric: true });
const textOf = (cell) => cell.textContent;
function compare(column, words) {
  if (words) return (a, b) => order.compare(textOf(a.cells[column]), textOf(b.cells[column]));
  return (a, b) => numberOf(a.cells[column]) - numberOf(b.cells[column]);
}
for (const table of document.querySelectorAll('table.sorts')) {
  const body = table.tBodies[0];
  const asTheyWere = [...body.rows];
  if (asTheyWere.length < 2) continue;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute('aria-sort', 'none');
    button.addEventListener('click', () => {
      const next = orders[head.getAttribute('aria-sort')];
      for (const other of heads) other.setAttribute('aria-sort', 'none');
      head.setAttribute('aria-sort', next);
      const words = !head.classList.contains('n');
      const isLast = (row) => !words && Number.isNaN(numberOf(row.cells[column]));
      const sorted = asTheyWere.filter((row) => !isLast(row)).sort(compare(column, words));
      if (next === 'descending') sorted.reverse();
      body.append(...(next === 'none' ? asTheyWere : [...sorted, ...asTheyWere.filter(isLast)]));
    });
  });
}
`;
