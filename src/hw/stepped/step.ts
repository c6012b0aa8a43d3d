/**
 * step.ts — one access of a stepped CPU: who goes next is asked before it, what it was is checked after
 * it.
 *
 *   1  the operation is being run again: the access is answered from its log, nothing happens
 *   2  the access is a scheduling point: `decide` names the entity that goes next. It is this one: go on, in place.
 *      It is another: the operation is left by throwing STOP, and will be run again over its log
 *   3  the access happens, is logged, checked, and shown to whoever watches
 *
 * So code under test is ordinary code, and only a real context switch costs a re-run, of one operation. What it asks of
 * that code: an operation changes nothing but this memory. Each logged access is compared when it is run again, and the
 * first that differs is named (non-determinism).
 *
 * With `live` off (booting, setting up, auditing) accesses happen at once; writes are journalled all the same.
 */
import {
  CAS, isAtomic, LDF, LOAD, LOOK, MARK, MASK, NOTIFY, PAUSE, RACY, RACY64, ST, ST64, ST8, STF, STORE, UNMASK, WAIT,
  WAKE,
} from '../../base/access.js';
import { SHARED, SHARED_ON_CPU } from '../../base/sharing.js';
import { curcpu, switchCpu } from './curcpu.js';
import { cpuOf, critWord, layout, opOf, pendKind, pendValue, pendWord, pinned } from './entity.js';
import { execution, fail, STOP } from './failure.js';
import { hooks, options } from './hooks.js';
import { slotOf } from './journal.js';
import { arrive, arriveLive, endMoves, move, nextMove, ownWord, startMoves } from './moves.js';
import {
  answer, append, closeLog, hashOfLog, kinds, lastChance, length, lengthOf, me, nows, openLog, pos, rewind, turnAt,
  turnBefore, values, words,
} from './log.js';
import { atomicAccess, checks, clientCheck, kasanCheck, noteSharing, plainAccess, sharedBy } from './shadow.js';
import { drainOldest } from './storebuffer.js';

export let live = false;
/** the next access is the one the scheduler has just chosen */
let chosen = false;
let stopping = false;
/** the next access is a caller's, to its block */
let asClient = false;
/** entity to go on with after STOP */
let next = -1;

// ---- run.ts drives entities with these

export function goLive(on: boolean): void {
  live = on;
  rewind();
}

/** Entity `e` goes on: its operation is run again, or begins. @param fresh its pending access has been chosen */
export function enter(e: number, fresh: boolean): void {
  openLog(e);
  if (layout.movers > 0) startMoves(e);
  else switchCpu(cpuOf[e]);
  chosen = fresh;
  stopping = false;
  asClient = false;
  next = -1;
}

/** The operation was left by STOP. @returns who goes on, -1 when the execution is over */
export function leave(e: number): number {
  closeLog(e);
  return next;
}

/** The operation has returned; the next one begins with an empty log. */
export function finishOp(e: number): void {
  if (pos < length) diverged('it made fewer accesses than before');
  lengthOf[e] = 0;
  rewind();
  turnAt[e] = 0;
  turnBefore[e] = 0;
  if (layout.movers > 0) endMoves(e);
}

/** The operation was left by STOP and returned all the same: it caught what was not its to catch. */
export function caughtStop(): boolean {
  return stopping;
}

/** Hash of the log of the operation under way, for state merging. */
export function logHash(e: number): number {
  return hashOfLog(e, !stopping);
}

/** Is the entity's next access a compare-and-swap that ends the execution if it fails? */
export function isLastChance(e: number): boolean {
  return lastChance(e, !stopping);
}

// ---- an access, before and after

function isPoint(kind: number, word: number): boolean {
  if (kind === LDF || kind === STF || kind === MARK) return false;
  if (options.allPoints) return true;
  if (isAtomic(kind) || kind === PAUSE || kind === LOOK) return true;
  if (options.atomicPoints) return false;
  if (kind === UNMASK || kind === MASK) return layout.shared;
  // the way into a critical section is always one, or a thread could be in it before it was ever chosen
  if (layout.shared && word === critWord[curcpu]) return !pinned(curcpu);
  const sharing = sharedBy(word);
  return sharing === SHARED || (sharing === SHARED_ON_CPU && layout.shared && !pinned(curcpu));
}

