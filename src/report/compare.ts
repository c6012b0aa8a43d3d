/**
 * compare.ts — two records: the same experiments of both, what became of their figures, and how sure that is.
 *
 *   ratio      B over A of the row's figure, with its 95 % interval
 *   slower     the whole interval lies past the noise, on the bad side: a regression
 *   faster     the same on the good side
 *   within noise   neither
 *
 * A figure of the model is exact: it is the same, faster or slower, and a regression past the noise. Undecided is what
 * a single pass took, which has no spread; and what the host explains: threads that had to share a core, or took no
 * more CPU time than before. Counts: compare_counts.ts.
 */
import { unpairedRatio } from '../suite/bootstrap.js';
import { type CountDifference, countDifferences } from './compare_counts.js';
import type { RunRecord } from './record.js';

export const COMPARE_SCHEMA = 'smpalloc-compare/1';
/** percent; docs/compare.md has what it was chosen from */
export const NOISE = 10;

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

export type Verdict = 'faster' | 'slower' | 'within noise' | 'same' | 'undecided';

/** Where an interval comes from: it has none, rounds resampled, fastest against slowest rounds, or there is nothing. */
export type Basis = 'exact' | 'bootstrap' | 'range' | 'none';

export interface RowComparison {
  readonly experiment: Experiment;
  readonly figure: 'nsPerPair' | 'mops' | 'opsPerUs';
  readonly better: 'lower' | 'higher';
  readonly a: number;
  readonly b: number;
  /** b / a; null where one of them is 0 */
  readonly ratio: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly basis: Basis;
  /** cores the threads got on average, in A and B; null where one of the records does not say */
  readonly cores: Cores | null;
  readonly verdict: Verdict;
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

// ---- figures

interface Figure {
  readonly name: RowComparison['figure'];
  readonly better: RowComparison['better'];
  readonly value: number;
  readonly samples: readonly number[];
  /** slowest and fastest round, where the record does not have them all */
  readonly range: readonly [number, number] | null;
}

function figureOf(row: Row): Figure {
  const samples = row.samples ?? [];
  if (row.suite === 'model') return { name: 'opsPerUs', better: 'higher', value: row.opsPerUs, samples, range: null };
  if (row.suite === 'stats' || row.suite === 'ipi' || row.suite === 'replay') {
    return { name: 'mops', better: 'higher', value: row.mops, samples, range: rangeOf(samples) };
  }
  const range = rangeOf(samples) ?? (row.rounds > 1 ? [row.nsMin, row.nsMax] as const : null);
  return { name: 'nsPerPair', better: 'lower', value: row.nsPerPair, samples, range };
}

function rangeOf(samples: readonly number[]): [number, number] | null {
  return samples.length > 1 ? [Math.min(...samples), Math.max(...samples)] : null;
}

/** rounds below which resampling them says too little: fastest and slowest say more */
const LEAST_ROUNDS = 5;
/** of one that is wanted all the time */
const LEAST_CORE = 0.8;

type Spread = Pick<RowComparison, 'ratio' | 'low' | 'high' | 'basis'>;

function spreadOf(a: Figure, b: Figure): Spread {
  if (a.value === 0 || b.value === 0) return { ratio: null, low: null, high: null, basis: 'none' };
  const ratio = b.value / a.value;
  if (a.name === 'opsPerUs') return { ratio, low: ratio, high: ratio, basis: 'exact' };
  if (Math.min(a.samples.length, b.samples.length) >= LEAST_ROUNDS && Math.min(...a.samples, ...b.samples) > 0) {
    return { ...unpairedRatio(a.samples, b.samples), basis: 'bootstrap' };
  }
  if (!a.range || !b.range || Math.min(...a.range, ...b.range) <= 0) {
    return { ratio, low: null, high: null, basis: 'none' };
  }
  return { ratio, low: b.range[0] / a.range[1], high: b.range[1] / a.range[0], basis: 'range' };
}

/** Cores the threads of a row had on average. */
function coresOf(row: Row): number | null {
  if (row.suite === 'model' || !row.cpuSeconds || !row.wallSeconds) return null;
  return row.cpuSeconds / row.wallSeconds;
}

type Cores = readonly [a: number, b: number];

/** One CPU that never sleeps, and had less of a core: others had it, and the caches with it. */
function isCrowded(cores: Cores, cpus: number): boolean {
  return cpus === 1 && Math.min(...cores) < LEAST_CORE;
}

/** What time on the wall says, where CPU time says the same: that one of them alone grew may be the host's doing. */
function agreed(spread: Spread, better: Figure['better'], cores: Cores | null, noise: number): Verdict {
  const verdict = verdictOf(spread, better, noise);
  if (verdict === 'within noise' || cores === null) return verdict;
  return verdictOf(inCpuTime(spread, better, cores), better, noise) === verdict ? verdict : 'undecided';
}

/** The same spread in CPU time: what it would have been, had B's threads got as much of the cores as A's. */
function inCpuTime({ ratio, low, high, basis }: Spread, better: Figure['better'], [a, b]: Cores): Spread {
  const by = better === 'lower' ? b / a : a / b;
  const scaled = (value: number | null) => (value === null ? null : value * by);
  return { ratio: scaled(ratio), low: scaled(low), high: scaled(high), basis };
}

/** @param noise percent */
function verdictOf({ low, high, basis }: Spread, better: Figure['better'], noise: number): Verdict {
  if (low === null || high === null) return 'undecided';
  const [least, most] = better === 'lower' ? [low, high] : [1 / high, 1 / low];
  const past = basis === 'exact' ? 1 : 1 + noise / 100;
  if (least > past) return 'slower';
  if (most < 1 / past) return 'faster';
  return basis === 'exact' ? 'same' : 'within noise';
}

function compareRows(experiment: Experiment, a: Row, b: Row, { noise, countNoise }: Allowance): RowComparison {
  const [ours, theirs] = [figureOf(a), figureOf(b)];
  const spread = spreadOf(ours, theirs);
  const [hadA, hadB] = [coresOf(a), coresOf(b)];
  const cores = hadA === null || hadB === null ? null : [hadA, hadB] as const;
  const verdict = cores && isCrowded(cores, a.cpus) ? 'undecided' : agreed(spread, ours.better, cores, noise);
  const counts = countDifferences(a, b, countNoise);
  const past = spread.basis !== 'exact' || 1 / spread.ratio! > 1 + noise / 100;
  const regressions = [
    ...(verdict === 'slower' && past ? ['time'] : []),
    ...(a.audit === 'ok' && b.audit !== 'ok' ? ['audit'] : []),
    ...counts.filter(({ regression }) => regression).map(({ name }) => name),
  ];
  return {
    experiment, figure: ours.name, better: ours.better, a: ours.value, b: theirs.value, ...spread, cores, verdict,
    counts, audit: [a.audit, b.audit], regressions,
  };
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
