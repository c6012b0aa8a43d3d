/**
 * malloc_type.layout.ts — a type of memory and what is known of it, per CPU.
 *
 *   word  0 │ magic, id, shortdesc[32], handle             │ const              line 0
 *        16 │ next, limit                                  │ lock malloc_mtx    line 1
 *        32 │ loosememuse, failrate, size mask             │ atomic             line 2
 *        48 │ ks_mtx                                       │ atomic             line 3
 *        64 │ shared counters of the mutex and atomic      │ lock ks_mtx, or    line 4
 *           │ policies: memuse inuse calls maxused / pairs │ atomic
 *        80 │ ks_use[cpu]: allowance, last writer          │ owner              a line a CPU
 *           │ mti_stats[cpu]: struct malloc_type_stats     │ owner              64 bytes a CPU (40 when unpadded)
 *           └──────────────────────────────────────────────┘
 *
 * Follows  DragonFly sys/sys/malloc.h (struct malloc_type, ks_use), FreeBSD sys/sys/malloc.h (malloc_type_internal,
 *          malloc_type_stats; rev. 63a7e0a3).
 * Identity at quiescence, per type: sum over CPUs of memalloced - memfreed = live bytes, numallocs - numfrees = live
 *          blocks. One slot alone may be "negative": memory allocated here is freed there.
 */
import { LINE_WORDS } from '../base/param.js';
import { STATS_UNPADDED } from '../base/policy.js';
import { struct } from '../base/struct.js';

export const KS_MAGIC = 0;
export const KS_ID = 1;
/**
 * malloc(9): address of the type's malloc_type_internal, which the allocator owns (ks_handle); there mti_stats lies in
 * UMA memory. 0 where mti_stats stands in the record itself. A type at NULL has to have none, or the first path of
 * malloc would take it for one: this word of the superblock is left 0.
 */
export const KS_HANDLE = 14;
export const KS_SHORTDESC = 4;
export const KS_SHORTDESC_BYTES = 32;
export const KS_NEXT = 16;
/** bytes, unsigned; 0: not set yet, becomes a tenth of memory */
export const KS_LIMIT = 17;
/** bytes in use when last summed; a hint for observers */
export const KS_LOOSEMEMUSE = 32;
/** malloc(9): one of so many M_NOWAIT mallocs of this type fails; 0: as debug.malloc.failure_rate says */
export const KS_FAILRATE = 33;
/** malloc(9): ks_size, the mask of zone indexes used, where statistics are shared; bits are set, never cleared */
export const KS_SIZE = 34;
export const KS_MTX = 48;

/** mutex policies (64-bit words, dword offsets from the type): exact, with a high watermark */
export const KS64_MEMUSE = 32;
export const KS64_INUSE = 33;
export const KS64_CALLS = 34;
export const KS64_MAXUSED = 35;
/** atomic policy: lo/hi pairs of 32-bit words */
export const KSA_MEMALLOCED = 64;
export const KSA_MEMFREED = 66;
export const KSA_NUMALLOCS = 68;
export const KSA_NUMFREES = 70;

/** per-CPU lines begin here */
export const KS_USE = 80;
/** bytes this CPU may still allocate before it has to look at the limit again */
export const KU_ALLOWANCE = 0;
/** invariants: 1 + the CPU that wrote the slot last */
export const KU_WRITER = 1;
export const KU_WORDS = LINE_WORDS;

/** struct malloc_type_stats, dword offsets */
export const MTS_MEMALLOCED = 0;
export const MTS_MEMFREED = 1;
export const MTS_NUMALLOCS = 2;
export const MTS_NUMFREES = 3;
export const MTS_SIZE = 4;
export const MTS_DWORDS = 8;
/** the array of 2005: five words a CPU, neighbours on one line */
export const MTS_DWORDS_UNPADDED = 5;

export const M_MAGIC = 877983977;
/** types a machine can hold */
export const MAXTYPES = 512;

/** Dwords from one CPU's statistics to the next one's. */
export function mtsStride(statsPolicy: number): number {
  return statsPolicy === STATS_UNPADDED ? MTS_DWORDS_UNPADDED : MTS_DWORDS;
}

/** Dword offset, from the type, of the first CPU's statistics. */
export function mtsOffset(ncpu: number): number {
  return (KS_USE + ncpu * KU_WORDS) >>> 1;
}

/** Bytes of one type record on a machine of `ncpu` CPUs. */
export function mallocTypeBytes(ncpu: number): number {
  return (KS_USE + ncpu * (KU_WORDS + LINE_WORDS)) * 4;
}

/** The table of types: words of its head, then the records. */
export const KM_MTX = 0;
export const KM_STATISTICS = 16;
export const KM_COUNT = 17;
export const KM_FREE = 18;
/** records ever carved */
export const KM_CARVED = 19;
export const KM_WORDS = 32;

export const MALLOC_TYPE = /* @__PURE__ */ struct(
  'malloc_type',
  KS_USE,
  ['const', 'lock malloc_mtx', 'atomic', 'atomic', 'lock ks_mtx'],
  {
    KS_MAGIC, KS_ID, KS_HANDLE, KS_SHORTDESC, KS_NEXT, KS_LIMIT, KS_LOOSEMEMUSE, KS_FAILRATE, KS_SIZE, KS_MTX,
    KSA_MEMALLOCED,
  },
);
export const KMEMSTATISTICS = /* @__PURE__ */ struct('kmemstatistics', KM_WORDS, ['atomic', 'lock malloc_mtx'], {
  KM_MTX, KM_STATISTICS, KM_COUNT, KM_FREE, KM_CARVED,
});
