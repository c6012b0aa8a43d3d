/**
 * entity.ts — who may make the next step: threads, interrupts, store buffers, movers.
 *
 *   0 .. threads-1        threads of CPUs, each a list of operations
 *   threads .. +ncpu      the interrupt of CPU n: runs splz, may start whenever a bit is up and nothing masks it
 *   .. +ncpu              the store buffer of CPU n (TSO): its step brings the oldest store to memory
 *   .. +movers            a thread and a CPU: its step takes the thread off its CPU and puts it on that one (moves.ts)
 *
 * A CPU runs one of its entities at a time. The thread that ran last keeps the CPU while it is in a critical section or
 * has interrupts masked; an interrupt keeps it until it has returned. All state of a CPU between two of its accesses is
 * the log of its operation under way: going on means running the operation again over that log.
 */
import { WAKE } from '../../base/access.js';
import { i32 } from '../heap.js';
import { INTR_PENDING, INTR_STOP, INTR_WORDS } from '../intr.layout.js';
import { SB_INTR } from '../superblock.layout.js';

/** a mask of entities is one 32-bit integer */
export const MAX_ENTITIES = 31;

export const READY = 0;
export const DONE = 1;
/** in a wait loop: may go on when a word of its last turn has changed */
export const SPINS = 2;
/** in a futex wait: may go on when the bell has been rung */
export const ASLEEP = 3;
/** an interrupt that is not being served */
export const QUIET = 4;

export type Operation = () => unknown;

/** What a thread does. */
export interface Program {
  readonly cpu: number;
  readonly operations: readonly Operation[];
  /** CPUs it may be moved to, to each once */
  readonly moves?: readonly number[];
}

export interface Modes {
  readonly interrupts: boolean;
  readonly tso: boolean;
}

/** What each entity is and where it stands. Written by run.ts and access.ts. */
export const stateOf = new Uint8Array(MAX_ENTITIES);
export const cpuOf = new Int32Array(MAX_ENTITIES);
/** operation under way */
export const opOf = new Int32Array(MAX_ENTITIES);
/** the access it wants to make next */
export const pendKind = new Uint8Array(MAX_ENTITIES);
export const pendWord = new Int32Array(MAX_ENTITIES);
/** what it would store, or expects (CAS), so that a search knows whether it will write */
export const pendValue = new Int32Array(MAX_ENTITIES);
/** per CPU: entity that ran last as its thread, entity of the interrupt being served or -1, depth of the mask */
export const threadOn = new Int32Array(MAX_ENTITIES);
export const serving = new Int32Array(MAX_ENTITIES);
export const masked = new Int32Array(MAX_ENTITIES);
/** word whose bell an entity waits for */
export const sleepWord = new Int32Array(MAX_ENTITIES);
/** words and values of the wait loop's last turn */
export const watchWords: Int32Array[] = [];
export const watchValues: Int32Array[] = [];
export const watchCount = new Int32Array(MAX_ENTITIES);

export const layout = {
  threads: 0,
  ncpu: 0,
  /** first entity that is an interrupt, a store buffer, a mover; number of all */
  irq0: 0,
  drain0: 0,
  move0: 0,
  entities: 0,
  movers: 0,
  /** some CPU has more than one entity: the simple rule for enabledMask does not do */
  shared: false,
  interrupts: false,
  tso: false,
};
/** word of each CPU's critical count */
export const critWord = new Int32Array(MAX_ENTITIES);
/** CPU on which each entity begins an execution */
export const homeOf = new Int32Array(MAX_ENTITIES);
/** with whom an entity shares a CPU for good: a thread that may move stands alone */
export const neighbourhood = new Int32Array(MAX_ENTITIES);
/** by number of the mover: its thread, where to, and whether it has been made in this execution */
export const moverThread = new Int32Array(MAX_ENTITIES);
export const moverTo = new Int32Array(MAX_ENTITIES);
export const moverUsed = new Uint8Array(MAX_ENTITIES);

/**
 * Numbers the entities.
 * @param threads several may be of the same CPU
 * @param critical word of each CPU's critical count
 */
