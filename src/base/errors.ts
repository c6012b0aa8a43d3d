/**
 * errors.ts — errors that leave the machine.
 *
 * `code` is stable, messages are not. The brand lets a caller recognise an error made by another copy of this
 * package (the host's bundle and a worker's are two).
 */

const BRAND = Symbol.for('smpalloc.error');

export type ErrorCode =
  | 'ESMP_OPTION' // an option's value is not usable: the message names it and what would be right
  | 'ESMP_INPUT' // a file or trace cannot be used
  | 'ESMP_PANIC' // the machine panicked
  | 'ESMP_HALTED' // the machine was stopped while the call was under way
  | 'ESMP_TIMEOUT' // a phase took longer than it was given
  | 'ESMP_PHASE' // a phase module could not be loaded or threw before it reached the machine
  | 'ESMP_UNBOUND'; // engine code ran where no machine is bound

export class SmpallocError extends Error {
  readonly [BRAND] = true;
  readonly code: ErrorCode;
  override readonly name: string = 'SmpallocError';

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  static is(value: unknown): value is SmpallocError {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

/** A virtual CPU unwinds with this when it panics itself or sees that the machine has stopped. */
export class KernelPanic extends Error {
  override readonly name = 'KernelPanic';
  readonly panicCode: number;

  constructor(panicCode: number) {
    super(`panic ${panicCode}`);
    this.panicCode = panicCode;
  }
}
