/**
 * shrink.ts — the smallest execution that fails as this one did.
 *
 *   1  fewer operations   one is left out at a time, and the rest searched again    (shrink_operations.ts)
 *   2  fewer deviations   blocks of decisions are dropped, merged, cut short        (shrink_schedule.ts)
 *   3  a shorter token    counts lose digits                                        (shrink_schedule.ts)
 *
 * Each step keeps what fails in the same way and costs less; what cannot be shrunk stays as it is. The same failure
 * gives the same result, unless the time limit ends the work before it is done.
 */
import { Effort } from './effort.js';
import type { Deviation, Followed } from './follow.js';
import { replaySchedule } from './replay.js';
import { dropOperations } from './shrink_operations.js';
import { shrinkSchedule } from './shrink_schedule.js';
import type { Subject } from '../subject.js';
import { formatToken } from './token.js';

export interface ShrinkOptions {
  /** preemptions that were allowed when the failure was found; default: those of the schedule */
  readonly bound?: number;
  /** milliseconds, default 5000 */
  readonly limit?: number;
}

export interface Shrunk {
  /** where the token belongs: the subject that was given, or one without the operations that were left out */
  readonly subject: Subject;
  readonly token: string;
  readonly schedule: readonly number[];
  readonly deviations: readonly Deviation[];
  /** decisions before it was shrunk */
  readonly from: number;
  /** executions it took */
  readonly replays: number;
}

const DEFAULT_LIMIT = 5000;
/** share of the time that may be spent on operations: the schedule wants its own */
const DROPPING = 0.6;

/** @param schedule whole, of an execution that fails; if it does not, it is returned as it is */
export async function shrink(
  subject: Subject, schedule: readonly number[], options: ShrinkOptions = {},
): Promise<Shrunk> {
  const limit = options.limit ?? DEFAULT_LIMIT;
  const effort = new Effort(limit);
  const from = schedule.length;
  const original: Followed = replaySchedule(subject, schedule, { strict: false });
  const { failure } = original.verdict;
  if (!failure) return done(subject, original, from, effort);
  const bound = options.bound ?? original.preemptions;
  const dropping = new Effort(limit * DROPPING);
  const fewer = await dropOperations(subject, original, failure, bound, dropping);
  effort.replays += dropping.replays;
  return done(fewer.subject, shrinkSchedule(fewer.subject, fewer.followed, failure, effort), from, effort);
}

function done(subject: Subject, { schedule, deviations }: Followed, from: number, { replays }: Effort): Shrunk {
  return { subject, token: formatToken(subject, deviations), schedule, deviations, from, replays };
}
