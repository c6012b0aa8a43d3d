/**
 * token.ts — a schedule as a few characters: where it leaves the default policy (search.ts), and nothing else.
 *
 *   a3c7b       at once to cpu0, after 3 decisions that follow the policy to cpu2, after 7 more to cpu1
 *   -           the default schedule
 *   b/a1.c0     the same scenario without operation 1 of cpu0 and operation 0 of cpu2
 *   R40@a3c7b   with the name of its scenario
 *
 *   a-h  thread of CPU 0-7      i-p  interrupt of CPU 0-7      q-x  second threads      A-H  store buffer of CPU 0-7
 *   I-P  a thread is moved: the scenario's `moves`, one after the other
 *
 * Decisions are counted at every access (follow.ts), so a token means the same whatever a search has learned, and does
 * so in every process.
 */
import { SmpallocError } from '../../base/errors.js';
import { along, type Deviation, follow, isIn } from './follow.js';
import { entitiesOf, entityOf, LETTERS, letterOf, threadOf, titleOf, titleOfLetter } from './letters.js';
import { Script } from './script.js';
import type { Subject } from '../subject.js';

export interface Token {
  readonly text: string;
  readonly deviations: readonly (Deviation & { readonly letter: string })[];
  /** operations left out, as SubjectOptions.dropped spells them once the scenario is known: thread letter, index */
  readonly dropped: readonly (readonly [letter: string, index: number])[];
}

const RIGHT = 'expected a count and a letter, as in a3c7b: a-h is the thread of cpu0-7, i-p its interrupt, q-x a ' +
  'second thread, A-H its store buffer, I-P the move of a thread; - is the default schedule';
const RIGHT_DROPPED = 'expected thread letters with the number of an operation, as in b/a1.c0';

/** @throws SmpallocError ESMP_INPUT when it is none: names the position */
export function parseToken(text: string): Token {
  const [path = '', ...rest] = text.split('/');
  if (path === '') throw malformed(text, 0, 'is empty', RIGHT);
  if (rest.length > 1) throw malformed(text, path.length + rest[0]!.length + 1, 'is a second /', RIGHT_DROPPED);
  const dropped = rest.length === 0 ? [] : parseDropped(text, rest[0]!, path.length + 1);
  return { text, deviations: path === '-' ? [] : parsePath(text, path), dropped };
}

function parsePath(text: string, path: string): (Deviation & { letter: string })[] {
  const deviations = [];
  for (let at = 0; at < path.length;) {
    const [whole, count, letter] = /^(\d{0,6})(.?)/u.exec(path.slice(at))!;
    const where = at + count!.length;
    if (letter === '') throw malformed(text, where, 'ends with a count', RIGHT);
    if (!LETTERS.includes(letter!)) throw malformed(text, where, `has '${letter}'`, RIGHT);
    deviations.push({ after: Number(count), entity: -1, letter: letter! });
    at += whole.length;
  }
  return deviations;
}

function parseDropped(text: string, list: string, from: number): [string, number][] {
  let at = from;
  return list.split('.').map((item) => {
    const match = /^([a-hq-x])(\d{1,3})$/.exec(item);
    if (!match) throw malformed(text, at, item === '' ? 'names no operation' : `has '${item}'`, RIGHT_DROPPED);
    at += item.length + 1;
    return [match[1]!, Number(match[2])];
  });
}

function malformed(text: string, at: number, what: string, right: string): SmpallocError {
  return unusable(text, `position ${at + 1} ${what}; ${right}`);
}

function unusable(text: string, why: string): SmpallocError {
  return new SmpallocError('ESMP_INPUT', `token '${text}': ${why}`);
}

/** `NAME@token`, or a token alone. */
export function parseReference(text: string): { name: string | null; token: string } {
  const at = text.lastIndexOf('@');
  return at < 0 ? { name: null, token: text } : { name: text.slice(0, at), token: text.slice(at + 1) };
}

/** `dropped` of SubjectOptions for the operations a token leaves out. @param ncpu CPUs of the scenario */
export function droppedBy(token: Token, ncpu: number): Set<string> {
  return new Set(token.dropped.map(([letter, index]) => `${threadOf(letter, ncpu)}.${index}`));
}

export function formatToken(subject: Subject, deviations: readonly Deviation[]): string {
  const path = deviations.map(({ after, entity }) => `${after || ''}${letterOf(subject, entity)}`).join('');
  const dropped = [...(subject.options.dropped ?? [])].sort(byThread).map((item) => {
    const [e, index] = item.split('.');
    return `${letterOf(subject, Number(e))}${index}`;
  });
  return (path || '-') + (dropped.length > 0 ? `/${dropped.join('.')}` : '');
}

function byThread(a: string, b: string): number {
  const [[e = 0, n = 0], [f = 0, m = 0]] = [a.split('.').map(Number), b.split('.').map(Number)];
  return e - f || n - m;
}

/** The deviations, by entities of this scenario. @throws SmpallocError ESMP_INPUT when it has them not */
export function resolveToken(text: string, subject: Subject): Deviation[] {
  const token = parseToken(text);
  const without = [...droppedBy(token, subject.engine.entity.layout.ncpu)].sort(byThread).join(' ');
  if (without !== [...(subject.options.dropped ?? [])].sort(byThread).join(' ')) {
    throw unusable(text, 'the scenario was prepared with other operations than it names');
  }
  return token.deviations.map(({ after, letter }) => {
    const entity = entityOf(subject, letter);
    if (entity >= 0) return { after, entity };
    const has = entitiesOf(subject).map((e) => titleOf(subject, e)).join(', ');
    const what = `it names ${titleOfLetter(letter)}, '${subject.scenario.name}' has ${has}`;
    throw unusable(text, `this token belongs to another scenario: ${what}`);
  });
}

/** @throws SmpallocError ESMP_INPUT naming the decision that could not be followed */
export function checkFollowed(text: string, subject: Subject, script: Script, decisions: number): void {
  if (script.diverged === null) return;
  const { entity, enabled } = script.blocked;
  const there = entitiesOf(subject).filter((e) => isIn(enabled, e)).map((e) => titleOf(subject, e)).join(', ');
  const why = enabled === 0
    ? `the execution ends after ${decisions} decisions`
    : `${titleOf(subject, entity)} is not enabled there; enabled: ${there}`;
  const what = `decision ${script.diverged} goes to ${titleOf(subject, entity)}, and cannot be followed`;
  throw unusable(text, `${what}: ${why}`);
}

/** The whole schedule a token stands for. @throws SmpallocError ESMP_INPUT when it is not to be had in this scenario */
export function decode(text: string, subject: Subject): number[] {
  const script = new Script(resolveToken(text, subject), true);
  const { schedule } = follow(subject, script.choose);
  script.end(schedule.length);
  checkFollowed(text, subject, script, schedule.length);
  return [...schedule];
}

/** The token of a whole schedule, which is replayed for that. */
export function encode(schedule: readonly number[], subject: Subject): string {
  return formatToken(subject, follow(subject, along(schedule)).deviations);
}
