/**
 * run.ts — programs of CPUs in virtual time: the earliest CPU goes on, until it is no longer the earliest and needs
 * something of others.
 *
 * A program is asked for one operation after the other. One that is left in the middle (STOP) is asked for again, and
 * runs over its log; so a program moves on only when its operation has returned. Ties go to the lower number: the same
 * programs on the same machine give the same counts, everywhere.
 */
import { MAXCPU } from '../../base/param.js';
import { type Program, STEP_END, STEP_OP } from '../../base/program.js';
import { i32 } from '../heap.js';
import { INTR_STOP, INTR_TICK } from '../intr.layout.js';
import { asCpu, switchCpu } from '../stepped/curcpu.js';
import { goLive } from './access.js';
import { ASLEEP, clock, DONE, HORIZON, NOW, PARKED, READY, stateOf, STOP, t, wakeAt } from './cpus.js';
import { layOutCpus, machine } from './costs.js';
import { arrived, pendingWord, send } from './interrupts.js';
import { makeSharers } from './lines.js';
import { clearLog, closeLog, makeLogs, openLog, underWay } from './log.js';
import { remoteReset } from './sdt.js';
import { setChannels, slept } from './sleeps.js';
import { by, noteLatency, OPS, tally, tallyReset } from './tally.js';
import { goOn, measurementBegins } from './waits.js';
import { makeWatches } from './watches.js';

export interface Wiring {
  readonly ncpu: number;
  readonly cluster: number;
  readonly sockets: number;
  /** what an interrupt does to a CPU that has nothing else to do */
  readonly splz: () => void;
  /** word of each CPU's sleep channel */
  readonly channels: readonly number[];
  /** has the CPU messages that rang no bell? */
  readonly hasMessages: (cpu: number) => boolean;
  /** nanoseconds between two ticks of the clock */
  readonly tick: number;
}

export const hooks = {
  /** asked now and then: false ends the run */
  goesOn: (): boolean => true,
  /** called when virtual time has come to `sampleAt` */
  sample: (_ns: number): void => {},
  sampleAt: Number.POSITIVE_INFINITY,
};

/** operations and dispatches between two questions whether to go on */
const ASK_EVERY = 4096;
let asked = 0;
/** clock ticks in a row in which nobody finished an operation: nobody ever will */
const IDLE_TICKS = 100;

let wiring: Wiring;
let programs: readonly Program[] = [];
let left = 0;
/** CPUs that are done and in the middle of a handler */
let handling = 0;
/** when the last program was done */
let finished = 0;
/** virtual time goes on from run to run: what was on its way may still be */
let began = 0;
let nextTick = 0;
let idleTicks = 0;
/** when the operation under way began */
const begun = new Float64Array(MAXCPU);
/** 1: an interrupt is served before it, as it would be between any two instructions outside of critical sections */
const interrupted = new Uint8Array(MAXCPU);

export function wire(w: Wiring): void {
  wiring = w;
  layOutCpus(w.ncpu, w.cluster, w.sockets);
  makeLogs();
  makeWatches();
  makeSharers();
  setChannels(w.channels);
  began = 0;
}

/**
 * Runs a program a CPU to their ends, all from the same time: lines are where the run before left them, counts begin
 * again.
 * @param counting with the counts there are, instead of new ones
 * @returns virtual nanoseconds until the last was done
 * @throws Error when nobody can go on, or when hooks.goesOn said no
 */
export function run(list: readonly Program[], counting = false): number {
  programs = list;
  left = list.length;
  handling = 0;
  began = latest();
  nextTick = began + wiring.tick;
  idleTicks = 0;
  if (!counting) {
    tallyReset();
    remoteReset();
  }
  measurementBegins();
  for (let cpu = 0; cpu < machine.ncpu; cpu++) {
    clock[cpu] = began;
    wakeAt[cpu] = began;
    stateOf[cpu] = READY;
  }
  goLive(true);
  try {
    // a handler that is under way is carried to its end: what it began is in memory
    while (left > 0 || handling > 0) {
      ask();
      dispatch();
    }
  } finally {
    by.client = false;
    goLive(false);
  }
  return finished - began;
}

