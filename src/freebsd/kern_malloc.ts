/**
 * kern_malloc.ts — malloc(9): powers of two up to a page from UMA, whole pages above (FreeBSD sys/kern/kern_malloc.c,
 * 2005-2006: malloc, free).
 *
 *   malloc(size)  ─ size <= 4096 ──► kmemsize[] ──► zone ──► the CPU's alloc bucket        first path, no lock
 *                 ─ else         ──► uma_large_malloc
 *   free(addr)    ──► page ──► slab ──► keg ──► its zone ──► the CPU's free bucket         first path, no lock
 *
 * A block freed on another CPU than it was allocated on simply goes into that CPU's bucket: no message, no list; memory
 * moves from CPU to CPU by whole buckets, through the zone.
 *
 * Rules
 *   I1  buckets and the CPU's statistics are touched in one critical section; nothing in it can be interrupted.
 *   I2  only successful allocations are counted, and a failure makes no critical section.
 *   I3  a type that has no ks_handle is not defined, or no longer: the slow path says so.
 *   I4  checks, injected failures, event records, DIAGNOSTIC and MALLOC_PROFILE are the slow path's business.
 * Runs in   thread context with M_WAITOK, any with M_NOWAIT.
 * See       docs/design/uma.md
 */
import { D_R7 } from '../base/defects.js';
import { MSG_BAD_FLAGS } from '../base/messages.js';
import {
  P_BAD_FREE_TYPE, P_BAD_MALLOC_TYPE, P_FREE_UNALLOCATED, P_KMEM_MAP, P_WAITOK_INTR, P_WAITOK_NULL,
} from '../base/panics_freebsd.js';
import { PAGE_SHIFT, PAGE_SIZE } from '../base/param.js';
import { cas, racy } from '../hw/atomics.js';
import { intrUnmask } from '../hw/cpufunc.js';
import { curcpu } from '../hw/curcpu.js';
import { defect } from '../hw/defect.js';
import { i32, u8 } from '../hw/heap.js';
import { KASAN_CLIENT, KASAN_FREED, kasanMark } from '../hw/kasan.js';
import { fill32 } from '../hw/mem.js';
import {
  SB_DIAGNOSTIC, SB_NPAGES, SB_PROFILE, SB_SOFT_CRITICAL, SB_UPTIME, SB_WORDS,
} from '../hw/superblock.layout.js';
import { intrDisable, intrRestore } from '../kern/critical.js';
import { mycpu } from '../kern/globaldata.js';
import { GD_NESTING } from '../kern/globaldata.layout.js';
import { KTR, ktr } from '../kern/ktr.js';
import { KTR_FREE, KTR_MALLOC } from '../kern/ktr.layout.js';
import { mprofCount } from '../kern/malloc_profile.js';
import {
  mallocTypeAllocated, mallocTypeFreed, mtsZoneAllocated, mtsZoneFreed,
} from '../kern/malloc_stats.js';
import { KS_HANDLE, KS_MAGIC, M_MAGIC } from '../kern/malloc_type.layout.js';
import { panic } from '../kern/panic.js';
import { kprintf } from '../kern/subr_prf.js';
import { KVA_BYTES } from '../vm/kmemusage.js';
import { PG_BUCKET, PG_FLAGS, PG_WORDS, PG_ZONE } from '../vm/vm_page.layout.js';
import { vmPage } from '../vm/vm_phys.js';
import { KMZ_SIZE, KMZ_ZONES, MF_BADFLAGS } from './kern_malloc.layout.js';
import { KMALLOC } from './kern_malloc_words.js';
import { KMEM_ZMAX, M_NOWAIT, M_NULLOK, M_POWEROF2, M_WAITOK, M_ZERO } from './malloc.js';
import { mallocFailed, mallocMustFail } from './malloc_fail.js';
import { UMA_SLAB_MALLOC } from './uma.js';
import { cacheEnter, cacheExit, swapBuckets, umaZallocArg, umaZfreeArg } from './uma_core.js';
import { lastWord, TRASH, UMA_DBG } from './uma_dbg.js';
import { umaReclaim } from './uma_drain.js';
import {
  KMEM_PAGES, UB_BUCKET, UB_CNT, UB_ENTRIES, UC_ALLOCBUCKET, UC_FREEBUCKET, UK_SIZE,
  UK_ZONES, UC_WORDS, US_FLAGS, US_KEG, US_SIZE, US_SIZE64, UZ_CPU, UZ_SIZE,
} from './uma_int.layout.js';
import { mayWait, UMA, vtoslab } from './uma_int.js';
import { umaLargeFree, umaLargeMalloc } from './uma_large.js';

declare const DEFECTS: boolean;
declare const INVARIANTS: boolean;
declare const STEPPED: boolean;