/** Throws STOP when somebody else goes on. @returns the word, or the one in its place on another CPU (moves.ts) */
export function before(kind: number, word: number, value: number): number {
  if (stopping) throw STOP;
  const e = me;
  pendKind[e] = kind;
  pendWord[e] = word;
  pendValue[e] = value;
  if (chosen) chosen = false;
  else if (isPoint(kind, word)) ask(e);
  if (++execution.steps > options.stepLimit) livelock();
  if (layout.movers === 0) return word;
  if (pos === nextMove) arriveLive();
  return ownWord(word);
}

function ask(e: number): void {
  for (;;) {
    const to = hooks.decide(e);
    if (to === e) return;
    if (to < layout.drain0) stop(to);
    ofItself(to);
  }
}

/** What the scheduler does without any code under test: a store reaches memory, a thread is moved. */
export function ofItself(e: number): void {
  if (e < layout.move0) drainOldest(e - layout.drain0);
  else move(e - layout.move0);
}

export function stop(to: number): never {
  next = to;
  stopping = true;
  throw STOP;
}

/** The execution is over: its failure is recorded. */
export function stopHere(): never {
  return stop(-1);
}

function livelock(): never {
  const message = `no end after ${options.stepLimit} accesses; a loop that waits has to pause (cpuPause)`;
  fail({ cls: 'livelock', message, cpu: curcpu, step: execution.steps });
  return stop(-1);
}

export function after(kind: number, word: number, result: number, old: number, now: number): void {
  append(kind, word, result, now);
  check(kind, word, now !== old);
  if (hooks.watch !== null) hooks.watch(me, kind, word, result, old, now);
  if (hooks.invariant !== null && now !== old) checkInvariant(hooks.invariant());
  if (execution.failure !== null) stop(-1);
}

function checkInvariant(broken: string): void {
  if (broken !== '') fail({ cls: 'invariant', message: broken, cpu: curcpu, step: execution.steps });
}

function check(kind: number, word: number, changed: boolean): void {
  const cpu = curcpu;
  const slot = slotOf(word);
  if (kind < LOAD) {
    const write = kind === ST || kind === ST64 || kind === STF || kind === ST8;
    if (!options.allPoints) noteSharing(slot, me, write);
    if (kind !== RACY && kind !== RACY64) {
      if (checks.races) plainAccess(word, slot, cpu, write);
      if (write && hooks.rule !== null && hooks.unruled[word] !== 1) checkRule(word, kind, cpu);
    }
    if (checks.kasan) kasanCheck(word, cpu);
    if (asClient) {
      asClient = false;
      clientCheck(word, cpu);
    }
  } else if (kind <= NOTIFY) {
    const read = kind !== STORE;
    const write = kind === CAS ? changed || values[pos - 1] === 1 : kind !== LOAD && kind !== WAIT && kind !== WAKE;
    // a word that others access atomically is shared for who reads it plainly
    if (!options.allPoints) noteSharing(slot, me, write);
    if (checks.races) atomicAccess(word, slot, cpu, read, write);
    if (write && kind !== NOTIFY && hooks.rule !== null && hooks.unruled[word] !== 1) checkRule(word, kind, cpu);
    if (checks.kasan) kasanCheck(word, cpu);
  }
}

function checkRule(word: number, kind: number, cpu: number): void {
  const wrong = hooks.rule!(word, kind, cpu);
  if (wrong !== '') fail({ cls: 'rule-violation', message: wrong, cpu, step: execution.steps });
}

export function replay(kind: number, word: number): number {
  if (pos === nextMove) arrive();
  if (kinds[pos] !== kind || !isLogged(word)) diverged('it made another access');
  return answer();
}

function isLogged(word: number): boolean {
  return words[pos] === word || (layout.movers > 0 && words[pos] === ownWord(word));
}

export function replayWrite(kind: number, word: number, value: number): void {
  if (pos === nextMove) arrive();
  if (kinds[pos] !== kind || nows[pos] !== value || !isLogged(word)) diverged('it wrote something else');
  answer();
}

export function diverged(what: string): never {
  fail({
    cls: 'nondeterminism',
    message: `operation ${opOf[me]} was run again over its log, and at access ${pos + 1} ${what}: it depends on more ` +
      'than the memory of the machine',
    cpu: curcpu,
    step: execution.steps,
  });
  return stop(-1);
}

/** The access that follows is a caller's own, to a block it was given (scenarios): checked when it happens. */
export function clientAccess(): void {
  asClient = pos >= length && live && checks.kasan;
}
