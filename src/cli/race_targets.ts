/** race_targets.ts — scenarios by name, of the catalogue or of a file, for commands that run them here. */
import { loadScenarios, type Reference } from '../lab/farm/reference.js';
import type { Scenario } from '../lab/scenario.js';
import { UsageError } from './exit.js';
import { type RaceFlags, referenceOf } from './race_options.js';

export interface Target {
  readonly scenario: Scenario;
  readonly reference: Reference;
}

/** --all, or the name 'all' as of race explore. */
export function isWhole(names: readonly string[], { all }: RaceFlags): boolean {
  return all === true || names.join() === 'all';
}

/**
 * @param all what --all stands for
 * @throws UsageError when nothing is named, or both
 */
export async function targetsOf(
  command: string, names: readonly string[], flags: RaceFlags, all: () => readonly Scenario[],
): Promise<Target[]> {
  if (isWhole(names, flags)) {
    if (flags.all === true && names.length > 0) {
      throw new UsageError(`--all: then no scenario is named; '${names[0]}' is`);
    }
    return all().map((scenario) => ({ scenario, reference: { kind: 'catalogue', name: scenario.name } }));
  }
  if (names.length === 0) throw new UsageError(`${command}: a scenario is missing: a name, a file, or --all`);
  const targets: Target[] = [];
  for (const name of names) {
    const reference = referenceOf(name);
    for (const scenario of await loadScenarios(reference)) {
      const one = reference.kind === 'file' ? { ...reference, name: scenario.name } : reference;
      targets.push({ scenario, reference: one });
    }
  }
  return targets;
}
