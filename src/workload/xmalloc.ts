/**
 * xmalloc.ts — producers allocate, consumers free: every free is remote (Lever and Boreham; xmalloc-test of
 * mimalloc-bench).
 *
 *   producer: a batch record {next, 4096 pointers} filled with blocks, pushed on ONE mutex-guarded LIFO (100 at most)
 *   consumer: pops a batch, frees its blocks and the record; a block whose malloc failed is 0 in the record
 *
 *   the LIFO, in a block of its own
 *     line 0  atomic     XQ_MTX
 *     line 1  lock XQ_MTX  XQ_HEAD, XQ_COUNT, XQ_LEFT (batches still to be consumed)
 */
import { i32 } from '../hw/heap.js';
import { mtxLock, mtxUnlock } from '../kern/kern_mutex.js';
import { tsleep, tsleepInterlock, wakeup } from '../kern/sleep.js';
import { kfree, kmalloc, M_WAITOK, MAY_FAIL, WAIT } from './allocator.js';

export const XQ_MTX = 0;
export const XQ_HEAD = 16;
export const XQ_COUNT = 17;
export const XQ_LEFT = 18;
export const XQ_BYTES = 128;

export const XMALLOC_BATCH = 4096;
export const XMALLOC_LIMIT = 100;
const RECORD_BYTES = (XMALLOC_BATCH + 1) * 4;
const SLEEP_MS = 100;

/** @param queue word index of the LIFO @param size bytes of a block */
export function xmallocProduce(type: number, queue: number, size: number, batches: number): void {
  for (let n = 0; n < batches; n++) {
    const batch = batchNew(type);
    for (let k = 1; k <= XMALLOC_BATCH; k++) batchFill(type, batch, size, k);
    batchPush(queue, batch);
  }
}

/** Consumes until XQ_LEFT is 0. @returns blocks freed */
export function xmallocConsume(type: number, queue: number): number {
  let freed = 0;
  for (;;) {
    const batch = batchPop(queue);
    if (batch === 0) return freed;
    for (let k = 1; k <= XMALLOC_BATCH; k++) batchEmpty(type, batch, k);
    kfree(batch, type);
    freed += XMALLOC_BATCH;
  }
}

/** @returns address of a record, which is never made to fail: consumers count batches */
export function batchNew(type: number): number {
  return kmalloc(RECORD_BYTES, type, M_WAITOK);
}

/** Allocates the k-th block of a batch, from 1. */
export function batchFill(type: number, batch: number, size: number, k: number): void {
  const p = kmalloc(size, type, WAIT);
  if (!MAY_FAIL || p !== 0) i32[p >>> 2] = k;
  i32[(batch >>> 2) + k] = p;
}

/** Frees it. */
export function batchEmpty(type: number, batch: number, k: number): void {
  const p = i32[(batch >>> 2) + k];
  if (!MAY_FAIL || p !== 0) kfree(p, type);
}

export function batchPush(queue: number, batch: number): void {
  mtxLock(queue + XQ_MTX);
  while (i32[queue + XQ_COUNT] >= XMALLOC_LIMIT) waitFor(queue);
  i32[batch >>> 2] = i32[queue + XQ_HEAD];
  i32[queue + XQ_HEAD] = batch;
  i32[queue + XQ_COUNT]++;
  mtxUnlock(queue + XQ_MTX);
  wakeup(queue << 2);
}

/** @returns a batch, or 0 when all have been consumed */
export function batchPop(queue: number): number {
  mtxLock(queue + XQ_MTX);
  while (i32[queue + XQ_HEAD] === 0 && i32[queue + XQ_LEFT] > 0) waitFor(queue);
  const batch = i32[queue + XQ_HEAD];
  if (batch !== 0) {
    i32[queue + XQ_HEAD] = i32[batch >>> 2];
    i32[queue + XQ_COUNT]--;
    i32[queue + XQ_LEFT]--;
  }
  mtxUnlock(queue + XQ_MTX);
  wakeup(queue << 2);
  return batch;
}

/** Condition variable: announced before the mutex is let go, so no wake-up falls between. */
function waitFor(queue: number): void {
  tsleepInterlock(queue << 2);
  mtxUnlock(queue + XQ_MTX);
  tsleep(SLEEP_MS);
  mtxLock(queue + XQ_MTX);
}
