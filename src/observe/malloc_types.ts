/**
 * malloc_types.ts — what the types of a machine have in use, read from outside under any statistics policy.
 *
 * Counters are read without synchronisation, as vmstat does: CPUs go on counting, so sums belong to no single moment.
 * mallocTypes shows 0 for a type whose frees were seen before its allocations (R4); typeStats clamps nothing (R5).
 *
 *   policy               slot of CPU 0                               slots of the others
 *   critical, unpadded   what CPU 0 did                              what each of them did
 *   atomic               what all CPUs did: nobody knows who         0
 *   mutex, mutex-up      the same, as far as it is known: calls and  0
 *                        live blocks, bytes live (none "freed")
 *   none                 0                                           0
 */
import { STATS_ATOMIC, STATS_MUTEX, STATS_MUTEX_UP, STATS_NONE } from '../base/policy.js';
import { SB_MALLOC, SB_STATS } from '../hw/superblock.layout.js';
import * as KS from '../kern/malloc_type.layout.js';
import type { Memory } from './memory.js';
import { chain, peek, peek64, peekText } from './peek.js';
import { isFreebsd } from './walk_uma.js';

export interface TypeUsage {
  readonly address: number;
  readonly name: string;
  /** live blocks and bytes, never negative */
  readonly inuse: number;
  readonly memuse: number;
  /** successful allocations since the type was defined */
  readonly requests: number;
}

/** struct malloc_type_stats of one CPU, u64 each. */
export interface CpuStats {
  readonly memalloced: bigint;
  readonly memfreed: bigint;
  readonly numallocs: bigint;
  readonly numfrees: bigint;
  /** mask of zone indexes used: bit b is zone 16 << b (malloc(9)) */
  readonly size: bigint;
}

export interface TypeStats {
  readonly address: number;
  readonly name: string;
  /** one for each CPU of the machine */
  readonly cpus: readonly CpuStats[];
  /** most bytes that were ever in use at once; null: nobody keeps it (every policy but the mutexes) */
  readonly maxused: bigint | null;
  /** bytes the type may have in use; 0: not set */
  readonly limit: number;
}

/** kern.malloc_count: types there are, as the kernel counts them. */
export function mallocCount(memory: Memory): number {
  const count = memory.i32[(memory.sb(SB_MALLOC) >>> 2) + KS.KM_COUNT]!;
  return Math.min(KS.MAXTYPES, Math.max(0, count));
}

/** Addresses of the types on the kernel's list, the newest first. */
export function typeAddresses(memory: Memory): number[] {
  const head = memory.i32[(memory.sb(SB_MALLOC) >>> 2) + KS.KM_STATISTICS]!;
  const listed = chain(memory, head, KS.KS_NEXT, KS.mallocTypeBytes(memory.ncpu), KS.MAXTYPES);
  // a type that is destroyed at this moment leads to the free records
  return listed.filter((type) => peek(memory, type, KS.KS_MAGIC) === KS.M_MAGIC);
}

export function typeName(memory: Memory, type: number): string {
  return peekText(memory, type + KS.KS_SHORTDESC * 4, KS.KS_SHORTDESC_BYTES);
}

/** All types, the newest first. */
export function mallocTypes(memory: Memory): TypeUsage[] {
  return typeAddresses(memory).map((type) => usage(memory, type));
}

/** The same with what every CPU did, unclamped. */
export function mallocTypeStats(memory: Memory): TypeStats[] {
  return typeAddresses(memory).map((type) => typeStats(memory, type));
}

export function typeStats(memory: Memory, type: number): TypeStats {
  const policy = memory.sb(SB_STATS);
  const mutex = policy === STATS_MUTEX || policy === STATS_MUTEX_UP;
  return {
    address: type, name: typeName(memory, type),
    cpus: Array.from({ length: memory.ncpu }, (_, cpu) => cpuStats(memory, type, cpu)),
    maxused: mutex ? peek64(memory, type, KS.KS64_MAXUSED * 2) : null,
    limit: peek(memory, type, KS.KS_LIMIT) >>> 0,
  };
}

const NOTHING: CpuStats = { memalloced: 0n, memfreed: 0n, numallocs: 0n, numfrees: 0n, size: 0n };

/** What one CPU did with a type; the table above says what that is under each policy. */
export function cpuStats(memory: Memory, type: number, cpu: number): CpuStats {
  const policy = memory.sb(SB_STATS);
  if (policy === STATS_NONE) return NOTHING;
  if (policy !== STATS_ATOMIC && policy !== STATS_MUTEX && policy !== STATS_MUTEX_UP) return slot(memory, type, cpu);
  if (cpu !== 0) return NOTHING;
  const size = BigInt(peek(memory, type, KS.KS_SIZE) >>> 0);
  const dword = (at: number) => peek64(memory, type, at);
  if (policy === STATS_ATOMIC) {
    return {
      memalloced: dword(KS.KSA_MEMALLOCED), memfreed: dword(KS.KSA_MEMFREED),
      numallocs: dword(KS.KSA_NUMALLOCS), numfrees: dword(KS.KSA_NUMFREES), size,
    };
  }
  const numallocs = dword(KS.KS64_CALLS * 2);
  const numfrees = BigInt.asUintN(64, numallocs - dword(KS.KS64_INUSE * 2));
  return { memalloced: dword(KS.KS64_MEMUSE * 2), memfreed: 0n, numallocs, numfrees, size };
}

/** malloc(9)'s statistics lie where ks_handle points, the slab allocator's in the record. */
function slot(memory: Memory, type: number, cpu: number): CpuStats {
  const first = isFreebsd(memory) ? peek(memory, type, KS.KS_HANDLE) : type + KS.mtsOffset(memory.ncpu) * 8;
  const mts = first + cpu * KS.mtsStride(memory.sb(SB_STATS)) * 8;
  const dword = (at: number) => (first === 0 ? 0n : peek64(memory, mts, at * 2));
  return {
    memalloced: dword(KS.MTS_MEMALLOCED), memfreed: dword(KS.MTS_MEMFREED),
    numallocs: dword(KS.MTS_NUMALLOCS), numfrees: dword(KS.MTS_NUMFREES), size: dword(KS.MTS_SIZE),
  };
}

function usage(memory: Memory, type: number): TypeUsage {
  const { name, cpus } = typeStats(memory, type);
  const { memalloced, memfreed, numallocs, numfrees } = sumStats(cpus);
  return {
    address: type, name, inuse: clamped(numallocs - numfrees), memuse: clamped(memalloced - memfreed),
    requests: Number(numallocs),
  };
}

/** All CPUs together; the mask is the OR of theirs. Sums are of u64, and not clamped. */
export function sumStats(cpus: readonly CpuStats[]): CpuStats {
  const sum = (field: keyof CpuStats) => BigInt.asUintN(64, cpus.reduce((total, cpu) => total + cpu[field], 0n));
  return {
    memalloced: sum('memalloced'), memfreed: sum('memfreed'), numallocs: sum('numallocs'), numfrees: sum('numfrees'),
    size: cpus.reduce((mask, cpu) => mask | cpu.size, 0n),
  };
}

/** A difference of two u64 as a count: less than nothing is nothing. */
export function clamped(difference: bigint): number {
  const signed = BigInt.asIntN(64, difference);
  return Number(signed < 0n ? 0n : signed);
}
