/**
 * uma_size.ts — how many items a slab has, and where its header lies (FreeBSD sys/vm/uma_core.c: zone_small_init,
 * zone_large_init, and the size of off-page headers in uma_startup).
 *
 *   in page    │ item │ item │ ... │ waste │ header │ free list │      uk_pgoff = header
 *   off page   │ item │ item │ ...                 │ waste │           when that loses a tenth of the slab, and the
 *                                                                      header elsewhere makes room for an item more
 *   large      │ one item, several pages                    │          header elsewhere
 *
 * Differs  an item of the allocator's own that is larger than a page keeps its header at the end of its pages: there is
 *          nothing yet to take an off-page header from.
 */
import { roundUp } from '../base/bits.js';
import { P_IPERS_0, P_IPERS_HIGH, P_SLAB_WONT_FIT } from '../base/panics_freebsd.js';
import { panic } from '../kern/panic.js';
import {
  UMA_MAX_IPERS, UMA_MAX_WASTE, UMA_SLAB_SIZE, UMA_SMALLEST_UNIT, UMA_ZFLAG_CACHEONLY, UMA_ZFLAG_INTERNAL,
  UMA_ZONE_HASH, UMA_ZONE_MALLOC, UMA_ZONE_OFFPAGE, UMA_ZONE_REFCNT,
} from './uma.js';
import { US_FREELIST, US_REFCNT_WORDS } from './uma_int.layout.js';

declare const INVARIANTS: boolean;

/** bytes of a slab header without its free list */
export const SLAB_HEADER_BYTES = US_FREELIST * 4;
const FRITM_SZ = 1;
const FRITMREF_SZ = US_REFCNT_WORDS * 4;

export interface KegSizing {
  readonly rsize: number;
  readonly ipers: number;
  /** pages a slab */
  readonly ppera: number;
  /** byte offset of the header in its slab; of no meaning off page */
  readonly pgoff: number;
  readonly flags: number;
}

/** Bytes of a free list entry. */
export function freeItemBytes(flags: number): number {
  return (flags & UMA_ZONE_REFCNT) !== 0 ? FRITMREF_SZ : FRITM_SZ;
}

/**
 * @param size bytes an item is asked to have
 * @param align mask
 * @param maxIpers items an off-page header has room for
 * @throws panic zone_small_init: ipers is 0, keg->uk_ipers too high!, UMA slab won't fit.
 */
export function kegSizing(size: number, align: number, flags: number, maxIpers: number): KegSizing {
  const fritm = freeItemBytes(flags);
  const rsize = roundUp(Math.max(size, UMA_SMALLEST_UNIT), align + 1);
  // whole pages are aligned to a page, whatever was asked for below that
  const large = rsize + fritm > UMA_SLAB_SIZE - SLAB_HEADER_BYTES && align < UMA_SLAB_SIZE;
  const sizing = large ? largeInit(size, flags, fritm) : smallInit(rsize, flags, fritm);
  if ((sizing.flags & UMA_ZONE_OFFPAGE) !== 0) {
    if (INVARIANTS && sizing.ipers > maxIpers) panic(P_IPERS_HIGH, sizing.ipers);
    return sizing;
  }
  const bytes = sizing.ppera * UMA_SLAB_SIZE;
  const pgoff = bytes - SLAB_HEADER_BYTES - roundUp(sizing.ipers * fritm, 4);
  if (pgoff < sizing.ipers * sizing.rsize) panic(P_SLAB_WONT_FIT, pgoff, sizing.ipers * sizing.rsize);
  return { ...sizing, pgoff };
}

function smallInit(rsize: number, flags: number, fritm: number): KegSizing {
  const offpage = (flags & UMA_ZONE_OFFPAGE) !== 0;
  const shsize = offpage ? 0 : SLAB_HEADER_BYTES;
  const ipers = Math.floor((UMA_SLAB_SIZE - shsize) / (rsize + (offpage ? 0 : fritm)));
  if (ipers === 0) panic(P_IPERS_0, rsize);
  if (ipers > UMA_MAX_IPERS) panic(P_IPERS_HIGH, ipers);
  const sizing = { rsize, ipers, ppera: 1, pgoff: 0, flags };
  if (offpage || (flags & (UMA_ZFLAG_INTERNAL | UMA_ZFLAG_CACHEONLY)) !== 0) return sizing;
  const waste = UMA_SLAB_SIZE - (rsize * ipers + ipers * fritm + shsize);
  const whole = Math.floor(UMA_SLAB_SIZE / rsize);
  if (waste < UMA_MAX_WASTE || ipers >= whole) return sizing;
  return { ...sizing, ipers: whole, flags: offPageFlags(flags) };
}

/** One item a slab. */
function largeInit(size: number, flags: number, fritm: number): KegSizing {
  if ((flags & UMA_ZFLAG_INTERNAL) !== 0) {
    const ppera = Math.ceil((size + SLAB_HEADER_BYTES + roundUp(fritm, 8)) / UMA_SLAB_SIZE);
    return { rsize: size, ipers: 1, ppera, pgoff: 0, flags };
  }
  const ppera = Math.ceil(size / UMA_SLAB_SIZE);
  return { rsize: size, ipers: 1, ppera, pgoff: 0, flags: offPageFlags(flags) };
}

/** A slab's header is found by its page (malloc's), or by a hash of the address. */
function offPageFlags(flags: number): number {
  const found = (flags & (UMA_ZONE_MALLOC | UMA_ZONE_REFCNT)) !== 0 ? 0 : UMA_ZONE_HASH;
  return flags | UMA_ZONE_OFFPAGE | found;
}

/**
 * uma_max_ipers: most items a slab can have whose header was moved off page for the waste, over all item sizes. Headers
 * off page have room for so many.
 */
export function maxIpersOffPage(fritm: number): number {
  const wsize = UMA_SLAB_SIZE - SLAB_HEADER_BYTES - UMA_MAX_WASTE;
  let objsize = UMA_SMALLEST_UNIT;
  for (let total = wsize; total >= wsize; objsize++) {
    total = Math.floor((UMA_SLAB_SIZE - SLAB_HEADER_BYTES) / (objsize + fritm)) * (objsize + fritm);
  }
  if (objsize > UMA_SMALLEST_UNIT) objsize--;
  return Math.floor(UMA_SLAB_SIZE / objsize);
}
