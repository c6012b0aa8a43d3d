/**
 * malloc_stats.ts — counting what a type allocates and frees: one question, six answers.
 *
 *   policy     writes                        protected by                 locked operations an update
 *   critical   own slot, own cache line      the critical section         0
 *   unpadded   own slot, the neighbour's     the critical section         0, and every line transfer of `atomic`
 *   atomic     shared pair of words          atomic adds                  2
 *   mutex      shared record, exact maximum  ks_mtx                       2
 *   mutex-up   the same                      plain stores to ks_mtx (UP)  0: only right on one CPU
 *   none       nothing                                                    0
 *
 * Follows   FreeBSD sys/kern/kern_malloc.c rev. 63a7e0a3 (malloc_type_zone_allocated, malloc_type_freed) and the mutex
 *           version before it. Only successful allocations are counted, and nothing for size 0.
 * Rule      a slot is written by its CPU only; under invariants its last writer is kept and checked.
 * Runs in   mtsAllocated, mtsFreed: inside a critical section. The others: anywhere.
 * See       docs/design/statistics.md
 */
import { D_R1, D_R2, D_R4 } from '../base/defects.js';
import { P_SLOT_WRITER } from '../base/panics.js';
import { P_CONFUSION } from '../base/panics_freebsd.js';
import { STATS_ATOMIC, STATS_CRITICAL, STATS_MUTEX, STATS_NONE, STATS_UNPADDED } from '../base/policy.js';
import { load, or, racy64 } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { defect } from '../hw/defect.js';
import { i32, i64 } from '../hw/heap.js';
import { SB_STATS } from '../hw/superblock.layout.js';
import { FREEBSD } from './alloc.js';
import { intrDisable, intrRestore } from './critical.js';
import { NCPU } from './globaldata.js';
import { mtxLock, mtxUnlock } from './kern_mutex.js';
import {
  KS64_CALLS, KS64_INUSE, KS64_MAXUSED, KS64_MEMUSE, KS_HANDLE, KS_MTX, KS_SIZE, KS_USE, KSA_MEMALLOCED,
  KSA_MEMFREED, KSA_NUMALLOCS, KSA_NUMFREES, KU_WORDS, KU_WRITER, MTS_MEMALLOCED, MTS_MEMFREED,
  MTS_NUMALLOCS, MTS_NUMFREES, MTS_SIZE, mtsOffset, mtsStride,
} from './malloc_type.layout.js';
import { addPair, readPair } from './pair.js';
import { panic } from './panic.js';

declare const INVARIANTS: boolean;
declare const DEFECTS: boolean;

const STATS = i32[SB_STATS];
const R1 = DEFECTS && defect(D_R1);
const R2 = DEFECTS && defect(D_R2);
const R4 = DEFECTS && defect(D_R4);
/** the two policies that write the CPU's own slot */
const OWN_SLOT = STATS === STATS_CRITICAL || STATS === STATS_UNPADDED;
const MTS = mtsOffset(NCPU);
const STRIDE = mtsStride(STATS);

/** Dword index of a CPU's slot of struct malloc_type_stats. malloc(9) has them where ks_handle says. */
function mtsOf(type: number, cpu: number): number {
  return (FREEBSD ? i32[(type >>> 2) + KS_HANDLE] >>> 3 : (type >>> 3) + MTS) + cpu * STRIDE;
}

/**
 * A block of a type whose slots stand in its record.
 * @param type address of the malloc_type
 * @param sizeAt dword index of a 64-bit word that holds the size in bytes: a size that is already 64 bits wide need
 *   not be converted
 */
export function mtsAllocated(type: number, sizeAt: number): void {
  if (!OWN_SLOT) return sharedAllocated(type, sizeAt);
  const mts = (type >>> 3) + MTS + curcpu * STRIDE;
  i64[mts + MTS_MEMALLOCED] += i64[sizeAt];
  i64[mts + MTS_NUMALLOCS] += 1n;
  if (INVARIANTS) checkWriter(type);
}

