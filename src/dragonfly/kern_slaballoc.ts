/**
 * kern_slaballoc.ts — kmalloc: a chunk from this CPU's own zones, without a lock.
 *
 * Follows   DragonFly sys/kern/kern_slaballoc.c kmalloc (5fee07e6 and later).
 *
 *   1  first zone of the class has a chunk on LChunks and one more behind it: pop, count, done        kmalloc
 *   2  else the never-used area, else what other CPUs freed (zoneExhausted), else a new zone          chunkAlloc
 *   3  oversized (>= ZoneLimit, or whole pages beyond two): straight from the page allocator          mallocOversized
 *   4  no pages: ask all CPUs for their reserves, then fail or sleep                                  memoryShortage
 *
 * Rules
 *   I1  ZoneAry, zone line 1 and the CPU's statistics are touched in a critical section only.
 *   I2  accounting goes to the CPU that issues the call (except policy `ipi`: history).
 *   I3  a type's limit is looked at on the slow path, when the CPU's allowance is used up or a zone runs out. The
 *       allowance is what the CPU may take there without looking: at most ZoneSize and its share of what is left. So a
 *       type may overshoot by a zone a CPU (ks_loosememuse, made per CPU).
 * Runs in   thread or interrupt context; with M_WAITOK in thread context outside critical sections.
 * See       docs/design/slab-zones.md
 */
import { P_CORRUPTED_ZONE, P_MALLOC_LIMIT, P_MALLOC_MAGIC } from '../base/panics.js';
import { FREE_LOCKED } from '../base/policy.js';
import { store } from '../hw/atomics.js';
import { intrUnmask } from '../hw/cpufunc.js';
import { curcpu } from '../hw/curcpu.js';
import { i32, u8 } from '../hw/heap.js';
import { KASAN_CLIENT, kasanMark } from '../hw/kasan.js';
import { bzero, fill32 } from '../hw/mem.js';
import { SB_MALLOC_PATTERN, SB_ZINDEX } from '../hw/superblock.layout.js';
import { critEnter, critExit, intrDisable, intrRestore } from '../kern/critical.js';
import { NCPU } from '../kern/globaldata.js';
import { KTR, ktr } from '../kern/ktr.js';
import { KTR_MALLOC } from '../kern/ktr.layout.js';
import { mprofCount, PROFILE } from '../kern/malloc_profile.js';
import { mtsAllocated, mallocTypeMemuse } from '../kern/malloc_stats.js';
import {
  KS_LIMIT, KS_LOOSEMEMUSE, KS_MAGIC, KS_USE, KU_ALLOWANCE, KU_WORDS, M_MAGIC,
} from '../kern/malloc_type.layout.js';
import { panic } from '../kern/panic.js';
import { KVA_BYTES } from '../vm/kmemusage.js';
import { vmFreeCount } from '../vm/vm_page.js';
import { chunkMarkAllocated, chunkVerify } from './chunk.js';
import { memoryShortage, roundPage } from './kmem_slab.js';
import { slabLock, slabUnlock } from './kern_slablock.js';
import { zoneCreate, zonesKeep, zonesOver, zonesRelease } from './kern_slabzone.js';
import { M_NULLOK, M_POWEROF2, M_RNOWAIT, M_ZERO, ZERO_LENGTH_PTR } from './malloc.js';
import { zoneExhausted } from './slab_remote.js';
import {
  SL_ZONEARY, SLZF_UNOTZEROD, Z_BASEPTR, Z_CHUNKSIZE, Z_FLAGS, Z_LCHUNKS, Z_NFREE, Z_NMAX, Z_UENDINDEX,
  Z_UINDEX,
} from './slaballoc.layout.js';
import { FREE, myslgd, ZONE_LIMIT, ZONE_SIZE } from './slglobaldata.js';
import { mallocOversized } from './oversized.js';
import { zoneChunkSize } from './zoneindex.js';

