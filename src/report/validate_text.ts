/** validate_text.ts — predicted against measured ratios, pair by pair. */
import { type Both, isWithin, type Pair, pairs, WITHIN } from '../suite/validate.js';
import { type Column, short, table } from './table.js';
import type { Paint } from './text.js';

export function validateText(both: readonly Both[], paint: Paint): string {
  const all = pairs(both);
  const good = all.filter(isWithin).length;
  const verdict = `${good} of ${all.length} pairs within ${WITHIN}x`;
  const titled = (title: string, note: string, body: string) =>
    `${paint.strong(title)}  ${paint.dim(note)}\n${body}`;
  return [
    titled('throughput', 'op/us, native medians; predicted under the profile host', throughputs(both)),
    titled('ratios of policies', 'a over b; off: predicted over measured', ratios(all, paint)),
    good === all.length ? paint.good(verdict) : verdict,
  ].join('\n\n');
}

function throughputs(both: readonly Both[]): string {
  const columns: Column<Both>[] = [
    { head: 'workload', cell: ({ workload }) => workload, left: true },
    { head: 'CPUs', cell: ({ cpus }) => String(cpus) },
    { head: 'alloc', cell: ({ alloc }) => alloc, left: true },
    { head: 'free', cell: ({ free }) => free, left: true },
    { head: 'stats', cell: ({ stats }) => stats, left: true },
    { head: 'predicted', cell: ({ predicted }) => short(predicted) },
    { head: 'measured', cell: ({ measured }) => short(measured) },
    { head: 'pred./meas.', cell: ({ predicted, measured }) => (predicted / measured).toFixed(2) },
    { head: 'quartiles +-%', cell: ({ spread }) => (50 * spread).toFixed(0) },
  ];
  return table(columns, both);
}

function ratios(all: readonly Pair[], paint: Paint): string {
  const columns: Column<Pair>[] = [
    { head: 'workload', cell: ({ workload }) => workload, left: true },
    { head: 'CPUs', cell: ({ cpus }) => String(cpus) },
    { head: 'a', cell: ({ a }) => a, left: true },
    { head: 'b', cell: ({ b }) => b, left: true },
    { head: 'predicted', cell: ({ predicted }) => short(predicted) },
    { head: 'measured', cell: ({ measured }) => short(measured) },
    { head: 'off', cell: ({ off }) => off.toFixed(2) },
    { head: `within ${WITHIN}x`, cell: (pair) => (isWithin(pair) ? 'yes' : 'NO'), left: true },
  ];
  const lines = table(columns, all).split('\n');
  return lines.map((line) => (line.endsWith('NO') ? paint.bad(line) : line)).join('\n');
}
