/**
 * vm_phys.ts — physical pages in blocks of powers of two: the binary buddy allocator.
 *
 * Follows   FreeBSD sys/vm/vm_phys.c (2007): vm_phys_alloc_pages, vm_phys_split_pages, vm_phys_free_pages,
 *           vm_phys_alloc_contig, vm_phys_free_contig.
 *
 *      order 3   ┌───────────────────────────────┐     take the head of the smallest order that has one,
 *      order 2   ├───────────────┐▒▒▒▒ free ▒▒▒▒▒│     halve it until it fits; the upper half goes to its queue
 *      order 1   ├───────┐▒free▒▒│                     a block freed looks for its buddy (page ^ 2^order) and grows
 *                └ ours ─┘
 *
 * Every function here is called with vm_page_queue_free_mtx held. Pages are page numbers; 0 is "none".
 * Differs   one segment, one free list, one pool; the known-zero flag is kept per block.
 */
import { log2Ceil } from '../base/bits.js';
import { PAGE_SHIFT } from '../base/param.js';
import { P_PHYS_FREE_ORDER, P_PHYS_ORDER, P_PHYS_SPLIT_ORDER } from '../base/panics.js';
import { i32 } from '../hw/heap.js';
import { SB_FIRST_PAGE, SB_NPAGES, SB_PGA, SB_VM } from '../hw/superblock.layout.js';
import { panic } from '../kern/panic.js';
import {
  FQ_COUNT, FQ_HEAD, FQ_TAIL, FQ_WORDS, PG_DIRTY, PG_FLAGS, PG_NEXT, PG_ORDER, PG_PREV, PG_WORDS, VM_FREE_COUNT,
  VM_FREE_QUEUES, VM_NFREEORDER,
} from './vm_page.layout.js';

const VM = i32[SB_VM] >>> 2;
const PGA = i32[SB_PGA] >>> 2;
const FIRST = i32[SB_FIRST_PAGE];
const END = i32[SB_NPAGES];
const MAX_ORDER = VM_NFREEORDER - 1;

/** Word index of a page's vm_page. */
export function vmPage(page: number): number {
  return PGA + page * PG_WORDS;
}

/** Hands all memory behind the kernel's image to the allocator, as known-zero blocks. Once, at boot. */
export function vmPhysInit(): void {
  freeRange(FIRST, END - FIRST, 0);
}

/**
 * @param order 0..12
 * @returns first page of a block of 2^order pages, aligned to its size; 0 when there is none
 */
export function vmPhysAllocPages(order: number): number {
  if (order < 0 || order > MAX_ORDER) panic(P_PHYS_ORDER, order);
  for (let k = order; k <= MAX_ORDER; k++) {
    const page = i32[queue(k) + FQ_HEAD];
    if (page === 0) continue;
    unlink(page, k);
    splitPages(page, k, order);
    i32[VM + VM_FREE_COUNT] -= 1 << order;
    return page;
  }
  return 0;
}

/** Gives back a block of 2^order pages. @param flags PG_DIRTY unless the memory is known to be zero */
export function vmPhysFreePages(page: number, order: number, flags: number): void {
  if (i32[vmPage(page) + PG_ORDER] !== 0) {
    panic(P_PHYS_FREE_ORDER, page << PAGE_SHIFT, i32[vmPage(page) + PG_ORDER] - 1);
  }
  i32[VM + VM_FREE_COUNT] += 1 << order;
  let start = page;
  let k = order;
  let dirty = flags;
  for (; k < MAX_ORDER; k++) {
    const buddy = start ^ (1 << k);
    if (buddy < FIRST || buddy + (1 << k) > END || i32[vmPage(buddy) + PG_ORDER] !== k + 1) break;
    unlink(buddy, k);
    dirty |= i32[vmPage(buddy) + PG_FLAGS];
    start &= ~(1 << k);
  }
  i32[vmPage(start) + PG_FLAGS] = dirty;
  insertTail(start, k);
}

/**
 * A run of pages of any length, aligned to its size rounded up to a power of two (16 MiB at most).
 * @returns its first page, or 0
 */
export function vmPhysAllocContig(npages: number): number {
  const order = log2Ceil(npages);
  if (order > MAX_ORDER) return allocMaxBlocks(npages);
  const page = vmPhysAllocPages(order);
  if (page !== 0) freeRange(page + npages, (1 << order) - npages, i32[vmPage(page) + PG_FLAGS]);
  return page;
}

