/** audit_result.ts — what an audit found. */

export interface Audit {
  /** empty: all identities hold */
  readonly violations: string[];
  readonly zones: number;
  /** zones with free chunks in RChunks that nobody will be told of (R40) */
  readonly stranded: number;
  /** blocks and bytes that are out */
  readonly blocks: number;
  readonly bytes: number;
}

/** An audit under way. */
export type Findings = { -readonly [K in keyof Audit]: Audit[K] };
