/**
 * kmeminit.ts — malloc(9) comes up: how much kmem_map may hold, the zones of powers of two, the table from size to zone
 * (FreeBSD sys/kern/kern_malloc.c kmeminit).
 *
 *   12 MB ──► memory / vm.kmem_size_scale if more ──► at least _min, at most _max ──► vm.kmem_size if set
 *         ──► never more than twice the memory
 *   kern.vm.kmem.size, the old name, is looked up first and accepted with a warning; the new name wins.
 *
 * On CPU 0, before any other runs.
 */
import { MSG_KMEM_SIZE_OLD } from '../base/messages.js';
import { PAGE_SIZE } from '../base/param.js';
import { STATS_UNPADDED } from '../base/policy.js';
import { store } from '../hw/atomics.js';
import { i32, u8 } from '../hw/heap.js';
import {
  SB_FAILURE_RATE, SB_FIRST_PAGE, SB_KMEM_SIZE, SB_KMEM_SIZE_MAX, SB_KMEM_SIZE_MIN, SB_KMEM_SIZE_OLD,
  SB_KMEM_SIZE_SCALE, SB_NPAGES, SB_STATS,
} from '../hw/superblock.layout.js';
import { NCPU } from '../kern/globaldata.js';
import { mtsStride } from '../kern/malloc_type.layout.js';
import { kprintf } from '../kern/subr_prf.js';
import { KMZ_MT_ZONE, KMZ_SIZE, KMZ_ZONES, MF_RATE } from './kern_malloc.layout.js';
import { KMALLOC } from './kern_malloc_words.js';
import { KMEM_ZBASE, KMEM_ZMAX, KMEM_ZONES, KMEM_ZSHIFT, VM_KMEM_SIZE } from './malloc.js';
import { UMA_ALIGN_CACHE, UMA_ALIGN_PTR, UMA_ZONE_MALLOC } from './uma.js';
import { MALLOC_UMAF } from './uma_dbg.js';
import { KMEM_SIZE } from './uma_int.layout.js';
import { UMA } from './uma_int.js';
import { umaStartup, umaStartup2 } from './uma_startup.js';
import { umaZcreate } from './uma_zone.js';

export interface KmemTunables {
  /** bytes; 0: not set, for all of them */
  readonly size: number;
  readonly sizeOld: number;
  readonly min: number;
  readonly max: number;
  readonly scale: number;
}

/**
 * Bytes of kmem_map.
 * @param pages physical memory
 * @param inBytes compute in 32-bit bytes, as before the fix: more than 4 GiB of memory wraps to little (PAE)
 */
export function kmemSize(pages: number, t: KmemTunables, inBytes = false): number {
  let size = VM_KMEM_SIZE;
  if (t.scale > 0) {
    const scaled = inBytes
      ? Math.floor(((pages * PAGE_SIZE) % 2 ** 32) / t.scale)
      : Math.floor(pages / t.scale) * PAGE_SIZE;
    if (scaled > size) size = scaled;
  }
  if (t.min > 0 && size < t.min) size = t.min;
  if (t.max > 0 && size > t.max) size = t.max;
  if (t.sizeOld > 0) size = t.sizeOld;
  if (t.size > 0) size = t.size;
  return Math.floor(size / 2 / PAGE_SIZE) > pages ? 2 * pages * PAGE_SIZE : size;
}

export function kmeminit(): void {
  const old = i32[SB_KMEM_SIZE_OLD];
  if (old > 0) kprintf(MSG_KMEM_SIZE_OLD);
  const pages = i32[SB_NPAGES] - i32[SB_FIRST_PAGE];
  const size = kmemSize(pages, {
    size: i32[SB_KMEM_SIZE], sizeOld: old, min: i32[SB_KMEM_SIZE_MIN], max: i32[SB_KMEM_SIZE_MAX],
    scale: i32[SB_KMEM_SIZE_SCALE],
  });
  // an address is 31 bits here; beyond the memory there is nothing to map anyway
  i32[UMA + KMEM_SIZE] = Math.min(size, 0x7ffff000);
  umaStartup();
  umaStartup2();
  const align = i32[SB_STATS] === STATS_UNPADDED ? UMA_ALIGN_PTR | 7 : UMA_ALIGN_CACHE;
  i32[KMALLOC + KMZ_MT_ZONE] = mallocZone('mt_zone', NCPU * mtsStride(i32[SB_STATS]) * 8, align);
  kmemzones();
  store(KMALLOC + MF_RATE, i32[SB_FAILURE_RATE]);
}

/** The zones, and kmemsize[]: index of the zone of a size rounded up to 16. */
function kmemzones(): void {
  let at = 0;
  for (const [zindx, size] of KMEM_ZONES.entries()) {
    i32[KMALLOC + KMZ_ZONES + zindx] = mallocZone(String(size), size, UMA_ALIGN_PTR);
    for (; at <= size && at <= KMEM_ZMAX; at += KMEM_ZBASE) u8[(KMALLOC + KMZ_SIZE) * 4 + (at >> KMEM_ZSHIFT)] = zindx;
  }
}

function mallocZone(name: string, size: number, align: number): number {
  const umaf = MALLOC_UMAF;
  return umaZcreate({ name, size, ctor: umaf, dtor: umaf, init: umaf, fini: umaf, align, flags: UMA_ZONE_MALLOC });
}
