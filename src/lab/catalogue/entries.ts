/**
 * entries.ts — what a scenario of the catalogue is: an entry, which has a lesson; a variant of one, by its name;
 * or a program that only has to pass.
 */
import type { Scenario } from '../scenario.js';
import { catalogue } from './index.js';

export type Kind = 'entry' | 'variant' | 'program';

/** The entry a variant is named after: the longest there is. 'R40-rcount' is of R40, and never of R4. */
export function entryOf({ name, lesson }: Scenario): Scenario | null {
  if (lesson) return null;
  const entries = catalogue.filter((other) => other.lesson && name.startsWith(`${other.name}-`));
  return entries.sort((a, b) => b.name.length - a.name.length)[0] ?? null;
}

export function kindOf(scenario: Scenario): Kind {
  if (scenario.lesson) return 'entry';
  return entryOf(scenario) ? 'variant' : 'program';
}

export function variantsOf(entry: Scenario): Scenario[] {
  return catalogue.filter((scenario) => entryOf(scenario) === entry);
}
