/**
 * uma_slab.ts — slabs of a keg: made, emptied item by item, filled again, found (FreeBSD sys/vm/uma_core.c:
 * slab_zalloc, uma_zone_slab, uma_slab_alloc, and the slab half of uma_zfree_internal).
 *
 *   uk_free_slab  every item free        ──alloc──►  uk_part_slab  ──last one──►  uk_full_slab
 *                 ◄──last one home──                               ◄──first one home──
 *
 * Every function is called with uk_lock held and returns with it held; kegSlab and slabZalloc let it go in between.
 * Identity  uk_free = sum of us_freecount; uk_pages / uk_ppera slabs.
 */
import { D_R18 } from '../base/defects.js';
import { P_IPERS_0 } from '../base/panics_freebsd.js';
import { racy, store } from '../hw/atomics.js';
import { defect } from '../hw/defect.js';
import { i32, i64, u8 } from '../hw/heap.js';
import { SB_UMA_DBG } from '../hw/superblock.layout.js';
import { cpuPause } from '../kern/pause.js';
import { panic } from '../kern/panic.js';
import { tsleep, tsleepInterlock } from '../kern/sleep.js';
import { M_NOVM, M_ZERO } from './malloc.js';
import {
  SKIP_NONE, UMA_SLAB_OFFP, UMA_SLAB_SIZE, UMA_ZFLAG_INTERNAL, UMA_ZONE_HASH, UMA_ZONE_MALLOC, UMA_ZONE_OFFPAGE,
  UMA_ZONE_REFCNT, US_ITEM_OUT, ZFREE_STATFREE,
} from './uma.js';
import { umaFini, umaInit } from './uma_func.js';
import { hashFind, hashInsert } from './uma_hash.js';
import {
  UK_FINI, UK_FLAGS, UK_FREE, UK_FREE_SLAB, UK_FULL, UK_FULL_SLAB, UK_INIT, UK_IPERS, UK_LOCK, UK_MAXPAGES,
  UK_PAGES, UK_PART_SLAB, UK_PGOFF, UK_PPERA, UK_RECURSE, UK_RSIZE, UK_SIZE, UK_SLABZONE, UK_SLEEPERS,
  UK_ZONES, UMA_SLABREFZONE, UMA_SLABZONE, US_DATA, US_FIRSTFREE, US_FLAGS, US_FREECOUNT, US_FREELIST,
  US_HLINK, US_KEG, US_NEXT, US_PREV, US_REFCNT_WORDS, UZ_KEG, UZ_SLEEPS,
} from './uma_int.layout.js';
import { mayWait, UMA, vsetobj, vsetslab, vtoslab, zoneLock, zoneUnlock } from './uma_int.js';
import { umaZallocInternal, umaZfreeInternal } from './uma_item.js';
import { kegPages, pageAddress, slabFreePages } from './uma_pages.js';

declare const DEFECTS: boolean;
declare const INVARIANTS: boolean;

const R18 = DEFECTS && defect(D_R18);
const SLEEP_MS = 1000;
/** whoever checks frees (debug.uma_dbg) has to find every item that is out marked, however it got out */
const MARK_OUT = INVARIANTS || i32[SB_UMA_DBG] > 0;
/** slabZalloc: an initialiser refused. Trying again would not help */
const REFUSED = -1;

// ---- lists: uk_part_slab, uk_free_slab, uk_full_slab

export function slabInsert(kw: number, list: number, slab: number): void {
  const head = i32[kw + list];
  i32[(slab >>> 2) + US_NEXT] = head;
  i32[(slab >>> 2) + US_PREV] = 0;
  if (head !== 0) i32[(head >>> 2) + US_PREV] = slab;
  i32[kw + list] = slab;
}

export function slabRemove(kw: number, list: number, slab: number): void {
  const next = i32[(slab >>> 2) + US_NEXT];
  const prev = i32[(slab >>> 2) + US_PREV];
  if (next !== 0) i32[(next >>> 2) + US_PREV] = prev;
  if (prev !== 0) i32[(prev >>> 2) + US_NEXT] = next;
  else i32[kw + list] = next;
}

// ---- free list of a slab

