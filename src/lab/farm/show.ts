/** show.ts — a scenario of the catalogue with all that is known of it: its lesson, its failures replayed, numbers. */
import { DEFECTS_BY_NAME } from '../../base/defects.js';
import { FAILURE_CLASSES, type FailureClass } from '../../base/failures.js';
import type { BootOptions } from '../../host/options.js';
import { entryOf, type Kind, kindOf, variantsOf } from '../catalogue/entries.js';
import { catalogue, findScenario } from '../catalogue/index.js';
import { MEASURED, type Measured, type MeasuredEntry, seenOnThreads } from '../catalogue/measured.js';
import { TOKENS } from '../catalogue/tokens.js';
import { describe } from '../counterexample/counterexample.js';
import { prepareForToken, replayToken } from '../counterexample/replay.js';
import type { Counterexample } from '../result.js';
import type { Kernel, Scenario } from '../scenario.js';
import { prepareSubject } from '../subject.js';
import { expectedFailures } from './regress.js';

/** What is known without running it. */
export interface Listed {
  readonly name: string;
  readonly kind: Kind;
  /** the entry a variant belongs to */
  readonly of: string | null;
  readonly title: string;
  /** of a variant, its entry's; programs have none */
  readonly kernel: Kernel | null;
  readonly origin: string;
  readonly story: readonly string[];
  readonly fix: string | null;
  /** why real threads cannot show it */
  readonly unseen: string | null;
  /** did real threads show it? null: not measured yet */
  readonly seen: boolean | null;
  readonly cpus: number;
  readonly defects: readonly string[];
  /** the verdict as it stands */
  readonly expect: 'pass' | FailureClass;
  readonly failures: readonly ListedFailure[];
  /** their names */
  readonly variants: readonly string[];
}

export interface ListedFailure {
  /** switched on; none where the scenario fails by itself */
  readonly defects: readonly string[];
  readonly cls: FailureClass;
  /** null: none is stored (race regress --update) */
  readonly token: string | null;
}

export interface Shown extends Omit<Listed, 'cpus' | 'failures' | 'variants'> {
  readonly schema: 'smpalloc-race-show-1';
  /** what its machine is booted with, where it is not the default */
  readonly machine: BootOptions;
  readonly memory: 'sc' | 'tso';
  /** a CPU, or a second thread of one: what it is called, and what it does */
  readonly cpus: readonly { readonly title: string; readonly operations: readonly string[] }[];
  readonly failures: readonly ShownFailure[];
  readonly variants: readonly Listed[];
  readonly environment: Measured['environment'] | null;
  /** null: not measured yet */
  readonly measured: MeasuredEntry | null;
}

export interface ShownFailure extends ListedFailure {
  /** what the class means */
  readonly means: string;
  /** what is wrong in the engine; '' where the mistake is the scenario's own */
  readonly what: string;
  /** replayed now */
  readonly counterexample: Counterexample | null;
}

export const catalogueList = (): Listed[] => catalogue.map(listed);

function listed(scenario: Scenario): Listed {
  const { name, title = '', origin, lesson, cpus, defects = [], expect = {} } = scenario;
  const of = entryOf(scenario);
  const failures = expectedFailures(scenario).map(({ defects: on, cls }) => {
    const known = TOKENS.find((one) => one.scenario === name && one.defects.join() === on.join());
    return { defects: on, cls, token: known?.token ?? null };
  });
  return {
    name, kind: kindOf(scenario), of: of?.name ?? null, title, kernel: (lesson ?? of?.lesson)?.kernel ?? null, origin,
    story: lesson?.story ?? [], fix: lesson?.fix ?? null, unseen: lesson?.unseen ?? null,
    seen: seenOnThreads(MEASURED.entries[name] ?? {}), cpus: cpus.length, defects, expect: expect.verdict ?? 'pass',
    failures, variants: variantsOf(scenario).map((variant) => variant.name),
  };
}

/**
 * Replays what is known of a scenario, in this thread.
 * @param name in the catalogue
 * @throws SmpallocError ESMP_INPUT when there is none, or a stored token is of another version
 */
export async function show(name: string): Promise<Shown> {
  const scenario = findScenario(name);
  const { failures, variants: _, ...known } = listed(scenario);
  const subject = await prepareSubject(scenario);
  const cpus = subject.threads.map(({ title, operations }) => ({
    title, operations: operations.map((operation) => operation.name),
  }));
  const shown: ShownFailure[] = [];
  for (const failure of failures) shown.push(await replayed(scenario, failure));
  return {
    schema: 'smpalloc-race-show-1', ...known, machine: scenario.machine ?? {}, memory: subject.memory, cpus,
    failures: shown,
    variants: variantsOf(scenario).map(listed),
    environment: MEASURED.environment ?? null, measured: MEASURED.entries[name] ?? null,
  };
}

async function replayed(scenario: Scenario, failure: ListedFailure): Promise<ShownFailure> {
  const { defects, cls, token } = failure;
  const what = defects.map((name) => DEFECTS_BY_NAME[name]?.what ?? '').filter((text) => text !== '').join('; ');
  const known = { ...failure, means: FAILURE_CLASSES[cls], what };
  if (token === null) return { ...known, counterexample: null };
  const subject = await prepareForToken(scenario, token, { defects });
  return { ...known, counterexample: describe(subject, replayToken(subject, token).schedule) };
}
