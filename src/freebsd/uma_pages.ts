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
  UK_ALLOCF, UK_KVA, UK_KVA_PAGES, UK_LOCK, UMA_BOOT_FREE, UMA_BOOT_MEM, UMA_BOOTED, UMA_MTX,
} from './uma_int.layout.js';
import { UMA, zoneLock, zoneUnlock } from './uma_int.js';
import { kmemMalloc, pageFree } from './vm_kern.js';

const FLAG_BITS = UMA_SLAB_SIZE - 1;

/** Pages of a slab. Keg lock not held. @returns address | UMA_SLAB_*, or 0 */
export function kegPages(kw: number, bytes: number, flags: number): number {
  const allocf = i32[kw + UK_ALLOCF];
  if (allocf === UMAA_STARTUP) return startupAlloc(bytes, flags);
  if (allocf === UMAA_OBJ) return objAlloc(kw, bytes, flags);
  return pageAlloc(bytes, flags);
}

export function pageAddress(pages: number): number {
  return pages & ~FLAG_BITS;
}

/** @param flags of the slab. Boot pages and ranges set aside stay where they are */
export function slabFreePages(mem: number, bytes: number, flags: number): void {
  pageFree(mem, bytes, flags);
}

function pageAlloc(bytes: number, flags: number): number {
  const mem = kmemMalloc(bytes, flags);
  return mem === 0 ? 0 : mem + UMA_SLAB_KMEM;
}

function startupAlloc(bytes: number, flags: number): number {
  const pages = bytes / UMA_SLAB_SIZE;
  zoneLock(UMA + UMA_MTX);
  const mem = i32[UMA + UMA_BOOT_MEM];
  const left = i32[UMA + UMA_BOOT_FREE] - pages;
  if (left >= 0) {
    i32[UMA + UMA_BOOT_MEM] = mem + bytes;
    i32[UMA + UMA_BOOT_FREE] = left;
  }
  zoneUnlock(UMA + UMA_MTX);
  if (left >= 0) {
    if ((flags & M_ZERO) !== 0) bzero(mem, bytes);
    return mem + UMA_SLAB_BOOT;
  }
  if (i32[UMA + UMA_BOOTED] === 0) panic(P_BOOT_PAGES, pages);
  return pageAlloc(bytes, flags);
}

function objAlloc(kw: number, bytes: number, flags: number): number {
  const pages = bytes / UMA_SLAB_SIZE;
  zoneLock(kw + UK_LOCK);
  const mem = i32[kw + UK_KVA];
  const left = i32[kw + UK_KVA_PAGES] - pages;
  if (left >= 0) {
    i32[kw + UK_KVA] = mem + bytes;
    i32[kw + UK_KVA_PAGES] = left;
  }
  zoneUnlock(kw + UK_LOCK);
  if (left < 0) return 0;
  if ((flags & M_ZERO) !== 0) bzero(mem, bytes);
  return mem + UMA_SLAB_PRIV;
}
