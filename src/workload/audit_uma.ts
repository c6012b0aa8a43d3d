/**
 * audit_uma.ts — UMA's and malloc(9)'s identities.
 *
 *   every keg     sum of us_freecount = uk_free; slabs are on the list their freecount asks for; uk_pages are theirs
 *   every item    in one place: a client, one bucket, or its slab's free list
 *   every zone    sum of allocs - frees, CPUs' own included = items that are out
 *   every page    belongs to a slab, a large block, a hash table, or was set aside; kmem_map agrees
 */
import { roundUp } from '../base/bits.js';
import { PAGE_SIZE } from '../base/param.js';
import { KMZ_NZONES, KMZ_ZONES } from '../freebsd/kern_malloc.layout.js';
import { KMALLOC } from '../freebsd/kern_malloc_words.js';
import { bucketCnt } from '../freebsd/uma_core.js';
import { UMA_HASH_SIZE_INIT, UMA_SLAB_KMEM, UMA_SLAB_MALLOC, UMA_SLAB_PRIV } from '../freebsd/uma.js';
import {
  KMEM_PAGES, UB_BUCKET, UB_CNT, UB_ENTRIES, UB_LINK, UC_ALLOCBUCKET, UC_ALLOCMARK, UC_ALLOCS,
  UC_FREEBUCKET, UC_FREEMARK, UC_FREES, UC_WORDS, UH_HASHSIZE, UK_FREE, UK_FREE_SLAB, UK_FULL_SLAB,
  UK_IPERS, UK_KVA_PAGES, UK_LINK, UK_NAME, UK_PAGES, UK_PART_SLAB, UK_PPERA, UK_SIZE, UK_ZONES, UMA_KEGS,
  UMA_NAME_BYTES, UMA_STATIC_PAGES, US_DATA, US_FIRSTFREE, US_FLAGS, US_FREECOUNT, US_KEG, US_NEXT, US_SIZE,
  UZ_ALLOCS, UZ_CPU, UZ_FREE_BUCKET, UZ_FREES, UZ_FULL_BUCKET, UZ_KEG, UZ_LINK,
} from '../freebsd/uma_int.layout.js';
import { UMA, vtoslab } from '../freebsd/uma_int.js';
import { itemIndex, slabItem, slabOf } from '../freebsd/uma_slab.js';
import { f64, i32, i64 } from '../hw/heap.js';
import { SB_BOOT_PAGES, SB_FIRST_PAGE, SB_NPAGES } from '../hw/superblock.layout.js';
import { NCPU } from '../kern/globaldata.js';
import { stringAt } from '../kern/libkern.js';
import type { Findings } from './audit_result.js';

/** One keg under audit. */
interface Keg {
  readonly kw: number;
  readonly bad: (what: string) => void;
  /** items on free lists of slabs, and in buckets */
  readonly free: Set<number>;
  readonly bucketed: Set<number>;
}

/** @returns pages the allocator has */
export function auditUma(audit: Findings): number {
  const mallocKegs = new Set<number>();
  for (let n = 0; n < KMZ_NZONES; n++) mallocKegs.add(i32[(i32[KMALLOC + KMZ_ZONES + n] >>> 2) + UZ_KEG]);
  let kmem = largeBlocks(audit);
  let aside = i32[UMA + UMA_STATIC_PAGES] + i32[SB_BOOT_PAGES];
  for (let keg = i32[UMA + UMA_KEGS]; keg !== 0; keg = i32[(keg >>> 2) + UK_LINK]) {
    const kw = keg >>> 2;
    const pages = slabPages(kw);
    kmem += pages.kmem + hashPages(kw);
    aside += pages.priv + i32[kw + UK_KVA_PAGES];
    const out = auditKeg(keg, audit);
    if (!mallocKegs.has(keg)) continue;
    audit.blocks += out;
    audit.bytes += out * i32[kw + UK_SIZE];
  }
  if (kmem !== i32[UMA + KMEM_PAGES]) {
    audit.violations.push(`kmem_map: ${i32[UMA + KMEM_PAGES]} pages, ${kmem} in use`);
  }
  return kmem + aside;
}

