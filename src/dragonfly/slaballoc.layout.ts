/**
 * slaballoc.layout.ts — a zone of equal chunks, and what a CPU keeps of its zones (DragonFly sys/sys/slaballoc.h).
 *
 *   z: at one of 16 places in the first page of a ZoneSize-aligned block (slglobaldata.ts, zoneOf)
 *     ┌────────────────────────────────────────┐
 *     │ magic cpu nmax base zoneindex chunksize │ line 0  const while the zone lives: remote freers read it
 *     ├────────────────────────────────────────┤
 *     │ NFree LChunks UIndex UEndIndex  links   │ line 1  owner: plain, in a critical section of CPU z_Cpu
 *     ├────────────────────────────────────────┤
 *     │ RChunks RSignal RCount                  │ line 2  atomic: the remote line
 *     ├────────────────────────────────────────┤
 *     │ bitmap, 1 bit a chunk (invariants)      │ owner   bit set: allocated
 *     ├────────────────────────────────────────┤
 *     │ chunk 0 │ chunk 1 │ ...     │ never used│         chunks belong to whoever holds them
 *     └────────────────────────────────────────┘
 *
 * Identity at quiescence: NFree + allocated + |RChunks| + batched elsewhere = NMax. NFree counts LChunks and the area
 * never handed out. A zone is on its CPU's ZoneAry exactly when NFree > 0 (the policies before `rsignal2` may strand
 * one: R40 in docs/races.md).
 *
 * z_RChunks is the head of a list through the chunks' first words. Under `rtagged` and `rbatch` its bit 0 is z_RSignal:
 * chunks are 8-byte aligned, so list and signal change in one compare-and-swap.
 * Differs  z_LChunksp is not kept: the tail is only wanted when chunks come home, and LChunks is short then.
 */
import { struct } from '../base/struct.js';

export const Z_MAGIC = 0;
export const Z_CPU = 1;
export const Z_NMAX = 2;
export const Z_BASEPTR = 3;
export const Z_ZONEINDEX = 4;
export const Z_FLAGS = 5;
/** bytes, a 64-bit word: statistics add it without conversion */
export const Z_CHUNKSIZE = 8;
/** bytes of an oversized block that waits on FreeOvZones */
export const Z_OVBYTES = 10;

export const Z_NFREE = 16;
export const Z_LCHUNKS = 17;
export const Z_UINDEX = 18;
export const Z_UENDINDEX = 19;
export const Z_NEXT = 20;
export const Z_PREV = 21;
/** 1: the zone is on ZoneAry */
export const Z_LISTED = 22;
/** 1: the signal bit was handed out and has not come back, so an IPI may be on its way: the zone must stay */
export const Z_SIGNALED = 23;
/** kfree looks closer unless 2 <= NFree < NSPAN + 2: NMAX - 2 where the class has other zones, else NMAX */
export const Z_NSPAN = 24;

export const Z_RCHUNKS = 32;
export const Z_RSIGNAL = 33;
export const Z_RCOUNT = 34;

export const Z_BITMAP = 48;
export const Z_WORDS = 48;

export const ZALLOC_SLAB_MAGIC = 0x736c6162;
export const ZALLOC_OVSZ_MAGIC = 0x736c6163;
/** z_Magic of a zone on FreeZones */
export const ZALLOC_FREE_MAGIC = -1;
/** the zone's pages may hold old data */
export const SLZF_UNOTZEROD = 0x1;
/** z_RSignal as bit 0 of z_RChunks */
export const RSIGNAL_BIT = 0x1;
export const CHUNK_MASK = ~0x7;

export const SLZONE = /* @__PURE__ */ struct('SLZone', Z_WORDS, ['const', 'owner', 'atomic'], {
  Z_MAGIC, Z_CPU, Z_NMAX, Z_BASEPTR, Z_ZONEINDEX, Z_FLAGS, Z_CHUNKSIZE, Z_OVBYTES, Z_NFREE, Z_LCHUNKS, Z_UINDEX,
  Z_UENDINDEX, Z_NEXT, Z_PREV, Z_LISTED, Z_SIGNALED, Z_NSPAN, Z_RCHUNKS, Z_RSIGNAL, Z_RCOUNT,
});

/** classes of chunk sizes */
export const NZONES = 72;

/*
 * SLGlobalData, per CPU. Line rule: owner (plain, in its critical sections). Under the policy `locked` every line but
 * the first is `lock SL_MTX` instead.
 *
 *   line 0     SL_MTX (atomic, policy `locked` only)
 *   16 .. 159  ZoneAry: heads, then tails
 *   160        FreeZones, NFreeZones, FreeOvZones, JunkIndex
 *   176        counters, doubles
 *   208 ..     open batches of remote frees (policy `rbatch`): {zone, head, tail, count}
 */
export const SL_MTX = 0;
export const SL_ZONEARY = 16;
export const SL_ZONETAIL = 88;
export const SL_FREEZONES = 160;
export const SL_NFREEZONES = 161;
export const SL_FREEOVZONES = 162;
export const SL_JUNKINDEX = 163;
/** 64-bit scratch: the size of an oversized block on its way to the statistics */
export const SL_SIZE = 164;

export const SLC_REMOTE = 176;
export const SLC_CASTRIES = 178;
export const SLC_CASFAILS = 180;
/** remote-free signals sent: IPI messages that concern a zone or a chunk */
export const SLC_SIGNALS = 182;
export const SLC_ZONES = 184;
export const SLC_ZONES_PEAK = 186;
export const SLC_ZONES_FREED = 188;
/** KB in oversized blocks (ZoneBigAlloc) and in zones (ZoneGenAlloc) */
export const SLC_BIGALLOC = 190;
export const SLC_GENALLOC = 192;
/** chunks that came home through z_RChunks */
export const SLC_DRAINED = 194;

export const SL_BATCH = 208;
export const RB_ZONE = 0;
export const RB_HEAD = 1;
export const RB_TAIL = 2;
export const RB_COUNT = 3;
export const RB_WORDS = 4;
export const RB_ENTRIES = 256;

export const SL_WORDS = 1232;

export const SLGLOBALDATA = /* @__PURE__ */ struct('SLGlobalData', SL_WORDS, ['atomic', 'owner'], {
  SL_MTX, SL_ZONEARY, SL_ZONETAIL, SL_FREEZONES, SL_NFREEZONES, SL_FREEOVZONES, SL_JUNKINDEX, SL_SIZE, SLC_REMOTE,
  SLC_CASTRIES, SLC_CASFAILS, SLC_SIGNALS, SLC_ZONES, SLC_ZONES_PEAK, SLC_ZONES_FREED, SLC_BIGALLOC, SLC_GENALLOC,
  SLC_DRAINED, SL_BATCH,
});

/** bytes of the table (size + 7) >>> 3 -> zone index, built at boot */
export const ZINDEX_BYTES = 2049;
