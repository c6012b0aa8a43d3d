/**
 * uma_zone.ts — zones and kegs made, limited and destroyed (FreeBSD sys/vm/uma_core.c: uma_zcreate, uma_zsecond_create,
 * keg_ctor, zone_ctor, zone_dtor, uma_zone_set_*, uma_prealloc, uma_find_refcnt).
 *
 *   uma_zcreate("A") ──► keg "A" ◄── zone "A", primary
 *   uma_zsecond_create("B", A)   ◄── zone "B": same keg, its own buckets, ctor, dtor, init, fini
 *
 * Lists: uma_kegs and a keg's zones change under uma_mtx, which is taken before uk_lock. A keg is linked when it is
 * whole: whoever walks the list meets no half-built one (R20).
 * Runs in  thread context.
 */
import { D_R20, D_UMA_ZDTOR } from '../base/defects.js';
import { MSG_KEG_NOT_EMPTY } from '../base/messages.js';
import {
  P_NOT_REFCNT, P_SET_FINI, P_SET_INIT, P_SET_ZFINI, P_SET_ZINIT,
} from '../base/panics_freebsd.js';
import { PAGE_SHIFT } from '../base/param.js';
import { load } from '../hw/atomics.js';
import { defect } from '../hw/defect.js';
import { i32, i64 } from '../hw/heap.js';
import { bzero } from '../hw/mem.js';
import { NCPU } from '../kern/globaldata.js';
import { strlcpy } from '../kern/libkern.js';
import { panic } from '../kern/panic.js';
import { kprintf } from '../kern/subr_prf.js';
import { PG_BUCKET, PG_FLAGS } from '../vm/vm_page.layout.js';
import { KNOWN_ZERO, vmPagesAlloc } from '../vm/vm_page.js';
import { vmPage } from '../vm/vm_phys.js';
import { M_WAITOK } from './malloc.js';
import {
  BUCKET_MAX, SKIP_NONE, UMA_ALIGN_PTR, UMA_ZFLAG_CACHEONLY, UMA_ZFLAG_INTERNAL, UMA_ZFLAG_PRIVALLOC, UMA_ZONE_HASH,
  UMA_ZONE_MALLOC, UMA_ZONE_MAXBUCKET, UMA_ZONE_NOFREE, UMA_ZONE_REFCNT, UMA_ZONE_SECONDARY, UMA_ZONE_VM,
  UMA_ZONE_ZINIT, UMAA_OBJ, UMAA_PAGE, UMAA_STARTUP, UMAF_NONE, UMAF_ZERO, ZFREE_STATFREE,
} from './uma.js';
import { cacheDrain, zoneDrain } from './uma_drain.js';
import { umaFuncRegister } from './uma_func.js';
import { hashFree, hashInit } from './uma_hash.js';
import {
  UH_HASHSIZE, UH_SLAB_HASH, UK_ALIGN, UK_ALLOCF, UK_FINI, UK_FLAGS, UK_FREE, UK_FREE_SLAB, UK_FULL,
  UK_FULL_SLAB, UK_INIT, UK_IPERS, UK_KVA, UK_KVA_PAGES, UK_LINK, UK_LOCK, UK_MAXPAGES, UK_NAME, UK_PAGES,
  UK_PART_SLAB, UK_PGOFF, UK_PPERA, UK_RSIZE, UK_SIZE, UK_SLABZONE, UK_WORDS, UK_WSSIZE, UK_ZONES, UMA_BOOTED,
  UMA_KEGS, UMA_KEGS_ZONE, UMA_MAX_IPERS_OFFPAGE, UMA_MTX, UMA_NAME_BYTES, UMA_NZONES, UMA_SLABREFZONE,
  UMA_SLABZONE, UMA_ZONES_ZONE, umaZoneBytes, US_DATA, US_FREELIST, US_NEXT, US_REFCNT_WORDS, UZ_COUNT,
  UZ_CTOR, UZ_DTOR, UZ_FINI, UZ_INIT, UZ_KEG, UZ_LINK, UZ_LOCK, UZ_NAME, UZ_SIZE,
} from './uma_int.layout.js';
import { UMA, vtoslab, zoneLock, zoneUnlock } from './uma_int.js';
import { fullNoLonger, umaZallocInternal, umaZfreeInternal } from './uma_item.js';
import { kegSizing } from './uma_size.js';
import { itemIndex, slabInsert, slabZalloc } from './uma_slab.js';
import { wakeup } from '../kern/sleep.js';

declare const DEFECTS: boolean;

const R20 = DEFECTS && defect(D_R20);
const ZDTOR = DEFECTS && defect(D_UMA_ZDTOR);

