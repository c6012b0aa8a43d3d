/** replay.ts — an execution that is known, once more: by its whole schedule, or by its token. */
import { SmpallocError } from '../../base/errors.js';
import { along, follow, type Followed, isIn } from './follow.js';
import type { Scenario } from '../scenario.js';
import { Script } from './script.js';
import { prepareSubject, type Subject, type SubjectOptions } from '../subject.js';
import { checkFollowed, droppedBy, parseToken, resolveToken } from './token.js';

export interface Replayed extends Followed {
  /** number of the first decision that could not be followed, from 1 */
  readonly diverged: number | null;
}

export interface ReplayOptions {
  /** default true: what cannot be followed ends the replay (schedule), is an error (token); false: it is passed over */
  readonly strict?: boolean;
}

/** @param schedule whole (follow.ts); behind its end the default policy decides */
export function replaySchedule(subject: Subject, schedule: readonly number[], options: ReplayOptions = {}): Replayed {
  const lenient = along(schedule);
  let diverged: number | null = null;
  const followed = follow(subject, (stay, enabled, decision) => {
    const entity = schedule[decision];
    if (entity !== undefined && !isIn(enabled, entity)) {
      diverged ??= decision + 1;
      if (options.strict ?? true) return -1;
    }
    return lenient(stay, enabled, decision);
  });
  if (followed.schedule.length < schedule.length) diverged ??= followed.schedule.length + 1;
  return { ...followed, diverged };
}

/**
 * @param token without the scenario's name
 * @throws SmpallocError ESMP_INPUT when it is none, is another scenario's, or (strict) cannot be followed
 */
export function replayToken(subject: Subject, token: string, { strict = true }: ReplayOptions = {}): Replayed {
  const script = new Script(resolveToken(token, subject), strict);
  const followed = follow(subject, script.choose);
  script.end(followed.schedule.length);
  if (strict) checkFollowed(token, subject, script, followed.schedule.length);
  return { ...followed, diverged: script.diverged };
}

/**
 * A subject to replay this token on: without the operations it leaves out.
 * @throws SmpallocError ESMP_INPUT when it names operations the scenario has not, or is no token
 */
export async function prepareForToken(
  scenario: Scenario, token: string, options: Omit<SubjectOptions, 'dropped'> = {},
): Promise<Subject> {
  const dropped = droppedBy(parseToken(token), scenario.cpus.length);
  const subject = await prepareSubject(scenario, { ...options, dropped });
  for (const item of dropped) {
    const [thread = 0, index = 0] = item.split('.').map(Number);
    const left = subject.threads[thread]?.operations.length;
    const there = left === undefined ? 0 : left + [...dropped].filter((other) => other.startsWith(`${thread}.`)).length;
    if (index < there) continue;
    const what = `it leaves out operation ${index} of a thread that has ${there} in '${scenario.name}'`;
    throw new SmpallocError('ESMP_INPUT', `token '${token}': this token belongs to another scenario: ${what}`);
  }
  return subject;
}
