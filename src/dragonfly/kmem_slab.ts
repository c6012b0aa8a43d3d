/**
 * kmem_slab.ts — memory for zones and oversized blocks, from the page allocator.
 *
 * Follows   DragonFly sys/kern/kern_slaballoc.c kmem_slab_alloc, kmem_slab_free; waiting moved out to the caller, which
 *           has to leave its critical section first (memoryShortage).
 *
 * A request that finds no pages asks every CPU to give back what it hoards (open batches, spare zones), tries once
 * more, and then fails (M_RNOWAIT, M_NULLOK) or sleeps until pages are freed (M_WAITOK).
 */
import { PAGE_SHIFT, PAGE_SIZE } from '../base/param.js';
import { IPIF_REMOTE_FLUSH } from '../base/ipif.js';
import { P_KERNEL_MAP, P_SLAB_FLAGS } from '../base/panics.js';
import { load } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { KASAN_ALLOCATOR, KASAN_PAGE_FREE, kasanMark } from '../hw/kasan.js';
import { globaldataFind, NCPU } from '../kern/globaldata.js';
import { GD_ONLINE } from '../kern/globaldata.layout.js';
import { lwktSendIpiqNowait } from '../kern/lwkt_ipiq.js';
import { panic } from '../kern/panic.js';
import { KVA_BYTES } from '../vm/kmemusage.js';
import { KNOWN_ZERO, vmPagesAlloc, vmPagesFree, vmWait } from '../vm/vm_page.js';
import { M_NULLOK, M_RNOWAIT, M_WAITOK } from './malloc.js';

declare const STEPPED: boolean;

/**
 * @param bytes a multiple of the page size; the block is aligned to the next power of two
 * @returns address, with bit 0 set when every byte is known to be zero; 0 when there are no pages now
 */
export function kmemSlabAlloc(bytes: number): number {
  if (bytes > KVA_BYTES) return 0;
  const page = vmPagesAlloc(bytes >>> PAGE_SHIFT);
  if (page === 0) return 0;
  const address = (page & ~KNOWN_ZERO) << PAGE_SHIFT;
  if (STEPPED) kasanMark(address, bytes, KASAN_ALLOCATOR);
  return address | (page >>> 31);
}

export function kmemSlabFree(address: number, bytes: number): void {
  if (STEPPED) kasanMark(address, bytes, KASAN_PAGE_FREE);
  vmPagesFree(address >>> PAGE_SHIFT, bytes >>> PAGE_SHIFT);
}

/**
 * What to do when kmemSlabAlloc found nothing. Thread context, no critical section.
 * @param bytes what was wanted
 * @param looks 0 the first time, then what the last call returned
 * @param free vmFreeCount() before the attempt that failed
 * @returns looks for the next call: try again; -1: give up, the allocation fails
 */
export function memoryShortage(bytes: number, flags: number, looks: number, free: number): number {
  if ((flags & (M_RNOWAIT | M_WAITOK)) === 0) panic(P_SLAB_FLAGS, flags, curcpu);
  if (looks === 0) {
    reclaim();
    return 1;
  }
  if ((flags & M_RNOWAIT) !== 0) return -1;
  if (bytes > KVA_BYTES) return (flags & M_NULLOK) !== 0 ? -1 : panic(P_KERNEL_MAP);
  if ((flags & M_NULLOK) !== 0) return -1;
  // nobody tells of what others have come to hoard since: ask again
  if (looks > 1) reclaim();
  return Math.max(1, vmWait(free, looks));
}

/** Asks all CPUs, this one included, for what they keep in reserve. */
function reclaim(): void {
  for (let cpu = 0; cpu < NCPU; cpu++) {
    if (load(globaldataFind(cpu) + GD_ONLINE) !== 0) lwktSendIpiqNowait(cpu, IPIF_REMOTE_FLUSH, 0, 0);
  }
}

/** Bytes, an unsigned 32-bit number, rounded up to whole pages: 2^32 at the most, which does not wrap to nothing. */
export function roundPage(bytes: number): number {
  return Math.ceil((bytes >>> 0) / PAGE_SIZE) * PAGE_SIZE;
}