/** The same for a block that goes back. */
export function mtsFreed(type: number, sizeAt: number): void {
  if (!OWN_SLOT) return sharedFreed(type, sizeAt);
  const mts = (type >>> 3) + MTS + curcpu * STRIDE;
  i64[mts + MTS_MEMFREED] += i64[sizeAt];
  i64[mts + MTS_NUMFREES] += 1n;
  if (INVARIANTS) checkWriter(type);
}

/**
 * malloc_type_zone_allocated: the same for malloc(9), whose slots lie where ks_handle says; and zone index `zindx` is
 * marked as used by the type.
 * @param handle the type's ks_handle, which the caller has looked at: it is not 0
 * @param zindx 0..31
 */
export function mtsZoneAllocated(type: number, handle: number, sizeAt: number, zindx: number): void {
  if (!OWN_SLOT) return sharedZoneAllocated(type, sizeAt, zindx);
  const mts = (handle >>> 3) + curcpu * STRIDE;
  i64[mts + MTS_MEMALLOCED] += i64[sizeAt];
  i64[mts + MTS_NUMALLOCS] += 1n;
  // the low half of the 64-bit mask; the line is being written anyway
  i32[(mts + MTS_SIZE) << 1] |= 1 << zindx;
  if (INVARIANTS) checkWriter(type);
}

/** malloc_type_freed, likewise. */
export function mtsZoneFreed(type: number, handle: number, sizeAt: number): void {
  if (!OWN_SLOT) return sharedFreed(type, sizeAt);
  const mts = (handle >>> 3) + curcpu * STRIDE;
  i64[mts + MTS_MEMFREED] += i64[sizeAt];
  i64[mts + MTS_NUMFREES] += 1n;
  if (INVARIANTS) checkWriter(type);
}

/**
 * malloc_type_allocated: one update on its own, with the protection its policy asks for: for `critical` a hard section,
 * since it is a few accesses that call nothing. Thread context.
 */
export function mallocTypeAllocated(type: number, sizeAt: number): void {
  if (!OWN_SLOT) return sharedAllocated(type, sizeAt);
  if (!R2) intrDisable();
  const mts = mtsOf(type, curcpu);
  i64[mts + MTS_MEMALLOCED] += i64[sizeAt];
  i64[mts + MTS_NUMALLOCS] += 1n;
  if (INVARIANTS) checkWriter(type);
  if (!R2) intrRestore();
}

export function mallocTypeFreed(type: number, sizeAt: number): void {
  if (!OWN_SLOT) return sharedFreed(type, sizeAt);
  if (!R2) intrDisable();
  const mts = mtsOf(type, curcpu);
  i64[mts + MTS_MEMFREED] += i64[sizeAt];
  i64[mts + MTS_NUMFREES] += 1n;
  if (INVARIANTS) checkWriter(type);
  if (!R2) intrRestore();
}

/** R39: counts a free in the slot of another CPU, which may be writing it. Called where that defect is switched on. */
export function mtsFreedOn(type: number, sizeAt: number, cpu: number): void {
  if (!OWN_SLOT) return sharedFreed(type, sizeAt);
  const mts = mtsOf(type, cpu);
  i64[mts + MTS_MEMFREED] += i64[sizeAt];
  i64[mts + MTS_NUMFREES] += 1n;
}

function checkWriter(type: number): void {
  const use = (type >>> 2) + KS_USE + curcpu * KU_WORDS;
  const writer = i32[use + KU_WRITER];
  if (writer !== 0 && writer !== curcpu + 1) panic(P_SLOT_WRITER, use << 2, curcpu, writer - 1);
  i32[use + KU_WRITER] = curcpu + 1;
}

function sharedAllocated(type: number, sizeAt: number): void {
  if (STATS === STATS_NONE) return;
  const size = i32[sizeAt << 1];
  const tw = type >>> 2;
  if (STATS === STATS_ATOMIC) {
    addPair(tw + KSA_MEMALLOCED, size);
    addPair(tw + KSA_NUMALLOCS, 1);
    return;
  }
  const td = type >>> 3;
  lockType(tw + KS_MTX);
  i64[td + KS64_CALLS] += 1n;
  i64[td + KS64_MEMUSE] += BigInt(size);
  i64[td + KS64_INUSE] += 1n;
  if (i64[td + KS64_MEMUSE] > i64[td + KS64_MAXUSED]) i64[td + KS64_MAXUSED] = i64[td + KS64_MEMUSE];
  unlockType(tw + KS_MTX);
}

