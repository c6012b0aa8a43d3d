/** find.ts — the first failure of a scenario, by growing preemption bounds, as a whole schedule. */
import { wholeSchedule } from '../../src/lab/counterexample/follow.js';
import type { Scenario } from '../../src/lab/scenario.js';
import { BoundedSearch } from '../../src/lab/search/bounded.js';
import type { Found } from '../../src/lab/search/search.js';
import { prepareSubject, type Subject, type SubjectOptions } from '../../src/lab/subject.js';

const MOST_BOUND = 3;

interface Failing {
  readonly subject: Subject;
  readonly found: Found;
}

/**
 * @param wanted classes that are believed at once; 'nondeterminism' may also mean that the search has just learned
 * @returns a subject on which the failing execution was the last to run
 */
export async function find(
  scenario: Scenario, options: SubjectOptions = {}, wanted: readonly string[] = [],
): Promise<Failing> {
  const subject = await prepareSubject(scenario, options);
  const { learned } = subject.engine.shadow;
  for (let bound = 0; bound <= MOST_BOUND; bound++) {
    for (let known = -1; known !== learned.count;) {
      known = learned.count;
      const search = new BoundedSearch(subject, bound);
      while (search.next() && !search.found);
      const { found } = search;
      const cls = found?.failure.cls ?? '';
      if (found && (cls !== 'nondeterminism' || wanted.includes(cls))) return { subject, found };
    }
  }
  throw new Error(`scenario '${scenario.name}' does not fail`);
}

export async function findWhole(scenario: Scenario, options: SubjectOptions = {}) {
  const { subject, found } = await find(scenario, options);
  const schedule = wholeSchedule(subject, found.schedule, found.failure.cls);
  if (!schedule) throw new Error('the failure is not seen again');
  return { subject, found, schedule };
}
