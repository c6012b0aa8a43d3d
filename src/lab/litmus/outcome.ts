/** outcome.ts — a litmus test's counts, graded as jcstress does. */
import type { LitmusTally } from '../../base/litmus.js';
import { resultText } from './actor.js';
import { type Access, spelledAccess } from './access.js';
import type { LitmusTest, Verdict } from './tests.js';

/** interesting: what the test asks for, and sequential consistency would not show; forbidden: by the language */
export type Grade = 'ACCEPTABLE' | 'INTERESTING' | 'FORBIDDEN';

export interface LitmusOutcome {
  /** values of r0, r1, ... */
  readonly result: string;
  readonly samples: number;
  readonly expect: Grade;
  readonly says: string;
}

export interface LitmusResult {
  readonly test: string;
  readonly access: string;
  /** a line a thread, then what is loaded in the end */
  readonly program: readonly string[];
  readonly threads: number;
  readonly samples: number;
  readonly seconds: number;
  /** those declared, seen or not, and whatever else was seen */
  readonly outcomes: readonly LitmusOutcome[];
  readonly witness: string;
  readonly sc: Verdict;
  readonly javascript: Verdict;
  /** samples of the witness */
  readonly seen: number;
  /** samples in which a thread slept until the others came, because its core was taken: no race */
  readonly asleep: number;
  /** what was not seen is rarer than this in a race, with 95 %; null: threads had no cores of their own */
  readonly rarer: number | null;
}

/** -ln 0.05: nothing in n samples is what a probability of this over n shows in one run of twenty */
const UNSEEN = 3;

/** samples a second below which threads mostly wait for a core; on cores of their own they make millions */
const RACING = 10_000;

/** @param cores threads that run at once */
export function litmusResult(test: LitmusTest, tally: LitmusTally, cores: number): LitmusResult {
  const samples = new Map<string, number>();
  const { sc, witness } = test;
  for (const declared of [...sc, witness]) samples.set(declared, 0);
  for (const [result, count] of Object.entries(tally.counts)) {
    const text = resultText(test, Number(result));
    samples.set(text, (samples.get(text) ?? 0) + count);
  }
  const threads = test.actors.length;
  const raced = tally.samples - tally.asleep;
  return {
    test: test.name, access: test.access, program: programText(test), threads, witness, javascript: test.javascript,
    samples: tally.samples, seconds: tally.seconds, asleep: tally.asleep,
    outcomes: [...samples].map(([result, count]) => ({ result, samples: count, ...grade(test, result) })),
    sc: sc.includes(witness) ? 'allowed' : 'forbidden',
    seen: samples.get(witness)!,
    rarer: threads <= cores && raced / tally.seconds > RACING ? UNSEEN / raced : null,
  };
}

function grade({ sc, witness, says, javascript }: LitmusTest, result: string): Pick<LitmusOutcome, 'expect' | 'says'> {
  if (result === witness) return { expect: javascript === 'allowed' ? 'INTERESTING' : 'FORBIDDEN', says };
  if (sc.includes(result)) return { expect: 'ACCEPTABLE', says: 'in some order of the accesses' };
  return { expect: 'FORBIDDEN', says: 'in no order, and nothing the test asks for' };
}

/** `x = 1; r0 = y`, a line a thread. */
export function programText({ actors, final }: LitmusTest): string[] {
  let register = 0;
  const line = (accesses: readonly Access[]) => accesses.map((one) => spelledAccess(one, () => register++)).join('; ');
  return [...actors.map(line), ...(final.length > 0 ? [`then ${line(final)}`] : [])];
}

/** Something the language forbids was seen. */
export const isForbidden = ({ outcomes }: LitmusResult): boolean => (
  outcomes.some(({ expect, samples }) => expect === 'FORBIDDEN' && samples > 0)
);
