/**
 * run.ts — one execution after the other of the same programs, by the decisions of whoever explores.
 *
 *   prepare    the machine is as every execution finds it; entities get their programs
 *   run        undo the last execution; let `decide` name who goes first; run that entity until somebody else goes on
 *   endOf...   audits look at the memory with everything at rest
 *
 * An execution ends when no entity is enabled, when `decide` ends it, or when something failed. Nobody enabled, but
 * somebody not done: a deadlock, or a lost wake-up if there is work for a CPU that sleeps.
 */
import { LD, LOOK } from '../../base/access.js';
import { asCpu, curcpu } from './curcpu.js';
import { i32 } from '../heap.js';
import { INTR_PENDING, INTR_STOP, INTR_WORDS } from '../intr.layout.js';
import { SB_INTR } from '../superblock.layout.js';
import {
  bufferCount, casBudget, caughtStop, enabled, enter, finishOp, goLive, hooks, interruptLook, leave, lengthOf,
  movesReset, ofItself, options, resetDirectTurns,
} from './access.js';
import {
  ASLEEP, backHome, cpuOf, critWord, DONE, layout, layOut, masked, MAX_ENTITIES, type Modes, opOf, type Operation,
  pendKind, pendValue, pendWord, type Program, QUIET, READY, serving, SPINS, stateOf, threadOn, watchValues, watchWords,
} from './entity.js';
import { execution, fail, STOP } from './failure.js';
import { baseline, finalHash, HEAP_WORDS, undo } from './journal.js';
import { kasanBaseline, kasanUndo, learned, shadowReset } from './shadow.js';

/** entity that took the last step of its own: stores reaching memory and moves do not count */
let last = -1;
const INTR = i32[SB_INTR] >>> 2;
const WATCHED = 1024;

let programs: readonly Program[] = [];
let serve: Operation = () => undefined;
/** results of the operations that have returned, by entity */
export const results: unknown[][] = [];
/**
 * Signs of life for a watcher in another thread, if it gave one: executions begun, entity and operation under way. An
 * operation that never makes an access cannot be stopped from inside.
 */
export const heart = { beat: new Int32Array(8) };
const BEAT_EXECUTIONS = 0;
const BEAT_ENTITY = 1;
const BEAT_OPERATION = 2;

/** the text of a panic, from who can read it */
export const texts = { panic: (): string => 'panic' };

/**
 * @param threads programs of threads; several may name the same CPU
 * @param service what an interrupt does: splz
 * @param critical word of each CPU's critical count
 */
export function prepare(
  threads: readonly Program[], ncpu: number, service: Operation, critical: readonly number[], modes: Modes,
): void {
  layOut(threads, ncpu, critical, modes);
  movesReset();
  programs = threads;
  serve = service;
  for (let e = 0; e < layout.entities; e++) {
    // whoever has the list already keeps it
    results[e] ??= [];
    results[e].length = 0;
    watchWords[e] = new Int32Array(WATCHED);
    watchValues[e] = new Int32Array(WATCHED);
  }
  baseline();
  kasanBaseline();
  probedWhen = -1;
}

/** Back to where every execution starts. */
function reset(): void {
  goLive(false);
  undo();
  kasanUndo();
  shadowReset(layout.ncpu);
  resetDirectTurns();
  execution.failure = null;
  execution.steps = 0;
  casBudget.cut = false;
  last = -1;
  if (layout.movers > 0) {
    backHome();
    movesReset();
  }
  for (let e = 0; e < layout.entities; e++) {
    stateOf[e] = e < layout.threads ? READY : QUIET;
    opOf[e] = 0;
    lengthOf[e] = 0;
    if (results[e].length > 0) results[e].length = 0;
    pendKind[e] = e < layout.threads ? LD : LOOK;
    pendWord[e] = -1;
  }
  for (let cpu = 0; cpu < layout.ncpu; cpu++) {
    threadOn[cpu] = -1;
    serving[cpu] = -1;
    masked[cpu] = 0;
    bufferCount[cpu] = 0;
    pendWord[layout.irq0 + cpu] = HEAP_WORDS + cpu;
  }
}

/** Runs one execution. @returns true when it came to its end (or failed), false when it was cut short */
export function run(): boolean {
  reset();
  heart.beat[BEAT_EXECUTIONS]++;
  goLive(true);
  for (let e = 0; e < layout.threads && execution.failure === null; e++) probe(e);
  let e = execution.failure === null ? hooks.decide(-1) : -1;
  while (e >= 0) e = step(e);
  goLive(false);
  if (execution.failure !== null) return true;
  if (casBudget.cut || enabled() !== 0) return false;
  judgeEnd();
  return true;
}

/** what a probe found, while nothing new is learned about scheduling points: kind + 1, word, value */
const probed = new Int32Array(MAX_ENTITIES * 3);
let probedWhen = -1;

