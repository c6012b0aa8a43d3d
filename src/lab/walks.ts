/**
 * walks.ts — is the scenario a function of the machine's memory in other schedules than the default one, too? A few are
 * drawn, and each is run twice. Before a search that would explore nonsense.
 */
import { SmpallocError } from '../base/errors.js';
import { along, follow } from './counterexample/follow.js';
import { Draws } from './draws.js';
import type { Subject } from './subject.js';

const WALKS = 16;
/** long executions are walked less often: at every access another entity runs its operation again */
const LIMIT_MS = 1000;

/** @throws SmpallocError ESMP_INPUT when the same decisions lead to different ends */
export function checkWalks(subject: Subject): void {
  const end = performance.now() + LIMIT_MS;
  for (let n = 0; n < WALKS && performance.now() < end; n++) {
    const draws = new Draws(1, n);
    const first = follow(subject, (_stay, enabled) => draws.oneOf(enabled));
    const heap = subject.finalHeap();
    const second = follow(subject, along(first.schedule));
    if (first.verdict.failure?.cls === 'nondeterminism') throw wrong(subject, first.verdict.failure.message);
    if (second.verdict.failure?.cls === 'nondeterminism') throw wrong(subject, second.verdict.failure.message);
    const [a, b] = [first.steps, second.steps];
    if (a !== b) throw wrong(subject, `run twice, a schedule has ${a}, then ${b} accesses`);
    if (heap !== subject.finalHeap()) throw wrong(subject, 'run twice, a schedule ends with different memories');
  }
}

function wrong({ scenario }: Subject, what: string): SmpallocError {
  const rule = "An operation may depend on nothing but the machine's memory and c.results";
  return new SmpallocError('ESMP_INPUT', `scenario '${scenario.name}' is not deterministic: ${what}. ${rule}`);
}
