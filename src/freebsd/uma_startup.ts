/**
 * uma_startup.ts — UMA from nothing (FreeBSD sys/vm/uma_core.c: uma_startup, uma_startup2; bucket_init).
 *
 *   pages: │ first keg, keg zone, zone zone │ boot pages ...          │
 *            by hand                          slabs of everything made before uma_startup2
 *
 *   kegs come from the zone "UMA Kegs", zones from "UMA Zones": both have to be there before the first of either is.
 * On CPU 0, before any other runs.
 */
import { roundUp } from '../base/bits.js';
import { PAGE_SHIFT, PAGE_SIZE } from '../base/param.js';
import { P_BOOT_PAGES } from '../base/panics_freebsd.js';
import { i32 } from '../hw/heap.js';
import { bzero } from '../hw/mem.js';
import { SB_BOOT_PAGES } from '../hw/superblock.layout.js';
import { NCPU } from '../kern/globaldata.js';
import { panic } from '../kern/panic.js';
import { KNOWN_ZERO, vmPagesAlloc } from '../vm/vm_page.js';
import {
  BUCKET_SHIFT, UMA_ALIGN_CACHE, UMA_ALIGN_LONG, UMA_ALIGN_PTR, UMA_HASH_SIZE_INIT, UMA_ZFLAG_INTERNAL,
  UMA_ZONE_REFCNT,
} from './uma.js';
import { bucketBytes } from './uma_bucket.js';
import {
  NBUCKET_ZONES, UK_WORDS, UMA_BOOT_FREE, UMA_BOOT_MEM, UMA_BOOTED, UMA_BUCKET_SIZE, UMA_BUCKET_SIZES,
  UMA_BUCKET_ZONES, UMA_HASHZONE, UMA_KEGS_ZONE, UMA_MAX_IPERS_OFFPAGE, UMA_SLABREFZONE, UMA_SLABZONE,
  UMA_STATIC_PAGES, UMA_ZONES_ZONE, umaZoneBytes,
} from './uma_int.layout.js';
import { UMA } from './uma_int.js';
import { freeItemBytes, maxIpersOffPage, SLAB_HEADER_BYTES } from './uma_size.js';
import { kegCtor, kegLink, umaZcreate, zoneCtor, type ZoneArgs } from './uma_zone.js';

const BUCKET_ENTRIES: readonly number[] = [16, 32, 64, 128];

/** uma_startup: zones of kegs, zones, slab headers, hash tables and buckets. */
export function umaStartup(): void {
  const statics = takeBootPages();
  const maxIpers = maxIpersOffPage(freeItemBytes(0));
  i32[UMA + UMA_MAX_IPERS_OFFPAGE] = maxIpers;
  firstZones(statics);
  const header = (flags: number) => SLAB_HEADER_BYTES + maxIpers * freeItemBytes(flags);
  i32[UMA + UMA_SLABZONE] = internal('UMA Slabs', header(0), UMA_ALIGN_LONG);
  i32[UMA + UMA_SLABREFZONE] = internal('UMA RCntSlabs', header(UMA_ZONE_REFCNT), UMA_ALIGN_LONG);
  i32[UMA + UMA_HASHZONE] = internal('UMA Hash', UMA_HASH_SIZE_INIT * 4, UMA_ALIGN_PTR);
  bucketInit();
}

/** uma_startup2: from now on slabs come from kmem_map. */
export function umaStartup2(): void {
  i32[UMA + UMA_BOOTED] = 1;
}

/** @returns address of the room for the first structures; the boot pages lie behind it */
function takeBootPages(): number {
  const zoneBytes = umaZoneBytes(NCPU);
  const statics = Math.ceil((UK_WORDS * 8 + zoneBytes * 2) / PAGE_SIZE);
  const bootPages = i32[SB_BOOT_PAGES];
  const page = vmPagesAlloc(statics + bootPages) & ~KNOWN_ZERO;
  if (page === 0) panic(P_BOOT_PAGES, bootPages);
  const start = page << PAGE_SHIFT;
  bzero(start, statics * PAGE_SIZE);
  i32[UMA + UMA_STATIC_PAGES] = statics;
  i32[UMA + UMA_BOOT_MEM] = start + statics * PAGE_SIZE;
  i32[UMA + UMA_BOOT_FREE] = bootPages;
  return start;
}

function firstZones(statics: number): void {
  const zoneBytes = roundUp(umaZoneBytes(NCPU), 64);
  const kegs: ZoneArgs = internalArgs('UMA Kegs', UK_WORDS * 4, UMA_ALIGN_CACHE);
  const zones: ZoneArgs = internalArgs('UMA Zones', zoneBytes, UMA_ALIGN_CACHE);
  const [kegOfKegs, kegOfZones] = [statics, statics + UK_WORDS * 4];
  const [zoneOfKegs, zoneOfZones] = [statics + UK_WORDS * 8, statics + UK_WORDS * 8 + zoneBytes];
  kegCtor(kegOfKegs, kegs);
  zoneCtor(zoneOfKegs, kegs, kegOfKegs);
  kegLink(kegOfKegs);
  kegCtor(kegOfZones, zones);
  zoneCtor(zoneOfZones, zones, kegOfZones);
  kegLink(kegOfZones);
  i32[UMA + UMA_KEGS_ZONE] = zoneOfKegs;
  i32[UMA + UMA_ZONES_ZONE] = zoneOfZones;
}

/** bucket_init: the zones, and which of them serves a wanted size. */
function bucketInit(): void {
  for (let n = 0; n < NBUCKET_ZONES; n++) {
    const entries = BUCKET_ENTRIES[n]!;
    i32[UMA + UMA_BUCKET_ZONES + n] = internal(`${entries} Bucket`, bucketBytes(entries), UMA_ALIGN_CACHE);
  }
  for (let size = 0; size < UMA_BUCKET_SIZES; size++) {
    const n = BUCKET_ENTRIES.findIndex((entries) => entries >= size << BUCKET_SHIFT);
    i32[UMA + UMA_BUCKET_SIZE + size] = i32[UMA + UMA_BUCKET_ZONES + n];
  }
}

function internalArgs(name: string, size: number, align: number): ZoneArgs {
  return { name, size, align, flags: UMA_ZFLAG_INTERNAL };
}

function internal(name: string, size: number, align: number): number {
  return umaZcreate(internalArgs(name, size, align));
}
