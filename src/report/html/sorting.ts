/**
 * sorting.ts — the page's script: heads of tables become buttons that sort, upwards, downwards, and as they were. Cells
 * are compared as the numbers they begin with; those without one stand last. Without the script the tables are as they were.
 */
export const SORTING_SCRIPT = `
'use strict';
const orders = { none: 'ascending', ascending: 'descending', descending: 'none' };
const numberOf = (cell) => Number.parseFloat(cell.textContent.replaceAll(',', ''));
function compare(column, words) {
  if (words) return (a, b) => a.cells[column].textContent.localeCompare(b.cells[column].textContent, 'en', { numeric: true });
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
      const order = orders[head.getAttribute('aria-sort')];
      for (const other of heads) other.setAttribute('aria-sort', 'none');
      head.setAttribute('aria-sort', order);
      const words = !head.classList.contains('n');
      const isLast = (row) => !words && Number.isNaN(numberOf(row.cells[column]));
      const sorted = asTheyWere.filter((row) => !isLast(row)).sort(compare(column, words));
      if (order === 'descending') sorted.reverse();
      body.append(...(order === 'none' ? asTheyWere : [...sorted, ...asTheyWere.filter(isLast)]));
    });
  });
}
`;
