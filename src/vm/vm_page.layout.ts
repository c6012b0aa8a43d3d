/**
 * vm_page.layout.ts — the page array and the free page queues.
 *
 *   vm_page, one a page of memory, 4 words       │ next │ prev │ order+1 │ flags │      lock vm_page_queue_free_mtx
 *     order+1   k+1: head of a free block of 2^k pages; 0: allocated, or inside a free block
 *     PG_DIRTY  the block has been used since boot; without it every byte is known to be zero
 *     PG_SLAB   the page is allocated and part of a slab: its PG_OBJECT is the slab header's address (p->object). The
 *               page's owner sets it before it hands out items and clears it before it frees the page; whoever holds
 *               an item may read it without the lock
 *   vm, machine wide
 *     line 0    │ free_mtx │ waiters │                                                  atomic
 *     line 1    │ free pages │ wired pages │ peak │                                     lock vm_page_queue_free_mtx
 *     line 2..  │ per order: head, tail, count │                                        lock vm_page_queue_free_mtx
 *
 * All-zero memory means "no free block here", so a machine boots without touching its page array.
 * Identity: free pages = sum over orders of count << order; free + wired = the pages the allocator was given.
 * Buddies: a block of order k starts at a page number divisible by 2^k, and its buddy is not also free with order k.
 */
import { struct } from '../base/struct.js';

export const PG_NEXT = 0;
export const PG_PREV = 1;
export const PG_ORDER = 2;
export const PG_FLAGS = 3;
export const PG_WORDS = 4;

/** of an allocated page, where a free one has its queue link */
export const PG_OBJECT = PG_NEXT;
export const PG_ZONE = PG_PREV;

export const PG_DIRTY = 0x1;
export const PG_SLAB = 0x2000;
/**
 * with PG_SLAB: the slab is of a malloc zone without a limit, which is PG_ZONE, so free(9) may put its items into a
 * bucket right away. The zone could be asked of the slab's keg; three loads that wait for each other are saved
 */
export const PG_BUCKET = 0x4000;

/** orders 0..12: blocks of 4 KiB to 16 MiB */
export const VM_NFREEORDER = 13;

export const VM_FREE_MTX = 0;
export const VM_WAITERS = 1;
export const VM_FREE_COUNT = 16;
export const VM_WIRE_COUNT = 17;
export const VM_WIRE_PEAK = 18;
export const VM_FREE_QUEUES = 32;
export const FQ_HEAD = 0;
export const FQ_TAIL = 1;
export const FQ_COUNT = 2;
export const FQ_WORDS = 3;
export const VM_WORDS = 80;

export const VM_PAGE = /* @__PURE__ */ struct('vm_page', PG_WORDS, ['lock vm_page_queue_free_mtx'], {
  PG_NEXT, PG_PREV, PG_ORDER, PG_FLAGS,
});
export const VM = /* @__PURE__ */ struct('vm', VM_WORDS, ['atomic', 'lock vm_page_queue_free_mtx'], {
  VM_FREE_MTX, VM_WAITERS, VM_FREE_COUNT, VM_WIRE_COUNT, VM_WIRE_PEAK, VM_FREE_QUEUES,
});
