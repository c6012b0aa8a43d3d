/**
 * malloc_init.ts — types come and go (FreeBSD sys/kern/kern_malloc.c malloc_init, malloc_uninit).
 *
 *   struct malloc_type, the module's          malloc_type_internal, the allocator's, from mt_zone
 *   │ ks_magic, ks_shortdesc, ks_handle ├───► │ mti_stats[cpu 0] │ mti_stats[cpu 1] │ ...
 *
 * A module knows the left side only, so it need not be recompiled for another MAXCPU. malloc_mtx protects the list and
 * its count, nothing else.
 */
import { D_R10 } from '../base/defects.js';
import { MSG_LEAKED } from '../base/messages.js';
import {
  P_BAD_INIT_TYPE, P_DEREGISTER, P_INIT_BEFORE_VM, P_UNINIT_NOT_FOUND,
} from '../base/panics_freebsd.js';
import { STATS_NONE } from '../base/policy.js';
import { defect } from '../hw/defect.js';
import { i32 } from '../hw/heap.js';
import { SB_STATS } from '../hw/superblock.layout.js';
import { mallocTypeInuse, mallocTypeMemuse } from '../kern/malloc_stats.js';
import {
  mallocTypeDestroy, mallocTypeFind, mallocTypeFirst, mallocTypeLink, mallocTypeNext, mallocTypeRecord,
  mallocTypeRelease,
} from '../kern/malloc_type.js';
import { KS_HANDLE, KS_MAGIC, KS_SHORTDESC, M_MAGIC } from '../kern/malloc_type.layout.js';
import { panic } from '../kern/panic.js';
import { kprintf } from '../kern/subr_prf.js';
import { KMZ_MT_ZONE } from './kern_malloc.layout.js';
import { KMALLOC } from './kern_malloc_words.js';
import { M_WAITOK, M_ZERO } from './malloc.js';
import { umaZallocArg, umaZfreeArg } from './uma_core.js';
import { vtoslab } from './uma_int.js';

declare const DEFECTS: boolean;

const R10 = DEFECTS && defect(D_R10);

/**
 * Finds or defines the type of that name. Defining one that is there already changes nothing.
 * @param shortdesc at most 31 bytes of ASCII
 * @returns its address, 0 when there is no room
 */
export function mallocTypeCreate(shortdesc: string): number {
  const known = mallocTypeFind(shortdesc);
  if (known !== 0) return known;
  const type = mallocTypeRecord(shortdesc);
  if (type === 0) return 0;
  mallocInit(type);
  // another CPU may have been quicker
  const there = mallocTypeLink(type, shortdesc);
  if (there !== type) discard(type);
  return there;
}

/** malloc_init: the allocator's half of a type. It may sleep, so the list is not locked. */
export function mallocInit(type: number): void {
  const zone = i32[KMALLOC + KMZ_MT_ZONE];
  if (zone === 0) panic(P_INIT_BEFORE_VM, type);
  if (i32[(type >>> 2) + KS_MAGIC] !== M_MAGIC) panic(P_BAD_INIT_TYPE, type);
  if (i32[(type >>> 2) + KS_HANDLE] !== 0) return;
  i32[(type >>> 2) + KS_HANDLE] = umaZallocArg(zone, 0, M_WAITOK | M_ZERO);
}

/**
 * malloc_uninit: the type goes. Who still has blocks of it may not free them any more.
 * @returns bytes that were still allocated; the kernel warns of them
 */
export function mallocUninit(type: number): number {
  if (i32[(type >>> 2) + KS_HANDLE] === 0) panic(P_DEREGISTER, type);
  if (!linked(type)) panic(P_UNINIT_NOT_FOUND, type);
  const allocs = mallocTypeInuse(type);
  const bytes = mallocTypeMemuse(type);
  if (i32[SB_STATS] !== STATS_NONE && (allocs !== 0 || bytes !== 0)) {
    kprintf(MSG_LEAKED, allocs, bytes, 0, 0, (type >>> 2) + KS_SHORTDESC);
  }
  const mtip = i32[(type >>> 2) + KS_HANDLE];
  i32[(type >>> 2) + KS_HANDLE] = 0;
  mallocTypeDestroy(type);
  if (R10) umaZfreeArg(i32[KMALLOC + KMZ_MT_ZONE], type, 0);
  else freeInternal(mtip);
  return bytes;
}

function linked(type: number): boolean {
  let one = mallocTypeFirst();
  while (one !== 0 && one !== type) one = mallocTypeNext(one);
  return one !== 0;
}

function discard(type: number): void {
  const mtip = i32[(type >>> 2) + KS_HANDLE];
  mallocTypeRelease(type);
  freeInternal(mtip);
}

/** Not the type, and with its slab: mt_zone is a malloc zone (R10). */
function freeInternal(mtip: number): void {
  umaZfreeArg(i32[KMALLOC + KMZ_MT_ZONE], mtip, vtoslab(mtip));
}
