/** failures.ts — --fail on a suite's machine: the boot has the rate, a type has to be defined before it can fail. */
import { SmpallocError } from '../base/errors.js';
import type { Machine } from '../host/machine.js';
import { mallocTypes } from '../observe/malloc_types.js';
import type { SuiteOptions } from './suite.js';

/**
 * Narrows failures to the type and CPU that were asked for; nothing fails while the type is not there.
 * @returns false when it is not
 */
export function narrowFailures({ fail }: Pick<SuiteOptions, 'fail'>, machine: Machine): boolean {
  if (fail === null || (fail.type === undefined && fail.cpu === undefined)) return true;
  const known = fail.type === undefined || mallocTypes(machine.memory).some(({ name }) => name === fail.type);
  machine.failMalloc(known ? fail : { rate: 0 });
  return known;
}

/** @throws SmpallocError ESMP_OPTION naming the types there are */
export function noSuchType({ fail }: Pick<SuiteOptions, 'fail'>, machine: Machine): SmpallocError {
  const names = mallocTypes(machine.memory).map(({ name }) => name).reverse();
  return new SmpallocError('ESMP_OPTION', `--fail: no malloc type '${fail?.type}'; there are ${names.join(', ')}`);
}

/** Failures since `before`, for a row: nothing where none were asked for. */
export function failedSince(
  { fail }: Pick<SuiteOptions, 'fail'>, machine: Machine, before: number,
): { failed?: number } {
  return fail === null ? {} : { failed: machine.mallocFailures - before };
}
