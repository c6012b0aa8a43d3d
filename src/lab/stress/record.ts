/** record.ts — what a stress run found, as plain data: reports, JSON and merging are made of it. */
export type Expect = 'ACCEPTABLE' | 'INTERESTING' | 'FORBIDDEN';

/** One line of the outcome table. */
export interface StressRow {
  readonly result: string;
  readonly samples: number;
  readonly expect: Expect;
  readonly description: string;
}

/** Of the failure that is looked for: what the explorer knows of it. */
export interface StressKnown {
  readonly cls: string;
  readonly token: string;
  readonly defect: string;
  readonly preemptions: number;
  readonly schedules: number;
  readonly failing: number;
  /** all schedules with so few preemptions were counted */
  readonly all: boolean;
}

export interface StressRecord {
  readonly schema: 'smpalloc-race-stress-1';
  readonly scenario: string;
  readonly title: string;
  readonly origin: string;
  readonly cpus: readonly string[];
  readonly machine: {
    readonly alloc: string;
    readonly free: string;
    readonly stats: string;
    readonly mutex: string;
    readonly invariants: boolean;
  };
  readonly defects: readonly string[];
  /** threads are held up where the explorer says */
  readonly widened: boolean;
  readonly seeds: readonly number[];
  readonly workers: number;
  readonly cores: number;
  readonly samples: number;
  readonly seconds: number;
  readonly rows: readonly StressRow[];
  readonly known: StressKnown | null;
  /** why none of it can be seen on real workers, '' when it can */
  readonly unseen: string;
  readonly environment: { readonly node: string; readonly cpu: string; readonly os: string };
}

/** samples with an outcome that must not be */
export const forbiddenIn = ({ rows }: StressRecord): number =>
  rows.reduce((count, { expect, samples }) => count + (expect === 'FORBIDDEN' ? samples : 0), 0);
