/** exit.ts — exit codes, and which error is which. */
import { SmpallocError } from '../base/errors.js';
import { MachinePanic } from '../host/machine.js';

export const EXIT_CODES =
  '0 ok, 1 a claim or an audit failed, a regression, a cell missing, 2 usage or bad input, 3 panic, 4 time-out, ' +
  '130 interrupted';
export const RACE_EXIT_CODES =
  '0 pass, 1 failure found, 2 usage or bad input, 3 a bug in smpalloc, 4 budget over without a verdict, 130 interrupted';

export const EXIT_OK = 0;
export const EXIT_CLAIM = 1;
export const EXIT_USAGE = 2;
export const EXIT_PANIC = 3;
export const EXIT_TIMEOUT = 4;
export const EXIT_INTERRUPTED = 130;

/** Wrong use of the command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Failure {
  readonly code: number;
  /** what to say, line by line */
  readonly lines: readonly string[];
}

export function failure(error: unknown, command: string): Failure {
  if (error instanceof MachinePanic) {
    return { code: EXIT_PANIC, lines: [...error.report, '', `to see it again: smpalloc ${command}`] };
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  if (SmpallocError.is(error)) {
    const input = error.code === 'ESMP_OPTION' || error.code === 'ESMP_INPUT';
    const code = error.code === 'ESMP_TIMEOUT' ? EXIT_TIMEOUT : EXIT_PANIC;
    return { code: input ? EXIT_USAGE : code, lines: [message] };
  }
  const known = ['TraceError', 'UsageError', 'CACError', 'PeersUnavailable', 'PeerFailed'];
  if (known.includes(name)) return { code: EXIT_USAGE, lines: [message] };
  // ours to mend, and nothing the user's input should be blamed for
  return { code: EXIT_PANIC, lines: [`a bug in smpalloc: ${stack ?? message}`] };
}