/** Word or byte of an item's entry: REFCNT kegs have two words an item, the others a byte. */
export function slabItem(kw: number, slab: number, index: number): number {
  return (i32[kw + UK_FLAGS] & UMA_ZONE_REFCNT) !== 0
    ? i32[(slab >>> 2) + US_FREELIST + index * US_REFCNT_WORDS]
    : u8[slab + US_FREELIST * 4 + index];
}

export function slabSetItem(kw: number, slab: number, index: number, value: number): void {
  if ((i32[kw + UK_FLAGS] & UMA_ZONE_REFCNT) !== 0) i32[(slab >>> 2) + US_FREELIST + index * US_REFCNT_WORDS] = value;
  else u8[slab + US_FREELIST * 4 + index] = value;
}

/** @returns which item of the slab an address is; not whole, or out of range, when it is none */
export function itemIndex(kw: number, slab: number, item: number): number {
  return (item - i32[(slab >>> 2) + US_DATA]) / i32[kw + UK_RSIZE];
}

/** uma_slab_alloc: takes an item of a slab that has one. @returns its address */
export function slabAlloc(kw: number, slab: number): number {
  const sw = slab >>> 2;
  const freei = i32[sw + US_FIRSTFREE];
  i32[sw + US_FIRSTFREE] = slabItem(kw, slab, freei);
  if (MARK_OUT) slabSetItem(kw, slab, freei, US_ITEM_OUT);
  const freecount = i32[sw + US_FREECOUNT] - 1;
  i32[sw + US_FREECOUNT] = freecount;
  i32[kw + UK_FREE]--;
  if (freecount === 0) {
    slabRemove(kw, UK_PART_SLAB, slab);
    slabInsert(kw, UK_FULL_SLAB, slab);
  }
  return i32[sw + US_DATA] + i32[kw + UK_RSIZE] * freei;
}

/** Puts an item back on its slab's free list, and the slab on the list it belongs to now. */
export function slabFree(kw: number, slab: number, item: number): void {
  const sw = slab >>> 2;
  const freecount = i32[sw + US_FREECOUNT];
  const ipers = i32[kw + UK_IPERS];
  if (freecount + 1 === ipers) {
    slabRemove(kw, freecount === 0 ? UK_FULL_SLAB : UK_PART_SLAB, slab);
    slabInsert(kw, UK_FREE_SLAB, slab);
  } else if (freecount === 0) {
    slabRemove(kw, UK_FULL_SLAB, slab);
    slabInsert(kw, UK_PART_SLAB, slab);
  }
  const freei = Math.floor(itemIndex(kw, slab, item));
  slabSetItem(kw, slab, freei, i32[sw + US_FIRSTFREE]);
  i32[sw + US_FIRSTFREE] = freei;
  i32[sw + US_FREECOUNT] = freecount + 1;
  i32[kw + UK_FREE]++;
}

/** Header of the slab an item of the keg lies in. @param udata malloc's callers know it already; 0: look */
export function slabOf(kw: number, item: number, udata: number): number {
  const flags = i32[kw + UK_FLAGS];
  if ((flags & (UMA_ZONE_MALLOC | UMA_ZONE_REFCNT)) !== 0 || i32[kw + UK_PPERA] > 1 && (flags & UMA_ZONE_HASH) === 0) {
    return udata !== 0 && (flags & UMA_ZONE_MALLOC) !== 0 ? udata : vtoslab(item);
  }
  if ((flags & UMA_ZONE_HASH) !== 0) return hashFind(kw, item);
  return (item & -UMA_SLAB_SIZE) + i32[kw + UK_PGOFF];
}

// ---- slabs for a zone

/**
 * uma_zone_slab: a slab with a free item.
 * @param zw word index of the zone
 * @returns its header, on uk_part_slab; 0 when there is none to be had
 */
