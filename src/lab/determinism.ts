/**
 * determinism.ts — is the scenario a function of the machine's memory? The default schedule is run twice and compared.
 *
 * An operation that keeps something in a JavaScript variable, or asks a clock, makes other accesses the second time,
 * and no schedule means anything. What only shows in other schedules is found when an operation is run again over its
 * log.
 */
import { SmpallocError } from '../base/errors.js';
import type { Failure } from '../hw/stepped/failure.js';
import { ACCESS_NAMES } from '../base/access.js';
import { symbols } from '../observe/symbols.js';
import { follow } from './counterexample/follow.js';
import type { Subject } from './subject.js';

interface Made {
  readonly entity: number;
  readonly operation: number;
  readonly kind: number;
  readonly word: number;
  readonly result: number;
  readonly now: number;
}

/** @throws SmpallocError ESMP_INPUT naming the operation and the access that differs */
export function checkDeterminism(subject: Subject): void {
  const first = defaultSchedule(subject);
  const second = defaultSchedule(subject);
  for (let n = 0; n < Math.max(first.length, second.length); n++) {
    const [a, b] = [first[n], second[n]];
    if (a && b && (Object.keys(a) as (keyof Made)[]).every((key) => a[key] === b[key])) continue;
    const where = (a ?? b)!;
    const thread = subject.threads[where.entity];
    const name = thread?.operations[where.operation]?.name ?? 'the interrupt handler';
    const access = (made: Made | undefined) => (made ? describe(subject, made) : 'nothing more');
    throw new SmpallocError(
      'ESMP_INPUT',
      `scenario '${subject.scenario.name}' is not deterministic: run twice, '${name}' of ` +
        `${thread?.title ?? 'an interrupt'} did ${access(a)}, then ${access(b)}. An operation may depend on nothing ` +
        "but the machine's memory and c.results",
    );
  }
}

/** Seen at once: an operation that is asynchronous, or is not the same when it is run again. */
function refuse({ scenario, threads }: Subject, { message, cpu }: Failure): never {
  const number = /^operation (\d+)/.exec(message)?.[1];
  const thread = threads.find((one) => one.cpu === cpu);
  const name = number === undefined ? undefined : thread?.operations[Number(number)]?.name;
  const where = name === undefined ? '' : ` ('${name}' of ${thread!.title})`;
  throw new SmpallocError('ESMP_INPUT', `scenario '${scenario.name}' is not deterministic: ${message}${where}`);
}

function describe(subject: Subject, { kind, word, now }: Made): string {
  return `${ACCESS_NAMES[kind]} ${symbols(subject.machine.memory).place(word)} (${now})`;
}

/** At every access a decision: what the first run learns of shared words may not change the second. */
function defaultSchedule(subject: Subject): Made[] {
  const { opOf } = subject.engine.entity;
  const made: Made[] = [];
  const { verdict } = follow(subject, (stay) => stay, (e, kind, word, result, _old, now) => {
    made.push({ entity: e, operation: opOf[e]!, kind, word, result, now });
  });
  if (verdict.failure?.cls === 'nondeterminism') refuse(subject, verdict.failure);
  return made;
}