/** @returns items of the keg that are out */
function auditKeg(keg: number, audit: Findings): number {
  const kw = keg >>> 2;
  const name = stringAt(keg + UK_NAME * 4, UMA_NAME_BYTES);
  const bad = (what: string) => audit.violations.push(`keg "${name}": ${what}`);
  const one: Keg = { kw, bad, free: new Set(), bucketed: new Set() };
  const pages = auditSlabs(one, audit);
  if (pages !== i32[kw + UK_PAGES]) bad(`uk_pages ${i32[kw + UK_PAGES]}, its slabs have ${pages}`);
  if (one.free.size !== i32[kw + UK_FREE]) bad(`uk_free ${i32[kw + UK_FREE]}, ${one.free.size} on free lists`);
  let balance = 0n;
  for (let zone = i32[kw + UK_ZONES]; zone !== 0; zone = i32[(zone >>> 2) + UZ_LINK]) balance += auditZone(one, zone);
  const items = (pages / i32[kw + UK_PPERA]) * i32[kw + UK_IPERS];
  const out = items - one.free.size - one.bucketed.size;
  if (balance !== BigInt(out)) bad(`allocs - frees is ${balance}, ${out} of ${items} items are out`);
  return out;
}

/** @returns pages of the keg's slabs */
function auditSlabs(keg: Keg, audit: Findings): number {
  const { kw, bad } = keg;
  let pages = 0;
  for (const list of [UK_PART_SLAB, UK_FREE_SLAB, UK_FULL_SLAB]) {
    for (let slab = i32[kw + list]; slab !== 0; slab = i32[(slab >>> 2) + US_NEXT]) {
      audit.zones++;
      pages += i32[kw + UK_PPERA];
      if (pages > i32[SB_NPAGES]) {
        bad('its slabs are linked in a ring');
        return pages;
      }
      const owner = i32[(slab >>> 2) + US_KEG];
      if (owner !== kw << 2) bad(`slab ${hex(slab)} has us_keg ${hex(owner)}`);
      const freecount = i32[(slab >>> 2) + US_FREECOUNT];
      const right = freecount === 0 ? UK_FULL_SLAB : freecount === i32[kw + UK_IPERS] ? UK_FREE_SLAB : UK_PART_SLAB;
      if (right !== list) bad(`slab ${hex(slab)} with ${freecount} free items is on the wrong list`);
      freeItems(keg, slab, freecount);
    }
  }
  return pages;
}

function freeItems(keg: Keg, slab: number, freecount: number): void {
  let index = i32[(slab >>> 2) + US_FIRSTFREE];
  for (let n = 0; n < freecount; n++) {
    const item = slab * 256 + index;
    if (index < 0 || index >= i32[keg.kw + UK_IPERS] || keg.free.has(item)) {
      keg.bad(`slab ${hex(slab)}: its free list has ${index} as item ${n} of ${freecount}`);
      return;
    }
    keg.free.add(item);
    index = slabItem(keg.kw, slab, index);
  }
}