export function kegSlab(zw: number, flags: number): number {
  const kw = i32[zw + UZ_KEG] >>> 2;
  let novm = (flags & M_NOVM) !== 0;
  if (recursing(kw)) return 0;
  for (let tries = 0; ; tries++) {
    const slab = freeSlab(kw);
    if (slab !== 0) return slab;
    if (novm) return 0;
    if (i32[kw + UK_MAXPAGES] !== 0 && i32[kw + UK_PAGES] >= i32[kw + UK_MAXPAGES]) {
      store(kw + UK_FULL, 1);
      if (!mayWait(flags)) return 0;
      zoneLimit(zw, kw);
      continue;
    }
    i32[kw + UK_RECURSE]++;
    const made = slabZalloc(kw, flags);
    i32[kw + UK_RECURSE]--;
    if (made > 0) {
      slabInsert(kw, UK_PART_SLAB, made);
      return made;
    }
    if (made === REFUSED) return 0;
    // another CPU may have made one while the lock was dropped: one last look
    if (!mayWait(flags)) novm = true;
    else pause(kw, tries);
  }
}

/**
 * The allocator's own kegs do not recurse, but for those of slab headers: a CPU that needs one while another makes a
 * slab of them would get none, and its caller may not fail (R18).
 */
function recursing(kw: number): boolean {
  if ((i32[kw + UK_FLAGS] & UMA_ZFLAG_INTERNAL) === 0 || i32[kw + UK_RECURSE] === 0) return false;
  if (R18) return true;
  return kw !== kegOf(UMA_SLABZONE) && kw !== kegOf(UMA_SLABREFZONE);
}

function kegOf(global: number): number {
  const zone = i32[UMA + global];
  return zone === 0 ? 0 : i32[(zone >>> 2) + UZ_KEG] >>> 2;
}

function freeSlab(kw: number): number {
  if (i32[kw + UK_FREE] === 0) return 0;
  const part = i32[kw + UK_PART_SLAB];
  if (part !== 0) return part;
  const slab = i32[kw + UK_FREE_SLAB];
  slabRemove(kw, UK_FREE_SLAB, slab);
  slabInsert(kw, UK_PART_SLAB, slab);
  return slab;
}

/** msleep(keg, &keg->uk_lock, PVM, "zonelimit", 0): announced before the lock goes, so no wake-up falls between. */
function zoneLimit(zw: number, kw: number): void {
  i64[(zw + UZ_SLEEPS) >>> 1] += 1n;
  i32[kw + UK_SLEEPERS]++;
  tsleepInterlock(kw << 2);
  zoneUnlock(kw + UK_LOCK);
  tsleep(SLEEP_MS);
  zoneLock(kw + UK_LOCK);
  i32[kw + UK_SLEEPERS]--;
}

function pause(kw: number, tries: number): void {
  zoneUnlock(kw + UK_LOCK);
  cpuPause(tries);
  zoneLock(kw + UK_LOCK);
}

/** At its limit at the moment? A late answer is harmless: the item goes to a bucket instead of the slab. */
export function kegFull(kw: number): boolean {
  return racy(kw + UK_FULL) !== 0;
}

/**
 * slab_zalloc: makes a slab, all its items free, on no list.
 * @returns its header; 0 without memory; REFUSED
 */
export function slabZalloc(kw: number, flags: number): number {
  zoneUnlock(kw + UK_LOCK);
  const slab = makeSlab(kw, flags);
  zoneLock(kw + UK_LOCK);
  if (slab <= 0) return slab;
  if ((i32[kw + UK_FLAGS] & UMA_ZONE_HASH) !== 0) hashInsert(kw, slab);
  i32[kw + UK_PAGES] += i32[kw + UK_PPERA];
  i32[kw + UK_FREE] += i32[kw + UK_IPERS];
  return slab;
}

function makeSlab(kw: number, flags: number): number {
  const kegFlags = i32[kw + UK_FLAGS];
  const offpage = (kegFlags & UMA_ZONE_OFFPAGE) !== 0;
  let slab = offpage ? slabHeaderAlloc(kw, flags) : 0;
  if (offpage && slab === 0) return 0;
  // malloc zeroes what it hands out itself; other zones' initialisers may count on zeroes
  const wait = (kegFlags & UMA_ZONE_MALLOC) !== 0 ? flags & ~M_ZERO : flags | M_ZERO;
  const pages = kegPages(kw, i32[kw + UK_PPERA] * UMA_SLAB_SIZE, wait);
  if (pages === 0) {
    if (offpage) slabHeaderFree(kw, slab);
    return 0;
  }
  const mem = pageAddress(pages);
  if (!offpage) slab = mem + i32[kw + UK_PGOFF];
  initSlab(kw, slab, mem, pages - mem + (offpage ? UMA_SLAB_OFFP : 0));
  if (initItems(kw, slab, mem, wait)) return slab;
  releaseSlab(kw, slab);
  return REFUSED;
}