export function layOut(threads: readonly Program[], ncpu: number, critical: readonly number[], modes: Modes): void {
  const movers = threads.reduce((sum, { moves }) => sum + (moves?.length ?? 0), 0);
  const entities = threads.length + 2 * ncpu + movers;
  if (entities > MAX_ENTITIES) {
    throw new RangeError(`${entities} threads, interrupts, buffers and moves: at most ${MAX_ENTITIES}`);
  }
  layout.threads = threads.length;
  layout.ncpu = ncpu;
  layout.irq0 = threads.length;
  layout.drain0 = threads.length + ncpu;
  layout.move0 = layout.drain0 + ncpu;
  layout.entities = entities;
  layout.movers = movers;
  layout.interrupts = modes.interrupts;
  layout.tso = modes.tso;
  layout.shared = modes.interrupts || movers > 0 || new Set(threads.map(({ cpu }) => cpu)).size < threads.length;
  for (let e = 0; e < entities; e++) homeOf[e] = e < layout.irq0 ? threads[e].cpu : (e - layout.irq0) % ncpu;
  for (let cpu = 0; cpu < ncpu; cpu++) critWord[cpu] = critical[cpu];
  layOutMovers(threads);
  backHome();
}

function layOutMovers(threads: readonly Program[]): void {
  let mover = 0;
  for (let e = 0; e < layout.entities; e++) {
    const moves = threads[e]?.moves ?? [];
    neighbourhood[e] = moves.length > 0 ? MAX_ENTITIES + e : homeOf[e];
    for (const cpu of moves) {
      moverThread[mover] = e;
      moverTo[mover++] = cpu;
    }
  }
}

/** An execution begins: nobody has been moved. */
export function backHome(): void {
  cpuOf.set(homeOf);
  moverUsed.fill(0);
}

const INTR = i32[SB_INTR] >>> 2;

/** May CPU `cpu` not be taken from the thread that runs on it? */
export function pinned(cpu: number): boolean {
  return masked[cpu] !== 0 || i32[critWord[cpu]] !== 0;
}

/** Bit e set: entity e may take the next step. */
export function enabledMask(pendingStores: Int32Array): number {
  let mask = 0;
  for (let e = 0; e < layout.threads; e++) {
    const state = stateOf[e];
    if (state === DONE || state === ASLEEP) continue;
    if (state === SPINS && !watchChanged(e)) continue;
    if (layout.shared && !mayRun(e)) continue;
    mask |= 1 << e;
  }
  if (layout.interrupts) mask |= interruptsEnabled();
  if (layout.tso) {
    for (let cpu = 0; cpu < layout.ncpu; cpu++) if (pendingStores[cpu] > 0) mask |= 1 << (layout.drain0 + cpu);
  }
  for (let m = 0; m < layout.movers; m++) if (moverUsed[m] === 0 && mayMove(m)) mask |= 1 << (layout.move0 + m);
  return mask;
}

/**
 * A thread is taken from its CPU when the CPU may be taken from it: not in a critical section, not with interrupts
 * masked, not from under an interrupt it was met by. One that waits for a CPU may be taken from there at any time.
 */
function mayMove(mover: number): boolean {
  const e = moverThread[mover];
  const cpu = cpuOf[e];
  const state = stateOf[e];
  if (moverTo[mover] === cpu || state === DONE || state === ASLEEP) return false;
  if (state === SPINS && !watchChanged(e)) return false;
  // one that has been woken may have masked interrupts before it slept, and gave its CPU up
  const waits = threadOn[cpu] !== e && pendKind[e] !== WAKE;
  return waits || (!pinned(cpu) && serving[cpu] < 0);
}

/** The CPU of thread `e` is free for it. */
function mayRun(e: number): boolean {
  const cpu = cpuOf[e];
  if (serving[cpu] >= 0) return false;
  const running = threadOn[cpu];
  if (running === e || running < 0 || !pinned(cpu)) return true;
  // a thread that halts does so with interrupts masked, and gives its CPU up
  return stateOf[running] === DONE || stateOf[running] === ASLEEP;
}

function interruptsEnabled(): number {
  let mask = 0;
  for (let cpu = 0; cpu < layout.ncpu; cpu++) {
    const e = layout.irq0 + cpu;
    const state = stateOf[e];
    if (state === QUIET ? mayInterrupt(cpu) : state === READY || (state === SPINS && watchChanged(e))) mask |= 1 << e;
  }
  return mask;
}

/** A halted CPU is woken by its bell and nothing else: that is how a bell nobody rang is found. */
function mayInterrupt(cpu: number): boolean {
  if ((i32[INTR + cpu * INTR_WORDS + INTR_PENDING] & ~INTR_STOP) === 0 || pinned(cpu)) return false;
  const running = threadOn[cpu];
  return running < 0 || stateOf[running] !== ASLEEP;
}

/** A word that the last turn of the wait loop read has another value now. */
function watchChanged(e: number): boolean {
  const words = watchWords[e]!;
  const values = watchValues[e]!;
  for (let n = watchCount[e] - 1; n >= 0; n--) if (i32[words[n]] !== values[n]) return true;
  return false;
}