function latest(): number {
  let end = 0;
  for (let cpu = 0; cpu < machine.ncpu; cpu++) end = Math.max(end, clock[cpu]);
  return end;
}

function ask(): void {
  if (++asked % ASK_EVERY === 0 && !hooks.goesOn()) throw new Error('interrupted');
}

/** The earliest CPU goes on, or the clock ticks. */
function dispatch(): void {
  let first = -1;
  let at = Number.POSITIVE_INFINITY;
  let next = nextTick;
  for (let cpu = 0; cpu < machine.ncpu; cpu++) {
    const when = wakeAt[cpu];
    if (when < at) {
      if (at < next) next = at;
      at = when;
      first = cpu;
    } else if (when < next) next = when;
  }
  if (at - began >= hooks.sampleAt) hooks.sample(at - began);
  if (at >= nextTick) return tick();
  t[HORIZON] = next;
  t[NOW] = at;
  go(first);
}

/** hardclock, for every CPU at work, and for those with messages that rang no bell. */
function tick(): void {
  if (++idleTicks > IDLE_TICKS) throw new Error(standstill());
  t[NOW] = nextTick;
  for (let cpu = 0; cpu < machine.ncpu; cpu++) {
    if (stateOf[cpu] !== DONE || wiring.hasMessages(cpu)) send(cpu, INTR_TICK, nextTick);
  }
  nextTick += wiring.tick;
}

function standstill(): string {
  const what = ['ready', 'in a wait loop', 'asleep', 'done'];
  const states = Array.from({ length: machine.ncpu }, (_, cpu) => `cpu${cpu} ${what[stateOf[cpu]]}`);
  return `model: nobody gets anywhere: ${states.join(', ')}`;
}

function go(cpu: number): void {
  const was = stateOf[cpu];
  switchCpu(cpu);
  openLog(cpu);
  by.client = false;
  goOn(was === PARKED);
  if (was === ASLEEP) slept(cpu);
  if (was !== DONE) stateOf[cpu] = READY;
  try {
    if (was === DONE) serve(cpu);
    else work(cpu);
  } catch (stop) {
    if (stop !== STOP) throw stop;
    closeLog();
  }
  clock[cpu] = t[NOW];
  if (stateOf[cpu] === READY) wakeAt[cpu] = t[NOW];
}

function work(cpu: number): void {
  const program = programs[cpu]!;
  do {
    if (!underWay(cpu)) {
      begun[cpu] = t[NOW];
      interrupted[cpu] = arrived(cpu) === 0 ? 0 : 1;
    }
    if (interrupted[cpu] !== 0) {
      wiring.splz();
      clearLog();
      interrupted[cpu] = 0;
      // what it took is not the operation's
      begun[cpu] = t[NOW];
    }
    const step = program.step();
    clearLog();
    idleTicks = 0;
    ask();
    if (step === STEP_OP) {
      tally[OPS]++;
      noteLatency(t[NOW] - begun[cpu]);
    } else if (step === STEP_END) return end(cpu);
  } while (t[NOW] <= t[HORIZON]);
}

/** The CPU has nothing left to do but to serve others. */
function end(cpu: number): void {
  left--;
  finished = Math.max(finished, t[NOW]);
  stateOf[cpu] = DONE;
  wakeAt[cpu] = pending(cpu) ? t[NOW] : Number.POSITIVE_INFINITY;
}

function serve(cpu: number): void {
  wakeAt[cpu] = Number.POSITIVE_INFINITY;
  if (underWay(cpu)) handling--;
  try {
    wiring.splz();
    clearLog();
  } catch (stop) {
    // in the middle of a handler: goes on when it is the earliest again
    wakeAt[cpu] = t[NOW];
    handling++;
    throw stop;
  }
}

function pending(cpu: number): boolean {
  return (i32[pendingWord(cpu)] & ~INTR_STOP) !== 0;
}

export { asCpu };
