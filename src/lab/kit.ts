/**
 * kit.ts — what a scenario works with: the machine before the run (Setup), the CPU inside an operation (Client), the
 * memory to look at (View).
 */
import { IPIF_MAX, IPIF_USER } from '../base/ipif.js';
import { LINE_WORDS, PAGE_SIZE } from '../base/param.js';
import { SmpallocError } from '../base/errors.js';
import type { FailureClass } from '../base/failures.js';
import { Z_CHUNKSIZE, Z_NFREE, Z_NMAX } from '../dragonfly/slaballoc.layout.js';
import { INTR_TICK } from '../hw/intr.layout.js';
import { SB_WORDS } from '../hw/superblock.layout.js';
import type { Operation } from './scenario.js';
import type { SteppedEngine, SteppedMachine } from './stepped.js';

/** Reading the memory at rest; writing it is the operations' business. */
export interface View {
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly engine: SteppedEngine;
  /** a structure's word: address of the structure, word offset */
  word(address: number, offset?: number): number;
  /** blocks and bytes of a malloc_type in use, as its statistics say */
  inuse(type: number): number;
  memuse(type: number): number;
  /** is the block at this address allocated to a caller? */
  allocated(address: number): boolean;
}

/** A zone made for a scenario. */
export interface ScenarioZone {
  /** address of its header */
  readonly z: number;
  readonly nmax: number;
  /** the chunks that are allocated, in the order they were handed out */
  readonly chunk: readonly number[];
}

/** Before the run: single-threaded, nothing is explored. */
export interface Setup extends View {
  readonly ncpu: number;
  /** a malloc_type there is from the start, 'scenario' */
  readonly type: number;
  /** is this defect switched on, one of the engine's or the scenario's own? */
  defect(name: string): boolean;
  /** an operation: the unit of restart; `run` may touch nothing but the machine */
  op(name: string, run: (c: Client) => unknown): Operation;
  /** does something as CPU `cpu` */
  on<T>(cpu: number, act: (c: Client) => T): T;
  /** defines a malloc_type */
  malloctype(name: string): number;
  /** a zone of chunks of `size` bytes with all but `free` of them allocated (default: none free) */
  zone(size: number, of: { owner: number; free?: number; chunks?: number; type?: number }): ScenarioZone;
  /** word indices of `count` words nobody uses, each on a line of its own */
  words(count: number): number[];
  /** a function a message can name. @returns its number */
  handler(run: (c: Client, arg1: number, arg2: number) => void): number;
}

/** Inside an operation: everything here is a step, or is made of steps. */
export interface Client {
  /** where the thread began: one that moves (Scenario.moves) is on `engine.curcpu` */
  readonly cpu: number;
  readonly engine: SteppedEngine;
  /** results of this thread's operations that have returned */
  readonly results: readonly unknown[];
  kmalloc(size: number, type?: number, flags?: number): number;
  kfree(ptr: number, type?: number): void;
  krealloc(ptr: number, size: number, type?: number, flags?: number): number;
  /** a word of a block this CPU was given; anything else is a use after free */
  read(ptr: number, word?: number): number;
  write(ptr: number, value: number, word?: number): void;
  /** plain accesses to any word, by word index */
  ld(word: number): number;
  st(word: number, value: number): void;
  ld64(dword: number): bigint;
  st64(dword: number, value: bigint): void;
  /** atomic accesses */
  load(word: number): number;
  store(word: number, value: number): void;
  cas(word: number, expected: number, value: number): boolean;
  xchg(word: number, value: number): number;
  add(word: number, delta: number): number;
  or(word: number, bits: number): number;
  and(word: number, bits: number): number;
  wait(word: number, expected: number): void;
  notify(word: number): void;
  /** one turn of a wait loop */
  pause(): void;
  crit<T>(act: () => T): T;
  critEnter(): void;
  critExit(): void;
  mtxLock(word: number): void;
  mtxUnlock(word: number): void;
  send(cpu: number, func: number, arg1?: number, arg2?: number): number;
  sendPassive(cpu: number, func: number, arg1?: number, arg2?: number): number;
  sendNowait(cpu: number, func: number, arg1?: number, arg2?: number): number;
  waitIpiq(cpu: number, seq: number): void;
  synchronize(): void;
  /** serves what is pending, as a CPU does that has nothing else to do */
  splz(): void;
  /** the clock ticks for this CPU */
  tick(): void;
  cleanup(shortage?: boolean): void;
  memuse(type?: number): number;
  inuse(type?: number): number;
  /** The operation has seen something that is wrong: the execution has failed. The first failure stays. */
  fail(cls: FailureClass, message: string): void;
}

const SCRATCH_LINES = Math.floor((PAGE_SIZE / 4 - SB_WORDS) / LINE_WORDS);

export function makeView(machine: SteppedMachine): View {
  const { engine, memory } = machine;
  return {
    i32: memory.i32,
    i64: memory.i64,
    engine,
    word: (address, offset = 0) => memory.i32[(address >>> 2) + offset]!,
    inuse: (type) => engine.stats.mallocTypeInuse(type),
    memuse: (type) => engine.stats.mallocTypeMemuse(type),
    allocated: (address) => engine.shadow.isClient(address),
  };
}

