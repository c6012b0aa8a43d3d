/** failure.ts — what went wrong in an execution: the first thing that did. */

import type { FailureClass } from '../../base/failures.js';

export interface Failure {
  readonly cls: FailureClass;
  readonly message: string;
  /** CPU it happened on, -1 for the machine */
  readonly cpu: number;
  /** number of the step, from 1; 0: at the end */
  readonly step: number;
  /** a race: kind of the other access, its CPU */
  readonly other?: { readonly cpu: number; readonly word: number; readonly write: boolean; readonly atomic: boolean };
}

/** Thrown to leave an operation that will be run again, or never. Engine code has no business catching it. */
export const STOP = { stop: true };

export const execution = {
  failure: null as Failure | null,
  steps: 0,
};

/** Records the failure; the first one stays. */
export function fail(failure: Failure): void {
  execution.failure ??= failure;
}
