/**
 * uma_int.layout.ts — zones on kegs, kegs of slabs, slabs of items, and buckets between them and the CPUs
 * (FreeBSD sys/vm/uma_int.h 1.37).
 *
 *   zone "64"                                  keg "64"
 *   ┌──────────────────────────────┐          ┌──────────────────────────────┐
 *   │ name ctor dtor init fini keg │ const    │ lock, full                   │ atomic
 *   ├──────────────────────────────┤          ├──────────────────────────────┤
 *   │ full and free buckets, counts│ lock     │ name size ipers pgoff ...    │ const
 *   ├──────────────────────────────┤ uk_lock  ├──────────────────────────────┤
 *   │ uz_cpu[0] alloc │ free bucket│ owner    │ part │ free │ full slabs     │ lock uk_lock
 *   │ uz_cpu[1] ...                │          └──┬───────────────────────────┘
 *   └─────────┬────────────────────┘             ▼ slab, one page (or uk_ppera)
 *             ▼ bucket                        ┌──────┬──────┬──────┬─────┬──────────────────────┐
 *   ┌──────┬─────┬─────────┬─────────────┐    │ item │ item │ item │ ... │ header │ us_freelist │
 *   │ link │ cnt │ entries │ ub_bucket[] │    └──────┴──────┴──────┴─────┴──────────────────────┘
 *   └──────┴─────┴─────────┴─────────────┘      header at uk_pgoff, or elsewhere (OFFPAGE)
 *
 * Who may write    uz_cpu[i]: CPU i in a critical section, and whoever holds uk_lock may follow its bucket pointers:
 *                  buckets are exchanged, never freed, while they hang there. A bucket: the CPU that has it in its
 *                  cache; on a zone's list, the holder of uk_lock; while it is filled, the filler alone.
 *                  Slab headers: uk_lock, but for us_keg, which is constant while the slab lives. us_refcnt: the
 *                  users of the item, atomically.
 * Identity         quiescent, per keg: sum of us_freecount = uk_free; items = uk_pages / uk_ppera * uk_ipers; per keg
 *                  items - uk_free - items in buckets of its zones = sum of allocs - frees of its zones (uz_cpu
 *                  and what its marks say included). An item is in exactly one place: with a client, in one bucket,
 *                  or on a slab's free list.
 * Differs          uc_allocs and uc_frees have marks beside them. Names are stored, not pointed at. ub_cnt and
 *                  ub_entries are words. UMA_ZFLAG_FULL has a word of its own, which is read without the lock.
 */
import { LINE_WORDS } from '../base/param.js';
import { struct } from '../base/struct.js';

// ---- uma: what there is once a machine, at the start of the area SB_UMA

export const UMA_MTX = 0;
/** 1: bucket_alloc answers 0, memory is short */
export const UMA_BUCKETDISABLE = 1;
/** kmem_map: pages in use, and the most there ever were */
export const KMEM_MTX = 2;
/** first keg of the list uma_kegs, and how many zones there are */
export const UMA_KEGS = 16;
export const UMA_NZONES = 17;
/** boot pages left: address of the first, and how many */
export const UMA_BOOT_MEM = 18;
export const UMA_BOOT_FREE = 19;
/** 0: boot pages only; 1: page_alloc works (uma_startup2) */
export const UMA_BOOTED = 20;
/** seconds of uptime at which uma_timeout looked last */
export const UMA_LAST_TIMEOUT = 21;
/** pages below the boot pages that hold the first keg and zones */
export const UMA_STATIC_PAGES = 22;
export const UMA_KEGS_ZONE = 32;
export const UMA_ZONES_ZONE = 33;
export const UMA_SLABZONE = 34;
export const UMA_SLABREFZONE = 35;
export const UMA_HASHZONE = 36;
/** "16 Bucket" "32 Bucket" "64 Bucket" "128 Bucket" */
export const UMA_BUCKET_ZONES = 37;
export const NBUCKET_ZONES = 4;
/** address of the bucket zone of a wanted size, by (entries + 15) >> BUCKET_SHIFT, 0 to 8 */
export const UMA_BUCKET_SIZE = 41;
export const UMA_BUCKET_SIZES = 9;
/** kmem_map: bytes it may hold (vm_kmem_size), pages in it, most pages ever */
export const KMEM_SIZE = 52;
/** items per slab an off-page header has room for (uma_max_ipers) */
export const UMA_MAX_IPERS_OFFPAGE = 53;
export const KMEM_PAGES = 64;
export const KMEM_PEAK = 65;
export const UMA_WORDS = 80;

