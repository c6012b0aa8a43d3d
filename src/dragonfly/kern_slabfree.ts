/**
 * kern_slabfree.ts — kfree: a chunk back to its zone.
 *
 * Follows   DragonFly sys/kern/kern_slaballoc.c kfree.
 *
 *        freer == owner                       freer != owner
 *   ┌────────────────────────────┐     ┌──────────────────────────────────────┐
 *   │ push on LChunks, NFree++   │     │ own statistics, then slab_remote.ts: │
 *   │ first chunk: onto ZoneAry  │     │ after the link the zone may vanish,  │
 *   │ last one home: FreeZones?  │     │ unless the policy pins it            │
 *   └────────────────────────────┘     └──────────────────────────────────────┘
 *
 * How a pointer is judged: kmemusage of its own page > 0, an oversized block; else kmemusage of its zone's first page
 * says -(owner + 1). That word is the allocator's own, not the client's, so no block's contents can pass for a zone.
 * Runs in   thread or interrupt context.
 */
import { D_R34, D_R39 } from '../base/defects.js';
import { P_BADFREE, P_BADFREE2, P_FREE_MAGIC, P_NULLFREE } from '../base/panics.js';
import { IPIF_FREE_REMOTE } from '../base/ipif.js';
import { FREE_IPI, FREE_LOCKED } from '../base/policy.js';
import { racy } from '../hw/atomics.js';
import { intrUnmask } from '../hw/cpufunc.js';
import { curcpu } from '../hw/curcpu.js';
import { defect } from '../hw/defect.js';
import { i32 } from '../hw/heap.js';
import { KASAN_FREED, kasanMark } from '../hw/kasan.js';
import { SB_NPAGES } from '../hw/superblock.layout.js';
import { critEnter, critExit, intrDisable } from '../kern/critical.js';
import { KTR, ktr } from '../kern/ktr.js';
import { KTR_FREE } from '../kern/ktr.layout.js';
import { ipiqRegister } from '../kern/lwkt_ipiq.js';
import { mtsFreed, mtsFreedOn } from '../kern/malloc_stats.js';
import { KS_MAGIC, M_MAGIC } from '../kern/malloc_type.layout.js';
import { panic } from '../kern/panic.js';
import { btokup, KVA_BYTES, KVA_START } from '../vm/kmemusage.js';
import { chunkMarkFree, chunkPoison } from './chunk.js';
import { slabLock, slabUnlock } from './kern_slablock.js';
import { checkZoneFree } from './kern_slabzone.js';
import { ZERO_LENGTH_PTR } from './malloc.js';
import { freeOversized } from './oversized.js';
import { remoteFree } from './slab_remote.js';
import {
  Z_BASEPTR, Z_CHUNKSIZE, Z_CPU, Z_LCHUNKS, Z_LISTED, Z_MAGIC, Z_NFREE, Z_NSPAN, ZALLOC_SLAB_MAGIC,
} from './slaballoc.layout.js';
import { FREE, slgdFind, zoneOf, zoneRelist } from './slglobaldata.js';

declare const INVARIANTS: boolean;
declare const STEPPED: boolean;
declare const DEFECTS: boolean;

const R34 = DEFECTS && defect(D_R34);
const R39 = DEFECTS && defect(D_R39);
/** checks, locks and event records are the slow path's business */
const FAST_PATH = FREE !== FREE_LOCKED && !INVARIANTS && !KTR;
/**
 * Bits no block's address has: its alignment, and everything from the power of two above the memory's end. Between the
 * two, kmemusage is continued by the page array, which holds nothing negative.
 */
const NO_POINTER = 7 | ~((1 << (32 - Math.clz32(i32[SB_NPAGES] * 4096 - 1))) - 1);

/**
 * Frees a block.
 * @param ptr what kmalloc returned, on whatever CPU
 * @param type address of the malloc_type it was allocated with
 */
export function kfree(ptr: number, type: number): void {
  const z = zoneOf(ptr);
  const zw = z >>> 2;
  // -(owner + 1) in kmemusage says: an active zone, and ours. It does not change while one of its chunks is out.
  if (
    FAST_PATH && (ptr & NO_POINTER) === 0 && racy(btokup(z)) === ~curcpu &&
    i32[(type >>> 2) + KS_MAGIC] === M_MAGIC
  ) {
    if (STEPPED) kasanMark(ptr, i32[zw + Z_CHUNKSIZE], KASAN_FREED);
    intrDisable();
    const nfree = i32[zw + Z_NFREE] + 1;
    i32[ptr >>> 2] = i32[zw + Z_LCHUNKS];
    i32[zw + Z_LCHUNKS] = ptr;
    i32[zw + Z_NFREE] = nfree;
    mtsFreed(type, (zw + Z_CHUNKSIZE) >>> 1);
    if ((nfree - 2) >>> 0 >= i32[zw + Z_NSPAN]) zoneFreedSlow(z);
    // no poll: blocks of ours run out, and kmalloc polls
    intrUnmask();
  } else {
    kfreeSlow(ptr, type);
  }
}

