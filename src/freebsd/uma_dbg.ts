/**
 * uma_dbg.ts — is what comes back ours, and did anybody write to it meanwhile? (FreeBSD sys/vm/uma_dbg.c)
 *
 *   trash_*    every word of a free item is 0xdeadc0de: filled by init and dtor, looked at by ctor and fini
 *   mtrash_*   the same for malloc(9)'s zones, but the last word, which names the type that used the item last
 *   us_item    of an item that is out is 255, of one that was freed into a bucket 0: a second free finds no 255
 *
 * debug.uma_dbg: 2 checks each free in the bucket path, under the zone's lock; 1 only frees that go past the buckets,
 * as it was before: a double free into a bucket is missed (R24). debug.trash switches the filling.
 */
import { MSG_DUPLICATE, MSG_MODIFIED, MSG_UNALIGNED } from '../base/messages.js';
import {
  P_DUPLICATE_FREE, P_FREED_NOT_BELONG, P_FREELIST_RANGE, P_ITEM_NOT_BELONG, P_MODIFIED_AFTER_FREE, P_MOST_RECENTLY,
  P_SHOULD_BE,
} from '../base/panics_freebsd.js';
import { i32 } from '../hw/heap.js';
import { fill32 } from '../hw/mem.js';
import { SB_TRASH, SB_UMA_DBG } from '../hw/superblock.layout.js';
import { KS_MAGIC, M_MAGIC } from '../kern/malloc_type.layout.js';
import { panic } from '../kern/panic.js';
import { kprintf } from '../kern/subr_prf.js';
import { UMAF_MTRASH, UMAF_NONE, UMAF_TRASH, UMA_ZFLAG_INTERNAL, US_ITEM_OUT } from './uma.js';
import { umaFuncRegister } from './uma_func.js';
import { UK_FLAGS, UK_IPERS, UK_RSIZE, US_DATA, US_KEG, UZ_KEG, UZ_LOCK } from './uma_int.layout.js';
import { zoneLock, zoneUnlock } from './uma_int.js';
import { itemIndex, slabItem, slabOf, slabSetItem } from './uma_slab.js';

/** which frees are checked: 0 none, 1 past the buckets, 2 all */
export const UMA_DBG = i32[SB_UMA_DBG];
/** are free items filled? */
export const TRASH = i32[SB_TRASH] !== 0;

const UMA_JUNK = 0xdeadc0de | 0;
const PTR_BYTES = 4;

// ---- trash: the whole item

function trashFill(item: number, size: number): number {
  fill32(item, UMA_JUNK, size & ~3);
  return 0;
}

function trashVerify(item: number, size: number): number {
  const words = size >>> 2;
  for (let n = 0; n < words; n++) {
    const at = (item >>> 2) + n;
    if (i32[at] !== UMA_JUNK) panic(P_MODIFIED_AFTER_FREE, item, size, i32[at], at << 2);
  }
  return 0;
}

// ---- mtrash: all but the last word

function mtrashFill(item: number, size: number): void {
  fill32(item, UMA_JUNK, (size & ~3) - PTR_BYTES);
}

function mtrashInit(item: number, size: number): number {
  mtrashFill(item, size);
  i32[lastWord(item, size)] = 0;
  return 0;
}

function mtrashVerify(item: number, size: number): number {
  const last = lastWord(item, size);
  for (let at = item >>> 2; at < last; at++) {
    if (i32[at] === UMA_JUNK) continue;
    kprintf(MSG_MODIFIED, item, size, i32[at], at << 2);
    panic(P_MOST_RECENTLY, isType(i32[last]) ? i32[last] : 0);
  }
  return 0;
}

/** Word index of the item's last pointer-sized word, where free(9) leaves the type. */
export function lastWord(item: number, size: number): number {
  return (item >>> 2) + (size >>> 2) - 1;
}

function isType(address: number): boolean {
  return address > 0 && (address & 3) === 0 && i32[(address >>> 2) + KS_MAGIC] === M_MAGIC;
}

umaFuncRegister(UMAF_TRASH, { ctor: trashVerify, dtor: trashFill, init: trashFill, fini: trashVerify });
umaFuncRegister(UMAF_MTRASH, { ctor: mtrashVerify, dtor: mtrashFill, init: mtrashInit, fini: mtrashVerify });

/** Functions of malloc's zones: none, or mtrash. */
export const MALLOC_UMAF = TRASH ? UMAF_MTRASH : UMAF_NONE;

// ---- frees

/** An item is handed out. @param slab its header, 0: find it */
export function umaDbgAlloc(zone: number, slab: number, item: number): void {
  const kw = i32[(zone >>> 2) + UZ_KEG] >>> 2;
  zoneLock(i32[(zone >>> 2) + UZ_LOCK]);
  const header = slab === 0 ? slabOf(kw, item, 0) : slab;
  if (header === 0) panic(P_ITEM_NOT_BELONG, item, zone);
  slabSetItem(kw, header, itemIndex(kw, header, item), US_ITEM_OUT);
  zoneUnlock(i32[(zone >>> 2) + UZ_LOCK]);
}

/** An item comes back: is it the zone's, whole, and out? @throws panic */
export function umaDbgFree(zone: number, slab: number, item: number): void {
  const kw = i32[(zone >>> 2) + UZ_KEG] >>> 2;
  if ((i32[kw + UK_FLAGS] & UMA_ZFLAG_INTERNAL) !== 0) return;
  zoneLock(i32[(zone >>> 2) + UZ_LOCK]);
  const header = slab === 0 ? slabOf(kw, item, 0) : slab;
  if (header === 0 || i32[(header >>> 2) + US_KEG] !== kw << 2) panic(P_FREED_NOT_BELONG, item, zone);
  const index = itemIndex(kw, header, item);
  const freei = Math.floor(index);
  if (freei < 0 || freei >= i32[kw + UK_IPERS]) panic(P_FREELIST_RANGE, zone, header, freei, i32[kw + UK_IPERS] - 1);
  if (freei !== index) {
    kprintf(MSG_UNALIGNED, zone, header, item);
    panic(P_SHOULD_BE, i32[(header >>> 2) + US_DATA] + freei * i32[kw + UK_RSIZE]);
  }
  if (slabItem(kw, header, freei) !== US_ITEM_OUT) {
    kprintf(MSG_DUPLICATE, header, freei, slabItem(kw, header, freei));
    panic(P_DUPLICATE_FREE, item, zone);
  }
  slabSetItem(kw, header, freei, 0);
  zoneUnlock(i32[(zone >>> 2) + UZ_LOCK]);
}