/** Gives back any run of allocated pages, in the largest aligned pieces. */
export function vmPhysFreeContig(page: number, npages: number): void {
  freeRange(page, npages, PG_DIRTY);
}

/** Whether the block just allocated at `page` is known to be zero. */
export function vmPhysIsZero(page: number): boolean {
  return (i32[vmPage(page) + PG_FLAGS] & PG_DIRTY) === 0;
}

function freeRange(from: number, npages: number, flags: number): void {
  let page = from;
  const end = from + npages;
  while (page < end) {
    let order = Math.min(MAX_ORDER, 31 - Math.clz32(page & -page));
    while (page + (1 << order) > end) order--;
    vmPhysFreePages(page, order, flags);
    page += 1 << order;
  }
}

function splitPages(page: number, from: number, to: number): void {
  const flags = i32[vmPage(page) + PG_FLAGS];
  for (let k = from - 1; k >= to; k--) {
    const buddy = page + (1 << k);
    if (i32[vmPage(buddy) + PG_ORDER] !== 0) {
      panic(P_PHYS_SPLIT_ORDER, buddy << PAGE_SHIFT, i32[vmPage(buddy) + PG_ORDER] - 1);
    }
    i32[vmPage(buddy) + PG_FLAGS] = flags;
    insertHead(buddy, k);
  }
}

/** More than the largest block: enough neighbouring blocks of the largest order. */
function allocMaxBlocks(npages: number): number {
  const blocks = Math.ceil(npages / (1 << MAX_ORDER));
  for (let head = i32[queue(MAX_ORDER) + FQ_HEAD]; head !== 0; head = i32[vmPage(head) + PG_NEXT]) {
    let found = 1;
    while (found < blocks && isFreeMax(head + (found << MAX_ORDER))) found++;
    if (found < blocks) continue;
    takeMaxBlocks(head, blocks);
    freeRange(head + npages, (blocks << MAX_ORDER) - npages, i32[vmPage(head) + PG_FLAGS]);
    return head;
  }
  return 0;
}

function isFreeMax(page: number): boolean {
  return page + (1 << MAX_ORDER) <= END && i32[vmPage(page) + PG_ORDER] === MAX_ORDER + 1;
}

function takeMaxBlocks(head: number, blocks: number): void {
  let flags = 0;
  for (let n = 0; n < blocks; n++) {
    const page = head + (n << MAX_ORDER);
    flags |= i32[vmPage(page) + PG_FLAGS];
    unlink(page, MAX_ORDER);
  }
  i32[vmPage(head) + PG_FLAGS] = flags;
  i32[VM + VM_FREE_COUNT] -= blocks << MAX_ORDER;
}

// ---- free queues: doubly linked, by page number

function queue(order: number): number {
  return VM + VM_FREE_QUEUES + order * FQ_WORDS;
}

function insertHead(page: number, order: number): void {
  const q = queue(order);
  const next = i32[q + FQ_HEAD];
  i32[vmPage(page) + PG_NEXT] = next;
  i32[vmPage(page) + PG_PREV] = 0;
  i32[vmPage(page) + PG_ORDER] = order + 1;
  if (next !== 0) i32[vmPage(next) + PG_PREV] = page;
  else i32[q + FQ_TAIL] = page;
  i32[q + FQ_HEAD] = page;
  i32[q + FQ_COUNT]++;
}

function insertTail(page: number, order: number): void {
  const q = queue(order);
  const prev = i32[q + FQ_TAIL];
  i32[vmPage(page) + PG_NEXT] = 0;
  i32[vmPage(page) + PG_PREV] = prev;
  i32[vmPage(page) + PG_ORDER] = order + 1;
  if (prev !== 0) i32[vmPage(prev) + PG_NEXT] = page;
  else i32[q + FQ_HEAD] = page;
  i32[q + FQ_TAIL] = page;
  i32[q + FQ_COUNT]++;
}

function unlink(page: number, order: number): void {
  const q = queue(order);
  const next = i32[vmPage(page) + PG_NEXT];
  const prev = i32[vmPage(page) + PG_PREV];
  if (next !== 0) i32[vmPage(next) + PG_PREV] = prev;
  else i32[q + FQ_TAIL] = prev;
  if (prev !== 0) i32[vmPage(prev) + PG_NEXT] = next;
  else i32[q + FQ_HEAD] = next;
  i32[vmPage(page) + PG_ORDER] = 0;
  i32[q + FQ_COUNT]--;
}
