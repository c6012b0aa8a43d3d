/**
 * panics_freebsd.ts — the panic and KASSERT texts of malloc(9) and UMA (FreeBSD kern_malloc.c, uma_core.c, uma_dbg.c),
 * by number; panics.ts has the conversions.
 */

export const P_TYPE_LACKS_MAGIC = 40;
export const P_INIT_BEFORE_VM = 41;
export const P_DEREGISTER = 42;
export const P_WAITOK_INTR = 43;
export const P_WAITOK_NULL = 44;
export const P_FREE_UNALLOCATED = 45;
export const P_REALLOC_RANGE = 46;
export const P_CONFUSION = 47;
export const P_KMEM_MAP = 48;
export const P_BAD_MALLOC_TYPE = 49;
export const P_BAD_FREE_TYPE = 50;
export const P_BAD_REALLOC_TYPE = 51;
export const P_BAD_INIT_TYPE = 52;
export const P_UNINIT_NOT_FOUND = 53;
export const P_IPERS_0 = 60;
export const P_IPERS_HIGH = 61;
export const P_SLAB_WONT_FIT = 62;
export const P_BOOT_PAGES = 63;
export const P_PAGE_FREE_FLAGS = 64;
export const P_BUCKET_MANGLED = 65;
export const P_FREEING_NONFREE = 66;
export const P_RETURNING_EMPTY = 67;
export const P_FREE_LIST_NOT_EMPTY = 68;
export const P_NONFREE_INDEX = 69;
export const P_INSERT_EMPTY = 70;
export const P_SET_INIT = 71;
export const P_SET_FINI = 72;
export const P_SET_ZINIT = 73;
export const P_SET_ZFINI = 74;
export const P_NOT_REFCNT = 75;
export const P_MODIFIED_AFTER_FREE = 76;
export const P_MOST_RECENTLY = 77;
export const P_ITEM_NOT_BELONG = 78;
export const P_FREED_NOT_BELONG = 79;
export const P_FREELIST_RANGE = 80;
export const P_SHOULD_BE = 81;
export const P_DUPLICATE_FREE = 82;
export const P_BOTCHED_PTR = 83;

export const FREEBSD_PANICS: Readonly<Record<number, string>> = {
  [P_TYPE_LACKS_MAGIC]: 'malloc type lacks magic',
  [P_INIT_BEFORE_VM]: 'malloc_register before vm_init',
  [P_DEREGISTER]: 'malloc_deregister: cookie NULL',
  [P_WAITOK_INTR]: 'malloc(M_WAITOK) in interrupt context',
  [P_WAITOK_NULL]: 'malloc(M_WAITOK) returned NULL',
  [P_FREE_UNALLOCATED]: 'free: address %p(%p) has not been allocated.\n',
  [P_REALLOC_RANGE]: 'realloc: address %p out of range',
  [P_CONFUSION]: 'malloc(9)/free(9) confusion.\nProbably freeing with wrong type, but maybe not here.',
  [P_KMEM_MAP]: 'kmem_malloc(%d): kmem_map too small: %d total allocated',
  [P_BAD_MALLOC_TYPE]: 'malloc: bad malloc type magic',
  [P_BAD_FREE_TYPE]: 'free: bad malloc type magic',
  [P_BAD_REALLOC_TYPE]: 'realloc: bad malloc type magic',
  [P_BAD_INIT_TYPE]: 'malloc_init: bad malloc type magic',
  [P_UNINIT_NOT_FOUND]: "malloc_uninit: type '%t' not found",
  [P_IPERS_0]: 'zone_small_init: ipers is 0',
  [P_IPERS_HIGH]: 'keg->uk_ipers too high!',
  [P_SLAB_WONT_FIT]: "UMA slab won't fit.\n",
  [P_BOOT_PAGES]: 'UMA: Increase vm.boot_pages',
  [P_PAGE_FREE_FLAGS]: 'UMA: page_free used with invalid flags %d\n',
  [P_BUCKET_MANGLED]: 'uma_zalloc: Bucket pointer mangled.',
  [P_FREEING_NONFREE]: 'uma_zalloc_arg: Freeing a non free bucket.',
  [P_RETURNING_EMPTY]: 'uma_zalloc_arg: Returning an empty bucket.',
  [P_FREE_LIST_NOT_EMPTY]: 'uma_zalloc_bucket: Bucket on free list is not empty.',
  [P_NONFREE_INDEX]: 'uma_zfree: Freeing to non free bucket index.',
  [P_INSERT_EMPTY]: 'uma_zfree: Attempting to insert an empty bucket onto the full list.\n',
  [P_SET_INIT]: 'uma_zone_set_init on non-empty keg',
  [P_SET_FINI]: 'uma_zone_set_fini on non-empty keg',
  [P_SET_ZINIT]: 'uma_zone_set_zinit on non-empty keg',
  [P_SET_ZFINI]: 'uma_zone_set_zfini on non-empty keg',
  [P_NOT_REFCNT]: 'uma_find_refcnt(): zone possibly not UMA_ZONE_REFCNT',
  [P_MODIFIED_AFTER_FREE]: 'Memory modified after free %p(%d) val=%h @ %p\n',
  [P_MOST_RECENTLY]: 'Most recently used by %n\n',
  [P_ITEM_NOT_BELONG]: 'uma: item %p did not belong to zone %z\n',
  [P_FREED_NOT_BELONG]: 'uma: Freed item %p did not belong to zone %z\n',
  [P_FREELIST_RANGE]: 'zone: %Z slab %p freelist %d out of range 0-%d\n',
  [P_SHOULD_BE]: 'should be %p\n',
  [P_DUPLICATE_FREE]: 'Duplicate free of item %p from zone %y\n',
  [P_BOTCHED_PTR]: 'bucket_drain: botched ptr, item is NULL',
};
