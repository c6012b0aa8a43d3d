/** real_entity.ts — a scenario set up in a worker that plays one of its entities on a memory it shares (host/baton). */
import type { Turns } from '../../hw/baton/access.js';
import type * as BatonAccess from '../../hw/baton/access.js';
import type * as BatonRun from '../../hw/baton/run.js';
import type { Configuration } from '../../host/options.js';
import { loadScenarios, type Reference } from './reference.js';
import { switchOn } from '../stepped.js';
import { prepareSubject, type SubjectOptions } from '../subject.js';

/** What a worker has to know to have the same operations: plain data. */
export interface RealSetup {
  readonly reference: Reference;
  readonly options: Omit<SubjectOptions, 'on'>;
  readonly configuration: Configuration;
}

/**
 * Sets up; the memory has to be freshly formatted, and nobody else may use it now.
 * @returns plays the entity's part, once a run
 */
export async function realEntity(
  { reference, options, configuration }: RealSetup, heap: SharedArrayBuffer, entity: number, turns: Turns,
): Promise<() => void> {
  const [scenario] = await loadScenarios(reference);
  const on = await switchOn(configuration, heap, 'baton');
  await prepareSubject(scenario!, { ...options, on });
  const { baton } = on.engine.access as unknown as typeof BatonAccess;
  const { play } = on.engine.run as unknown as typeof BatonRun;
  return () => {
    baton.turns = turns;
    play(entity);
  };
}
