/**
 * options.ts — what a machine may be asked to be; every value is checked before anything starts.
 */
import { availableParallelism } from 'node:os';
import { isPowerOf2 } from '../base/bits.js';
import { DEFECT_NAMES } from '../base/defects.js';
import { SmpallocError } from '../base/errors.js';
import { MAXCPU, MAXMEM, PAGE_SIZE } from '../base/param.js';
import {
  ALLOC_NAMES, type AllocName, FREE_NAMES, FREE_RBATCH, FREE_RTAGGED, type FreePolicy, MTX_NAMES,
  type MutexForm, SIGNAL_TICK, STATS_NAMES, type StatsPolicy,
} from '../base/policy.js';
import { zoneSizeFor } from '../dragonfly/malloc.js';
import { TUNABLES } from '../kern/sysctl.js';
import { geometry } from './geometry.js';

export interface BootOptions {
  /** virtual CPUs the machine starts itself, 1 to 256; default: one a core, at least 2 */
  cpus?: number;
  /** further CPUs that the user's own workers will become with attach(); default 0 */
  attach?: number;
  /** bytes of physical memory, a number or text such as '256MiB'; default 256 MiB, at most 2 GiB */
  memory?: number | string;
  /** the kernel memory allocator; default 'dragonfly' */
  alloc?: AllocName;
  /** statistics policy; default 'critical' */
  stats?: StatsPolicy;
  /** remote-free policy of the slab allocator; default 'rbatch'. UMA has none: a block goes to the freer's bucket */
  free?: FreePolicy;
  /** how mutexes wait; default 'adaptive' */
  mutex?: MutexForm;
  /** polls until a signal is recognised, or 'tick'; default: what the free policy's commit did */
  signalDelay?: number | 'tick';
  seed?: number;
  /** run the flavour with bitmaps, poisoning and owner checks; default false */
  invariants?: boolean;
  /** events kept in each CPU's ktr ring; default 0: off */
  ktr?: number;
  /** messages an IPI FIFO holds, a power of two from 4 to 256; default: what the memory allows */
  fifo?: number;
  /** fixes to take out, such as 'R47' (docs/races.md); not in the release flavour */
  defects?: readonly string[];
  /** sysctl-style variables by name, see TUNABLES */
  tunables?: Record<string, number>;
  /** gets what the kernel prints, line by line, a tick after it did; default: nobody. It can be read later, too */
  console?: (line: string) => void;
  /** Unix domain socket at which other processes may read the machine's statistics, as Machine.listen */
  listen?: string;
}

export interface Configuration {
  readonly cpus: number;
  readonly attach: number;
  readonly memory: number;
  readonly alloc: AllocName;
  readonly stats: StatsPolicy;
  readonly free: FreePolicy;
  readonly mutex: MutexForm;
  readonly signalDelay: number | 'tick';
  readonly seed: number;
  readonly invariants: boolean;
  readonly ktr: number;
  /** null: what the memory allows */
  readonly fifo: number | null;
  readonly defects: readonly string[];
  readonly tunables: Readonly<Record<string, number>>;
}

/** One machine needs room for a few zones a CPU. */
const LEAST_ZONES_A_CPU = 4;
const LEAST_FIFO = 4;
const MOST_FIFO = 256;
const MIB = 1024 ** 2;
const DEFAULT_MEMORY = 256 * MIB;

/** What is known of a machine that no boot option says. */
export interface MachineKind {
  /** it runs the stepped flavour */
  readonly stepped?: boolean;
}

/**
 * Fills in defaults.
 * @throws SmpallocError ESMP_OPTION naming the value and what would be right
 */
export function configure(options: BootOptions = {}, kind: MachineKind = {}): Configuration {
  const cpus = integer('cpus', options.cpus ?? Math.max(2, availableParallelism()), 1, MAXCPU);
  const attach = integer('attach', options.attach ?? 0, 0, MAXCPU - cpus);
  const memory = parseMemory(options.memory ?? DEFAULT_MEMORY);
  const free = oneOf('free', options.free ?? 'rbatch', FREE_NAMES);
  const configuration: Configuration = {
    cpus,
    attach,
    memory,
    alloc: oneOf('alloc', options.alloc ?? 'dragonfly', ALLOC_NAMES),
    stats: oneOf('stats', options.stats ?? 'critical', STATS_NAMES),
    free,
    mutex: oneOf('mutex', options.mutex ?? 'adaptive', MTX_NAMES),
    signalDelay: signalDelay(options.signalDelay, free),
    seed: integer('seed', options.seed ?? 1, 0, 0xffffffff),
    invariants: options.invariants ?? false,
    ktr: integer('ktr', options.ktr ?? 0, 0, 1 << 20),
    fifo: fifo(options.fifo),
    defects: defects(options.defects ?? []),
    tunables: tunables(options.tunables ?? {}, options.invariants === true),
  };
  if (configuration.stats === 'mutex-up' && cpus + attach > 1) {
    throw bad('stats', 'mutex-up', 'another policy: mutex-up locks with plain stores and is only right with cpus: 1');
  }
  if (configuration.defects.length > 0 && !configuration.invariants && kind.stepped !== true) {
    throw bad('defects', configuration.defects, 'invariants: true beside it: the release flavour has no defects in it');
  }
  checkRoom(configuration);
  return configuration;
}

