/**
 * fixes.ts — what the fixes of the catalogue cost: the operations of an entry, done once, counted.
 *
 *   node dist/bench/fixes.js [NAME...]
 */
import { catalogue } from '../src/lab/catalogue/index.js';
import { type Cost, costOf } from '../src/lab/cost.js';
import { expectedFailures } from '../src/lab/farm/regress.js';
import { table } from '../src/report/table.js';

interface Row {
  readonly name: string;
  readonly cost: Cost | null;
}

const names = process.argv.slice(2);
const rows: Row[] = [];
for (const scenario of catalogue) {
  const [first] = expectedFailures(scenario);
  const wanted = names.length > 0 ? names.includes(scenario.name) : scenario.lesson !== undefined;
  if (!wanted || !first || first.defects.length === 0) continue;
  rows.push({ name: scenario.name, cost: await costOf(scenario, first.defects) });
}
const difference = (cost: Cost | null, what: 'locked' | 'accesses' | 'messages'): string => {
  if (!cost?.without) return '-';
  const more = cost.fixed[what] - cost.without[what];
  return `${cost.fixed[what]} (${more >= 0 ? '+' : ''}${more})`;
};
console.log('once, with the fix; in brackets: more than without it');
console.log(
  table<Row>(
    [
      { head: 'race', cell: ({ name }) => name, left: true },
      { head: 'locked', cell: ({ cost }) => difference(cost, 'locked') },
      { head: 'accesses', cell: ({ cost }) => difference(cost, 'accesses') },
      { head: 'messages', cell: ({ cost }) => difference(cost, 'messages') },
      { head: 'what', cell: ({ cost }) => cost?.what ?? 'fails with the fix', left: true },
    ],
    rows,
  ),
);