/** @returns allocations - frees of the zone */
function auditZone(keg: Keg, zone: number): bigint {
  const zw = zone >>> 2;
  let balance = i64[(zw + UZ_ALLOCS) >>> 1] - i64[(zw + UZ_FREES) >>> 1];
  for (let cpu = 0; cpu < NCPU; cpu++) {
    const cache = zw + UZ_CPU + cpu * UC_WORDS;
    balance += BigInt(f64[(cache + UC_ALLOCS) >>> 1] - f64[(cache + UC_FREES) >>> 1]);
    balance += BigInt(i32[cache + UC_ALLOCMARK] - bucketCnt(i32[cache + UC_ALLOCBUCKET]));
    balance -= BigInt(bucketCnt(i32[cache + UC_FREEBUCKET]) - i32[cache + UC_FREEMARK]);
    auditBucket(keg, i32[cache + UC_ALLOCBUCKET]);
    auditBucket(keg, i32[cache + UC_FREEBUCKET]);
  }
  for (let bucket = i32[zw + UZ_FULL_BUCKET]; bucket !== 0; bucket = i32[(bucket >>> 2) + UB_LINK]) {
    if (i32[(bucket >>> 2) + UB_CNT] === 0) keg.bad(`bucket ${hex(bucket)} on uz_full_bucket is empty`);
    auditBucket(keg, bucket);
  }
  for (let bucket = i32[zw + UZ_FREE_BUCKET]; bucket !== 0; bucket = i32[(bucket >>> 2) + UB_LINK]) {
    if (i32[(bucket >>> 2) + UB_CNT] !== 0) keg.bad(`bucket ${hex(bucket)} on uz_free_bucket is not empty`);
  }
  return balance;
}

function auditBucket(keg: Keg, bucket: number): void {
  if (bucket === 0) return;
  const bw = bucket >>> 2;
  if (i32[bw + UB_CNT] > i32[bw + UB_ENTRIES]) return keg.bad(`bucket ${hex(bucket)} has more items than room`);
  for (let n = 0; n < i32[bw + UB_CNT]; n++) {
    const address = i32[bw + UB_BUCKET + n];
    const slab = slabOf(keg.kw, address, 0);
    const index = slab === 0 ? -1 : itemIndex(keg.kw, slab, address);
    const item = slab * 256 + index;
    if (!Number.isInteger(index) || index < 0 || index >= i32[keg.kw + UK_IPERS]) {
      keg.bad(`bucket ${hex(bucket)} holds ${hex(address)}, which is no item of it`);
    } else if (keg.free.has(item)) keg.bad(`item ${hex(address)} is in a bucket and on its slab's free list`);
    else if (keg.bucketed.has(item)) keg.bad(`item ${hex(address)} is in a bucket twice`);
    keg.bucketed.add(item);
  }
}

function slabPages(kw: number): { kmem: number; priv: number } {
  const pages = { kmem: 0, priv: 0 };
  for (const list of [UK_PART_SLAB, UK_FREE_SLAB, UK_FULL_SLAB]) {
    let most = i32[SB_NPAGES];
    for (let slab = i32[kw + list]; slab !== 0 && most-- > 0; slab = i32[(slab >>> 2) + US_NEXT]) {
      const flags = i32[(slab >>> 2) + US_FLAGS];
      if ((flags & UMA_SLAB_KMEM) !== 0) pages.kmem += i32[kw + UK_PPERA];
      else if ((flags & UMA_SLAB_PRIV) !== 0) pages.priv += i32[kw + UK_PPERA];
    }
  }
  return pages;
}

/** A table larger than the first has pages of its own. */
function hashPages(kw: number): number {
  const size = i32[kw + UH_HASHSIZE];
  return size > UMA_HASH_SIZE_INIT ? roundUp(size * 4, PAGE_SIZE) / PAGE_SIZE : 0;
}

/** @returns pages of large blocks */
function largeBlocks(audit: Findings): number {
  let pages = 0;
  for (let page = i32[SB_FIRST_PAGE]; page < i32[SB_NPAGES]; page++) {
    const slab = vtoslab(page * PAGE_SIZE);
    if (slab === 0 || (i32[(slab >>> 2) + US_FLAGS] & UMA_SLAB_MALLOC) === 0) continue;
    if (i32[(slab >>> 2) + US_DATA] !== page * PAGE_SIZE) audit.violations.push(`page ${page}: slab of another block`);
    audit.blocks++;
    audit.bytes += i32[(slab >>> 2) + US_SIZE];
    pages += i32[(slab >>> 2) + US_SIZE] / PAGE_SIZE;
  }
  return pages;
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
