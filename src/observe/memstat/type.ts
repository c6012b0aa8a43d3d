/**
 * type.ts — one entry of a list of memory types, and what can be asked of it (FreeBSD lib/libmemstat/memstat.h).
 *
 * Every number is a u64, a bigint here. bytes and count are differences and not clamped: a type whose frees were seen
 * before its allocations has about 1.8e19 blocks in use (R5), and a tool that shows them has to know that.
 */
import { SmpallocError } from '../../base/errors.js';

export const MEMSTAT_MAXCPU = 256;
export const MEMSTAT_MAXCALLER = 16;
export const MEMTYPE_MAXNAME = 32;

export const ALLOCATOR_UNKNOWN = 0;
export const ALLOCATOR_MALLOC = 1;
export const ALLOCATOR_UMA = 2;
export const ALLOCATOR_ANY = 255;
export type Allocator = 0 | 1 | 2 | 255;

/** What one CPU did, or keeps. */
export class MemoryTypeCpu {
  memalloced = 0n;
  memfreed = 0n;
  numallocs = 0n;
  numfrees = 0n;
  sizemask = 0n;
  /** items in the CPU's cache (UMA) */
  free = 0n;
  readonly callerPointer: unknown[] = Array(MEMSTAT_MAXCALLER).fill(null);
  readonly callerUint64 = new BigUint64Array(MEMSTAT_MAXCALLER);

  /** Everything but the caller's slots. */
  reset(): void {
    this.memalloced = this.memfreed = this.numallocs = this.numfrees = this.sizemask = this.free = 0n;
  }
}

export class MemoryType {
  readonly allocator: Allocator;
  /** at most MEMTYPE_MAXNAME - 1 characters */
  readonly name: string;
  next: MemoryType | null = null;
  countlimit = 0n;
  byteslimit = 0n;
  sizemask = 0n;
  size = 0n;
  memalloced = 0n;
  memfreed = 0n;
  numallocs = 0n;
  numfrees = 0n;
  bytes = 0n;
  count = 0n;
  /** items in caches, buckets and slabs (UMA) */
  free = 0n;
  failures = 0n;
  sleeps = 0n;
  zonefree = 0n;
  kegfree = 0n;
  readonly callerPointer: unknown[] = Array(MEMSTAT_MAXCALLER).fill(null);
  readonly callerUint64 = new BigUint64Array(MEMSTAT_MAXCALLER);
  readonly #cpus: MemoryTypeCpu[] = [];

  constructor(allocator: Allocator, name: string) {
    this.allocator = allocator;
    this.name = name;
  }

  /** @throws SmpallocError ESMP_OPTION for a CPU no machine has */
  percpu(cpu: number): MemoryTypeCpu {
    this.#cpus[slot('cpu', cpu, MEMSTAT_MAXCPU)] ??= new MemoryTypeCpu();
    return this.#cpus[cpu]!;
  }

  /** Before an update: what it counts begins at 0, what the caller keeps here stays. */
  reset(): void {
    this.countlimit = this.byteslimit = this.sizemask = this.size = 0n;
    this.memalloced = this.memfreed = this.numallocs = this.numfrees = this.bytes = this.count = 0n;
    this.free = this.failures = this.sleeps = this.zonefree = this.kegfree = 0n;
    for (const cpu of this.#cpus) cpu?.reset();
  }

  /** After an update: the two differences, modulo 2^64. */
  derive(): void {
    this.bytes = u64(this.memalloced - this.memfreed);
    this.count = u64(this.numallocs - this.numfrees);
  }
}

export function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

/** @throws SmpallocError ESMP_OPTION when there is no such index */
export function slot(what: string, index: number, count: number): number {
  if (Number.isInteger(index) && index >= 0 && index < count) return index;
  const right = `expected a whole number from 0 to ${count - 1}`;
  throw new SmpallocError('ESMP_OPTION', `${what}: ${index} is not usable; ${right}`);
}
