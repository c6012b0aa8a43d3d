/**
 * uma_bucket.ts — buckets, and the zones they come from (FreeBSD sys/vm/uma_core.c: bucket_init, bucket_alloc,
 * bucket_free, bucket_enable).
 *
 *   "16 Bucket" "32 Bucket" "64 Bucket" "128 Bucket"    by entries >> BUCKET_SHIFT, so that a zone whose uz_count grows
 *                                                       moves to the next
 * Differs  buckets are aligned to cache lines: two CPUs' buckets on one line would cost what they save.
 */
import { racy, store } from '../hw/atomics.js';
import { i32 } from '../hw/heap.js';
import { bzero } from '../hw/mem.js';
import { SB_NPAGES } from '../hw/superblock.layout.js';
import { vmFreeCount } from '../vm/vm_page.js';
import { BUCKET_SHIFT, SKIP_NONE, ZFREE_STATFREE } from './uma.js';
import {
  UB_BUCKET, UB_CNT, UB_ENTRIES, UB_LINK, UK_SIZE, UMA_BUCKETDISABLE, UMA_BUCKET_SIZE, UZ_KEG,
} from './uma_int.layout.js';
import { UMA } from './uma_int.js';
import { umaZallocInternal, umaZfreeInternal } from './uma_item.js';

declare const INVARIANTS: boolean;

/** v_free_min: with fewer pages free than this there are no new buckets */
const FREE_MIN = 4 + (i32[SB_NPAGES] >>> 8);

/** Bytes of a bucket of so many entries. */
export function bucketBytes(entries: number): number {
  return (UB_BUCKET + entries) * 4;
}

/** @param entries room wanted, 1 to BUCKET_MAX @returns address of an empty bucket, or 0 */
export function bucketAlloc(entries: number, flags: number): number {
  // late by a moment is early enough: it is a hint that memory is short
  if (racy(UMA + UMA_BUCKETDISABLE) !== 0) return 0;
  const zone = i32[UMA + UMA_BUCKET_SIZE + ((entries + 15) >>> BUCKET_SHIFT)];
  const bucket = umaZallocInternal(zone, 0, flags);
  if (bucket === 0) return 0;
  const bw = bucket >>> 2;
  i32[bw + UB_LINK] = 0;
  i32[bw + UB_CNT] = 0;
  i32[bw + UB_ENTRIES] = bucketEntries(zone);
  if (INVARIANTS) bzero((bw + UB_BUCKET) << 2, bucketEntries(zone) * 4);
  return bucket;
}

export function bucketFree(bucket: number): void {
  const zone = i32[UMA + UMA_BUCKET_SIZE + ((i32[(bucket >>> 2) + UB_ENTRIES] + 15) >>> BUCKET_SHIFT)];
  umaZfreeInternal(zone, bucket, 0, SKIP_NONE, ZFREE_STATFREE);
}

/** bucket_enable: buckets are made while there are pages. */
export function bucketEnable(): void {
  store(UMA + UMA_BUCKETDISABLE, vmFreeCount() < FREE_MIN ? 1 : 0);
}

function bucketEntries(zone: number): number {
  return (i32[(i32[(zone >>> 2) + UZ_KEG] >>> 2) + UK_SIZE] >>> 2) - UB_BUCKET;
}
