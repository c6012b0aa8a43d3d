/** plain_error.ts — how a job answers: errors cross threads as data, classes do not. */
import { type ErrorCode, SmpallocError } from '../base/errors.js';

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: PlainError };

export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code: ErrorCode | null;
}

export function plainError(cause: unknown): PlainError {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const { name, message, stack = message } = error;
  return { name, message, stack, code: SmpallocError.is(cause) ? cause.code : null };
}

/** The error as it was thrown, as far as it can be. */
export function errorOf({ name, message, stack, code }: PlainError): Error {
  if (code !== null) return new SmpallocError(code, message);
  return Object.defineProperties(new Error(message), { name: { value: name }, stack: { value: stack } });
}
