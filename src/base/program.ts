/** program.ts — what a CPU is to do, one operation at a time, for whoever orders the steps of CPUs (hw/model). */

/** What a program's next operation was. */
export const STEP_END = 0;
export const STEP_OP = 1;
/** one that is not what is being measured: filling a table, meeting at a barrier */
export const STEP_OTHER = 2;

export interface Program {
  /** Does the next operation; changes the program's own state only when that has returned. */
  step(): number;
}
