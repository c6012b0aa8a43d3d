/** result.ts — what an exploration found, as plain data: reports, JSON and tests are made of it. */
import type { FailureClass } from '../base/failures.js';

/** 'drain': a store buffer's store reaches memory; 'move': the thread is put on another CPU */
export type Frame = 'thread' | 'interrupt' | 'drain' | 'move';

/** One access of a counterexample. */
export interface Step {
  /** from 1 */
  readonly step: number;
  readonly entity: number;
  readonly cpu: number;
  readonly frame: Frame;
  /** true: somebody else made the step before */
  readonly switched: boolean;
  /** operation under way, such as 'kfree c0'; 'splz' in an interrupt */
  readonly op: string;
  /** name of base/access ACCESS_NAMES: 'ld', 'cas', ... */
  readonly kind: string;
  /** word index in the heap */
  readonly word: number;
  /** the structure's field: 'zone 0x40000.z_RChunks' */
  readonly place: string;
  readonly old: number;
  readonly now: number;
  /** result of the access: the value read, 1 or 0 for a compare-and-swap */
  readonly result: number;
  /** 'slab_link.ts:88', '' when it is not known */
  readonly line: string;
  /** the operation returned after this step, with this value */
  readonly returned?: string;
}

export interface RaceReport {
  /** the two accesses by step number; the first may be 0 when it is not in the trace */
  readonly first: number;
  readonly second: number;
  readonly word: number;
  readonly place: string;
  /** the missing edge, in words */
  readonly missing: string;
}

export interface Counterexample {
  readonly cls: FailureClass;
  readonly message: string;
  readonly cpu: number;
  readonly token: string;
  /** execution in which it was found, from 1 */
  readonly execution: number;
  readonly switches: number;
  readonly preemptions: number;
  /** how many decisions it had before it was shrunk, and how many replays that took */
  readonly shrunkFrom: number;
  readonly replays: number;
  /** name of each column: 'cpu0 owner' */
  readonly columns: readonly string[];
  readonly steps: readonly Step[];
  readonly race?: RaceReport;
}

/** One pass of iterative preemption bounding, or the whole of another search. */
export interface Pass {
  /** preemption bound; null for other searches */
  readonly bound: number | null;
  readonly executions: number;
  /** executions cut: a second failed compare-and-swap, a sleep set, a state seen before */
  readonly cut: number;
  readonly failures: number;
  readonly complete: boolean;
}

export type Verdict = 'pass' | 'fail' | 'budget';

export interface Exploration {
  readonly schema: 'smpalloc-race-1';
  readonly scenario: string;
  readonly title: string;
  readonly origin: string;
  readonly cpus: readonly string[];
  readonly machine: {
    readonly free: string;
    readonly stats: string;
    readonly mutex: string;
    readonly invariants: boolean;
  };
  readonly defects: readonly string[];
  readonly algorithm: string;
  readonly memory: 'sc' | 'tso';
  readonly points: 'shared' | 'all';
  readonly casFails: number | 'all';
  readonly seed: number;
  /** Knuth's estimate of the number of all schedules, with its standard error; null if not made */
  readonly estimate: { readonly schedules: number; readonly error: number } | null;
  readonly passes: readonly Pass[];
  readonly executions: number;
  readonly accesses: number;
  readonly seconds: number;
  /** distinct final heaps and states, where they were counted */
  readonly heaps: number | null;
  readonly states: number | null;
  /** how often each named outcome came out */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly verdict: Verdict;
  /** the search covered all it set out to cover */
  readonly complete: boolean;
  readonly counterexamples: readonly Counterexample[];
}
