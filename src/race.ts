/** race.ts — public API 'smpalloc/race': scenarios, and exploring them in this thread (docs/scenarios.md). */
import { DEFAULT_PREEMPT, explore as run, type ExploreOptions } from './lab/explore.js';
import { LocalRunner } from './lab/farm/local.js';
import type { Exploration } from './lab/result.js';
import type { Scenario } from './lab/scenario.js';

export { SmpallocError, type ErrorCode } from './base/errors.js';
export { FAILURE_CLASSES, type FailureClass } from './base/failures.js';
export { DEFECTS_BY_NAME } from './base/defects.js';
export {
  FREE_NAMES, MTX_NAMES, STATS_NAMES, type FreePolicy, type MutexForm, type StatsPolicy,
} from './base/policy.js';
export type { BootOptions } from './host/options.js';
export { catalogue, findScenario } from './lab/catalogue/index.js';
export type { Measured, MeasuredEntry, StressRun } from './lab/catalogue/measured.js';
export type { ExploreOptions } from './lab/explore.js';
export {
  catalogueList, type Listed, type ListedFailure, show, type Shown, type ShownFailure,
} from './lab/farm/show.js';
export type { Client, ScenarioZone, Setup, View } from './lab/kit.js';
export type { StressRecord, StressRow } from './lab/stress/record.js';
export type { Counterexample, Exploration, Pass, RaceReport, Step, Verdict } from './lab/result.js';
export {
  type Kernel, KERNELS, type Lesson, type Operation, type Scenario, scenario, type Wrong,
} from './lab/scenario.js';
export { lessonText } from './report/race_lesson.js';
export { lessonPage } from './report/race_lesson_page.js';
export { parseExploration, RACE_SCHEMA } from './report/race_record.js';
export { counterexampleText, explorationText } from './report/race_text.js';
export { DEFAULT_PREEMPT };

/**
 * Explores a scenario in this thread. An operation that never yields is never left: the command line, which explores in
 * workers, notices that.
 * @throws SmpallocError ESMP_INPUT, ESMP_OPTION when scenario or options are not usable
 */
export async function explore(scenario: Scenario, options: ExploreOptions = {}): Promise<Exploration> {
  const runner = await LocalRunner.prepare(scenario, options);
  return (await run(scenario, runner, options)).exploration;
}