/** Number of a signal delay in the superblock. */
export function signalNumber(delay: number | 'tick'): number {
  return delay === 'tick' ? SIGNAL_TICK : delay;
}

/** The historic policies sent passive messages; ours are built for a prompt signal. */
function signalDelay(wanted: number | 'tick' | undefined, free: FreePolicy): number | 'tick' {
  if (wanted === 'tick') return wanted;
  if (wanted !== undefined) return integer('signalDelay', wanted, 0, 1e9);
  const number = FREE_NAMES.indexOf(free);
  return number === FREE_RTAGGED || number === FREE_RBATCH ? 0 : 'tick';
}

/**
 * Bytes from a number or from text: 1048576, '64MiB', '1g', '512 kb' (units are powers of two).
 * @throws SmpallocError ESMP_OPTION
 */
export function parseMemory(value: number | string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*$/i.exec(String(value));
  if (!match) throw bad('memory', value, "bytes, or a number with a unit such as '256MiB' or '1GiB'");
  const unit = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }[match[2]!.toLowerCase()]!;
  const bytes = Math.floor((Number(match[1]) * unit) / PAGE_SIZE) * PAGE_SIZE;
  if (bytes > MAXMEM) {
    throw bad('memory', value, '2GiB at the most (addresses are 31-bit integers: docs/design/memory.md)');
  }
  if (bytes < 1) throw bad('memory', value, 'at least one megabyte');
  return bytes;
}

function checkRoom(c: Configuration): void {
  if (hasRoom(c, c.memory)) return;
  const ncpu = c.cpus + c.attach;
  // the image and the zones grow with the memory: what is enough is found by trying
  let mib = 1;
  while (mib * MIB <= MAXMEM && !hasRoom(c, mib * MIB)) mib++;
  const right =
    mib * MIB <= MAXMEM
      ? `at least ${mib}MiB for ${ncpu} CPUs (kernel image and first zones)`
      : `fewer CPUs or a smaller ktr: ${ncpu} CPUs with ${c.ktr} events each need more than 2GiB`;
  throw bad('memory', `${c.memory} bytes`, right);
}

/** Do the kernel image and the first zones fit into so much memory? */
function hasRoom(c: Configuration, memory: number): boolean {
  const ncpu = c.cpus + c.attach;
  const { firstPage } = geometry(ncpu, memory, c.ktr, c.fifo);
  return firstPage * PAGE_SIZE + ncpu * LEAST_ZONES_A_CPU * zoneSizeFor(memory) <= memory;
}

function fifo(wanted: number | undefined): number | null {
  if (wanted === undefined) return null;
  if (Number.isInteger(wanted) && wanted >= LEAST_FIFO && wanted <= MOST_FIFO && isPowerOf2(wanted)) return wanted;
  throw bad('fifo', wanted, `a power of two from ${LEAST_FIFO} to ${MOST_FIFO}`);
}

function defects(given: readonly string[]): readonly string[] {
  if (!Array.isArray(given)) throw bad('defects', given, "an array of names, such as ['R47']");
  return [...new Set(given.map((name) => oneOf('defects', name, DEFECT_NAMES)))];
}

function tunables(given: Record<string, number>, invariants: boolean): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [name, tunable] of Object.entries(TUNABLES)) {
    values[name] = (invariants ? tunable.invariants : undefined) ?? tunable.initial;
  }
  for (const [name, value] of Object.entries(given)) {
    const tunable = TUNABLES[name];
    if (!tunable) throw bad('tunable', name, `one of ${Object.keys(TUNABLES).join(', ')}`);
    values[name] = integer(name, value, tunable.min, tunable.max);
  }
  return values;
}

function integer(name: string, value: number, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw bad(name, value, `a whole number from ${min} to ${max}`);
}

function oneOf<T extends string>(name: string, value: string, names: readonly T[]): T {
  if ((names as readonly string[]).includes(value)) return value as T;
  throw bad(name, value, `one of ${names.join(', ')}`);
}

function bad(name: string, value: unknown, right: string): SmpallocError {
  // JSON would call NaN null
  const given = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return new SmpallocError('ESMP_OPTION', `${name}: ${given} is not usable; expected ${right}`);
}
