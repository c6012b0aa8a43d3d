/** seek.ts — the first failure of a class, with as few preemptions as it takes. */
import type { FailureClass } from '../base/failures.js';
import { type PassReport, type PassRequest, runPass } from './pass.js';
import type { Subject } from './subject.js';

export interface Sought {
  readonly found: NonNullable<PassReport['found']>;
  readonly bound: number;
  /** in which execution, those with fewer preemptions counted */
  readonly execution: number;
  /** what is known of shared words (PassRequest) */
  readonly sharing: readonly number[];
}

const MOST_PREEMPTIONS = 3;
const EXECUTIONS = 200_000;
const OTHERS = 20_000;

/** @param cls null: any @param budget milliseconds @returns null when there was none, or no time to find it */
export function seek(subject: Subject, cls: FailureClass | null, budget: number): Sought | null {
  const end = performance.now() + budget;
  let sharing: readonly number[] = [];
  let before = 0;
  for (let bound = 0; bound <= MOST_PREEMPTIONS; bound++) {
    const left = end - performance.now();
    if (left <= 0) return null;
    const request: PassRequest = {
      algorithm: 'bound', bound, seed: 1, executions: EXECUTIONS, budget: left, allFailures: false,
      countHeaps: false, sharing,
    };
    const report = runPass(subject, request, () => false);
    sharing = report.sharing;
    const sought = (found: Sought['found']): Sought => ({ found, bound, execution: before + found.execution, sharing });
    if (report.found && (cls === null || report.found.failure.cls === cls)) return sought(report.found);
    before += report.pass.executions + report.pass.cut;
    if (!report.found) continue;
    // another class comes first: look on
    const all = runPass(subject, { ...request, allFailures: true, executions: OTHERS, sharing }, () => false);
    const found = [all.found, ...all.others].find((one) => one?.failure.cls === cls);
    if (found) return sought(found);
  }
  return null;
}
