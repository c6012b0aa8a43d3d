/**
 * letters.ts — one letter an entity, in tokens, and what an entity is called in messages.
 *
 *   a-h  thread of CPU 0-7      i-p  interrupt of CPU 0-7      q-x  second threads      A-H  store buffer of CPU 0-7
 *   I-P  a thread is moved: the scenario's `moves`, one after the other
 */
import type { Subject } from '../subject.js';

export const LETTERS = 'abcdefghijklmnopqrstuvwxABCDEFGHIJKLMNOP';

/** Entity of a thread's letter. @param ncpu CPUs of the scenario */
export function threadOf(letter: string, ncpu: number): number {
  const n = LETTERS.indexOf(letter);
  return n < 8 ? n : ncpu + n - 16;
}

export function letterOf(subject: Subject, entity: number): string {
  const { irq0, drain0, move0, ncpu } = subject.engine.entity.layout;
  if (entity >= move0) return LETTERS[32 + entity - move0]!;
  if (entity >= drain0) return LETTERS[24 + entity - drain0]!;
  if (entity >= irq0) return LETTERS[8 + entity - irq0]!;
  return entity < ncpu ? LETTERS[entity]! : LETTERS[16 + entity - ncpu]!;
}

/** @returns -1 when the scenario has no such entity */
export function entityOf(subject: Subject, letter: string): number {
  const { irq0, drain0, move0, ncpu, threads, movers, interrupts, tso } = subject.engine.entity.layout;
  const n = LETTERS.indexOf(letter);
  const cpu = n & 7;
  if (n >= 32) return n - 32 < movers ? move0 + n - 32 : -1;
  if (n >= 24) return tso && cpu < ncpu ? drain0 + cpu : -1;
  if (n >= 16) return ncpu + cpu < threads ? ncpu + cpu : -1;
  if (cpu >= ncpu) return -1;
  return n < 8 ? cpu : interrupts ? irq0 + cpu : -1;
}

/** 'cpu0', "cpu1's interrupt", "the move of cpu0's thread to cpu1" ... */
export function titleOf(subject: Subject, entity: number): string {
  const { irq0, drain0, move0, ncpu } = subject.engine.entity.layout;
  if (entity >= move0) return titleOfMove(subject, entity - move0);
  if (entity >= drain0) return `cpu${entity - drain0}'s store buffer`;
  if (entity >= irq0) return `cpu${entity - irq0}'s interrupt`;
  return entity < ncpu ? `cpu${entity}` : `cpu${subject.threads[entity]!.cpu}'s 2nd thread`;
}

function titleOfMove(subject: Subject, mover: number): string {
  const { layout, moverThread, moverTo } = subject.engine.entity;
  const thread = moverThread[mover]!;
  const title = titleOf(subject, thread);
  return `the move of ${thread < layout.ncpu ? `${title}'s thread` : title} to cpu${moverTo[mover]!}`;
}

export function titleOfLetter(letter: string): string {
  const n = LETTERS.indexOf(letter);
  if (n >= 32) return `move ${n - 32}`;
  if (n >= 24) return `cpu${n - 24}'s store buffer`;
  if (n >= 16) return `second thread ${n - 16}`;
  return n >= 8 ? `cpu${n - 8}'s interrupt` : `cpu${n}`;
}

/** Whom the scenario has. */
export function entitiesOf(subject: Subject): number[] {
  const { entities, irq0, drain0, move0, interrupts, tso } = subject.engine.entity.layout;
  const has = (e: number) => e < irq0 || e >= move0 || (e < drain0 ? interrupts : tso);
  return Array.from({ length: entities }, (_, e) => e).filter(has);
}
