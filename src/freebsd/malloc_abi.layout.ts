/**
 * malloc_abi.layout.ts — struct malloc_type as modules have it compiled into them, on a machine with 32-bit pointers:
 * before 2005, and since (FreeBSD sys/sys/malloc.h before and after rev. 63a7e0a3).
 *
 *   word   until 2005                     since
 *      0   ks_next                        the same place
 *      1   ks_memuse  ks_size  ks_inuse   unused
 *      4   ks_calls (64 bits)             unused
 *      6   ks_maxused                     unused
 *      7   ks_magic  ks_shortdesc         the same place
 *      9   ks_mtx: lock_object.lo_class   ks_handle: the first word of the mutex, which nobody needs any more
 *     10   lo_name  lo_type  lo_flags     unused
 *     13   lo_list  lo_witness            unused
 *     15   mtx_lock  mtx_recurse          unused
 *
 * A module fills in magic and shortdesc when it is compiled (MALLOC_DEFINE), so these and the size must never change.
 */
import { struct } from '../base/struct.js';

export const KSO_NEXT = 0;
export const KSO_MEMUSE = 1;
export const KSO_SIZE = 2;
export const KSO_INUSE = 3;
/** 64-bit */
export const KSO_CALLS = 4;
export const KSO_MAXUSED = 6;
export const KSO_MAGIC = 7;
export const KSO_SHORTDESC = 8;
export const KSO_LO_CLASS = 9;
export const KSO_LO_NAME = 10;
export const KSO_LO_TYPE = 11;
export const KSO_LO_FLAGS = 12;
export const KSO_LO_LIST = 13;
export const KSO_LO_WITNESS = 14;
export const KSO_MTX_LOCK = 15;
export const KSO_MTX_RECURSE = 16;
export const KSO_WORDS = 17;

export const KSN_NEXT = 0;
export const KSN_MAGIC = 7;
/** address of the name, ASCII with a 0 behind it */
export const KSN_SHORTDESC = 8;
/** address of what the allocator keeps of the type */
export const KSN_HANDLE = 9;
export const KSN_WORDS = 17;

export const MALLOC_TYPE_OLD = /* @__PURE__ */ struct('malloc_type_old', KSO_WORDS, ['lock ks_mtx'], {
  KSO_NEXT, KSO_MEMUSE, KSO_SIZE, KSO_INUSE, KSO_CALLS, KSO_MAXUSED, KSO_MAGIC, KSO_SHORTDESC, KSO_LO_CLASS,
  KSO_LO_NAME, KSO_LO_TYPE, KSO_LO_FLAGS, KSO_LO_LIST, KSO_LO_WITNESS, KSO_MTX_LOCK, KSO_MTX_RECURSE,
});
export const MALLOC_TYPE_MODULE = /* @__PURE__ */ struct('malloc_type_module', KSN_WORDS, ['const'], {
  KSN_NEXT, KSN_MAGIC, KSN_SHORTDESC, KSN_HANDLE,
});