declare const INVARIANTS: boolean;
declare const STEPPED: boolean;

const ZINDEX = i32[SB_ZINDEX];
const PATTERN = i32[SB_MALLOC_PATTERN] !== 0;
/** checks, locks, event records and MALLOC_PROFILE are the slow path's business */
const FAST_PATH = FREE !== FREE_LOCKED && !INVARIANTS && !KTR && !PROFILE;
/** sizes up to here take the first path: no oversized block among them */
const FAST_LIMIT = FAST_PATH ? Math.min(ZONE_LIMIT - 1, 8192) : 0;
const SLOW_FLAGS = M_ZERO | M_POWEROF2;

/**
 * Allocates memory.
 * @param size bytes
 * @param type address of the malloc_type it is accounted to
 * @param flags M_* of malloc.ts: exactly one of M_WAITOK and M_RNOWAIT (M_NOWAIT has it)
 * @returns its address, aligned to 8 and to its size when that is a power of two; 0 when there is no memory (M_NOWAIT,
 *   M_NULLOK); ZERO_LENGTH_PTR for size 0
 */
export function kmalloc(size: number, type: number, flags: number): number {
  if ((size - 1) >>> 0 < FAST_LIMIT && (flags & SLOW_FLAGS) === 0) {
    intrDisable();
    const z = i32[myslgd() + SL_ZONEARY + u8[ZINDEX + ((size + 7) >>> 3)]];
    const zw = z >>> 2;
    const chunk = z === 0 ? 0 : i32[zw + Z_LCHUNKS];
    const nfree = i32[zw + Z_NFREE] - 1;
    if (chunk !== 0 && nfree > 0) {
      i32[zw + Z_LCHUNKS] = i32[chunk >>> 2];
      i32[zw + Z_NFREE] = nfree;
      mtsAllocated(type, (zw + Z_CHUNKSIZE) >>> 1);
      intrRestore();
      if (STEPPED) kasanMark(chunk, zoneChunkSize(size), KASAN_CLIENT);
      return chunk;
    }
    intrUnmask();
  }
  return kmallocSlow(size, type, flags);
}

function kmallocSlow(size: number, type: number, flags: number): number {
  if (i32[(type >>> 2) + KS_MAGIC] !== M_MAGIC) panic(P_MALLOC_MAGIC, type);
  if (size === 0) return ZERO_LENGTH_PTR;
  const asked = size;
  if ((flags & M_POWEROF2) !== 0 && size >>> 0 <= 0x80000000) size = 1 << (32 - Math.clz32(size - 1));
  if ((flags & M_RNOWAIT) === 0 && zonesOver(myslgd())) zonesRelease(zonesKeep());
  const oversized = size >>> 0 >= ZONE_LIMIT || ((size & 4095) === 0 && size > 8192);
  const bytes = oversized ? roundPage(size) : zoneChunkSize(size);
  if (!withinLimit(type, bytes, flags)) return 0;
  for (let looks = 0; ; ) {
    // what is freed from here on is news to the wait below
    const free = vmFreeCount();
    const block = oversized ? mallocOversized(bytes, type) : chunkAlloc(size, bytes, type);
    if (block !== 0) {
      if (PROFILE) mprofCount(asked, bytes);
      return finish(block, bytes, type, flags);
    }
    looks = memoryShortage(oversized ? bytes : ZONE_SIZE, flags, looks, free);
    if (looks < 0) return 0;
  }
}

