/**
 * shrink_operations.ts — a failing scenario with fewer operations.
 *
 * Without an operation the old schedule means little, so the rest is searched again, on a machine of its own, with no
 * more preemptions than the failure was found with. A scenario that fails by the default schedule once an operation is
 * missing was broken by that, and is no smaller example; one that does with all of them needs no other schedule. So was
 * one that fails on the schedule that was found without the defects it is about.
 */
import { SmpallocError } from '../../base/errors.js';
import type { Failure } from '../../hw/stepped/failure.js';
import { type Effort, sameFailure } from './effort.js';
import { follow, type Followed, wholeSchedule } from './follow.js';
import { replaySchedule } from './replay.js';
import { BoundedSearch } from '../search/bounded.js';
import type { SteppedMachine } from '../stepped.js';
import { prepareSubject, type Subject } from '../subject.js';

const MOST_EXECUTIONS = 2000;
const MOST_MS = 1000;

export interface Smaller {
  readonly subject: Subject;
  readonly followed: Followed;
}

export async function dropOperations(
  subject: Subject, original: Followed, failure: Failure, bound: number, effort: Effort,
): Promise<Smaller> {
  let best: Smaller = { subject, followed: original };
  const all = subject.threads.reduce((sum, { operations }) => sum + operations.length, 0);
  if (all < 2) return best;
  const simplest = byDefault(subject);
  if (sameFailure(failure, simplest.verdict.failure)) return { subject, followed: simplest };
  const sharing = subject.engine.shadow.exportSharing();
  // one has the best so far, the other is tried on
  const machines: SteppedMachine[] = [];
  const mended = new Mended();
  for (let again = true; again;) {
    again = false;
    for (const operation of operationsOf(best.subject)) {
      if (effort.over) return best;
      const { on: _, ...options } = subject.options;
      const free = machines.find((machine) => machine !== best.subject.machine);
      const dropped = new Set([...(best.subject.options.dropped ?? []), operation]);
      const trial = await prepareSubject(subject.scenario, { ...options, dropped, ...(free && { on: free }) });
      if (!free) machines.push(trial.machine);
      trial.engine.shadow.importSharing(sharing);
      const broken = sameFailure(failure, attempt(() => byDefault(trial))?.verdict.failure ?? null);
      const followed = broken ? null : searchAgain(trial, failure, bound, effort);
      if (followed && (await mended.passes(trial, followed))) {
        best = { subject: trial, followed };
        again = true;
        break;
      }
    }
  }
  return best;
}

/** The scenario without its defects, on a machine of its own. */
class Mended {
  #machine: SteppedMachine | undefined;

  /** Does the same schedule pass there? */
  async passes({ scenario, options }: Subject, { schedule }: Followed): Promise<boolean> {
    const { on: _, defects = [], ...rest } = options;
    if (defects.length === 0) return true;
    const subject = await prepareSubject(scenario, { ...rest, ...(this.#machine && { on: this.#machine }) });
    this.#machine = subject.machine;
    const followed = attempt(() => replaySchedule(subject, schedule, { strict: false }));
    return followed !== null && followed.verdict.failure === null;
  }
}

/** Operations that are left, the last ones first: what comes late is needed least. */
function operationsOf(subject: Subject): string[] {
  const dropped = subject.options.dropped ?? new Set();
  const left = subject.threads.flatMap(({ operations }, e) => {
    const names: string[] = [];
    for (let n = 0; names.length < operations.length; n++) if (!dropped.has(`${e}.${n}`)) names.push(`${e}.${n}`);
    return names;
  });
  return left.reverse();
}

const byDefault = (subject: Subject): Followed => follow(subject, (stay) => stay);

/** A failure like this one, with as few preemptions as it takes. */
export function searchAgain(subject: Subject, failure: Failure, most: number, effort: Effort): Followed | null {
  const end = performance.now() + Math.min(MOST_MS, effort.left);
  const { learned } = subject.engine.shadow;
  for (let bound = 0; bound <= most; bound++) {
    // what a pass learns of shared words makes it one for nothing
    for (let known = -1; known !== learned.count && performance.now() < end;) {
      known = learned.count;
      const found = pass(subject, failure, new BoundedSearch(subject, bound), end, effort);
      if (found) return found;
    }
  }
  return null;
}

function pass(subject: Subject, failure: Failure, search: BoundedSearch, end: number, effort: Effort): Followed | null {
  for (let n = 0; n < MOST_EXECUTIONS && performance.now() < end; n++) {
    const before = search.failures;
    const more = attempt(() => search.next());
    effort.replays++;
    if (search.failures > before) {
      const found = [search.found!, ...search.others].find((one) => sameFailure(failure, one.failure));
      const schedule = found && wholeSchedule(subject, found.schedule, failure.cls);
      if (schedule) return replaySchedule(subject, schedule);
    }
    if (!more) return null;
  }
  return null;
}

/** @returns null when the scenario's own functions do not bear the missing operation */
function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (SmpallocError.is(error)) return null;
    throw error;
  }
}
