/**
 * kmemusage.ts — what each page of kernel memory is used for, one word a page.
 *
 * Follows  DragonFly sys/kern/kern_slaballoc.c: kmemusage, btokup, ku_pagecnt.
 *
 *   > 0   first page of an oversized allocation of that many pages
 *   < 0   first page of an active slab zone: -(owner's cpuid + 1)
 *   = 0   neither
 *
 * Written by the CPU that owns the memory of that page; read by whoever holds a pointer into it, which is what makes
 * the plain read sound: while a block is held its page's word does not change. A foreign pointer reads some word or
 * other and is refused by what it says.
 * A zone's word is cleared BEFORE its pages are freed: the next owner of the pages writes its own (R43).
 */
import { PAGE_SHIFT } from '../base/param.js';
import { i32 } from '../hw/heap.js';
import { SB_FIRST_PAGE, SB_KMU, SB_NPAGES } from '../hw/superblock.layout.js';

/** word index of page 0's entry */
export const KMEMUSAGE = i32[SB_KMU] >>> 2;
/** kernel memory: byte addresses [KVA_START, KVA_START + KVA_BYTES) */
export const KVA_START = i32[SB_FIRST_PAGE] << PAGE_SHIFT;
export const KVA_BYTES = (i32[SB_NPAGES] - i32[SB_FIRST_PAGE]) * 4096;

/** Word index of the kmemusage entry of an address. */
export function btokup(address: number): number {
  return KMEMUSAGE + (address >>> PAGE_SHIFT);
}
