/**
 * tally.ts — what has happened: counts of the machine, counts of each line, and where virtual time went.
 *
 * A line's counts are kept by its number; what it is called is asked when a run is over (observe/lines.ts). What the
 * workload itself does to memory (its tables, the blocks it fills) is counted apart from the allocator, by `by.client`.
 */
import { i32 } from '../heap.js';

/** indices of `tally` */
export const ACCESSES = 0;
export const LOCKED_OPS = 1;
export const TRANSFERS = 2;
export const UPGRADES = 3;
export const INVALIDATIONS = 4;
export const MISSES = 5;
export const SLEEPS = 6;
/** of TRANSFERS, INVALIDATIONS, LOCKED_OPS and the time in queues: those of the workload's own */
export const CLIENT_TRANSFERS = 7;
export const CLIENT_INVALIDATIONS = 8;
export const CLIENT_LOCKED = 9;
export const CLIENT_QUEUE = 10;
export const OPS = 11;
const TALLIES = 12;

/** indices of `spent`, nanoseconds; what accesses take is their number times their cost */
export const LOCKED_NS = 0;
export const MEMORY_NS = 1;
export const TRANSFER_NS = 2;
export const QUEUE_NS = 3;
export const IPI_NS = 4;
export const SPIN_NS = 5;
export const SLEEP_NS = 6;
const SPENTS = 7;

export const tally = new Float64Array(TALLIES);
export const spent = new Float64Array(SPENTS);

/** whose access the one under way is */
export const by = { client: false };

const LINES = i32.length >>> 4;
/** lines anything was counted of, in the order it happened; the arrays below are too large to be gone through */
const counted = new Uint8Array(LINES);
export const lines: number[] = [];
export const lineTransfers = new Uint32Array(LINES);
export const lineInvalidations = new Uint32Array(LINES);
export const lineLocked = new Uint32Array(LINES);
/** nanoseconds waited for a line on its way to somebody else; in loops and asleep until something in it changed */
export const lineQueue = new Float64Array(LINES);
export const lineWait = new Float64Array(LINES);

/** To be called before a line's counts change. */
function countLine(line: number): void {
  if (counted[line] !== 0) return;
  counted[line] = 1;
  lines.push(line);
}

/** One more of `counts` at the line, or of the workload's own, `client`. */
export function countAt(line: number, counts: Uint32Array, client: number): void {
  if (by.client) tally[client]++;
  else {
    countLine(line);
    counts[line]++;
  }
}

/** Operations by their nanoseconds: four buckets an octave. */
export const latency = new Float64Array(256);

/** Upper bound in nanoseconds of bucket `n`. */
export function latencyBound(n: number): number {
  return 2 ** (n >>> 2) * (1 + ((n & 3) + 1) / 4);
}

export function noteLatency(ns: number): void {
  const whole = Math.min(0x7fffffff, Math.max(1, Math.floor(ns)));
  const octave = 31 - Math.clz32(whole);
  const quarter = octave < 2 ? (whole << (2 - octave)) & 3 : (whole >>> (octave - 2)) & 3;
  latency[octave * 4 + quarter]++;
}

export function tallyReset(): void {
  tally.fill(0);
  spent.fill(0);
  latency.fill(0);
  for (const line of lines) {
    counted[line] = 0;
    for (const counts of [lineTransfers, lineInvalidations, lineLocked, lineQueue, lineWait]) counts[line] = 0;
  }
  lines.length = 0;
}

export function addLineWait(line: number, ns: number): void {
  countLine(line);
  lineWait[line] += ns;
}
