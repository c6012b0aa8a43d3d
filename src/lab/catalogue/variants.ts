/** variants.ts — a scenario under another name, without its lesson: checked for data races, of another policy. */
import type { FailureClass } from '../../base/failures.js';
import type { FreePolicy } from '../../base/policy.js';
import { type Scenario, scenario } from '../scenario.js';

/**
 * A race's consequence is one thing, its first unordered access another, which is found sooner: the scenario looks
 * for the one, this variant for the other.
 */
export function asRace({ name, lesson: _, ...rest }: Scenario): Scenario {
  const defects = rest.defects ?? [];
  return scenario(`${name}-race`, {
    ...rest,
    title: `${rest.title ?? name}; its data race`,
    races: true,
    expect: { verdict: 'pass', with: Object.fromEntries(defects.map((defect) => [defect, 'data-race' as const])) },
  });
}

/** The same on a machine of another remote-free policy, with nothing taken out. @param tunables for that policy */
export function underPolicy(
  { name, ...rest }: Scenario, free: FreePolicy, verdict: 'pass' | FailureClass, origin: string,
  tunables: Readonly<Record<string, number>> = {},
): Scenario {
  const { defects: _, lesson: __, ...kept } = rest;
  return scenario(`${name}-${free}`, {
    ...kept,
    title: `${rest.title ?? name}; policy ${free}`,
    origin,
    machine: { ...rest.machine, free, tunables: { ...rest.machine?.tunables, ...tunables } },
    expect: { verdict },
  });
}

/** The same with interrupts only where the CPU polls for them, and not between any two accesses. */
export function polled({ name, lesson: _, ...rest }: Scenario): Scenario {
  return scenario(`${name}-polled`, {
    ...rest, title: `${rest.title ?? name}; interrupts only at polls`, interrupts: false,
  });
}
