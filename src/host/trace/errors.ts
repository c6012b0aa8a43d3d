/** errors.ts — why a trace was refused. Codes are stable, messages are not. */

export type TraceErrorCode =
  | 'ETRACE_UNREADABLE' // the file cannot be opened or read, or its gzip data is damaged
  | 'ETRACE_EMPTY' // nothing in it to replay
  | 'ETRACE_FORMAT' // none of the formats known
  | 'ETRACE_STRICT' // a bad line, and the caller asked for none
  | 'ETRACE_TRUNCATED' // the file ends early, and the caller asked for whole ones or nothing was in it
  | 'ETRACE_BOMB' // a gzip file that inflates without measure
  | 'ETRACE_LIVE'; // more live objects than any machine of ours could hold

/** A trace that cannot be used: always the input's fault, never ours. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
  readonly code: TraceErrorCode;
  /** File name, or `stdin`. */
  readonly path: string;
  /** Line number, from 1; 0 when no line is to blame. */
  readonly line: number;

  constructor(code: TraceErrorCode, path: string, line: number, message: string, cause?: unknown) {
    super(`${path}${line > 0 ? `:${line}` : ''}: ${message}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.path = path;
    this.line = line;
  }
}

/** A piece of the input for a message: quoted, control characters escaped, about 60 characters at most. */
export function shorten(text: string): string {
  const quoted = JSON.stringify(text.slice(0, 80));
  return quoted.length > 62 ? `${quoted.slice(0, 58)}..."` : quoted;
}
