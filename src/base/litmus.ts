/**
 * litmus.ts — the memory on which threads run a litmus test, and what they and the host say to each other.
 *
 *   control │ results: a word an instance, for each actor │ instances
 *
 *   an instance    line 0    x, w (lo, hi)     edge lies across the end of line 0
 *                  line 2    y
 *                  line 3    meet: who has come; counts on from stride to stride
 */

export const LITMUS_RUNNING = 0;
/** the leader has seen enough, or the host has */
export const LITMUS_OVER = 1;

/** words of the control line */
export const LT_STATE = 0;
/** actors that have ended a stride, all strides together */
export const LT_ARRIVED = 1;
/** the stride that may begin */
export const LT_STRIDE = 2;
/** instances counted so far */
export const LT_SAMPLES = 3;
/** how many instances it has */
export const LT_LENGTH = 4;
export const LT_RESULTS = 16;

/** instances a stride: their lines together fit the second cache of a core or two */
export const STRIDE = 2048;
/** instances a stride where an instance takes a time slice, because actors have no cores of their own */
export const STRIDE_SHORT = 64;
export const INSTANCE_WORDS = 64;
export const LITMUS_X = 0;
export const LITMUS_Y = 32;
export const LITMUS_MEET = 48;
export const LINE_BYTES = 64;

export const instancesAt = (actors: number): number => LT_RESULTS + actors * STRIDE;
export const litmusBytes = (actors: number): number => (instancesAt(actors) + STRIDE * INSTANCE_WORDS) * 4;
/** in a result: this actor slept */
export const ASLEEP = 1 << 30;

/** What a worker is started with. */
export interface LitmusTask {
  readonly page: SharedArrayBuffer;
  readonly actor: number;
  readonly actors: number;
  /** JavaScript of the actor's part, and of bringing an instance back to its beginning (lab/litmus/actor.ts) */
  readonly part: string;
  readonly reset: string;
  /** JavaScript of what is looked at after a stride: a value of `registers` words' bits, two a register */
  readonly final: string;
  readonly registers: number;
  readonly seed: number;
  /** more actors than cores: who waits goes to sleep soon */
  readonly crowded: boolean;
  /** milliseconds: counted, and not counted before */
  readonly ms: number;
  readonly warmUpMs: number;
}

/** How often the instances ended how: index is two bits a register. */
export interface LitmusTally {
  readonly counts: Readonly<Record<number, number>>;
  readonly samples: number;
  /** those in which an actor slept until the others came: its core was taken, and there was no race */
  readonly asleep: number;
  readonly seconds: number;
}

/** The leader, actor 0, has the tally. */
export type LitmusMessage =
  | { readonly error: string }
  | { readonly finished: true; readonly tally: LitmusTally | null };
