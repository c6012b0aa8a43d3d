/** compare_text.ts — a comparison for people: a line an experiment, then the counts that differ. */
import type { Comparison, Experiment, RowComparison } from './compare.js';
import type { CountDifference } from './compare_counts.js';
import { type Column, integer, short, table } from './table.js';
import type { Paint } from './text.js';

/** differing lines of a structure that are named: the totals are all named */
const LINES = 3;

export function compareText(comparison: Comparison, paint: Paint): string {
  const { a, b, rows, onlyA, onlyB } = comparison;
  const sides = [a, b].map(({ name, command, environment }, n) => (
    `${'AB'[n]}  ${name}  ${paint.dim(`smpalloc ${command}, ${environment.time}`)}`
  ));
  const alone = (side: string, those: readonly Experiment[]) => those.map((one) => `only in ${side}: ${nameOf(one)}`);
  const parts = [
    sides.join('\n'),
    rowTable(rows),
    remarks(rows).map((line) => paint.dim(line)).join('\n'),
    rows.flatMap((row) => countLines(row, paint)).join('\n'),
    [...alone('A', onlyA), ...alone('B', onlyB)].join('\n'),
    summary(comparison, paint),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** 'model larson dragonfly rbatch critical, 64 CPUs, ccx' */
export function nameOf({ suite, what, alloc, free, stats, cpus, signalDelay, costs }: Experiment): string {
  const policies = [suite, what, alloc, free === '-' ? null : free, stats].filter((word) => word !== null).join(' ');
  const delay = signalDelay === null ? null : `signal delay ${signalDelay}`;
  return [policies, `${cpus} CPU${cpus > 1 ? 's' : ''}`, costs, delay].filter((word) => word !== null).join(', ');
}

const UNITS = { nsPerPair: 'ns', mops: 'Mop/s', opsPerUs: 'op/us' } as const;

function rowTable(rows: readonly RowComparison[]): string {
  const column = (head: string, of: (one: Experiment) => number | string | null): Column<RowComparison> => (
    { head, cell: ({ experiment }) => String(of(experiment) ?? ''), left: true }
  );
  /** columns of what is not the same everywhere */
  const varies = (of: (one: Experiment) => unknown) => new Set(rows.map(({ experiment }) => of(experiment))).size > 1;
  const columns: Column<RowComparison>[] = [
    column('suite', ({ suite }) => suite),
    ...(rows.some(({ experiment }) => experiment.what !== null) ? [column('what', ({ what }) => what)] : []),
    ...(varies(({ alloc }) => alloc) ? [column('alloc', ({ alloc }) => alloc)] : []),
    column('free', ({ free }) => free),
    column('stats', ({ stats }) => stats),
    ...(varies(({ costs }) => costs) ? [column('costs', ({ costs }) => costs)] : []),
    ...(varies(({ signalDelay }) => signalDelay) ? [column('delay', ({ signalDelay }) => signalDelay)] : []),
    { head: 'CPUs', cell: ({ experiment }) => String(experiment.cpus) },
    { head: 'A', cell: ({ a }) => short(a) },
    { head: 'B', cell: ({ b }) => short(b) },
    { head: '', cell: ({ figure }) => UNITS[figure], left: true },
    { head: 'B/A', cell: ({ ratio }) => (ratio === null ? '-' : ratio.toFixed(3)) },
    { head: '95 %', cell: interval },
    { head: 'verdict', cell: ({ verdict }) => verdict, left: true },
  ];
  return table(columns, rows);
}

function interval({ low, high, basis }: RowComparison): string {
  if (basis === 'exact') return 'exact';
  if (low === null || high === null) return '-';
  return `${low.toFixed(2)}..${high.toFixed(2)}${basis === 'range' ? '*' : ''}`;
}

function remarks(rows: readonly RowComparison[]): string[] {
  const lines: string[] = [];
  if (rows.some(({ basis }) => basis === 'range')) {
    lines.push('* fastest against slowest rounds: a record holds fewer than 5 rounds, or not each of them');
  }
  if (rows.some(({ basis }) => basis === 'none')) {
    lines.push('- of a single figure nobody knows how far it would be off the next time');
  }
  for (const { experiment, verdict, cores, basis } of rows) {
    if (verdict !== 'undecided' || cores === null || basis === 'none') continue;
    const [a, b] = cores.map((had) => had.toFixed(2));
    lines.push(`undecided: ${nameOf(experiment)}: its threads had ${a} cores in A, ${b} in B`);
  }
  return lines;
}

function countLines({ experiment, counts, audit, regressions }: RowComparison, paint: Paint): string[] {
  const [before, after] = audit;
  const broken = before === after ? [] : [`  audit ${before} -> ${after}`];
  const exact = counts.filter((count) => count.exact);
  const told = counts.filter((count) => !count.exact);
  const lines = [
    ...broken.map((line) => (regressions.includes('audit') ? paint.bad(line) : line)),
    ...named(exact).map((count) => {
      const line = `  ${change(count)}${count.regression ? '  MORE' : ''}`;
      return count.regression ? paint.bad(line) : line;
    }),
    ...(told.length > 0 ? [paint.dim(`  not judged: ${told.map(change).join(', ')}`)] : []),
  ];
  if (lines.length === 0) return [];
  return [`${paint.strong('differs')}  ${nameOf(experiment)}`, ...lines];
}

/** All totals, and of the structures' lines those that changed most. */
function named(counts: readonly CountDifference[]): CountDifference[] {
  const isLine = ({ name }: CountDifference) => name.startsWith('transfers of ');
  const by = ({ a, b }: CountDifference) => Math.abs((b ?? 0) - (a ?? 0));
  const lines = counts.filter(isLine).sort((p, q) => by(q) - by(p));
  return [...counts.filter((count) => !isLine(count)), ...lines.slice(0, LINES)];
}

function change({ name, a, b }: CountDifference): string {
  return `${name} ${figure(a)} -> ${figure(b)}`;
}

function figure(value: number | null): string {
  if (value === null) return '-';
  return Number.isInteger(value) ? integer(value) : short(value);
}

function summary({ rows, noise, regressions }: Comparison, paint: Paint): string {
  const words = {
    slower: 'slower', faster: 'faster', same: 'the same', 'within noise': `within ${noise} % noise`,
    undecided: 'undecided',
  } as const;
  const parts = Object.entries(words).flatMap(([verdict, word]) => {
    const count = rows.filter((row) => row.verdict === verdict).length;
    return count > 0 ? [`${count} ${word}`] : [];
  });
  const end = regressions === 0
    ? paint.good('no regression')
    : paint.bad(`${regressions} regression${regressions > 1 ? 's' : ''}`);
  return `${rows.length} compared: ${parts.join(', ')}; ${end}`;
}
