/**
 * stress.ts — the shared pages by which the workers of a stress run meet, sample by sample.
 *
 *   control   GO, who sleeps, bells of sleepers │ a line a CPU: where it is in its sample, how it failed
 *   log       a CPU's writes in the sample under way, so that memory can be put back (hw/stress/access.ts)
 *   results   what its operations returned      text   what went wrong
 *   marks     whose memory it is (hw/stress/marks.ts)
 *
 *   leader (the first worker)                    the others
 *     memory is as every sample finds it
 *     GO = n, and its own part of the sample       see GO = n, do their part, serve interrupts until all have
 *     waits until all are parked                   PARKED = n: no access from here on
 *     judges, counts, puts the memory back
 *
 * GO and PARKED are stored and loaded atomically: whoever sees one sees all that was done before it.
 */

/** 1: no further sample, set by the leader before GO: all see it at the same sample; 2: whoever naps leaves */
export const ST_STOP = 0;
/** number of the sample under way, from 1 */
export const ST_GO = 1;
/** workers that sleep until GO changes */
export const ST_SLEEPERS = 2;
/** samples that have been judged, forbidden ones among them */
export const ST_SAMPLES = 3;
export const ST_FORBIDDEN = 4;
/** 1: the host wants no further sample */
export const ST_ENOUGH = 5;
/** a sleeper's word has one of these, by its number: counts the bells that were rung */
export const ST_BELLS = 16;
export const ST_NBELLS = 64;
/** first line of a CPU */
export const ST_CPU = 80;
export const ST_CPU_WORDS = 16;

/** words of a CPU's line: written by it alone, read by all */
export const SC_DONE = 0;
export const SC_PARKED = 1;
/** operations that have returned in this sample, and turns of its wait loops */
export const SC_OPS = 2;
export const SC_TURNS = 3;
/** entries in its log */
export const SC_LOG = 4;
/** index of the failure's class, from 1; 0: none */
export const SC_CLS = 5;
export const SC_TEXT = 6;
/** blocks that callers hold: more or fewer than before the sample */
export const SC_HELD = 7;

/** kinds of log entries, in the upper bits */
export const LOG_WORD = 0;
export const LOG_COUNT = 1 << 28;
export const LOG_MARK = 2 << 28;
export const LOG_PAGE_MARK = 3 << 28;
export const LOG_WHERE = (1 << 28) - 1;
export const LOG_ENTRIES = 1 << 15;

/** results of a CPU: a count, then a tag and a value each */
export const SR_RESULTS = 64;
export const SR_DOUBLES = 1 + 2 * SR_RESULTS;
export const TEXT_BYTES = 512;

/** Where a thread is held up, so that others get in between: before access `access` of its operation `operation`. */
export interface Window {
  readonly cpu: number;
  readonly thread: number;
  readonly operation: number;
  readonly access: number;
}

export interface StressPages {
  readonly heap: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly log: SharedArrayBuffer;
  readonly results: SharedArrayBuffer;
  readonly text: SharedArrayBuffer;
  readonly marks: SharedArrayBuffer;
}

/** What a worker is started with. */
export interface StressTask<Setup> {
  readonly pages: StressPages;
  readonly cpu: number;
  readonly setup: Setup;
}

/** What the workers are told to do. */
export interface StressOrder {
  /** number of the first sample: who begins late would not know */
  readonly first: number;
  readonly seed: number;
  /** milliseconds of sampling */
  readonly time: number;
  readonly windows: readonly Window[];
  /** turns of an idle loop a thread is held up in a window, at most */
  readonly hold: number;
  /** more workers than cores: waiting gives the core away at once */
  readonly crowded: boolean;
}

/** One line of the outcome table. */
export interface StressCount {
  readonly result: string;
  readonly forbidden: boolean;
  readonly samples: number;
  /** of a failure, its message when it was first seen */
  readonly message: string;
}

export interface StressReport {
  readonly samples: number;
  readonly seconds: number;
  readonly counts: readonly StressCount[];
}

export type StressMessage =
  | { readonly ready: true }
  | { readonly error: string }
  | { readonly finished: true; readonly report: StressReport | null };

export function stressPages(heap: SharedArrayBuffer, cpus: number): StressPages {
  return {
    heap,
    control: new SharedArrayBuffer((ST_CPU + cpus * ST_CPU_WORDS) * 4),
    log: new SharedArrayBuffer(cpus * LOG_ENTRIES * 4),
    results: new SharedArrayBuffer(cpus * SR_DOUBLES * 8),
    text: new SharedArrayBuffer(cpus * TEXT_BYTES),
    marks: new SharedArrayBuffer((heap.byteLength >>> 2) + (heap.byteLength >>> 12)),
  };
}