/** What a zone is made of; numbers of functions are UMAF_*. */
export interface ZoneArgs {
  /** at most 31 bytes of ASCII */
  readonly name: string;
  /** bytes of an item */
  readonly size: number;
  readonly ctor?: number;
  readonly dtor?: number;
  /** of the keg in uma_zcreate, of the zone in uma_zsecond_create */
  readonly init?: number;
  readonly fini?: number;
  /** mask, UMA_ALIGN_*; at least UMA_ALIGN_PTR */
  readonly align?: number;
  /** UMA_ZONE_* */
  readonly flags?: number;
}

/**
 * uma_zcreate: a zone on a keg of its own.
 * @returns its address, 0 without memory
 * @throws panic where the sizes do not come out
 */
export function umaZcreate(args: ZoneArgs): number {
  const keg = umaZallocInternal(i32[UMA + UMA_KEGS_ZONE], 0, M_WAITOK);
  if (keg === 0) return 0;
  kegCtor(keg, args);
  if (R20) kegLink(keg);
  const zone = newZone(args, keg);
  if (!R20) kegLink(keg);
  return zone;
}

/** uma_zsecond_create: another zone on the keg of `master`. */
export function umaZsecondCreate(args: Omit<ZoneArgs, 'size' | 'align' | 'flags'>, master: number): number {
  const keg = i32[(master >>> 2) + UZ_KEG];
  return newZone({ ...args, size: i32[(keg >>> 2) + UK_SIZE], flags: UMA_ZONE_SECONDARY }, keg);
}

function newZone(args: ZoneArgs, keg: number): number {
  const zone = umaZallocInternal(i32[UMA + UMA_ZONES_ZONE], 0, M_WAITOK);
  if (zone !== 0) zoneCtor(zone, args, keg);
  return zone;
}

/** keg_ctor. The keg is nobody's yet. */
export function kegCtor(keg: number, args: ZoneArgs): void {
  const kw = keg >>> 2;
  const flags = (args.flags ?? 0) | ((args.flags ?? 0) & UMA_ZONE_VM ? UMA_ZFLAG_CACHEONLY : 0);
  // memory is filled and copied by words: no item begins between two
  const align = (args.align ?? 0) | UMA_ALIGN_PTR;
  const sizing = kegSizing(args.size, align, flags, i32[UMA + UMA_MAX_IPERS_OFFPAGE]);
  bzero(keg, UK_WORDS * 4);
  strlcpy(keg + UK_NAME * 4, args.name, UMA_NAME_BYTES);
  i64[(kw + UK_SIZE) >>> 1] = BigInt(args.size);
  i32[kw + UK_ALIGN] = align;
  i32[kw + UK_RSIZE] = sizing.rsize;
  i32[kw + UK_PPERA] = sizing.ppera;
  i32[kw + UK_IPERS] = sizing.ipers;
  i32[kw + UK_PGOFF] = sizing.pgoff;
  i32[kw + UK_FLAGS] = sizing.flags;
  i32[kw + UK_INIT] = (flags & UMA_ZONE_ZINIT) !== 0 ? UMAF_ZERO : args.init ?? UMAF_NONE;
  i32[kw + UK_FINI] = args.fini ?? UMAF_NONE;
  i32[kw + UK_ALLOCF] = i32[UMA + UMA_BOOTED] === 0 ? UMAA_STARTUP : UMAA_PAGE;
  i32[kw + UK_SLABZONE] = i32[UMA + ((sizing.flags & UMA_ZONE_REFCNT) !== 0 ? UMA_SLABREFZONE : UMA_SLABZONE)];
  if ((sizing.flags & UMA_ZONE_HASH) !== 0) hashInit(kw);
}

export function kegLink(keg: number): void {
  zoneLock(UMA + UMA_MTX);
  i32[(keg >>> 2) + UK_LINK] = i32[UMA + UMA_KEGS];
  i32[UMA + UMA_KEGS] = keg;
  zoneUnlock(UMA + UMA_MTX);
}

/** zone_ctor: a zone on a keg, the primary one if it is the first. */
export function zoneCtor(zone: number, args: ZoneArgs, keg: number): void {
  const zw = zone >>> 2;
  const kw = keg >>> 2;
  const second = ((args.flags ?? 0) & UMA_ZONE_SECONDARY) !== 0;
  bzero(zone, umaZoneBytes(NCPU));
  if (R20) zoneLink(zone, keg, second);
  strlcpy(zone + UZ_NAME * 4, args.name, UMA_NAME_BYTES);
  i32[zw + UZ_LOCK] = kw + UK_LOCK;
  i32[zw + UZ_KEG] = keg;
  i32[zw + UZ_CTOR] = args.ctor ?? UMAF_NONE;
  i32[zw + UZ_DTOR] = args.dtor ?? UMAF_NONE;
  i32[zw + UZ_INIT] = second ? args.init ?? UMAF_NONE : UMAF_NONE;
  i32[zw + UZ_FINI] = second ? args.fini ?? UMAF_NONE : UMAF_NONE;
  i64[(zw + UZ_SIZE) >>> 1] = i64[(kw + UK_SIZE) >>> 1];
  i32[zw + UZ_COUNT] = bucketSize(i32[kw + UK_FLAGS], i32[kw + UK_IPERS]);
  if (!R20) zoneLink(zone, keg, second);
}

