/**
 * cost.ts — what a fix costs: an entry's operations once, one CPU after the other, with the fix and without, counted.
 * What they cost in time is the machine's: a locked operation is some 8 ns, a plain access less than one
 * (bench/primitives.ts).
 */
import { LOAD, MARK, NOTIFY, PAUSE, WAIT } from '../base/access.js';
import { GD_IPIQ_COUNT } from '../kern/globaldata.layout.js';
import { follow } from './counterexample/follow.js';
import type { Scenario } from './scenario.js';
import { prepareSubject, type Subject } from './subject.js';

export interface Spent {
  /** stores and read-modify-writes that lock their line */
  readonly locked: number;
  readonly accesses: number;
  readonly messages: number;
}

export interface Cost {
  /** what was done once */
  readonly what: string;
  readonly fixed: Spent;
  /** null: without the fix even one after the other fails */
  readonly without: Spent | null;
}

/** @returns null when the operations fail, one CPU after the other, with the fix */
export async function costOf(scenario: Scenario, defects: readonly string[]): Promise<Cost | null> {
  const fixed = await counted(scenario, []);
  if (!fixed) return null;
  const without = await counted(scenario, defects);
  return { what: fixed.what, fixed: fixed.spent, without: without?.spent ?? null };
}

/** No switch but where one has to wait. @returns null when that fails */
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
  return { what, spent: { locked, accesses, messages: after - before } };
}

function messagesOf({ machine: { memory } }: Subject): number {
  let sum = 0;
  for (let cpu = 0; cpu < memory.ncpu; cpu++) sum += memory.f64[(memory.gd(cpu) + GD_IPIQ_COUNT) >>> 1]!;
  return sum;
}
