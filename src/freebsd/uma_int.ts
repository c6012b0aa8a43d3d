/**
 * uma_int.ts — what every part of UMA uses: its globals, its locks, and the way from a page to its slab
 * (FreeBSD sys/vm/uma_int.h: ZONE_LOCK, vsetslab, vsetobj, vtoslab).
 *
 * A page that is part of a slab has PG_SLAB set and the slab header's address where its queue link was: that is how
 * free(9) finds the slab of a pointer without a hash (mallochash until 2002).
 */
import { i32 } from '../hw/heap.js';
import { SB_UMA } from '../hw/superblock.layout.js';
import { critEnter, critExit } from '../kern/critical.js';
import { mtxLock, mtxUnlock } from '../kern/kern_mutex.js';
import { KVA_BYTES, KVA_START } from '../vm/kmemusage.js';
import { PG_BUCKET, PG_FLAGS, PG_OBJECT, PG_SLAB, PG_ZONE } from '../vm/vm_page.layout.js';
import { vmPage } from '../vm/vm_phys.js';
import { M_NOWAIT } from './malloc.js';

/** word index of struct uma */
export const UMA = i32[SB_UMA] >>> 2;

/**
 * A zone's lock is its keg's. It spins, in a critical section: a handler that frees never meets it held by the thread
 * it interrupted. @param lock word index
 */
export function zoneLock(lock: number): void {
  critEnter();
  mtxLock(lock);
}

export function zoneUnlock(lock: number): void {
  mtxUnlock(lock);
  critExit();
}

/** May a request with these flags sleep? */
export function mayWait(flags: number): boolean {
  return (flags & M_NOWAIT) === 0;
}

/** Stores the slab of a page of ours. @param zone where free(9) may put its items without asking, or 0 */
export function vsetslab(address: number, slab: number, zone: number): void {
  const page = vmPage(address >>> 12);
  i32[page + PG_OBJECT] = slab;
  i32[page + PG_ZONE] = zone;
  i32[page + PG_FLAGS] |= zone === 0 ? PG_SLAB : PG_SLAB | PG_BUCKET;
}

/** The page is about to be freed: nothing of ours stays in it. */
export function vsetobj(address: number): void {
  const page = vmPage(address >>> 12);
  i32[page + PG_FLAGS] &= ~(PG_SLAB | PG_BUCKET);
  i32[page + PG_OBJECT] = 0;
  i32[page + PG_ZONE] = 0;
}

/** @returns the slab header of the page an address lies in, 0 when it is no slab's */
export function vtoslab(address: number): number {
  if ((address - KVA_START) >>> 0 >= KVA_BYTES) return 0;
  const page = vmPage(address >>> 12);
  return (i32[page + PG_FLAGS] & PG_SLAB) === 0 ? 0 : i32[page + PG_OBJECT];
}