// ---- keg: word offsets

/** mutex; every zone of the keg has it as uz_lock */
export const UK_LOCK = 0;
/** 1: UMA_ZFLAG_FULL. Written under uk_lock; read without it, where a late value is harmless */
export const UK_FULL = 1;
/** 32 bytes of text */
export const UK_NAME = 16;
/** bytes an item was asked to have; a 64-bit word: statistics add it without conversion */
export const UK_SIZE = 24;
/** alignment mask */
export const UK_ALIGN = 26;
/** bytes an item really takes */
export const UK_RSIZE = 27;
export const UK_PPERA = 28;
export const UK_IPERS = 29;
/** byte offset of the header in its slab */
export const UK_PGOFF = 30;
export const UK_FLAGS = 31;
/** UMAF_*, UMAA_* of uma.ts */
export const UK_INIT = 32;
export const UK_FINI = 33;
export const UK_ALLOCF = 34;
/** zone the off-page headers come from */
export const UK_SLABZONE = 35;
/** first zone of the keg, the primary one; others follow by UZ_LINK. Changes under uma_mtx and uk_lock */
export const UK_ZONES = 36;
/** next keg of uma_kegs (uma_mtx) */
export const UK_LINK = 37;
export const UK_PART_SLAB = 48;
export const UK_FREE_SLAB = 49;
export const UK_FULL_SLAB = 50;
/** slab_zalloc under way with the lock dropped */
export const UK_RECURSE = 51;
export const UK_PAGES = 52;
/** items on free lists of slabs */
export const UK_FREE = 53;
/** 0: no limit */
export const UK_MAXPAGES = 54;
/** uk_hash: table of slab headers by address (0: none), its size */
export const UH_SLAB_HASH = 55;
export const UH_HASHSIZE = 56;
/** obj_alloc: what is left of the pages set aside (uma_zone_set_obj) */
export const UK_KVA = 57;
export const UK_KVA_PAGES = 58;
/** CPUs that sleep in "zonelimit" */
export const UK_SLEEPERS = 59;
/** 64-bit: allocations when uma_timeout looked last */
export const UK_OALLOCS = 60;
/** working set: items allocated between its last two looks; a first reclaim leaves as many free */
export const UK_WSSIZE = 62;
export const UK_WORDS = 64;
export const UMA_NAME_BYTES = 32;

// ---- slab header

export const US_KEG = 0;
/** list of its keg; of a large block US_NEXT is us_size, bytes */
export const US_NEXT = 1;
export const US_PREV = 2;
/** next of its hash chain */
export const US_HLINK = 3;
/** first item */
export const US_DATA = 4;
export const US_FLAGS = 5;
export const US_FREECOUNT = 6;
export const US_FIRSTFREE = 7;
/** the free list: a byte an item, the next free one's index; in REFCNT kegs two words: index, us_refcnt */
export const US_FREELIST = 8;
export const US_SIZE = US_NEXT;
/** of a large block, where its free list would be: us_size as a 64-bit word, for statistics */
export const US_SIZE64 = US_FREELIST;
export const US_REFCNT_WORDS = 2;

// ---- bucket

export const UB_LINK = 0;
export const UB_CNT = 1;
export const UB_ENTRIES = 2;
export const UB_BUCKET = 3;

// ---- zone

/** 32 bytes of text */
export const UZ_NAME = 0;
/** word index of the keg's lock */
export const UZ_LOCK = 8;
export const UZ_KEG = 9;
export const UZ_CTOR = 10;
export const UZ_DTOR = 11;
export const UZ_INIT = 12;
export const UZ_FINI = 13;
/** uk_size again, a 64-bit word: what an allocation adds to its type's statistics, without a look at the keg */
export const UZ_SIZE = 14;
/** next zone of the same keg */
export const UZ_LINK = 16;
export const UZ_FULL_BUCKET = 17;
export const UZ_FREE_BUCKET = 18;
/** fills under way */
export const UZ_FILLS = 19;
/** wanted size of a bucket */
export const UZ_COUNT = 20;
/** 64-bit counts, folded in from the CPUs' now and then */
export const UZ_ALLOCS = 22;
export const UZ_FREES = 24;
export const UZ_FAILS = 26;
export const UZ_SLEEPS = 28;
/** one line a CPU */
export const UZ_CPU = 32;
export const UC_FREEBUCKET = 0;
export const UC_ALLOCBUCKET = 1;
/**
 * Doubles: counts since they were last folded into the zone's, up to when the buckets changed last. An alloc bucket
 * only ever loses items, a free bucket only gains: what was counted since is how far they are from UC_ALLOCMARK and
 * UC_FREEMARK, so that allocations and frees need not be counted one by one.
 */
