/**
 * slab_remote.ts — a chunk freed by another CPU than its zone's owner: how it comes home.
 *
 * Follows   DragonFly sys/kern/kern_slaballoc.c at 017ba73b (2005: free_remote), 5fee07e6 (2010: z_RChunks), df9daea8
 *           (September 2010: z_RCount); `rsignal2`, `rtagged` and `rbatch` are ours.
 *
 *   policy    freer                                               owner takes home      messages
 *   ipi       message per chunk, with its type                    frees it locally      one a free
 *   rchunks   read RSignal, CAS the chunk on RChunks; if it was   swaps RChunks to 0    NULL -> chunk edges of
 *             empty and RSignal was set, tell the owner                                 zones off the list
 *   rcount    the same with RCount raised while it may look at z  "                     "
 *   rsignal2  RCount always raised, RSignal read again after      "                     "
 *   rtagged   RSignal is bit 0 of RChunks: one CAS does it all    "                     "
 *   rbatch    rtagged, up to kern.rbatch chunks of a zone a CAS   "                     fewer still
 *   locked    takes the owner's lock and frees for it             -                     none (kern_slablock.ts)
 *
 * What is wrong with the historic ones: rchunks reads z_Cpu after linking, when the zone may be gone (R38), and trusts
 * ku_pagecnt to tell a stale message (R42); rchunks and rcount read RSignal before linking, so a zone may leave ZoneAry
 * in between and nobody tells its owner (R40). They are here to be measured and explored, as they were; ipi is without
 * its R34, unless that defect is switched on.
 *
 * Protocol of the tagged word z_RChunks (list | signal bit):
 *   freer   loads w, links its chain before (w & ~7), swaps w -> chain. Cleared the bit? Then it alone tells the owner.
 *           After the swap it does not touch the zone: z_Cpu was read before.
 *   owner   out of chunks: swaps 0 -> bit, sets Z_SIGNALED and takes the zone off ZoneAry; if the swap fails chunks
 *           have come, and it swaps w -> 0 instead. List and signal change together, so no edge can be missed (R40),
 *           and as long as the bit is out the zone is not released (checkZoneFree), so no message can be stale (R38,
 *           R42).
 *
 * Runs in   remoteFree: thread or interrupt context, inside a critical section. Handlers: IPI context on the owner.
 * See       docs/design/remote-free.md
 */
import { D_R38, D_R43 } from '../base/defects.js';
import { IPIF_KFREE_REMOTE } from '../base/ipif.js';
import { A_RCOUNT, A_ZONE_LIVE } from '../base/panics.js';
import {
  FREE_IPI, FREE_LOCKED, FREE_RBATCH, FREE_RCHUNKS, FREE_RCOUNT, FREE_RSIGNAL2, FREE_RTAGGED,
} from '../base/policy.js';
import { add, cas, load, store, xchg } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { defect } from '../hw/defect.js';
import { i32 } from '../hw/heap.js';
import { sdtRemoteFree } from '../hw/sdt.js';
import { KTR, ktr } from '../kern/ktr.js';
import { KTR_FREE_REMOTE } from '../kern/ktr.layout.js';
import { ipiqRegister } from '../kern/lwkt_ipiq.js';
import { kassert } from '../kern/panic.js';
import { btokup } from '../vm/kmemusage.js';
import { chunkMarkFree, chunkPoison } from './chunk.js';
import { checkZoneFree } from './kern_slabzone.js';
import { remoteBatch } from './slab_batch.js';
import { linkRchunks, linkRcount, linkRsignal2, linkTagged, sendChunk } from './slab_link.js';
import {
  CHUNK_MASK, RSIGNAL_BIT, SLC_DRAINED, SLC_REMOTE, Z_CHUNKSIZE, Z_CPU, Z_LCHUNKS, Z_LISTED, Z_MAGIC, Z_NFREE,
  Z_RCHUNKS, Z_RCOUNT, Z_RSIGNAL, Z_SIGNALED, ZALLOC_SLAB_MAGIC,
} from './slaballoc.layout.js';
import { FREE, myslgd, slCount, zoneRelist, zoneRemove } from './slglobaldata.js';

declare const INVARIANTS: boolean;
declare const DEFECTS: boolean;
declare const SDT: boolean;

const R38 = DEFECTS && defect(D_R38);
const R43 = DEFECTS && defect(D_R43);
const TAGGED = FREE === FREE_RTAGGED || FREE === FREE_RBATCH;
const COUNTED = (FREE === FREE_RCOUNT || FREE === FREE_RSIGNAL2) && !R38;
/** policies whose chunks wait in z_RChunks */
const LINKED = FREE !== FREE_IPI && FREE !== FREE_LOCKED;

/**
 * Sends a chunk home by the machine's policy. The caller has checked that it is a chunk of another CPU's active zone.
 * @param type the malloc_type, for the policy `ipi`, whose owner does the accounting
 */
