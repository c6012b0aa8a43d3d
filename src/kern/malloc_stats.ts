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
import { STATS_ATOMIC, STATS_CRITICAL, STATS_MUTEX, STATS_NONE, STATS_UNPADDED } from '../base/policy.js';
import { add, load, racy64 } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { i32, i64 } from '../hw/heap.js';
import { SB_DEFECTS, SB_STATS } from '../hw/superblock.layout.js';
import { intrDisable, intrRestore } from './critical.js';
import { NCPU } from './globaldata.js';
import { mtxLock, mtxUnlock } from './kern_mutex.js';
import {
  KS64_CALLS, KS64_INUSE, KS64_MAXUSED, KS64_MEMUSE, KS_MTX, KS_USE, KSA_MEMALLOCED, KSA_MEMFREED, KSA_NUMALLOCS,
  KSA_NUMFREES, KU_WORDS, KU_WRITER, MTS_MEMALLOCED, MTS_MEMFREED, MTS_NUMALLOCS, MTS_NUMFREES, mtsOffset, mtsStride,
} from './malloc_type.layout.js';
import { panic } from './panic.js';

declare const INVARIANTS: boolean;
declare const DEFECTS: boolean;

const STATS = i32[SB_STATS];
const R1 = DEFECTS && (i32[SB_DEFECTS] & D_R1) !== 0;
const R2 = DEFECTS && (i32[SB_DEFECTS] & D_R2) !== 0;
const R4 = DEFECTS && (i32[SB_DEFECTS] & D_R4) !== 0;
/** the two policies that write the CPU's own slot */
const OWN_SLOT = STATS === STATS_CRITICAL || STATS === STATS_UNPADDED;
const MTS = mtsOffset(NCPU);
const STRIDE = mtsStride(STATS);

/**
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
 * malloc_type_allocated: one update on its own, with the protection its policy asks for: for `critical` a hard section,
 * since it is a few accesses that call nothing. Thread context.
 */
export function mallocTypeAllocated(type: number, sizeAt: number): void {
  if (!OWN_SLOT) return sharedAllocated(type, sizeAt);
  if (!R2) intrDisable();
  mtsAllocated(type, sizeAt);
  if (!R2) intrRestore();
}

export function mallocTypeFreed(type: number, sizeAt: number): void {
  if (!OWN_SLOT) return sharedFreed(type, sizeAt);
  if (!R2) intrDisable();
  mtsFreed(type, sizeAt);
  if (!R2) intrRestore();
}

/** R39: counts a free in the slot of another CPU, which may be writing it. Called where that defect is switched on. */
export function mtsFreedOn(type: number, sizeAt: number, cpu: number): void {
  if (!OWN_SLOT) return sharedFreed(type, sizeAt);
  const mts = (type >>> 3) + MTS + cpu * STRIDE;
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
  i64[td + KS64_MEMUSE] -= BigInt(size);
  i64[td + KS64_INUSE] -= 1n;
  unlockType(tw + KS_MTX);
}

/** 64-bit count from 32-bit adds: the carry is whoever's add wrapped the low word. */
function addPair(word: number, delta: number): void {
  const old = add(word, delta) >>> 0;
  if (old + delta >= 0x100000000) add(word + 1, 1);
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
    const mts = (type >>> 3) + MTS + cpu * STRIDE;
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

/** The high word is read on both sides of the low one; a carry under way may still be missing (the sum is a hint). */
function readPair(word: number): number {
  for (;;) {
    const high = load(word + 1);
    const low = load(word) >>> 0;
    if (load(word + 1) === high) return high * 0x100000000 + low;
  }
}