/**
 * Everything that is not a chunk of this CPU's own zones, and what is wrong with it.
 * @param marked stepped: the CPU that called kfree has marked the chunk; a second mark would look like a second free
 */
function kfreeSlow(ptr: number, type: number, marked?: boolean): void {
  if (ptr === 0) panic(P_NULLFREE);
  if (ptr === ZERO_LENGTH_PTR) return;
  if (i32[(type >>> 2) + KS_MAGIC] !== M_MAGIC) panic(P_FREE_MAGIC, type);
  const z = ownerZone(ptr);
  if (STEPPED && z !== 0 && marked !== true) kasanMark(ptr, i32[(z >>> 2) + Z_CHUNKSIZE], KASAN_FREED);
  if (KTR) ktr(KTR_FREE, ptr, type, 0);
  if (z === 0) {
    freeOversized(ptr, type);
    return;
  }
  critEnter();
  const owner = i32[(z >>> 2) + Z_CPU];
  if (owner === curcpu || FREE === FREE_LOCKED) {
    const sl = slabLock(owner);
    mtsFreed(type, ((z >>> 2) + Z_CHUNKSIZE) >>> 1);
    chunkFree(z, ptr);
    slabUnlock(sl);
  } else {
    // policy `ipi`: the owner does the accounting, as it did in 2005
    if (FREE !== FREE_IPI && R39) mtsFreedOn(type, ((z >>> 2) + Z_CHUNKSIZE) >>> 1, owner);
    else if (FREE !== FREE_IPI) mtsFreed(type, ((z >>> 2) + Z_CHUNKSIZE) >>> 1);
    remoteFree(z, ptr, type);
  }
  critExit();
}

/**
 * The zone a block lies in, 0 for an oversized block.
 * @throws panic BADFREE for anything kmalloc cannot have returned
 */
export function ownerZone(ptr: number): number {
  if ((ptr - KVA_START) >>> 0 >= KVA_BYTES || (ptr & 7) !== 0) panic(P_BADFREE, ptr);
  if (racy(btokup(ptr)) > 0) return (ptr & 4095) === 0 ? 0 : panic(P_BADFREE, ptr);
  const z = zoneOf(ptr);
  const zw = z >>> 2;
  if (z < KVA_START || racy(btokup(z)) >= 0 || i32[zw + Z_MAGIC] !== ZALLOC_SLAB_MAGIC) panic(P_BADFREE, ptr);
  if (ptr < i32[zw + Z_BASEPTR]) panic(P_BADFREE, ptr);
  return z;
}

/** Puts a chunk on its zone's own list, which is this CPU's or locked. */
function chunkFree(z: number, chunk: number): void {
  const zw = z >>> 2;
  if (INVARIANTS) {
    chunkMarkFree(z, chunk);
    chunkPoison(chunk, i32[zw + Z_CHUNKSIZE]);
    const next = i32[zw + Z_LCHUNKS];
    if (next !== 0 && zoneOf(next) !== z) panic(P_BADFREE2, next);
  }
  i32[chunk >>> 2] = i32[zw + Z_LCHUNKS];
  i32[zw + Z_LCHUNKS] = chunk;
  i32[zw + Z_NFREE]++;
  zoneFreedSlow(z);
}

/** The zone has its first chunk again, or its last. */
function zoneFreedSlow(z: number): void {
  const sl = slgdFind(i32[(z >>> 2) + Z_CPU]);
  if (i32[(z >>> 2) + Z_LISTED] === 0) zoneRelist(sl, z);
  checkZoneFree(sl, z, false);
}

/** free_remote, policy `ipi`: another CPU's kfree, carried on by the owner. IPI context. */
function freeRemote(chunk: number, type: number): void {
  const told = R34 ? i32[chunk >>> 2] : type;
  if (STEPPED) kfreeSlow(chunk, told, true);
  else kfree(chunk, told);
}

ipiqRegister(IPIF_FREE_REMOTE, freeRemote);
