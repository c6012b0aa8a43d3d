/**
 * race_folds.ts — which steps of a counterexample are one row together, because they say nothing about it: accesses
 * of a CPU to words that nobody else touches in this trace, and the further turns of a wait loop.
 *
 * Atomic accesses, the two accesses of a race and the last step stay.
 */
import { ACCESS_NAMES, isAtomic } from '../base/access.js';
import type { Counterexample, Step } from '../lab/result.js';

const NOT_OWN = new Set(['drain', 'move', 'pause']);

/** How many accesses are looked at for the turn of a wait loop. */
const LONGEST_TURN = 200;

/** Steps that are one row. */
export interface Fold {
  readonly count: number;
  readonly text: string;
}

/**
 * By index of the first step of each.
 * @param begins per step: an operation begins with it
 */
export function findFolds(c: Counterexample, begins: readonly boolean[]): Map<number, Fold> {
  const folds = new Map<number, Fold>();
  const own = ownSteps(c);
  for (let n = 0; n < c.steps.length; ) {
    const end = segmentEnd(c, begins, n);
    const turns = repeatedTurns(c.steps, own, n, end);
    // the first turn is shown, and may have accesses to fold in itself
    if (turns) {
      foldOwn(folds, own, n, n + turns.length);
      const count = turns.length * turns.more;
      folds.set(n + turns.length, { count, text: `${turns.more} more turns of the same ${accesses(turns.length)}` });
      n += turns.length + count;
    } else {
      let next = n + 1;
      while (next < end && !repeatedTurns(c.steps, own, next, end)) next++;
      foldOwn(folds, own, n, next);
      n = next;
    }
  }
  return folds;
}

function foldOwn(folds: Map<number, Fold>, own: readonly boolean[], from: number, to: number): void {
  for (let n = from; n < to; n++) {
    let count = 0;
    while (n + count < to && own[n + count]) count++;
    if (count < 2) continue;
    folds.set(n, { count, text: `${accesses(count)} to its own words` });
    n += count - 1;
  }
}

function accesses(count: number): string {
  return count === 1 ? 'access' : `${count} accesses`;
}

/** Per step: may it be folded as an access to a word that one CPU alone touches? */
function ownSteps(c: Counterexample): boolean[] {
  const cpus = new Map<number, number>();
  for (const { word, cpu } of c.steps) {
    const known = cpus.get(word);
    cpus.set(word, known === undefined || known === cpu ? cpu : -1);
  }
  return c.steps.map(
    ({ step, kind, word }) =>
      ownKind(kind) && cpus.get(word) !== -1 && !mustShow(c, step),
  );
}

function ownKind(kind: string): boolean {
  return !NOT_OWN.has(kind) && !isAtomic((ACCESS_NAMES as readonly string[]).indexOf(kind));
}

function mustShow({ steps, race }: Counterexample, step: number): boolean {
  return step === race?.first || step === race?.second || step === steps.at(-1)!.step;
}

/** Where the part ends in which one entity goes on with one operation, and nothing must be shown. */
function segmentEnd(c: Counterexample, begins: readonly boolean[], from: number): number {
  let n = from + 1;
  if (mustShow(c, c.steps[from]!.step)) return n;
  for (; n < c.steps.length; n++) {
    const step = c.steps[n]!;
    if (begins[n] || step.switched || step.entity !== c.steps[from]!.entity || mustShow(c, step.step)) break;
  }
  return n;
}

/** A block of accesses that comes at least three times from here on: a wait loop. */
function repeatedTurns(
  steps: readonly Step[], own: readonly boolean[], from: number, end: number,
): { length: number; more: number } | null {
  const same = (a: number, b: number) => {
    const [x, y] = [steps[a]!, steps[b]!];
    // a CPU's own counters go on counting
    return x.kind === y.kind && x.word === y.word && (own[a]! || (x.result === y.result && x.now === y.now));
  };
  for (let length = 1; length <= LONGEST_TURN && from + 3 * length <= end; length++) {
    let n = from + length;
    while (n < end && same(n, n - length)) n++;
    const more = Math.floor((n - from) / length) - 1;
    // a run of accesses that could be folded anyway is no loop
    if (more >= 2 && !own.slice(from, from + length).every(Boolean)) return { length, more };
  }
  return null;
}
