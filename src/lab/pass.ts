/**
 * pass.ts — one pass of a search over a subject: until it is complete, fails, is told to stop, or runs out of time.
 *
 * Scheduling points at shared words are learned: an execution may show that a word has a second user, and then every
 * schedule before it was explored too coarsely. So a pass that learned something begins again, with what it knows now;
 * searches that do so at once learn beforehand (search/scouts.ts), which makes that rare.
 */
import type { Pass } from './result.js';
import type { Found, Search, Shard } from './search/search.js';
import { beginsAgain, makeSearch } from './search/index.js';
import { scout } from './search/scouts.js';
import type { Subject, Verdict } from './subject.js';

export interface PassRequest {
  /** 'bound', 'dpor', 'states', 'random', 'pos', 'pct:3' */
  readonly algorithm: string;
  /** preemption bound of 'bound' */
  readonly bound: number;
  readonly seed: number;
  /** executions at most; sampling searches end there */
  readonly executions: number;
  /** milliseconds */
  readonly budget: number;
  /** part `index` (from 0) of `of` */
  readonly shard?: Shard | undefined;
  /** go on after a failure, to count them all */
  readonly allFailures: boolean;
  readonly countHeaps: boolean;
  /** what is known of shared words (shadow.exportSharing) */
  readonly sharing: readonly number[];
  /** what `save` of the same search returned */
  readonly state?: unknown;
}

export interface PassReport {
  readonly pass: Pass;
  readonly accesses: number;
  readonly seconds: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly heaps: readonly string[] | null;
  readonly states: number | null;
  readonly sharing: readonly number[];
  readonly found: Found | null;
  /** the first failure of each other class, when all were asked for */
  readonly others: readonly Found[];
  /** set when the pass did not end by itself: `state` of a request that goes on */
  readonly state: unknown;
}

/** executions between two looks at the clock */
const LOOK_EVERY = 64;
/** part of the time that may be spent on learning scheduling points first */
const SCOUTING = 0.1;

/** @param stop asked now and then: true ends the pass */
export function runPass(subject: Subject, request: PassRequest, stop: () => boolean): PassReport {
  const { shadow } = subject.engine;
  shadow.importSharing(request.sharing);
  const start = performance.now();
  const end = start + request.budget;
  const enough = start + request.budget * SCOUTING;
  if (beginsAgain(request.algorithm)) scout(subject, request.seed, () => stop() || performance.now() > enough);
  let state = request.state;
  for (;;) {
    const known = shadow.learned.count;
    const tally = new Tally(subject, request.countHeaps);
    const search = makeSearch(request.algorithm, subject, {
      ...request,
      ...(state !== undefined && { state }),
      onEnd: tally.onEnd,
    });
    const over = drive(subject, search, tally, request, () => stop() || performance.now() > end);
    // decisions that were made before something was learned may look like another operation's after it
    const found = search.found !== null && search.found.failure.cls !== 'nondeterminism';
    const again = shadow.learned.count !== known && subject.points === 'shared' && !over && !found;
    if (again) {
      state = undefined;
      continue;
    }
    return {
      pass: {
        bound: request.algorithm === 'bound' ? request.bound : null,
        executions: search.executions,
        cut: search.cut,
        failures: search.failures,
        complete: search.complete,
      },
      accesses: tally.accesses,
      seconds: (performance.now() - start) / 1000,
      outcomes: tally.outcomes,
      heaps: tally.heaps && [...tally.heaps],
      states: search.states ?? null,
      sharing: shadow.exportSharing(),
      found: search.found,
      others: search.others ?? [],
      state: over && !search.complete ? (search.save?.() ?? null) : null,
    };
  }
}

/** Ends early, too, where the search begins again. @returns true when it was stopped from outside */
function drive(subject: Subject, search: Search, tally: Tally, request: PassRequest, stop: () => boolean): boolean {
  const { failure: { execution }, shadow: { learned } } = subject.engine;
  const known = learned.count;
  const restarts = subject.points === 'shared' && beginsAgain(request.algorithm);
  for (let n = 1; search.next(); n++) {
    tally.accesses += execution.steps;
    if (search.found && !request.allFailures) return false;
    // what it has found is kept; else it is made anew, and what was tallied with it
    if (restarts && learned.count !== known && !search.found) return false;
    if (search.executions + search.cut >= request.executions) return true;
    if (n % LOOK_EVERY === 0 && stop()) return true;
  }
  return false;
}

/** What is counted beside executions. */
class Tally {
  accesses = 0;
  readonly outcomes: Record<string, number> = {};
  readonly heaps: Set<string> | null;
  readonly onEnd: (verdict: Verdict) => void;

  constructor(subject: Subject, countHeaps: boolean) {
    this.heaps = countHeaps ? new Set() : null;
    this.onEnd = ({ outcome, failure }) => {
      if (outcome !== '') this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
      if (!failure) this.heaps?.add(subject.finalHeap());
    };
  }
}
