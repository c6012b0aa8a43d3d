/**
 * scenario.ts — what is explored: a machine, a few operations a CPU, and what must hold.
 *
 *   setup      once, single-threaded: the memory every execution starts from
 *   cpu        per role, the operations of a CPU; an operation is the unit of restart and of shrinking
 *   invariant  after every step      after, outcome   at the end, when everything is quiet and has passed the audits
 *
 * A scenario file is an ES module whose default export is a scenario, or a list of them.
 */
import { SmpallocError } from '../base/errors.js';
import type { FailureClass } from '../base/failures.js';
import type { BootOptions } from '../host/options.js';
import type { Client, Setup, View } from './kit.js';

/** One step of a program that is re-run as a whole. */
export interface Operation {
  readonly name: string;
  readonly run: (c: Client) => unknown;
}

/** What `after` found, where 'invariant' would say too little. */
export interface Wrong {
  readonly cls: FailureClass;
  readonly message: string;
}

/** Where the races of the catalogue come from. */
export const KERNELS = [
  'DragonFly', 'FreeBSD', 'NetBSD', 'Linux', 'mimalloc', 'snmalloc', 'ponyc', 'jemalloc', 'ours', 'generic',
] as const;
export type Kernel = (typeof KERNELS)[number];

/** What a student should know of it: `race show`, docs/races/. */
export interface Lesson {
  readonly kernel: Kernel;
  /** at most five lines: what the code does, what comes in between, what is lost, how it shows */
  readonly story: readonly string[];
  /** what was done about it */
  readonly fix: string;
  /** why no run on real workers can show it, where none can */
  readonly unseen?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: what setup returns is the scenario's own business
export interface Scenario<S = any> {
  readonly name: string;
  /** one line */
  readonly title?: string;
  /** where the code or the defect comes from: a commit, a paper, a thread; 'generic' */
  readonly origin: string;
  /** makes it an entry of the catalogue, and not a variant of one */
  readonly lesson?: Lesson;
  /** boot options of its machine; the command line's policies override them */
  readonly machine?: BootOptions;
  /** role of each CPU, such as ['owner', 'remote', 'remote'] */
  readonly cpus: readonly string[];
  /** second threads: CPU -> role. The scheduler may switch between a CPU's threads outside critical sections. */
  readonly threads?: Readonly<Record<number, string>>;
  /**
   * Threads that move: number of a thread -> CPUs it may be put on, on each once. The threads of `cpus` are numbered
   * first, then those of `threads`. Every access is a scheduling point then, unless `points` says otherwise.
   */
  readonly moves?: Readonly<Record<number, readonly number[]>>;
  readonly setup?: (k: Setup) => S;
  /** operations by role. @param index rank of the CPU among those of its role, from 0 */
  readonly cpu: Readonly<Record<string, (k: Setup, s: S, index: number) => readonly Operation[]>>;
  /** after every step; a text says what is broken. May not write. */
  readonly invariant?: (view: View, s: S) => unknown;
  /** at the end; a text, false, or a class with a message (Wrong) says that something is broken */
  readonly after?: (view: View, s: S, results: readonly (readonly unknown[])[]) => unknown;
  /** names what came out, for a histogram, and grades it; '*' grades all others */
  readonly result?: (view: View, s: S, results: readonly (readonly unknown[])[]) => string;
  readonly outcome?: Readonly<Record<string, 'acceptable' | 'interesting' | 'forbidden'>>;
  /** switches that may be turned on, --defect: fixes of the engine (base/defects), and names of the scenario's own */
  readonly defects?: readonly string[];
  /** what is known: the verdict as it stands, and the failure's class with a defect on */
  readonly expect?: {
    readonly verdict?: 'pass' | FailureClass;
    readonly with?: Readonly<Record<string, FailureClass>>;
  };
  /** memory model it is about; default 'sc' */
  readonly memory?: 'sc' | 'tso';
  /** 64-bit counters as two 32-bit words */
  readonly torn?: boolean;
  /** interrupts may arrive between any two accesses; default true */
  readonly interrupts?: boolean;
  /** deliberate races: false switches the happens-before check off */
  readonly races?: boolean;
  /** false: the line rules of the layouts are not checked */
  readonly rules?: boolean;
  /** 'all': every access is a scheduling point; default 'shared': those at words that are shared (`moves`: 'all') */
  readonly points?: 'shared' | 'all';
  /** failed compare-and-swaps of one word in one operation before the execution is cut; default 1 */
  readonly casFails?: number;
  /** accesses after which an execution counts as a livelock; default 20000 */
  readonly stepLimit?: number;
}

const BRAND = Symbol.for('smpalloc.scenario');

/**
 * Defines a scenario.
 * @throws SmpallocError ESMP_INPUT naming what is missing or wrong
 */
// biome-ignore lint/suspicious/noExplicitAny: see Scenario
export function scenario<S = any>(name: string, definition: Omit<Scenario<S>, 'name'>): Scenario<S> {
  const wrong = (what: string) => new SmpallocError('ESMP_INPUT', `scenario '${name}': ${what}`);
  if (typeof name !== 'string' || !/^[\w.:|,@+-]{1,80}$/.test(name)) throw wrong('a name is letters, digits and ._-');
  if (!definition || typeof definition !== 'object') throw wrong('expected scenario(name, { cpus, cpu, ... })');
  const { cpus, threads = {}, cpu } = definition;
  if (!Array.isArray(cpus) || cpus.length < 1 || cpus.length > 8) throw wrong('cpus is a list of 1 to 8 roles');
  if (!cpu || typeof cpu !== 'object') throw wrong('cpu is missing: { role: (k, s, index) => [operations] }');
  for (const role of [...cpus, ...Object.values(threads)]) {
    if (typeof cpu[role] === 'function') continue;
    throw wrong(`cpus names the role '${role}', but cpu has ${Object.keys(cpu).join(', ') || 'none'}`);
  }
  for (const key of Object.keys(definition)) {
    if (!KEYS.has(key)) throw wrong(`there is no '${key}'; there are ${[...KEYS].join(', ')}`);
  }
  const unmoved = movesWrong(definition.moves ?? {}, cpus.length, Object.keys(threads).length);
  if (unmoved !== '') throw wrong(unmoved);
  const origin = definition.origin ?? 'generic';
  return { ...definition, origin, name, [BRAND]: true } as Scenario<S>;
}

/** tokens have a letter for each (lab/counterexample/letters.ts) */
const MOST_MOVES = 8;

function movesWrong(moves: Readonly<Record<number, readonly number[]>>, ncpu: number, seconds: number): string {
  if (typeof moves !== 'object') return 'moves is { thread: [CPUs] }, by number';
  for (const [thread, cpus] of Object.entries(moves)) {
    if (!/^\d+$/.test(thread) || Number(thread) >= ncpu + seconds) {
      return `moves names thread ${thread}; its threads are 0 to ${ncpu + seconds - 1}`;
    }
    const right = Array.isArray(cpus) && cpus.length > 0 && new Set(cpus).size === cpus.length;
    if (!right || cpus.some((cpu) => !Number.isInteger(cpu) || cpu < 0 || cpu >= ncpu)) {
      return `moves[${thread}] is a list of CPUs from 0 to ${ncpu - 1}, each once`;
    }
  }
  const all = Object.values(moves).flat().length;
  return all > MOST_MOVES ? `moves has ${all} moves, at most ${MOST_MOVES} are possible` : '';
}

const KEYS = new Set([
  'title', 'origin', 'lesson', 'machine', 'cpus', 'threads', 'moves', 'setup', 'cpu', 'invariant', 'after', 'result',
  'outcome', 'defects', 'expect', 'memory', 'torn', 'interrupts', 'races', 'rules', 'points', 'casFails',
  'stepLimit',
]);

export function isScenario(value: unknown): value is Scenario {
  return typeof value === 'object' && value !== null && BRAND in value;
}