const DIAGNOSTIC = i32[SB_DIAGNOSTIC] !== 0;
const PROFILE = i32[SB_PROFILE] !== 0;
const SOFT = i32[SB_SOFT_CRITICAL] !== 0;
/** I4 */
const FAST_FREE = !KTR && !TRASH && UMA_DBG === 0 && !SOFT;
const FAST_MALLOC = FAST_FREE && !DIAGNOSTIC && !PROFILE;
const ZMAX = FAST_MALLOC ? KMEM_ZMAX : -1;
const SIZES = (KMALLOC + KMZ_SIZE) * 4;
const ZONES = KMALLOC + KMZ_ZONES;
const PGA = vmPage(0);
const PGA_END = vmPage(i32[SB_NPAGES]);
/** flag of a page whose items may go to a bucket without a question */
const PG_DIRECT = FAST_FREE ? PG_BUCKET : 0;
const DIAGNOSTIC_FILL = 0x70707070;
const R7 = DEFECTS && defect(D_R7);
/** the size of nothing: the superblock's last words are always 0 */
const NO_BYTES = (SB_WORDS - 2) >>> 1;

/**
 * malloc(9).
 * @param size bytes; 0 is 16
 * @param type address of the malloc_type
 * @param flags one of M_WAITOK and M_NOWAIT, with M_ZERO, M_NOVM, M_USE_RESERVE
 * @returns address of the block, aligned to its size rounded up to a power of two, 0 without memory (M_NOWAIT)
 */
export function malloc(size: number, type: number, flags: number): number {
  const handle = i32[(type >>> 2) + KS_HANDLE];
  if (size >>> 0 <= ZMAX && flags === M_WAITOK && handle !== 0) {
    const zindx = u8[SIZES + ((size + 15) >>> 4)];
    const zw = i32[ZONES + zindx] >>> 2;
    intrDisable();
    // cacheOf, written out: V8 inlines what is short enough
    const cache = zw + UZ_CPU + curcpu * UC_WORDS;
    const bw = i32[cache + UC_ALLOCBUCKET] >>> 2;
    const cnt = i32[bw + UB_CNT] - 1;
    if (bw !== 0 && cnt >= 0) {
      const item = i32[bw + UB_BUCKET + cnt];
      i32[bw + UB_CNT] = cnt;
      if (INVARIANTS) i32[bw + UB_BUCKET + cnt] = 0;
      mtsZoneAllocated(type, handle, (zw + UZ_SIZE) >>> 1, zindx);
      intrRestore();
      if (STEPPED) kasanMark(item, i32[zw + UZ_SIZE], KASAN_CLIENT);
      return item;
    }
    intrUnmask();
  }
  return mallocSlow(size, type, flags);
}

/**
 * free(9).
 * @param addr what malloc returned, on whatever CPU; 0 is nothing to free
 * @param type address of the malloc_type it was allocated with
 */
export function free(addr: number, type: number): void {
  const page = PGA + (addr >>> PAGE_SHIFT) * PG_WORDS;
  const handle = i32[(type >>> 2) + KS_HANDLE];
  // an address past the memory would have its page among other words
  if (page < PGA_END && (i32[page + PG_FLAGS] & PG_DIRECT) !== 0 && handle !== 0) {
    const zw = i32[page + PG_ZONE] >>> 2;
    intrDisable();
    const cache = zw + UZ_CPU + curcpu * UC_WORDS;
    const bw = i32[cache + UC_FREEBUCKET] >>> 2;
    const cnt = i32[bw + UB_CNT];
    if (bw !== 0 && cnt < i32[bw + UB_ENTRIES]) {
      if (STEPPED) kasanMark(addr, i32[zw + UZ_SIZE], KASAN_FREED);
      i32[bw + UB_BUCKET + cnt] = addr;
      i32[bw + UB_CNT] = cnt + 1;
      mtsZoneFreed(type, handle, (zw + UZ_SIZE) >>> 1);
      // no poll: the buckets run out, and malloc polls
      intrUnmask();
      return;
    }
    intrUnmask();
  }
  freeSlow(addr, type);
}

/** The zone that serves a size up to KMEM_ZMAX. */
export function kmemZone(size: number): number {
  return i32[ZONES + u8[SIZES + ((size + 15) >>> 4)]];
}

function mallocSlow(asked: number, type: number, flags: number): number {
  const size = asked >>> 0;
  // most often the alloc bucket has run out, and the free bucket has what is wanted
  if (size <= ZMAX && flags === M_WAITOK && i32[(type >>> 2) + KS_HANDLE] !== 0 && swapBuckets(kmemZone(size) >>> 2)) {
    return malloc(size, type, flags);
  }
  if (i32[(type >>> 2) + KS_MAGIC] !== M_MAGIC) panic(P_BAD_MALLOC_TYPE, type);
  if ((flags & M_POWEROF2) !== 0) return malloc(powerOf2(size), type, flags & ~M_POWEROF2);
  if ((flags & M_NULLOK) !== 0 && mayWait(flags)) return patientMalloc(size, type, flags);
  const wanted = INVARIANTS ? checkFlags(flags) : flags;
  if (!mayWait(wanted) && mallocMustFail(size, type)) return 0;
  if (INVARIANTS && mayWait(wanted) && i32[mycpu() + GD_NESTING] !== 0) panic(P_WAITOK_INTR, type);
  const block = size <= KMEM_ZMAX ? zoneMalloc(size, type, wanted) : largeMalloc(size, type, wanted);
  if (block === 0) {
    if (INVARIANTS && mayWait(wanted)) panic(P_WAITOK_NULL, type);
    if (R7) mallocTypeAllocated(type, NO_BYTES);
    mallocFailed();
    return 0;
  }
  if (DIAGNOSTIC && (wanted & M_ZERO) === 0) fill32(block, DIAGNOSTIC_FILL, (size + 3) & ~3);
  if (KTR) ktr(KTR_MALLOC, block, type, size);
  return block;
}