/** Takes the bytes from the CPU's allowance; looks at the limit when that is used up (I3). */
function withinLimit(type: number, bytes: number, flags: number): boolean {
  const tw = type >>> 2;
  const use = tw + KS_USE + curcpu * KU_WORDS;
  const left = i32[use + KU_ALLOWANCE] - bytes;
  if (left >= 0) {
    i32[use + KU_ALLOWANCE] = left;
    return true;
  }
  const limit = i32[tw + KS_LIMIT] >>> 0;
  if (limit >= KVA_BYTES) {
    i32[use + KU_ALLOWANCE] = ZONE_SIZE;
    return true;
  }
  const ttl = mallocTypeMemuse(type);
  store(tw + KS_LOOSEMEMUSE, ttl | 0);
  if (ttl >= limit) {
    i32[use + KU_ALLOWANCE] = 0;
    return (flags & M_NULLOK) !== 0 ? false : panic(P_MALLOC_LIMIT, type);
  }
  i32[use + KU_ALLOWANCE] = Math.max(0, Math.min(ZONE_SIZE, Math.floor((limit - ttl) / NCPU)) - bytes);
  return true;
}

/** A chunk by any means but a sleep; 0 when only pages would help. Bit 0 set: known to be zero. */
function chunkAlloc(size: number, chunkSize: number, type: number): number {
  critEnter();
  const sl = slabLock(curcpu);
  const zi = u8[ZINDEX + ((size + 7) >>> 3)];
  let z = i32[sl + SL_ZONEARY + zi];
  let chunk = 0;
  if (z !== 0) {
    // a zone runs out: the fast path has taken from it without asking, so the limit is looked at next (I3)
    if (i32[(z >>> 2) + Z_NFREE] === 1) i32[(type >>> 2) + KS_USE + curcpu * KU_WORDS + KU_ALLOWANCE] = 0;
    chunk = takeChunk(sl, z);
  } else {
    z = zoneCreate(sl, zi, chunkSize);
    if (z !== 0) chunk = neverUsed(z, i32[(z >>> 2) + Z_UINDEX]);
  }
  if (chunk !== 0) {
    if (INVARIANTS) chunkMarkAllocated(z, chunk & ~1);
    mtsAllocated(type, ((z >>> 2) + Z_CHUNKSIZE) >>> 1);
  }
  slabUnlock(sl);
  critExit();
  return chunk;
}

/** One chunk of a zone with NFree > 0. */
function takeChunk(sl: number, z: number): number {
  const zw = z >>> 2;
  if (--i32[zw + Z_NFREE] === 0) zoneExhausted(sl, z);
  const chunk = i32[zw + Z_LCHUNKS];
  if (chunk !== 0) {
    i32[zw + Z_LCHUNKS] = i32[chunk >>> 2];
    if (INVARIANTS) chunkVerify(chunk, i32[zw + Z_CHUNKSIZE]);
    return chunk;
  }
  // the area never handed out is circular: from UEndIndex, where the zone's first chunk was, round to it again
  let uindex = i32[zw + Z_UINDEX] + 1;
  if (uindex === i32[zw + Z_NMAX]) uindex = 0;
  if (uindex === i32[zw + Z_UENDINDEX]) panic(P_CORRUPTED_ZONE, z);
  i32[zw + Z_UINDEX] = uindex;
  return neverUsed(z, uindex);
}

/** Chunk `index` of the never-used area; bit 0 set when the zone's pages were known to be zero. */
function neverUsed(z: number, index: number): number {
  const zw = z >>> 2;
  const chunk = i32[zw + Z_BASEPTR] + index * i32[zw + Z_CHUNKSIZE];
  return (i32[zw + Z_FLAGS] & SLZF_UNOTZEROD) === 0 ? chunk | 1 : chunk;
}

/** Zeroes or fills the new block; nobody else knows it yet. */
function finish(block: number, bytes: number, type: number, flags: number): number {
  const address = block & ~1;
  if ((flags & M_ZERO) !== 0) {
    if ((block & 1) === 0) bzero(address, bytes);
  } else if (PATTERN) {
    fill32(address, -1, bytes);
  }
  if (KTR) ktr(KTR_MALLOC, address, type, bytes);
  if (STEPPED) kasanMark(address, bytes, KASAN_CLIENT);
  return address;
}
