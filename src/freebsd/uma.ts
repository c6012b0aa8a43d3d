/**
 * uma.ts — the zone allocator's flags and limits (FreeBSD sys/vm/uma.h, sys/vm/uma_int.h of March 2006).
 *
 * Constructors and the like are numbers here: the CPUs share memory, not code, and a core dump has to be readable. A
 * number is bound when the module that owns the function is loaded (uma_func.ts).
 */

/** zone flags, masks */
export const UMA_ZONE_PAGEABLE = 0x1;
export const UMA_ZONE_ZINIT = 0x2;
export const UMA_ZONE_STATIC = 0x4;
/** slab headers lie outside of their slabs */
export const UMA_ZONE_OFFPAGE = 0x8;
/** malloc(9)'s: slabs are found by vtoslab, and handed to free as udata */
export const UMA_ZONE_MALLOC = 0x10;
export const UMA_ZONE_NOFREE = 0x20;
export const UMA_ZONE_MTXCLASS = 0x40;
/** used while pages are mapped: must not allocate */
export const UMA_ZONE_VM = 0x80;
/** slabs are found by a hash of the address */
export const UMA_ZONE_HASH = 0x100;
export const UMA_ZONE_SECONDARY = 0x200;
/** a reference count an item (uma_find_refcnt) */
export const UMA_ZONE_REFCNT = 0x400;
/** buckets of 128 from the start */
export const UMA_ZONE_MAXBUCKET = 0x800;
export const UMA_ZFLAG_PRIVALLOC = 0x10000000;
/** the allocator's own: no buckets for its zones, no recursion into its kegs */
export const UMA_ZFLAG_INTERNAL = 0x20000000;
/** at its limit; stands in UK_FULL, observers add it to the flags */
export const UMA_ZFLAG_FULL = 0x40000000;
export const UMA_ZFLAG_CACHEONLY = 0x80000000 | 0;

/** slab flags: where the pages came from */
export const UMA_SLAB_BOOT = 0x01;
export const UMA_SLAB_KMEM = 0x02;
export const UMA_SLAB_KERNEL = 0x04;
export const UMA_SLAB_PRIV = 0x08;
export const UMA_SLAB_OFFP = 0x10;
export const UMA_SLAB_MALLOC = 0x20;

/** alignment masks */
export const UMA_ALIGN_PTR = 3;
export const UMA_ALIGN_LONG = 7;
export const UMA_ALIGN_CACHE = 63;

export const UMA_SLAB_SIZE = 4096;
export const UMA_SLAB_SHIFT = 12;
/** percent of a slab */
export const UMA_MAX_WASTE_PERCENT = 10;
export const UMA_MAX_WASTE = Math.floor(UMA_SLAB_SIZE / UMA_MAX_WASTE_PERCENT);
export const UMA_SMALLEST_UNIT = 16;
export const UMA_HASH_SIZE_INIT = 32;
export const UMA_BOOT_PAGES = 48;
/** seconds between two looks of uma_timeout */
export const UMA_TIMEOUT = 20;
export const BUCKET_MAX = 128;
export const BUCKET_SHIFT = 4;
/** us_firstfree is a byte */
export const UMA_MAX_IPERS = 255;
/** us_item of an item that is out, where frees are checked */
export const US_ITEM_OUT = 255;

/** ctor, dtor, init, fini: none, the debug layer's, the allocator's own, and those of whoever wants some */
export const UMAF_NONE = 0;
export const UMAF_TRASH = 1;
export const UMAF_MTRASH = 2;
/** UMA_ZONE_ZINIT: items are zeroes when their slab is made */
export const UMAF_ZERO = 3;
/** for workloads, tests and embedders: 8 .. UMAF_MAX - 1 */
export const UMAF_USER = 8;
export const UMAF_MAX = 32;

/** uk_allocf, uk_freef */
export const UMAA_PAGE = 0;
export const UMAA_STARTUP = 1;
export const UMAA_OBJ = 2;

/** how much uma_zfree_internal leaves out */
export const SKIP_NONE = 0;
export const SKIP_DTOR = 1;
export const SKIP_FINI = 2;
/** what it counts */
export const ZFREE_STATFAIL = 1;
export const ZFREE_STATFREE = 2;
