/**
 * follow.ts — one execution along decisions that are known, and what was decided on the way.
 *
 * Searches leave scheduling points out at words they believe nobody shares, and learn while they run: the same list of
 * decisions means something else later, and in another process. So what is kept of an execution (tokens, traces, shrunk
 * schedules) is a whole schedule: one decision at every access. It depends on the scenario alone.
 */
import type { FailureClass } from '../../base/failures.js';
import type { Watcher } from '../../hw/stepped/access.js';
import { isPreemption, stayOn } from '../search/search.js';
import type { Subject, Verdict } from '../subject.js';

/** A decision against the default policy: after so many decisions that follow it. */
export interface Deviation {
  readonly after: number;
  readonly entity: number;
}

export interface Followed {
  readonly verdict: Verdict;
  /** entity of every decision */
  readonly schedule: readonly number[];
  readonly deviations: readonly Deviation[];
  readonly switches: number;
  readonly preemptions: number;
  /** accesses */
  readonly steps: number;
}

/**
 * @param stay whom the default policy lets go on
 * @param enabled mask
 * @param decision number of the decision, from 0
 * @returns an enabled entity; -1 ends the execution
 */
export type Choose = (stay: number, enabled: number, decision: number) => number;

export const isIn = (mask: number, entity: number): boolean => entity >= 0 && ((mask >>> entity) & 1) === 1;

/** Runs one execution, a decision at every access. */
export function follow(subject: Subject, choose: Choose, watch: Watcher | null = null): Followed {
  const { access, failure } = subject.engine;
  const schedule: number[] = [];
  const deviations: Deviation[] = [];
  let switches = 0;
  let preemptions = 0;
  let following = 0;
  const decide = (last: number): number => {
    const enabled = access.enabled();
    if (enabled === 0) return -1;
    const stay = stayOn(subject, last, enabled);
    const entity = choose(stay, enabled, schedule.length);
    if (entity < 0) return -1;
    if (entity === stay) following++;
    else {
      deviations.push({ after: following, entity });
      following = 0;
    }
    if (last >= 0 && entity !== last) switches++;
    if (isPreemption(subject, last, entity, enabled)) preemptions++;
    schedule.push(entity);
    return entity;
  };
  const verdict = run(subject, decide, watch, true);
  return { verdict, schedule, deviations, switches, preemptions, steps: failure.execution.steps };
}

/** @param whole every access is a scheduling point */
function run(subject: Subject, decide: (last: number) => number, watch: Watcher | null, whole: boolean): Verdict {
  const { hooks, options } = subject.engine.access;
  const before = options.allPoints;
  if (whole) options.allPoints = true;
  hooks.decide = decide;
  hooks.watch = watch;
  try {
    return subject.execute();
  } finally {
    options.allPoints = before;
    hooks.watch = null;
  }
}

/** What a list of decisions says; who is not enabled is passed over, and behind its end the default policy decides. */
export function along(schedule: readonly number[]): Choose {
  return (stay, enabled, decision) => {
    const entity = schedule[decision];
    return entity !== undefined && isIn(enabled, entity) ? entity : stay;
  };
}

/**
 * The whole schedule of an execution that a search has just found. It has to be asked for before anything else runs: a
 * search may have learned about shared words in that very execution, and that is taken back first.
 * @param schedule decisions as the search made them
 * @param cls how it failed
 * @returns null when these decisions do not lead there any more
 */
export function wholeSchedule(subject: Subject, schedule: readonly number[], cls: FailureClass): number[] | null {
  if (subject.points === 'all') {
    return follow(subject, along(schedule)).verdict.failure?.cls === cls ? [...schedule] : null;
  }
  subject.engine.shadow.unlearn();
  for (let attempt = 0; attempt < 2; attempt++) {
    const order = orderOf(subject, schedule);
    if (order.verdict.failure?.cls !== cls) continue;
    const followed = follow(subject, inOrder(order.entities), order.entities.watch);
    if (followed.verdict.failure?.cls === cls) return [...followed.schedule];
  }
  return null;
}

/** Who made each access, when the search's decisions are made once more. */
function orderOf(subject: Subject, schedule: readonly number[]): { verdict: Verdict; entities: Order } {
  const { access } = subject.engine;
  const entities: number[] = [];
  let at = 0;
  const decide = (last: number): number => {
    const enabled = access.enabled();
    if (enabled === 0) return -1;
    const entity = schedule[at++];
    return entity !== undefined && isIn(enabled, entity) ? entity : stayOn(subject, last, enabled);
  };
  const verdict = run(subject, decide, (entity) => entities.push(entity), false);
  return { verdict, entities: new Order(entities) };
}

/** Accesses still to be made. Some may be made early: a thread runs up to its first point before anybody is asked. */
class Order {
  readonly #entities: readonly number[];
  readonly #early: number[] = [];
  #at = 0;

  constructor(entities: readonly number[]) {
    this.#entities = entities;
  }

  get next(): number | undefined {
    return this.#entities[this.#at];
  }

  readonly watch: Watcher = (entity) => {
    this.#early[entity] = (this.#early[entity] ?? 0) + 1;
    for (let next = this.next; next !== undefined && (this.#early[next] ?? 0) > 0; next = this.next) {
      this.#early[next]!--;
      this.#at++;
    }
  };
}

function inOrder(order: Order): Choose {
  return (stay, enabled) => (order.next !== undefined && isIn(enabled, order.next) ? order.next : stay);
}
