/**
 * compare_time.ts — the figures of two rows of the same experiment: their ratio, how sure it is, and the verdict.
 *
 *   slower         the whole 95 % interval lies past the noise, on the bad side: a regression
 *   faster         the same on the good side
 *   within noise   neither
 *
 * A figure of the model is exact: it is the same, faster or slower, and a regression past the noise. Undecided is what
 * a single pass took, which has no spread; and what the host explains: threads that had to share a core, or took no
 * more CPU time than before.
 */
import { unpairedRatio } from '../suite/bootstrap.js';
import type { Row } from './compare.js';

/** percent; docs/compare.md has what it was tried on */
export const NOISE = 10;

export type Verdict = 'faster' | 'slower' | 'within noise' | 'same' | 'undecided';

/** Where an interval comes from: it has none, rounds resampled, fastest against slowest rounds, or there is nothing. */
export type Basis = 'exact' | 'bootstrap' | 'range' | 'none';

interface Spread {
  /** b / a; null where one of them is 0 */
  readonly ratio: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly basis: Basis;
}

type Cores = readonly [a: number, b: number];

export interface TimeComparison extends Spread {
  readonly figure: 'nsPerPair' | 'mops' | 'opsPerUs';
  readonly better: 'lower' | 'higher';
  readonly a: number;
  readonly b: number;
  /** cores the threads got on average, in A and B; null where one of the records does not say */
  readonly cores: Cores | null;
  readonly verdict: Verdict;
  readonly regression: boolean;
}

/** @param noise percent by which a figure may be worse */
export function compareTime(a: Row, b: Row, noise: number): TimeComparison {
  const [ours, theirs] = [figureOf(a), figureOf(b)];
  const { name, better } = ours;
  const spread = spreadOf(ours, theirs);
  const [hadA, hadB] = [coresOf(a), coresOf(b)];
  const cores = hadA === null || hadB === null ? null : [hadA, hadB] as const;
  const verdict = cores && isCrowded(cores, a.cpus) ? 'undecided' : agreed(spread, better, cores, noise);
  const past = spread.basis !== 'exact' || 1 / spread.ratio! > 1 + noise / 100;
  return {
    figure: name, better, a: ours.value, b: theirs.value, ...spread, cores, verdict,
    regression: verdict === 'slower' && past,
  };
}

interface Figure {
  readonly name: TimeComparison['figure'];
  readonly better: TimeComparison['better'];
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
