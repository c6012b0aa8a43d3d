/**
 * uma_pages.ts — where a keg's slabs come from: uk_allocf (FreeBSD sys/vm/uma_core.c: page_alloc, startup_alloc,
 * obj_alloc, page_free).
 *
 *   UMAA_PAGE     kmem_map                                            slab flag KMEM
 *   UMAA_STARTUP  the boot pages, until uma_startup2; then kmem_map   slab flag BOOT: never freed
 *   UMAA_OBJ      a range set aside for the zone (uma_zone_set_obj)   slab flag PRIV: never freed
 *
 * An allocation is its address with the slab flag in the low bits, 0 without memory.
 */
import { P_BOOT_PAGES } from '../base/panics_freebsd.js';
import { i32 } from '../hw/heap.js';
import { bzero } from '../hw/mem.js';
import { panic } from '../kern/panic.js';
import { M_ZERO } from './malloc.js';
import { UMA_SLAB_BOOT, UMA_SLAB_KMEM, UMA_SLAB_PRIV, UMA_SLAB_SIZE, UMAA_OBJ, UMAA_STARTUP } from './uma.js';
import {
  UK_ALLOCF, UK_FREE, UK_KVA, UK_KVA_PAGES, UK_LOCK, UMA_BOOT_FREE, UMA_BOOT_MEM, UMA_BOOTED, UMA_MTX,
} from './uma_int.layout.js';
import { UMA, zoneLock, zoneUnlock } from './uma_int.js';
import { kmemMalloc, pageFree } from './vm_kern.js';

const FLAG_BITS = UMA_SLAB_SIZE - 1;

/** Pages of a slab. Keg lock not held. @returns address | UMA_SLAB_*, or 0 */
export function kegPages(kw: number, bytes: number, flags: number): number {
  const allocf = i32[kw + UK_ALLOCF];
  if (allocf === UMAA_STARTUP) return startupAlloc(kw, bytes, flags);
  if (allocf === UMAA_OBJ) return objAlloc(kw, bytes, flags);
  return pageAlloc(kw, bytes, flags);
}

export function pageAddress(pages: number): number {
  return pages & ~FLAG_BITS;
}

/** @param flags of the slab. Boot pages and ranges set aside stay where they are */
export function slabFreePages(mem: number, bytes: number, flags: number): void {
  pageFree(mem, bytes, flags);
}

/** page_alloc. Items that come back to the keg meanwhile are as good as pages. */
function pageAlloc(kw: number, bytes: number, flags: number): number {
  const mem = kmemMalloc(bytes, flags, kw + UK_FREE);
  return mem === 0 ? 0 : mem + UMA_SLAB_KMEM;
}

function startupAlloc(kw: number, bytes: number, flags: number): number {
  const mem = takeAside(UMA + UMA_MTX, UMA + UMA_BOOT_MEM, UMA + UMA_BOOT_FREE, bytes, flags);
  if (mem !== 0) return mem + UMA_SLAB_BOOT;
  if (i32[UMA + UMA_BOOTED] === 0) panic(P_BOOT_PAGES, bytes / UMA_SLAB_SIZE);
  return pageAlloc(kw, bytes, flags);
}

function objAlloc(kw: number, bytes: number, flags: number): number {
  const mem = takeAside(kw + UK_LOCK, kw + UK_KVA, kw + UK_KVA_PAGES, bytes, flags);
  return mem === 0 ? 0 : mem + UMA_SLAB_PRIV;
}

/**
 * Pages that were set aside.
 * @param lock of the two words: where the rest begins, and how many pages it has
 * @returns their address, 0 when there are too few left
 */
function takeAside(lock: number, start: number, left: number, bytes: number, flags: number): number {
  const pages = bytes / UMA_SLAB_SIZE;
  zoneLock(lock);
  const enough = i32[left] >= pages;
  const mem = enough ? i32[start] : 0;
  if (enough) {
    i32[start] = mem + bytes;
    i32[left] -= pages;
  }
  zoneUnlock(lock);
  if (enough && (flags & M_ZERO) !== 0) bzero(mem, bytes);
  return mem;
}