/**
 * M_NULLOK beside M_WAITOK, which malloc(9) does not have: for callers who would rather have nothing than sleep, though
 * everybody is asked to give back what he can.
 */
function patientMalloc(size: number, type: number, flags: number): number {
  const nowait = (flags & ~(M_NULLOK | M_WAITOK)) | M_NOWAIT;
  const block = malloc(size, type, nowait);
  if (block !== 0) return block;
  umaReclaim(true);
  return malloc(size, type, nowait);
}

/** Zones and whole pages are aligned to their size when that is a power of two. */
function powerOf2(size: number): number {
  return size <= 1 ? size : 2 ** (32 - Math.clz32(size - 1));
}

/** Exactly one of M_WAITOK and M_NOWAIT, or the kernel says so, once a second, and goes on with M_WAITOK. */
function checkFlags(flags: number): number {
  const wait = flags & (M_WAITOK | M_NOWAIT);
  if (wait === M_WAITOK || wait === M_NOWAIT) return flags;
  const now = racy(SB_UPTIME) + 1;
  const last = racy(KMALLOC + MF_BADFLAGS);
  if (last !== now && cas(KMALLOC + MF_BADFLAGS, last, now)) kprintf(MSG_BAD_FLAGS, flags);
  return (flags & ~M_NOWAIT) | M_WAITOK;
}

function zoneMalloc(size: number, type: number, flags: number): number {
  const zindx = u8[SIZES + ((size + 15) >>> 4)];
  const zone = kmemZone(size);
  const zw = zone >>> 2;
  const item = umaZallocArg(zone, 0, flags);
  if (item === 0) return 0;
  if (PROFILE) mprofCount(size, i32[zw + UZ_SIZE]);
  cacheEnter();
  mtsZoneAllocated(type, i32[(type >>> 2) + KS_HANDLE], (zw + UZ_SIZE) >>> 1, zindx);
  cacheExit();
  if (STEPPED) kasanMark(item, i32[zw + UZ_SIZE], KASAN_CLIENT);
  return item;
}

function largeMalloc(size: number, type: number, flags: number): number {
  if (size > KVA_BYTES) return mayWait(flags) ? panic(P_KMEM_MAP, size, i32[UMA + KMEM_PAGES] * PAGE_SIZE) : 0;
  const block = umaLargeMalloc(Math.ceil(size / PAGE_SIZE) * PAGE_SIZE, flags);
  if (block === 0) return 0;
  const sw = vtoslab(block) >>> 2;
  if (PROFILE) mprofCount(size, i32[sw + US_SIZE]);
  mallocTypeAllocated(type, (sw + US_SIZE64) >>> 1);
  if (STEPPED) kasanMark(block, i32[sw + US_SIZE], KASAN_CLIENT);
  return block;
}

function freeSlow(addr: number, type: number): void {
  if (addr === 0) return;
  if (i32[(type >>> 2) + KS_MAGIC] !== M_MAGIC) panic(P_BAD_FREE_TYPE, type);
  const slab = vtoslab(addr);
  if (slab === 0) panic(P_FREE_UNALLOCATED, addr, addr & ~(PAGE_SIZE - 1));
  const sw = slab >>> 2;
  const large = (i32[sw + US_FLAGS] & UMA_SLAB_MALLOC) !== 0;
  if (KTR) ktr(KTR_FREE, addr, type, 0);
  if (STEPPED) kasanMark(addr, large ? i32[sw + US_SIZE] : i32[(i32[sw + US_KEG] >>> 2) + UK_SIZE], KASAN_FREED);
  if (!large) return zoneFree(addr, type, slab);
  if (addr !== (addr & ~(PAGE_SIZE - 1))) panic(P_FREE_UNALLOCATED, addr, addr & ~(PAGE_SIZE - 1));
  mallocTypeFreed(type, (sw + US_SIZE64) >>> 1);
  umaLargeFree(slab);
}

/** The statistics follow the item, as in the kernel: the block is not ours to look at any more. */
function zoneFree(addr: number, type: number, slab: number): void {
  const kw = i32[(slab >>> 2) + US_KEG] >>> 2;
  const zone = i32[kw + UK_ZONES];
  // who used it last: a write after this free can be blamed on somebody
  if (TRASH) i32[lastWord(addr, i32[kw + UK_SIZE])] = type;
  umaZfreeArg(zone, addr, slab);
  cacheEnter();
  mtsZoneFreed(type, i32[(type >>> 2) + KS_HANDLE], ((zone >>> 2) + UZ_SIZE) >>> 1);
  cacheExit();
}
