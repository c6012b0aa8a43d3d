/**
 * cost.ts — what a fix costs: an entry's operations once, each CPU's alone, with the fix and without.
 *
 *   counts   of the schedule without a switch, exactly: locked operations, accesses, messages
 *   time     of the operations on real workers that take turns: medians of many rounds, one difference
 */
import { LOAD, MARK, NOTIFY, PAUSE, WAIT } from '../base/access.js';
import { GD_IPIQ_COUNT } from '../kern/globaldata.layout.js';
import { follow } from './counterexample/follow.js';
import type { Reference } from './farm/reference.js';
import type { Scenario } from './scenario.js';
import { Stress } from './stress/stress.js';
import { prepareSubject, type Subject } from './subject.js';

export interface Spent {
  /** stores and read-modify-writes that lock their line */
  readonly locked: number;
  readonly accesses: number;
  readonly messages: number;
  /** null where the operations wait for each other, or fail */
  readonly nanoseconds: number | null;
}

export interface Cost {
  /** what was done once */
  readonly what: string;
  readonly fixed: Spent;
  /** null: without the fix even one after the other fails */
  readonly without: Spent | null;
}

const ROUND_MS = 300;
const ROUNDS = 3;

export async function costOf(scenario: Scenario, reference: Reference, defects: readonly string[]): Promise<Cost | null> {
  const fixed = await counted(scenario, []);
  if (!fixed) return null;
  const without = await counted(scenario, defects);
  const [first, second] = without ? await timed(scenario, reference, defects) : [null, null];
  return {
    what: fixed.what,
    fixed: { ...fixed.spent, nanoseconds: first },
    without: without && { ...without.spent, nanoseconds: second },
  };
}

/** One CPU after the other, no switch but where one has to wait. @returns null when that fails */
async function counted(scenario: Scenario, defects: readonly string[]): Promise<{ what: string; spent: Spent } | null> {
  const subject = await prepareSubject(scenario, { defects, races: false, rules: false });
  let locked = 0;
  let accesses = 0;
  const before = messagesOf(subject);
  let after = before;
  const { verdict } = follow(subject, (stay) => stay, (_entity, kind) => {
    if (kind >= MARK) return;
    if (kind > LOAD && kind < WAIT) locked++;
    if (kind < PAUSE && kind !== NOTIFY) accesses++;
    after = messagesOf(subject);
  });
  if (verdict.failure || !verdict.ended) return null;
  const what = subject.threads.flatMap(({ operations }) => operations.map(({ name }) => name)).join(', ');
  return { what, spent: { locked, accesses, messages: after - before, nanoseconds: null } };
}

function messagesOf({ machine: { memory } }: Subject): number {
  let sum = 0;
  for (let cpu = 0; cpu < memory.ncpu; cpu++) sum += memory.f64[(memory.gd(cpu) + GD_IPIQ_COUNT) >>> 1]!;
  return sum;
}

/** Rounds in turn, so that what disturbs one disturbs both; the best of each. */
async function timed(
  scenario: Scenario, reference: Reference, defects: readonly string[],
): Promise<[number | null, number | null]> {
  await using fixed = await Stress.start(scenario, reference, {});
  await using without = await Stress.start(scenario, reference, { defects });
  const best: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [n, gang] of [fixed, without].entries()) {
      const report = await gang.sample({ time: ROUND_MS, seed: round + 1, alone: true });
      if (report.counts.some(({ forbidden }) => forbidden) || !report.nanoseconds) return [null, null];
      best[n] = Math.min(best[n]!, report.nanoseconds.reduce((sum, ns) => sum + ns, 0));
    }
  }
  return best;
}
