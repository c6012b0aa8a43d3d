/**
 * missing_edge.ts — a data race in words: which two accesses, and what would have ordered them.
 *
 * The first CPU would have had to store atomically after its access, and the second to read that store before its own
 * (ECMA-262: an atomic read synchronizes with the store it reads from, and with that one only).
 */
import {
  ACCESS_NAMES, CAS, isAtomic, LD, LD64, LD8, LDF, LOAD, RACY, RACY64, STORE, WAIT, WAKE,
} from '../../base/access.js';
import type { Failure } from '../../hw/stepped/failure.js';
import type { RaceReport, Step } from '../result.js';

const READS: readonly number[] = [LD, RACY, LD8, LD64, RACY64, LDF, LOAD, WAIT, WAKE];
const kindOf = (step: Step): number => (ACCESS_NAMES as readonly string[]).indexOf(step.kind);

function writes(step: Step): boolean {
  const kind = kindOf(step);
  return kind === CAS ? step.result === 1 : !READS.includes(kind);
}

/** @param steps of an execution that ended with this race */
export function raceReport(failure: Failure, steps: readonly Step[]): RaceReport | null {
  const second = steps.at(-1);
  const { other } = failure;
  if (!second || !other) return null;
  const isOther = (step: Step) => step !== second && step.cpu === other.cpu && step.word === other.word &&
    isAtomic(kindOf(step)) === other.atomic && writes(step) === other.write;
  const first = steps.findLast(isOther);
  const { word, place } = second;
  const how = (step: Step) => `${isAtomic(kindOf(step)) ? 'atomic' : 'plain'} ${writes(step) ? 'write' : 'read'}`;
  if (!first) return { first: 0, second: second.step, word, place, missing: failure.message };
  const by = (step: Step, what: string) => `cpu${step.cpu}'s ${how(step)}${what} (step ${step.step})`;
  const missing = `${by(first, ` of ${place}`)} and ${by(second, '')}: ${edge(first, second, steps)}`;
  return { first: first.step, second: second.step, word, place, missing };
}

/** Why nothing orders the two. */
function edge(first: Step, second: Step, steps: readonly Step[]): string {
  const between = steps.slice(first.step, second.step - 1);
  // the first access may be such a store itself
  const stores = [first, ...between].filter((step) => step.cpu === first.cpu && isAtomic(kindOf(step)) && writes(step));
  const [store] = stores;
  const [one, two] = [`cpu${first.cpu}`, `cpu${second.cpu}`];
  if (!store) {
    return `nothing ${one} did after step ${first.step} was an atomic store that ${two} read before ` +
      `step ${second.step}`;
  }
  for (const { word, place, step } of stores) {
    const later = between.filter((access) => access.word === word && access.step > step && isAtomic(kindOf(access)));
    const read = later.find((access) => access.cpu === second.cpu && kindOf(access) !== STORE);
    const over = read && later.find((access) => access.step < read.step && kindOf(access) === STORE);
    if (!over) continue;
    return `${one} stored ${place} atomically (step ${step}), but the store of cpu${over.cpu} (step ${over.step}) ` +
      `had replaced that when ${two} read it (step ${read.step})`;
  }
  return `${one} stored ${store.place} atomically (step ${store.step}), but ${two} did not read that atomically ` +
    `before step ${second.step}`;
}
