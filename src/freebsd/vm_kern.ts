/**
 * vm_kern.ts — pages for the kernel's own use, out of a map of limited size (FreeBSD sys/vm/vm_kern.c kmem_malloc,
 * kmem_free).
 *
 *   pages ──► room in kmem_map ──► the block
 *     no: M_NOWAIT 0                     no: M_NOWAIT 0
 *         M_WAITOK: reclaim, then VM_WAIT,   M_WAITOK: reclaim twice, then panic
 *         and again
 *
 * Writes KMEM_PAGES, KMEM_PEAK under kmem_map's lock.
 * Differs  addresses are physical, so a block's pages are neighbours, and the map is a count. M_USE_RESERVE takes
 *          VM_ALLOC_SYSTEM, which leaves the last pages to M_NOWAIT without it (VM_ALLOC_INTERRUPT), as in 2005. Pages
 *          come before the map: who waits for pages keeps no room in it, or those who wait would make others panic.
 * Runs in  thread context with M_WAITOK; any with M_NOWAIT.
 */
import { PAGE_SHIFT, PAGE_SIZE } from '../base/param.js';
import { P_KMEM_MAP, P_PAGE_FREE_FLAGS } from '../base/panics_freebsd.js';
import { racy } from '../hw/atomics.js';
import { i32 } from '../hw/heap.js';
import { KASAN_ALLOCATOR, KASAN_PAGE_FREE, kasanMark } from '../hw/kasan.js';
import { bzero } from '../hw/mem.js';
import { SB_LOWMEM } from '../hw/superblock.layout.js';
import { panic } from '../kern/panic.js';
import { KNOWN_ZERO, vmFreeCount, vmPagesAlloc, vmPagesFree, vmWait } from '../vm/vm_page.js';
import { M_USE_RESERVE, M_ZERO } from './malloc.js';
import { UMA_SLAB_KMEM } from './uma.js';
import { KMEM_MTX, KMEM_PAGES, KMEM_PEAK, KMEM_SIZE } from './uma_int.layout.js';
import { mayWait, UMA, zoneLock, zoneUnlock } from './uma_int.js';

declare const STEPPED: boolean;

const LOWMEM = i32[SB_LOWMEM] !== 0;
/** v_interrupt_free_min */
const RESERVED_PAGES = 2;

/** vm_lowmem: who can give memory back when it is short. Link-time registration by uma_drain.ts. */
const lowmemFuncs: ((hard: boolean) => void)[] = [];

export function lowmemRegister(func: (hard: boolean) => void): void {
  lowmemFuncs.push(func);
}

/**
 * @param bytes whole pages
 * @param flags M_* of malloc.ts
 * @param instead word index; who waits gives up, and returns 0, once it is not 0: there is something better than pages
 * @returns address, aligned to the next power of two; 0 when there is no room or no page (M_NOWAIT)
 * @throws panic kmem_map too small
 */
export function kmemMalloc(bytes: number, flags: number, instead = 0): number {
  const npages = bytes >>> PAGE_SHIFT;
  for (let looks = 0, tries = 0; ; ) {
    // what is freed from here on is news to the wait below
    const free = vmFreeCount();
    const system = mayWait(flags) || (flags & M_USE_RESERVE) !== 0;
    const page = system && free < npages + RESERVED_PAGES ? 0 : vmPagesAlloc(npages);
    if (page !== 0) {
      if (mapEnter(npages)) return enterPages(page, bytes, flags);
      vmPagesFree(page & ~KNOWN_ZERO, npages);
    }
    if (!mayWait(flags)) return 0;
    if (page === 0) {
      lowmem(looks > 0);
      if (instead !== 0 && racy(instead) !== 0) return 0;
      looks = looks === 0 ? 1 : Math.max(1, vmWait(free, looks));
    } else {
      if (++tries > 2) panic(P_KMEM_MAP, bytes, i32[UMA + KMEM_PAGES] * PAGE_SIZE);
      lowmem(tries > 1);
    }
  }
}

function enterPages(page: number, bytes: number, flags: number): number {
  const address = (page & ~KNOWN_ZERO) << PAGE_SHIFT;
  if (STEPPED) kasanMark(address, bytes, KASAN_ALLOCATOR);
  if ((flags & M_ZERO) !== 0 && (page & KNOWN_ZERO) === 0) bzero(address, bytes);
  return address;
}

/** page_free: gives back what kmemMalloc returned. @param flags of the slab: where its pages came from */
export function pageFree(address: number, bytes: number, flags: number): void {
  if ((flags & UMA_SLAB_KMEM) === 0) panic(P_PAGE_FREE_FLAGS, flags);
  kmemFree(address, bytes);
}

export function kmemFree(address: number, bytes: number): void {
  if (STEPPED) kasanMark(address, bytes, KASAN_PAGE_FREE);
  // whoever gets the pages finds room for them
  mapRemove(bytes >>> PAGE_SHIFT);
  vmPagesFree(address >>> PAGE_SHIFT, bytes >>> PAGE_SHIFT);
}

/** The page daemon is whoever is short. @param hard leave nothing in reserve */
function lowmem(hard: boolean): void {
  if (LOWMEM) for (const func of lowmemFuncs) func(hard);
}

function mapEnter(npages: number): boolean {
  zoneLock(UMA + KMEM_MTX);
  const pages = i32[UMA + KMEM_PAGES] + npages;
  const fits = pages <= i32[UMA + KMEM_SIZE] >>> PAGE_SHIFT;
  if (fits) {
    i32[UMA + KMEM_PAGES] = pages;
    if (pages > i32[UMA + KMEM_PEAK]) i32[UMA + KMEM_PEAK] = pages;
  }
  zoneUnlock(UMA + KMEM_MTX);
  return fits;
}

function mapRemove(npages: number): void {
  zoneLock(UMA + KMEM_MTX);
  i32[UMA + KMEM_PAGES] -= npages;
  zoneUnlock(UMA + KMEM_MTX);
}