/** @param defects those that are switched on */
export function makeSetup(machine: SteppedMachine, type: number, defects: readonly string[]): Setup {
  const { engine, configuration } = machine;
  const clients = Array.from({ length: configuration.cpus }, (_, cpu) => makeClient(machine, cpu, type, []));
  let scratch = 0;
  let handlers = 0;
  const on = <T>(cpu: number, act: (c: Client) => T): T => engine.run.asCpu(cpu, () => act(clients[cpu]!));
  return {
    ...makeView(machine),
    ncpu: configuration.cpus,
    type,
    defect: (name) => defects.includes(name),
    op: (name, run) => ({ name, run }),
    on,
    malloctype: (name) => defineType(machine, name),
    zone: (size, { owner, free = 0, chunks, type: t = type }) =>
      on(owner, (c) => makeZone(machine, c, size, free, t, chunks)),
    words(count) {
      if (scratch + count > SCRATCH_LINES) throw new SmpallocError('ESMP_INPUT', `words: only ${SCRATCH_LINES} in all`);
      return Array.from({ length: count }, () => SB_WORDS + scratch++ * LINE_WORDS);
    },
    handler(run) {
      const number = IPIF_USER + handlers++;
      if (number >= IPIF_MAX) throw new SmpallocError('ESMP_INPUT', `handler: only ${IPIF_MAX - IPIF_USER} in all`);
      engine.ipiq.ipiqRegister(number, (a, b) => run(clients[engine.curcpu]!, a, b));
      return number;
    },
  };
}

/** A type whose limit is the whole of memory. */
export function defineType({ engine: { engine } }: SteppedMachine, name: string): number {
  const type = engine.mallocTypeCreate(name);
  engine.kmallocRaiseLimit(type, 0);
  return type;
}

/** Takes chunks until a zone has only `free` left: the class must be fresh on this CPU. */
function makeZone(
  machine: SteppedMachine, c: Client, size: number, free: number, type: number, chunks: number | undefined,
): ScenarioZone {
  const first = c.kmalloc(size, type);
  const z = machine.engine.zoneOf(first);
  const word = (offset: number) => machine.memory.i32[(z >>> 2) + offset]!;
  const nmax = word(Z_NMAX);
  const keep = chunks ?? nmax - free;
  if (first === 0 || keep < 1 || keep > nmax) {
    throw new SmpallocError('ESMP_INPUT', `zone: ${keep} chunks of ${size} bytes; a zone has 1 to ${nmax} of them`);
  }
  const chunk = [first];
  while (chunk.length < keep) chunk.push(c.kmalloc(size, type));
  if (word(Z_NFREE) !== nmax - keep) {
    const bytes = word(Z_CHUNKSIZE);
    throw new SmpallocError('ESMP_INPUT', `zone: cpu${c.cpu} has a zone of ${bytes}-byte chunks already`);
  }
  return { z, nmax, chunk };
}

/** @param results where this thread's results come to be */
export function makeClient(machine: SteppedMachine, cpu: number, type: number, results: readonly unknown[]): Client {
  const { engine } = machine;
  const { access, atomics, engine: e } = engine;
  const freebsd = machine.configuration.alloc === 'freebsd';
  const word = (ptr: number, offset: number): number => {
    access.clientAccess();
    return (ptr >>> 2) + offset;
  };
  return {
    cpu,
    engine,
    results,
    kmalloc: (size, t = type, flags = e.M_NOWAIT) => e.kmalloc(size, t, flags),
    kfree: (ptr, t = type) => e.kfree(ptr, t),
    krealloc: (ptr, size, t = type, flags = e.M_NOWAIT) => e.krealloc(ptr, size, t, flags),
    read: (ptr, offset = 0) => access.ld32(word(ptr, offset)),
    write: (ptr, value, offset = 0) => void access.st32(word(ptr, offset), value),
    ld: access.ld32,
    st: (index, value) => void access.st32(index, value),
    ld64: access.ld64,
    st64: (index, value) => void access.st64(index, value),
    load: atomics.load,
    store: atomics.store,
    cas: atomics.cas,
    xchg: atomics.xchg,
    add: atomics.add,
    or: atomics.or,
    and: atomics.and,
    wait: (index, expected) => atomics.wait(index, expected, 1000),
    notify: atomics.notify,
    pause: () => engine.pause.cpuPause(0),
    crit(act) {
      e.critEnter();
      const value = act();
      e.critExit();
      return value;
    },
    critEnter: e.critEnter,
    critExit: e.critExit,
    mtxLock: e.mtxLock,
    mtxUnlock: e.mtxUnlock,
    send: (target, func, a = 0, b = 0) => e.lwktSendIpiq(target, func, a, b),
    sendPassive: (target, func, a = 0, b = 0) => e.lwktSendIpiqPassive(target, func, a, b),
    sendNowait: (target, func, a = 0, b = 0) => e.lwktSendIpiqNowait(target, func, a, b),
    waitIpiq: e.lwktWaitIpiq,
    synchronize: e.lwktSynchronizeIpiqs,
    splz: e.splz,
    tick() {
      engine.intr.intrRaise(engine.curcpu, INTR_TICK);
      e.splz();
    },
    cleanup: (shortage = false) => (freebsd ? e.reclaim() : e.slabCleanup(shortage)),
    memuse: (t = type) => engine.stats.mallocTypeMemuse(t),
    inuse: (t = type) => engine.stats.mallocTypeInuse(t),
    fail: (cls, message) => engine.failure.fail({ cls, message, cpu, step: engine.failure.execution.steps }),
  };
}
