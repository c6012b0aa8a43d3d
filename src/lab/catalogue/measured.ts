/**
 * measured.ts — what is known of the catalogue from running it: explored, replayed and stressed on one machine.
 *
 * measured.json is written by `smpalloc race confirm --all --update`; `race show` and docs/races/ read it. An entry
 * that is not in it has not been measured yet.
 */
import type { StressRow } from '../stress/record.js';
import file from './measured.json' with { type: 'json' };

export interface Measured {
  /** where it was measured */
  readonly environment?: {
    readonly node: string;
    readonly cpu: string;
    readonly cores: number;
    readonly date: string;
  };
  readonly entries: Readonly<Record<string, MeasuredEntry>>;
}

export interface MeasuredEntry {
  readonly explored?: {
    /** with the defect on: the first execution that failed, its preemptions, and how long it took to come there */
    readonly found?: { readonly execution: number; readonly preemptions: number; readonly seconds: number };
    /** with it off: all schedules with at most so many preemptions */
    readonly clean?: {
      readonly schedules: number; readonly preemptions: number; readonly seconds: number; readonly complete: boolean;
    };
  };
  /** the token on real threads, access by access */
  readonly replayed?: { readonly runs: number; readonly agreed: number } | null;
  /** with the defect on, on real threads that run freely */
  readonly stress?: readonly StressRun[];
  /** how likely a run as long as these is to show it, in a sentence */
  readonly power?: string;
  /** what the fix costs; null: not to be counted, as nothing works without it */
  readonly cost?: {
    /** what was counted, such as 'a remote free' */
    readonly what: string;
    /** with the fix, less without */
    readonly locked: number;
    readonly accesses: number;
    readonly messages: number;
  } | null;
}

export interface StressRun {
  readonly seconds: number;
  readonly samples: number;
  /** threads were held up in its window */
  readonly widened: boolean;
  readonly rows: readonly StressRow[];
}

/**
 * What of a file can be used: parts that are missing count as not measured, and what is unknown is left alone.
 * @param json of the shape above, written by whatever version
 */
export function readMeasured(json: unknown): Measured {
  const { environment, entries = {} } = (json ?? {}) as Partial<Measured>;
  const read = Object.entries(entries).map(([name, entry]) => [name, readEntry(entry ?? {})] as const);
  return { ...(environment && { environment }), entries: Object.fromEntries(read) };
}

function readEntry({ stress, cost, ...rest }: MeasuredEntry): MeasuredEntry {
  const numbers = { locked: 0, accesses: 0, messages: 0 };
  return {
    ...rest,
    ...(Array.isArray(stress) && { stress: stress.map((run: Partial<StressRun>) => ({ ...NO_RUN, ...run })) }),
    ...(cost?.what && { cost: { ...numbers, ...cost } }),
    ...(cost === null && { cost }),
  };
}

const NO_RUN: StressRun = { seconds: 0, samples: 0, widened: false, rows: [] };

export const MEASURED: Measured = readMeasured(file);

/** Did real threads show the race? null: nobody has looked. */
export function seenOnThreads({ stress }: MeasuredEntry): boolean | null {
  if (!stress || stress.length === 0) return null;
  return stress.some(({ rows }) => rows.some(({ expect, samples }) => expect !== 'ACCEPTABLE' && samples > 0));
}