function initSlab(kw: number, slab: number, mem: number, slabFlags: number): void {
  const sw = slab >>> 2;
  const ipers = i32[kw + UK_IPERS];
  if (INVARIANTS && ipers === 0) panic(P_IPERS_0, kw << 2);
  i32[sw + US_KEG] = kw << 2;
  i32[sw + US_NEXT] = 0;
  i32[sw + US_PREV] = 0;
  i32[sw + US_HLINK] = 0;
  i32[sw + US_DATA] = mem;
  i32[sw + US_FLAGS] = slabFlags;
  i32[sw + US_FREECOUNT] = ipers;
  i32[sw + US_FIRSTFREE] = 0;
  for (let n = 0; n < ipers; n++) slabSetItem(kw, slab, n, n + 1);
  if ((i32[kw + UK_FLAGS] & UMA_ZONE_REFCNT) !== 0) {
    for (let n = 0; n < ipers; n++) store(sw + US_FREELIST + n * US_REFCNT_WORDS + 1, 0);
  }
  if (pagesKnowSlab(kw)) {
    const direct = (i32[kw + UK_FLAGS] & UMA_ZONE_MALLOC) !== 0 && i32[kw + UK_MAXPAGES] === 0;
    const zone = direct ? i32[kw + UK_ZONES] : 0;
    for (let n = 0; n < i32[kw + UK_PPERA]; n++) vsetslab(mem + n * UMA_SLAB_SIZE, slab, zone);
  }
}

function pagesKnowSlab(kw: number): boolean {
  const flags = i32[kw + UK_FLAGS];
  if ((flags & (UMA_ZONE_MALLOC | UMA_ZONE_REFCNT)) !== 0) return true;
  return i32[kw + UK_PPERA] > 1 && (flags & UMA_ZONE_HASH) === 0;
}

/** Runs the keg's init on every item; on a refusal the ones before are undone. */
function initItems(kw: number, slab: number, mem: number, flags: number): boolean {
  const init = i32[kw + UK_INIT];
  const size = i32[kw + UK_SIZE];
  const rsize = i32[kw + UK_RSIZE];
  for (let n = 0; init !== 0 && n < i32[(slab >>> 2) + US_FREECOUNT]; n++) {
    if (umaInit(init, mem + n * rsize, size, flags) === 0) continue;
    for (let undo = n - 1; undo >= 0; undo--) umaFini(i32[kw + UK_FINI], mem + undo * rsize, size);
    return false;
  }
  return true;
}

/** A slab that is on no list any more, with its items finished: its pages and its header go. Lock not held. */
export function releaseSlab(kw: number, slab: number): void {
  const sw = slab >>> 2;
  const mem = i32[sw + US_DATA];
  const flags = i32[sw + US_FLAGS];
  if (pagesKnowSlab(kw)) for (let n = 0; n < i32[kw + UK_PPERA]; n++) vsetobj(mem + n * UMA_SLAB_SIZE);
  // an in-page header goes with its page
  slabFreePages(mem, i32[kw + UK_PPERA] * UMA_SLAB_SIZE, flags);
  if ((flags & UMA_SLAB_OFFP) !== 0) slabHeaderFree(kw, slab);
}

function slabHeaderAlloc(kw: number, flags: number): number {
  return umaZallocInternal(i32[kw + UK_SLABZONE], 0, flags & ~M_ZERO);
}

function slabHeaderFree(kw: number, slab: number): void {
  umaZfreeInternal(i32[kw + UK_SLABZONE], slab, 0, SKIP_NONE, ZFREE_STATFREE);
}

/** Every item of a whole slab leaves: the keg's fini. Lock not held. */
export function finiItems(kw: number, slab: number): void {
  const fini = i32[kw + UK_FINI];
  if (fini === 0) return;
  const mem = i32[(slab >>> 2) + US_DATA];
  for (let n = i32[kw + UK_IPERS] - 1; n >= 0; n--) umaFini(fini, mem + n * i32[kw + UK_RSIZE], i32[kw + UK_SIZE]);
}