function zoneLink(zone: number, keg: number, second: boolean): void {
  const kw = keg >>> 2;
  zoneLock(UMA + UMA_MTX);
  zoneLock(kw + UK_LOCK);
  if (second) i32[kw + UK_FLAGS] |= UMA_ZONE_SECONDARY;
  let last = kw + UK_ZONES;
  while (i32[last] !== 0) last = (i32[last] >>> 2) + UZ_LINK;
  i32[last] = zone;
  zoneUnlock(kw + UK_LOCK);
  i32[UMA + UMA_NZONES]++;
  zoneUnlock(UMA + UMA_MTX);
}

/** uz_count at first: a slab's items, 128 at most; none for the allocator's own zones. */
function bucketSize(flags: number, ipers: number): number {
  if ((flags & UMA_ZFLAG_INTERNAL) !== 0) return 0;
  if ((flags & UMA_ZONE_MAXBUCKET) !== 0) return BUCKET_MAX;
  return Math.min(ipers, BUCKET_MAX);
}

/**
 * uma_zdestroy. Nobody may use the zone any more. Items that are still out are lost, and the kernel says so.
 */
export function umaZdestroy(zone: number): void {
  const zw = zone >>> 2;
  const keg = i32[zw + UZ_KEG];
  const kw = keg >>> 2;
  cacheDrain(zone);
  if (ZDTOR) drainListed(zone);
  zoneLock(UMA + UMA_MTX);
  zoneLock(kw + UK_LOCK);
  let prev = kw + UK_ZONES;
  while (i32[prev] !== zone) prev = (i32[prev] >>> 2) + UZ_LINK;
  i32[prev] = i32[zw + UZ_LINK];
  const last = i32[kw + UK_ZONES] === 0;
  zoneUnlock(kw + UK_LOCK);
  i32[UMA + UMA_NZONES]--;
  if (last) kegUnlink(keg);
  zoneUnlock(UMA + UMA_MTX);
  if (!ZDTOR) zoneDrain(zone, true);
  umaZfreeInternal(i32[UMA + UMA_ZONES_ZONE], zone, 0, SKIP_NONE, ZFREE_STATFREE);
  if (last) kegDtor(keg);
}

/** uma-zdtor: uma_timeout finds the zone, and gives it a working set again between the two locks. */
function drainListed(zone: number): void {
  const kw = i32[(zone >>> 2) + UZ_KEG] >>> 2;
  zoneLock(kw + UK_LOCK);
  i32[kw + UK_WSSIZE] = 0;
  zoneUnlock(kw + UK_LOCK);
  zoneDrain(zone, false);
}

function kegUnlink(keg: number): void {
  let prev = UMA + UMA_KEGS;
  while (i32[prev] !== keg) prev = (i32[prev] >>> 2) + UK_LINK;
  i32[prev] = i32[(keg >>> 2) + UK_LINK];
}

function kegDtor(keg: number): void {
  const kw = keg >>> 2;
  const pages = i32[kw + UK_PAGES];
  if (pages !== 0) kprintf(MSG_KEG_NOT_EMPTY, i32[kw + UK_FREE], pages);
  if (i32[kw + UH_HASHSIZE] !== 0) hashFree(i32[kw + UH_SLAB_HASH], i32[kw + UH_HASHSIZE]);
  umaZfreeInternal(i32[UMA + UMA_KEGS_ZONE], keg, 0, SKIP_NONE, ZFREE_STATFREE);
}

// ---- settings

/**
 * uma_zone_set_max: a limit in items, rounded up to whole slabs; 0: none.
 * CPUs that sleep for room look again.
 */
export function umaZoneSetMax(zone: number, items: number): void {
  const kw = i32[(zone >>> 2) + UZ_KEG] >>> 2;
  const ppera = i32[kw + UK_PPERA];
  const ipers = i32[kw + UK_IPERS];
  zoneLock(kw + UK_LOCK);
  let maxpages = ppera > 1 ? items * ppera : Math.floor(items / ipers);
  if (ppera === 1 && maxpages * ipers < items) maxpages++;
  i32[kw + UK_MAXPAGES] = maxpages;
  slabsAskAtFree(kw);
  const wake = fullNoLonger(kw);
  zoneUnlock(kw + UK_LOCK);
  if (wake) wakeup(kw << 2);
}

