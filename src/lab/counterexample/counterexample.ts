/** counterexample.ts — a failure that was found, made as small as it gets and readable: plain data for reports. */
import { Effort } from './effort.js';
import { wholeSchedule } from './follow.js';
import { raceReport } from './missing_edge.js';
import type { Counterexample } from '../result.js';
import type { Found } from '../search/search.js';
import { shrink, type ShrinkOptions } from './shrink.js';
import { searchAgain } from './shrink_operations.js';
import type { Subject } from '../subject.js';
import { formatToken } from './token.js';
import { traceSchedule } from './trace.js';

const AGAIN_MS = 2000;
const DEFAULT_BOUND = 2;

/**
 * Call it before anything else runs on the subject: what the found execution has learned is taken back for its replay.
 * If its decisions do not lead to the failure any more, a bounded search looks for one like it.
 */
export async function counterexample(
  subject: Subject, found: Found, options: ShrinkOptions = {},
): Promise<Counterexample> {
  const { failure, execution } = found;
  const again = () => searchAgain(subject, failure, options.bound ?? DEFAULT_BOUND, new Effort(AGAIN_MS))?.schedule;
  const schedule = wholeSchedule(subject, found.schedule, failure.cls) ?? again();
  if (!schedule) return unseen(subject, found);
  const { from: shrunkFrom, replays, ...shrunk } = await shrink(subject, schedule, options);
  return describe(shrunk.subject, shrunk.schedule, { execution, shrunkFrom, replays }) ?? unseen(subject, found);
}

export interface Origin {
  readonly execution?: number;
  readonly shrunkFrom?: number;
  readonly replays?: number;
}

/**
 * The execution of a whole schedule, told access by access.
 * @returns null when it does not fail
 */
export function describe(subject: Subject, schedule: readonly number[], origin: Origin = {}): Counterexample | null {
  const { followed, steps } = traceSchedule(subject, schedule);
  const { failure } = followed.verdict;
  if (!failure) return null;
  const race = failure.cls === 'data-race' ? raceReport(failure, steps) : null;
  return {
    cls: failure.cls,
    message: failure.message,
    cpu: failure.cpu,
    token: formatToken(subject, followed.deviations),
    execution: origin.execution ?? 1,
    switches: followed.switches,
    preemptions: followed.preemptions,
    shrunkFrom: origin.shrunkFrom ?? followed.schedule.length,
    replays: origin.replays ?? 0,
    columns: subject.threads.map(({ title }) => title),
    steps,
    ...(race && { race }),
  };
}

/** A failure nobody can show again still is one: it has no token and no steps. */
function unseen(subject: Subject, { failure, execution, schedule }: Found): Counterexample {
  return {
    cls: failure.cls,
    message: `${failure.message} (its schedule does not show it again)`,
    cpu: failure.cpu,
    token: '',
    execution,
    switches: 0,
    preemptions: 0,
    shrunkFrom: schedule.length,
    replays: 0,
    columns: subject.threads.map(({ title }) => title),
    steps: [],
  };
}