export function remoteFree(z: number, chunk: number, type: number): void {
  const sl = myslgd();
  slCount(sl, SLC_REMOTE, 1);
  if (SDT) sdtRemoteFree((z >>> 2) + Z_CPU);
  if (KTR) ktr(KTR_FREE_REMOTE, chunk, z, i32[(z >>> 2) + Z_CPU]);
  if (INVARIANTS) chunkPoison(chunk, i32[(z >>> 2) + Z_CHUNKSIZE]);
  if (FREE === FREE_RBATCH) remoteBatch(sl, z, chunk);
  else if (FREE === FREE_RTAGGED) linkTagged(sl, z, chunk, chunk);
  else if (FREE === FREE_RCHUNKS) linkRchunks(sl, z, chunk);
  else if (FREE === FREE_RCOUNT) linkRcount(sl, z, chunk);
  else if (FREE === FREE_RSIGNAL2) linkRsignal2(sl, z, chunk);
  else sendChunk(sl, z, chunk, type);
}

/**
 * The owner has no chunk of this zone left but the one it is about to hand out. Takes home what others freed, or takes
 * the zone off ZoneAry and asks to be told.
 */
export function zoneExhausted(sl: number, z: number): void {
  const zw = z >>> 2;
  if (!LINKED) {
    zoneRemove(sl, z);
  } else if (TAGGED) {
    if (takeHomeOrArm(sl, z) === 0) zoneRemove(sl, z);
  } else {
    if (load(zw + Z_RCHUNKS) === 0) store(zw + Z_RSIGNAL, 1);
    if (takeHome(sl, z) === 0) zoneRemove(sl, z);
    else if (load(zw + Z_RSIGNAL) !== 0) store(zw + Z_RSIGNAL, 0);
  }
}

/**
 * Tagged policies: chunks, or the promise of a message.
 * @returns how many chunks came home; with 0 the signal bit is out, or the message it becomes is on its way:
 *   kfreeRemote then looks at the zone in any case.
 */
function takeHomeOrArm(sl: number, z: number): number {
  const zw = z >>> 2;
  for (;;) {
    const count = takeHome(sl, z);
    if (count !== 0 || i32[zw + Z_SIGNALED] !== 0) return count;
    if (cas(zw + Z_RCHUNKS, 0, RSIGNAL_BIT)) i32[zw + Z_SIGNALED] = 1;
  }
}

/** clean_zone_rchunks: @returns how many chunks came home */
export function takeHome(sl: number, z: number): number {
  const zw = z >>> 2;
  if ((load(zw + Z_RCHUNKS) & CHUNK_MASK) === 0) return 0;
  // a list never carries the signal bit: whoever linked its first chunk took the bit out
  const list = xchg(zw + Z_RCHUNKS, 0);
  let count = 0;
  for (let chunk = list; chunk !== 0; chunk = i32[chunk >>> 2]) {
    if (INVARIANTS) chunkMarkFree(z, chunk);
    count++;
  }
  appendLocal(zw, list);
  i32[zw + Z_NFREE] += count;
  slCount(sl, SLC_DRAINED, count);
  return count;
}

/** Chunks from elsewhere go behind our own: those are warm in this CPU's cache. */
function appendLocal(zw: number, list: number): void {
  let last = i32[zw + Z_LCHUNKS];
  if (last === 0) {
    i32[zw + Z_LCHUNKS] = list;
    return;
  }
  while (i32[last >>> 2] !== 0) last = i32[last >>> 2];
  i32[last >>> 2] = list;
}

/** kfree_remote: a zone that waited off the list has chunks again. IPI context on the owner. */
function kfreeRemote(z: number): void {
  const sl = myslgd();
  const zw = z >>> 2;
  // R43: a zone on FreeZones still has its word
  if (i32[btokup(z)] !== -(curcpu + 1) || (DEFECTS && R43 && i32[zw + Z_MAGIC] !== ZALLOC_SLAB_MAGIC)) {
    // rchunks: the slab was ripped out since the message was sent. The others pin it, so this cannot be.
    if (FREE === FREE_RCHUNKS || (DEFECTS && R38 && !TAGGED)) return;
    kassert(A_ZONE_LIVE, z);
  }
  if (COUNTED) {
    if (load(zw + Z_RCOUNT) <= 0) kassert(A_RCOUNT, z);
    add(zw + Z_RCOUNT, -1);
  }
  if (TAGGED) {
    i32[zw + Z_SIGNALED] = 0;
    if (i32[zw + Z_NFREE] === 0) takeHomeOrArm(sl, z);
  } else {
    if (load(zw + Z_RCHUNKS) !== 0) store(zw + Z_RSIGNAL, 0);
    takeHome(sl, z);
  }
  if (i32[zw + Z_LISTED] === 0 && i32[zw + Z_NFREE] > 0) zoneRelist(sl, z);
  checkZoneFree(sl, z, false);
}

ipiqRegister(IPIF_KFREE_REMOTE, kfreeRemote);