export const UC_ALLOCS = 2;
export const UC_FREES = 4;
/** ub_cnt of each bucket when the buckets changed last */
export const UC_ALLOCMARK = 6;
export const UC_FREEMARK = 7;
export const UC_WORDS = LINE_WORDS;
export const UZ_HEAD_WORDS = UZ_CPU;

/** Bytes of a zone on a machine of `ncpu` CPUs. */
export function umaZoneBytes(ncpu: number): number {
  return (UZ_CPU + ncpu * UC_WORDS) * 4;
}

export const UMA = /* @__PURE__ */ struct(
  'uma', UMA_WORDS, ['atomic', 'lock uma_mtx', 'const', 'const', 'lock kmem_map'],
  {
    UMA_MTX, UMA_BUCKETDISABLE, KMEM_MTX, UMA_KEGS, UMA_NZONES, UMA_BOOT_MEM, UMA_BOOT_FREE, UMA_BOOTED,
    UMA_LAST_TIMEOUT, UMA_STATIC_PAGES, UMA_KEGS_ZONE, UMA_ZONES_ZONE, UMA_SLABZONE, UMA_SLABREFZONE, UMA_HASHZONE,
    UMA_BUCKET_ZONES,
    UMA_BUCKET_SIZE, KMEM_SIZE, UMA_MAX_IPERS_OFFPAGE, KMEM_PAGES,
    KMEM_PEAK,
  },
);
export const UMA_KEG = /* @__PURE__ */ struct('uma_keg', UK_WORDS, ['atomic', 'const', 'const', 'lock uk_lock'], {
  UK_LOCK, UK_FULL, UK_NAME, UK_SIZE, UK_ALIGN, UK_RSIZE, UK_PPERA, UK_IPERS, UK_PGOFF, UK_FLAGS, UK_INIT, UK_FINI,
  UK_ALLOCF, UK_SLABZONE, UK_ZONES, UK_LINK, UK_PART_SLAB, UK_FREE_SLAB, UK_FULL_SLAB, UK_RECURSE, UK_PAGES, UK_FREE,
  UK_MAXPAGES, UH_SLAB_HASH, UH_HASHSIZE, UK_KVA, UK_KVA_PAGES, UK_SLEEPERS,
  UK_OALLOCS, UK_WSSIZE,
});
export const UMA_ZONE = /* @__PURE__ */ struct('uma_zone', UZ_HEAD_WORDS, ['const', 'lock uk_lock'], {
  UZ_NAME, UZ_LOCK, UZ_KEG, UZ_CTOR, UZ_DTOR, UZ_INIT, UZ_FINI, UZ_SIZE, UZ_LINK, UZ_FULL_BUCKET, UZ_FREE_BUCKET,
  UZ_FILLS, UZ_COUNT, UZ_ALLOCS, UZ_FREES, UZ_FAILS, UZ_SLEEPS,
});
export const UMA_CACHE = /* @__PURE__ */ struct('uma_cache', UC_WORDS, ['owner'], {
  UC_FREEBUCKET, UC_ALLOCBUCKET, UC_ALLOCS, UC_FREES, UC_ALLOCMARK, UC_FREEMARK,
});
export const UMA_SLAB = /* @__PURE__ */ struct('uma_slab', US_FREELIST, ['lock uk_lock'], {
  US_KEG, US_NEXT, US_PREV, US_HLINK, US_DATA, US_FLAGS, US_FREECOUNT, US_FIRSTFREE,
});
export const UMA_BUCKET = /* @__PURE__ */ struct('uma_bucket', UB_BUCKET, ['owner'], { UB_LINK, UB_CNT, UB_ENTRIES });
