/**
 * compare.ts — two records: the same experiments of both, what became of their figures (compare_time.ts) and of their
 * counts (compare_counts.ts), and what else is not the same. docs/compare.md describes the comparison.
 */
import { type CountDifference, countDifferences } from './compare_counts.js';
import { compareTime, type TimeComparison } from './compare_time.js';
import type { RunRecord } from './record.js';

export const COMPARE_SCHEMA = 'smpalloc-compare/1';

export type Row = RunRecord['rows'][number];

/** What two rows have in common to be of one experiment. */
export interface Experiment {
  readonly suite: Row['suite'];
  /** workload, trace, or where; null: the suite says it all */
  readonly what: string | null;
  readonly alloc: string;
  readonly free: string;
  readonly stats: string;
  readonly cpus: number;
  /** null: each policy's own */
  readonly signalDelay: number | string | null;
  /** name of the model's cost profile */
  readonly costs: string | null;
}

export interface RowComparison extends Omit<TimeComparison, 'regression'> {
  readonly experiment: Experiment;
  readonly counts: CountDifference[];
  /** audits of both */
  readonly audit: readonly [string, string];
  /** what has become worse: 'time', 'audit', names of counts */
  readonly regressions: string[];
}

export interface Comparison {
  schema: typeof COMPARE_SCHEMA;
  a: Side;
  b: Side;
  /** percent */
  noise: number;
  countNoise: number;
  /** of where they ran and what was asked */
  differences: Difference[];
  rows: RowComparison[];
  onlyA: Experiment[];
  onlyB: Experiment[];
  /** rows that have become worse */
  regressions: number;
}

export interface Side {
  /** the file's */
  readonly name: string;
  readonly command: string;
  readonly environment: RunRecord['environment'];
  /** false: the run was interrupted */
  readonly complete: boolean;
}

export interface Difference {
  readonly what: string;
  readonly a: unknown;
  readonly b: unknown;
}

export interface Allowance {
  /** percent of a figure that are no regression */
  readonly noise: number;
  /** percent by which exact counts may rise */
  readonly countNoise: number;
}

/** A record and where it comes from. */
export interface Named {
  readonly name: string;
  readonly record: RunRecord;
}

export function compare(first: Named, second: Named, { noise, countNoise }: Allowance): Comparison {
  const [a, b] = [first.record, second.record];
  const theirs = new Map<string, Row[]>();
  for (const row of b.rows) {
    const key = keyOf(row, b);
    theirs.set(key, [...(theirs.get(key) ?? []), row]);
  }
  const rows: RowComparison[] = [];
  const onlyA: Experiment[] = [];
  for (const row of a.rows) {
    // the same experiment twice: in the order of their records
    const other = theirs.get(keyOf(row, a))?.shift();
    if (other) rows.push(compareRows(experimentOf(row, a), row, other, { noise, countNoise }));
    else onlyA.push(experimentOf(row, a));
  }
  const onlyB = [...theirs.values()].flat().map((row) => experimentOf(row, b));
  const regressions = rows.filter((row) => row.regressions.length > 0).length;
  return {
    schema: COMPARE_SCHEMA, a: sideOf(first), b: sideOf(second), noise, countNoise, differences: differencesOf(a, b),
    rows, onlyA, onlyB, regressions,
  };
}

function sideOf({ name, record }: Named): Side {
  const { config, environment, complete } = record;
  return { name, command: config.command, environment, complete };
}

// ---- what belongs together

function experimentOf(row: Row, { config }: RunRecord): Experiment {
  const { suite, alloc, free, stats, cpus } = row;
  const own = 'signalDelay' in row ? row.signalDelay : config.signalDelay;
  return {
    suite, what: whatOf(row), alloc, free, stats, cpus, signalDelay: (own ?? null) as Experiment['signalDelay'],
    costs: row.suite === 'model' ? row.costs : null,
  };
}

function whatOf(row: Row): string | null {
  if (row.suite === 'model') return row.workload;
  if (row.suite === 'stats') return row.where;
  return row.suite === 'ipi' || row.suite === 'replay' ? row.trace : null;
}

const keyOf = (row: Row, record: RunRecord): string => JSON.stringify(experimentOf(row, record));

// ---- what became of it

function compareRows(experiment: Experiment, a: Row, b: Row, { noise, countNoise }: Allowance): RowComparison {
  const { regression, ...time } = compareTime(a, b, noise);
  const counts = countDifferences(a, b, countNoise);
  const regressions = [
    ...(regression ? ['time'] : []),
    ...(a.audit === 'ok' && b.audit !== 'ok' ? ['audit'] : []),
    ...counts.filter((count) => count.regression).map(({ name }) => name),
  ];
  return { experiment, ...time, counts, audit: [a.audit, b.audit], regressions };
}

// ---- what else differs

const ENVIRONMENT = ['smpalloc', 'node', 'os', 'arch', 'cpu', 'cores', 'flavour'] as const;
/** what these say differently stands in the rows, or changes how long a run takes, not what it finds */
const NOT_SAID = [
  'command', 'cpus', 'alloc', 'free', 'stats', 'signalDelay', 'costs', 'rounds', 'cells', 'shard', 'profiles',
];

function differencesOf(a: RunRecord, b: RunRecord): Difference[] {
  const asked = [...new Set([...Object.keys(a.config), ...Object.keys(b.config)])];
  const [ours, theirs] = [a.config as Record<string, unknown>, b.config as Record<string, unknown>];
  const all: Difference[] = [
    ...ENVIRONMENT.map((what) => ({ what, a: a.environment[what], b: b.environment[what] })),
    ...asked.filter((name) => !NOT_SAID.includes(name)).map((what) => ({ what, a: ours[what], b: theirs[what] })),
  ];
  return all.filter((one) => JSON.stringify(one.a) !== JSON.stringify(one.b));
}