function sharedZoneAllocated(type: number, sizeAt: number, zindx: number): void {
  sharedAllocated(type, sizeAt);
  if (STATS === STATS_NONE) return;
  const mask = (type >>> 2) + KS_SIZE;
  // ks_size is protected by nothing here but its own atomicity: bits are only ever set
  if ((load(mask) & (1 << zindx)) === 0) or(mask, 1 << zindx);
}

function sharedFreed(type: number, sizeAt: number): void {
  if (STATS === STATS_NONE) return;
  const size = i32[sizeAt << 1];
  const tw = type >>> 2;
  if (STATS === STATS_ATOMIC) {
    addPair(tw + KSA_MEMFREED, size);
    addPair(tw + KSA_NUMFREES, 1);
    return;
  }
  const td = type >>> 3;
  lockType(tw + KS_MTX);
  if (FREEBSD && i64[td + KS64_MEMUSE] < BigInt(size)) panic(P_CONFUSION, type);
  i64[td + KS64_MEMUSE] -= BigInt(size);
  i64[td + KS64_INUSE] -= 1n;
  unlockType(tw + KS_MTX);
}

function lockType(mtx: number): void {
  if (R1) return;
  if (STATS === STATS_MUTEX) mtxLock(mtx);
  else i32[mtx] = curcpu + 1;
}

function unlockType(mtx: number): void {
  if (R1) return;
  if (STATS === STATS_MUTEX) mtxUnlock(mtx);
  else i32[mtx] = 0;
}

/**
 * Bytes in use by a type, summed over CPUs without a lock. CPUs go on writing meanwhile, so the sum belongs to no
 * single moment; a negative one is shown as 0 (R4), and the reads are plain: a late one is no worse than an early sum.
 */
export function mallocTypeMemuse(type: number): number {
  if (STATS === STATS_NONE) return 0;
  return notNegative(OWN_SLOT ? sumSlots(type, MTS_MEMALLOCED, MTS_MEMFREED) : sharedMemuse(type));
}

/** Blocks in use by a type, likewise. */
export function mallocTypeInuse(type: number): number {
  if (STATS === STATS_NONE) return 0;
  return notNegative(OWN_SLOT ? sumSlots(type, MTS_NUMALLOCS, MTS_NUMFREES) : sharedInuse(type));
}

function notNegative(sum: number): number {
  return R4 ? sum : Math.max(0, sum);
}

/** Allocations ever made of a type. */
export function mallocTypeRequests(type: number): number {
  if (STATS === STATS_NONE) return 0;
  if (OWN_SLOT) return sumSlots(type, MTS_NUMALLOCS, -1);
  if (STATS === STATS_ATOMIC) return readPair((type >>> 2) + KSA_NUMALLOCS);
  return Number(racy64((type >>> 3) + KS64_CALLS));
}

function sumSlots(type: number, plus: number, minus: number): number {
  let sum = 0n;
  for (let cpu = 0; cpu < NCPU; cpu++) {
    const mts = mtsOf(type, cpu);
    sum += racy64(mts + plus);
    if (minus >= 0) sum -= racy64(mts + minus);
  }
  return Number(sum);
}

function sharedMemuse(type: number): number {
  const tw = type >>> 2;
  if (STATS === STATS_ATOMIC) return readPair(tw + KSA_MEMALLOCED) - readPair(tw + KSA_MEMFREED);
  return Number(racy64((type >>> 3) + KS64_MEMUSE));
}

function sharedInuse(type: number): number {
  const tw = type >>> 2;
  if (STATS === STATS_ATOMIC) return readPair(tw + KSA_NUMALLOCS) - readPair(tw + KSA_NUMFREES);
  return Number(racy64((type >>> 3) + KS64_INUSE));
}
