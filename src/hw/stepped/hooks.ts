/** hooks.ts — what the lab gives to the scheduler: who decides, who watches, what counts as a point and as too much. */

/** What happens to memory and may want to be seen: traces, searches. Called after the access. */
export type Watcher = (entity: number, kind: number, word: number, result: number, old: number, now: number) => void;

export const hooks = {
  /** @returns entity that takes the next step; -1 ends the execution */
  decide: (_last: number): number => -1,
  watch: null as Watcher | null,
  /** checks a write against the layouts' rules: '' or what is wrong */
  rule: null as ((word: number, kind: number, cpu: number) => string) | null,
  /** 1: the word has no rule, and none is asked for */
  unruled: new Uint8Array(0),
  /** the scenario's invariant, after every write: '' or what is broken */
  invariant: null as (() => string) | null,
};

export const options = {
  /** every access is a scheduling point, not only those at words that are shared */
  allPoints: false,
  /** only atomic accesses are: enough where nothing races, and small enough to be counted by hand */
  atomicPoints: false,
  /** more accesses than this in one execution: livelock */
  stepLimit: 20000,
  /** 64-bit counters are two 32-bit words, as on a 32-bit machine */
  torn: false,
};

/** Retries of a compare-and-swap of one word in one operation: one more, and the execution is cut. */
export const casBudget = { fails: Number.POSITIVE_INFINITY, cut: false };