/** Runs a thread up to its first scheduling point, so that its pending access is known. */
function probe(e: number): void {
  const points = learned.count * 2 + (options.allPoints ? 1 : 0);
  if (probedWhen === points && probed[e * 3] !== 0) {
    pendKind[e] = probed[e * 3] - 1;
    pendWord[e] = probed[e * 3 + 1];
    pendValue[e] = probed[e * 3 + 2];
    return;
  }
  if (probedWhen !== points) probed.fill(0);
  probedWhen = points;
  const decide = hooks.decide;
  hooks.decide = nobody;
  go(e, false);
  hooks.decide = decide;
  // with a first access that is a point nothing has happened yet, and the next probe would find the same
  const still = lengthOf[e] === 0 && stateOf[e] === READY && opOf[e] === 0 && execution.failure === null;
  probed[e * 3] = still ? pendKind[e] + 1 : 0;
  probed[e * 3 + 1] = pendWord[e];
  probed[e * 3 + 2] = pendValue[e];
}

const nobody = (): number => -1;

/** Entity `e` goes on. @returns who follows */
function step(e: number): number {
  if (e >= layout.drain0) {
    ofItself(e);
    return hooks.decide(last);
  }
  last = e;
  const cpu = cpuOf[e];
  if (e < layout.irq0) threadOn[cpu] = e;
  else {
    if (stateOf[e] === QUIET) stateOf[e] = READY;
    serving[cpu] = e;
  }
  return go(e, true);
}

function go(e: number, chosen: boolean): number {
  enter(e, chosen);
  try {
    if (e >= layout.irq0) interrupt(e);
    else thread(e);
  } catch (error) {
    if (error !== STOP) failed(error);
    return leave(e);
  }
  return execution.failure === null ? hooks.decide(e) : -1;
}

function thread(e: number): void {
  const { operations } = programs[e];
  while (opOf[e] < operations.length) {
    heart.beat[BEAT_ENTITY] = e;
    heart.beat[BEAT_OPERATION] = opOf[e];
    const value = operations[opOf[e]]();
    if (isPromise(value)) return asynchronous(e, value);
    if (caughtStop()) return caught(e);
    finishOp(e);
    results[e].push(value);
    opOf[e]++;
    if (execution.failure !== null) return;
    checkBalance(e);
  }
  stateOf[e] = DONE;
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** What comes after its first `await` would happen in no schedule at all. */
function asynchronous(e: number, promise: Promise<unknown>): void {
  promise.then(undefined, () => undefined);
  const message = `operation ${opOf[e]} is asynchronous: an operation runs to its end`;
  fail({ cls: 'nondeterminism', message, cpu: cpuOf[e], step: execution.steps });
}

function caught(e: number): void {
  const message = `operation ${opOf[e]} catches an exception that is the scheduler's: let foreign exceptions pass`;
  fail({ cls: 'exception', message, cpu: cpuOf[e], step: execution.steps });
}

function interrupt(e: number): void {
  const cpu = cpuOf[e];
  interruptLook(critWord[cpu]);
  serve();
  finishOp(e);
  stateOf[e] = QUIET;
  serving[cpu] = -1;
  pendKind[e] = LOOK;
  pendWord[e] = HEAP_WORDS + cpu;
}

function checkBalance(e: number): void {
  const cpu = cpuOf[e];
  const depth = i32[critWord[cpu]] + masked[cpu];
  if (depth === 0) return;
  fail({
    cls: 'crit-unbalanced',
    message: `operation ${opOf[e]} returned with ${depth} critical sections open`,
    cpu,
    step: execution.steps,
  });
}

function failed(error: unknown): void {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const panicked = name === 'KernelPanic';
  fail({
    cls: panicked ? 'panic' : 'exception',
    message: panicked ? texts.panic() : `${name}: ${message}`,
    cpu: curcpu,
    step: execution.steps,
  });
}

/** Nobody can go on: is everybody done? */
function judgeEnd(): void {
  for (let e = 0; e < layout.drain0; e++) {
    const state = stateOf[e];
    if (state === DONE || state === QUIET) continue;
    const cpu = cpuOf[e];
    const work = (i32[INTR + cpu * INTR_WORDS + INTR_PENDING] & ~INTR_STOP) !== 0;
    const what = state === ASLEEP ? 'sleeps' : state === SPINS ? 'waits in a loop' : 'cannot go on';
    const lost = state === ASLEEP && work;
    fail({
      cls: lost ? 'lost-wakeup' : 'deadlock',
      message: `cpu${cpu} ${what}, and ${lost ? 'nobody will ring for the interrupt' : 'nobody else can move'}`,
      cpu,
      step: execution.steps,
    });
    return;
  }
}

export { asCpu, finalHash };
