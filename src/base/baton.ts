/**
 * baton.ts — the shared page on which threads that replay an execution together see whose turn it is.
 *
 *   state, position, length │ the first access that was not as expected │ a bell for each entity │ the order
 *
 * The order has four words an access: entity, kind, word, result.
 */

export const BT_STATE = 0;
/** accesses made so far; only who has the baton moves it */
export const BT_POSITION = 1;
export const BT_LENGTH = 2;
/** number of the access that differed, from 1; then who made it, and what it was */
export const BT_DIFFERS = 3;
export const BT_ENTITY = 4;
export const BT_KIND = 5;
export const BT_WORD = 6;
export const BT_RESULT = 7;
export const BT_BELLS = 8;
export const BT_ORDER = 64;
export const BT_STEP_WORDS = 4;

export const BATON_RUNNING = 1;
/** the last access has been made, or somebody stopped the rest */
export const BATON_OVER = 2;

/** What the worker is started with. */
export interface BatonTask<Setup> {
  readonly control: SharedArrayBuffer;
  readonly heap: SharedArrayBuffer;
  readonly entity: number;
  readonly setup: Setup;
}

/** What a worker says: it is set up; its part is over, by an error that was none of the order's or not. */
export type BatonMessage =
  | { readonly ready: true }
  | { readonly error: string }
  | { readonly finished: true; readonly thrown: string | null };

/** One access as it was explored. */
export interface BatonStep {
  readonly entity: number;
  readonly kind: number;
  readonly word: number;
  readonly result: number;
}
