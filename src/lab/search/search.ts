/**
 * search.ts — what all searches have in common: they answer `decide`, execution after execution, and can be stopped
 * between any two.
 *
 * A schedule is the list of entities chosen, one a decision. The default policy, which a token's missing decisions mean
 * and every search tries first: stay on the running thread; after an interrupt go back to the thread it interrupted;
 * else the lowest entity that is enabled.
 */
import type { Failure } from '../../hw/stepped/failure.js';
import type { Subject, Verdict } from '../subject.js';

export interface Found {
  readonly failure: Failure;
  /** entity of every decision of the execution */
  readonly schedule: readonly number[];
  /** number of the execution, from 1 */
  readonly execution: number;
}

export interface Search {
  readonly name: string;
  /** Executions so far that came to their end, that were cut short, that failed. */
  executions: number;
  cut: number;
  failures: number;
  /** the first failure */
  found: Found | null;
  /** the first failure of each other class, if the search goes on after one */
  readonly others?: readonly Found[];
  complete: boolean;
  /** distinct states met, if they are counted */
  readonly states?: number;
  /**
   * One more execution.
   * @returns false when there is none left
   */
  next(): boolean;
  /** Plain data from which `restore` of the same search goes on, if it can be interrupted for good. */
  save?(): unknown;
}

/** Part `index` (from 0) of `of` of a search. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** Called after each execution that came to its end, by searches, for histograms and final heaps. */
export type OnEnd = (verdict: Verdict) => void;

export const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask);

export function popcount(mask: number): number {
  let n = 0;
  for (let m = mask; m !== 0; m &= m - 1) n++;
  return n;
}

/**
 * Whom the default policy lets go on.
 * @param last entity of the step before, -1 at the start
 * @param enabled mask, not 0
 */
export function stayOn(subject: Subject, last: number, enabled: number): number {
  const { layout, threadOn, cpuOf } = subject.engine.entity;
  if (last >= 0 && ((enabled >>> last) & 1) === 1) return last;
  if (last >= layout.irq0 && last < layout.drain0) {
    const thread = threadOn[cpuOf[last]!]!;
    if (thread >= 0 && ((enabled >>> thread) & 1) === 1) return thread;
  }
  return lowest(enabled);
}

/**
 * Would going to `to` take the CPU from somebody who could go on? Going back from an interrupt is none, a store that
 * reaches memory and a thread that is moved count like one.
 */
export function isPreemption(subject: Subject, last: number, to: number, enabled: number): boolean {
  const { drain0, move0 } = subject.engine.entity.layout;
  if (to >= drain0) return last >= 0 || to >= move0;
  return last >= 0 && stayOn(subject, last, enabled) !== to && canStay(subject, last, enabled);
}

/** Whoever ran last, or what it interrupted, could go on: to go to anybody else is a preemption. */
export function canStay(subject: Subject, last: number, enabled: number): boolean {
  if (last < 0) return false;
  if (((enabled >>> last) & 1) === 1) return true;
  const { layout, threadOn, cpuOf } = subject.engine.entity;
  if (last < layout.irq0 || last >= layout.drain0) return false;
  const thread = threadOn[cpuOf[last]!]!;
  return thread >= 0 && ((enabled >>> thread) & 1) === 1;
}

/** A decision made before cannot be made again: the scenario depends on more than the memory. @returns -1 */
export function notTheSame(subject: Subject, decision: number, entity: number): number {
  const { fail, execution } = subject.engine.failure;
  fail({
    cls: 'nondeterminism',
    message:
      `at decision ${decision + 1} entity ${entity} could go on before, and now it cannot: an operation ` +
      'depends on more than the memory of the machine',
    cpu: -1,
    step: execution.steps,
  });
  return -1;
}