/** A malloc zone gets a limit: free(9) has to ask for it. One that looked before puts its item into a bucket. */
function slabsAskAtFree(kw: number): void {
  if ((i32[kw + UK_FLAGS] & UMA_ZONE_MALLOC) === 0) return;
  for (const list of [UK_PART_SLAB, UK_FREE_SLAB, UK_FULL_SLAB]) {
    for (let slab = i32[kw + list]; slab !== 0; slab = i32[(slab >>> 2) + US_NEXT]) {
      const page = vmPage(i32[(slab >>> 2) + US_DATA] >>> PAGE_SHIFT);
      i32[page + PG_FLAGS] &= ~PG_BUCKET;
    }
  }
}

/** Functions of a keg or a zone may be changed while it is empty. */
export function umaZoneSetInit(zone: number, init: number): void {
  setEmpty(zone, P_SET_INIT, (_, kw) => (i32[kw + UK_INIT] = init));
}

export function umaZoneSetFini(zone: number, fini: number): void {
  setEmpty(zone, P_SET_FINI, (_, kw) => (i32[kw + UK_FINI] = fini));
}

export function umaZoneSetZinit(zone: number, init: number): void {
  setEmpty(zone, P_SET_ZINIT, (zw) => (i32[zw + UZ_INIT] = init));
}

export function umaZoneSetZfini(zone: number, fini: number): void {
  setEmpty(zone, P_SET_ZFINI, (zw) => (i32[zw + UZ_FINI] = fini));
}

function setEmpty(zone: number, code: number, set: (zw: number, kw: number) => void): void {
  const zw = zone >>> 2;
  const kw = i32[zw + UZ_KEG] >>> 2;
  zoneLock(kw + UK_LOCK);
  if (i32[kw + UK_PAGES] !== 0) panic(code, zone);
  set(zw, kw);
  zoneUnlock(kw + UK_LOCK);
}

/** uma_zone_set_obj: the zone lives in a range of `items` items set aside now, and never grows. @returns success */
export function umaZoneSetObj(zone: number, items: number): boolean {
  const kw = i32[(zone >>> 2) + UZ_KEG] >>> 2;
  const slabs = Math.ceil(items / i32[kw + UK_IPERS]);
  const pages = slabs * i32[kw + UK_PPERA];
  const page = vmPagesAlloc(pages) & ~KNOWN_ZERO;
  if (page === 0) return false;
  zoneLock(kw + UK_LOCK);
  i32[kw + UK_KVA] = page << PAGE_SHIFT;
  i32[kw + UK_KVA_PAGES] = pages;
  i32[kw + UK_MAXPAGES] = pages;
  i32[kw + UK_ALLOCF] = UMAA_OBJ;
  i32[kw + UK_FLAGS] |= UMA_ZONE_NOFREE | UMA_ZFLAG_PRIVALLOC;
  zoneUnlock(kw + UK_LOCK);
  return true;
}

/** uma_prealloc: slabs for so many items are made now. */
export function umaPrealloc(zone: number, items: number): void {
  const kw = i32[(zone >>> 2) + UZ_KEG] >>> 2;
  for (let slabs = Math.ceil(items / i32[kw + UK_IPERS]); slabs > 0; slabs--) {
    zoneLock(kw + UK_LOCK);
    const slab = slabZalloc(kw, M_WAITOK);
    if (slab > 0) slabInsert(kw, UK_FREE_SLAB, slab);
    zoneUnlock(kw + UK_LOCK);
  }
}

/** uma_find_refcnt: word index of an item's reference count, which its users change atomically. */
export function umaFindRefcnt(zone: number, item: number): number {
  const kw = i32[(zone >>> 2) + UZ_KEG] >>> 2;
  const slab = vtoslab(item);
  if ((i32[kw + UK_FLAGS] & UMA_ZONE_REFCNT) === 0 || slab === 0) panic(P_NOT_REFCNT, item, zone);
  return (slab >>> 2) + US_FREELIST + Math.floor(itemIndex(kw, slab, item)) * US_REFCNT_WORDS + 1;
}

export function umaZoneExhausted(zone: number): boolean {
  return load((i32[(zone >>> 2) + UZ_KEG] >>> 2) + UK_FULL) !== 0;
}

umaFuncRegister(UMAF_ZERO, {
  init(item, size) {
    bzero(item, (size + 3) & ~3);
    return 0;
  },
});
