/** law_text.ts — the laws that were fitted to a sweep, as a table; and what had too few CPUs for one. */
import type { ModelRow } from '../lab/model/row.js';
import { fitLaws, LAW_POINTS, type Law, type LawKey, lawsMissing } from '../suite/usl.js';
import { type Column, short, table } from './table.js';
import type { Paint } from './text.js';

/** @returns '' where no row says anything about scaling */
export function lawText(rows: readonly ModelRow[], paint: Paint): string {
  const laws = fitLaws(rows);
  const missing = lawsMissing(rows).filter(({ numbers }) => numbers > 1);
  const parts: string[] = [];
  if (laws.length > 0) {
    const note = 'X(N) = X(1) N / (1 + sigma (N-1) + kappa N (N-1)); no noise in counts, so no intervals';
    parts.push(`${paint.strong('scalability laws')}  ${paint.dim(note)}\n${lawTable(laws)}`);
  }
  for (const { key, numbers } of missing) {
    parts.push(paint.dim(`no law: ${nameOf(key)}: ${numbers} numbers of CPUs; expected ${LAW_POINTS} or more`));
  }
  return parts.join('\n');
}

const nameOf = ({ workload, alloc, free, stats, costs, signalDelay }: LawKey): string =>
  [workload, alloc, ...(free === '-' ? [] : [free]), stats, costs, signalDelay].join(' ');

function lawTable(laws: readonly Law[]): string {
  const first = laws[0]!.key;
  /** columns of what is not the same in all of them */
  const where = (['alloc', 'costs', 'signalDelay'] as const).filter((name) =>
    laws.some(({ key }) => key[name] !== first[name]),
  );
  const heads = { alloc: 'alloc', costs: 'costs', signalDelay: 'delay' };
  const columns: Column<Law>[] = [
    { head: 'workload', cell: ({ key }) => key.workload, left: true },
    ...where.map((name) => ({ head: heads[name], cell: ({ key }: Law) => String(key[name]), left: true })),
    { head: 'free', cell: ({ key }) => key.free, left: true },
    { head: 'stats', cell: ({ key }) => key.stats, left: true },
    { head: 'X(1) op/us', cell: ({ lambda }) => short(lambda) },
    { head: 'sigma', cell: ({ sigma }) => small(sigma) },
    { head: 'kappa', cell: ({ kappa }) => small(kappa) },
    { head: 'N*', cell: ({ peak }) => (peak === null ? '-' : short(peak)) },
    { head: 'R2', cell: ({ r2 }) => r2.toFixed(4) },
    { head: 'off by', cell: ({ residual }) => `${(100 * residual).toFixed(1)} %` },
    { head: 'law', cell: ({ model }) => model, left: true },
  ];
  return table(columns, laws);
}

/** sigma and kappa of what scales well are far below what other figures show */
function small(value: number): string {
  if (value < 1e-9) return '0';
  return value < 0.001 ? value.toExponential(1) : short(value);
}
