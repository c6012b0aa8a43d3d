/**
 * malloc_type.ts — defining types of memory at run time, and finding them.
 *
 * Follows  DragonFly sys/kern/kern_slaballoc.c malloc_init, kmalloc_create; FreeBSD kern_malloc.c malloc_init.
 * The list and its count are protected by malloc_mtx and nothing else is; counters are never read under it.
 * Runs in  thread context.
 */
import { D_R8 } from '../base/defects.js';
import { PAGE_SIZE } from '../base/param.js';
import { defect } from '../hw/defect.js';
import { i32 } from '../hw/heap.js';
import { bzero } from '../hw/mem.js';
import { SB_MALLOC, SB_NPAGES } from '../hw/superblock.layout.js';
import { NCPU } from './globaldata.js';
import { mtxLock, mtxUnlock } from './kern_mutex.js';
import { stringAt, strlcpy } from './libkern.js';
import {
  KM_CARVED, KM_COUNT, KM_FREE, KM_MTX, KM_STATISTICS, KM_WORDS, KS_ID, KS_LIMIT, KS_MAGIC, KS_NEXT, KS_SHORTDESC,
  KS_SHORTDESC_BYTES, M_MAGIC, MAXTYPES, mallocTypeBytes,
} from './malloc_type.layout.js';

declare const DEFECTS: boolean;

const R8 = DEFECTS && defect(D_R8);
const KMEM = i32[SB_MALLOC] >>> 2;
const TYPE_BYTES = mallocTypeBytes(NCPU);

/**
 * Defines a type, or finds the one of that name.
 * @param shortdesc at most 31 bytes of ASCII
 * @returns the type's address, 0 when the table is full
 */
export function mallocTypeCreate(shortdesc: string): number {
  mtxLock(KMEM + KM_MTX);
  let type = lookup(shortdesc);
  if (type === 0) {
    type = takeRecord();
    if (type !== 0) {
      describe(type, shortdesc);
      link(type);
    }
  }
  mtxUnlock(KMEM + KM_MTX);
  return type;
}

/**
 * A record for a type that is on no list yet: for an allocator that has to add something of its own before others see
 * it, and may have to sleep for it. mallocTypeLink or mallocTypeRelease comes next.
 * @returns its address, 0 when the table is full
 */
export function mallocTypeRecord(shortdesc: string): number {
  mtxLock(KMEM + KM_MTX);
  const type = takeRecord();
  mtxUnlock(KMEM + KM_MTX);
  if (type !== 0) describe(type, shortdesc);
  return type;
}

/** Puts the type on the list, unless there is one of its name by now. @returns the one that is on the list */
export function mallocTypeLink(type: number, shortdesc: string): number {
  mtxLock(KMEM + KM_MTX);
  const there = lookup(shortdesc);
  if (there === 0) link(type);
  mtxUnlock(KMEM + KM_MTX);
  return there === 0 ? type : there;
}

/** Gives back a record that is on no list. */
export function mallocTypeRelease(type: number): void {
  mtxLock(KMEM + KM_MTX);
  putRecord(type);
  mtxUnlock(KMEM + KM_MTX);
}

/** @returns the address of the type with that name, or 0 */
export function mallocTypeFind(shortdesc: string): number {
  mtxLock(KMEM + KM_MTX);
  const type = lookup(shortdesc);
  if (!R8 || type === 0) mtxUnlock(KMEM + KM_MTX);
  return type;
}

/** Takes the type off the list and gives its record back. Its statistics are gone after this. */
export function mallocTypeDestroy(type: number): void {
  mtxLock(KMEM + KM_MTX);
  let prev = KMEM + KM_STATISTICS;
  while (i32[prev] !== type) prev = (i32[prev] >>> 2) + KS_NEXT;
  i32[prev] = i32[(type >>> 2) + KS_NEXT];
  i32[KMEM + KM_COUNT]--;
  putRecord(type);
  mtxUnlock(KMEM + KM_MTX);
}

/** First type of the list, and the next: callers that only read may walk without the lock between phases. */
export function mallocTypeFirst(): number {
  return i32[KMEM + KM_STATISTICS];
}

export function mallocTypeNext(type: number): number {
  return i32[(type >>> 2) + KS_NEXT];
}

export function mallocTypeName(type: number): string {
  return stringAt(type + KS_SHORTDESC * 4, KS_SHORTDESC_BYTES);
}

function lookup(shortdesc: string): number {
  const wanted = shortdesc.slice(0, KS_SHORTDESC_BYTES - 1);
  for (let type = mallocTypeFirst(); type !== 0; type = mallocTypeNext(type)) {
    if (mallocTypeName(type) === wanted) return type;
  }
  return 0;
}

function takeRecord(): number {
  const recycled = i32[KMEM + KM_FREE];
  if (recycled !== 0) {
    i32[KMEM + KM_FREE] = i32[(recycled >>> 2) + KS_NEXT];
    bzero(recycled, TYPE_BYTES);
    return recycled;
  }
  const carved = i32[KMEM + KM_CARVED];
  if (carved === MAXTYPES) return 0;
  i32[KMEM + KM_CARVED] = carved + 1;
  return (KMEM + KM_WORDS) * 4 + carved * TYPE_BYTES;
}

function putRecord(type: number): void {
  i32[(type >>> 2) + KS_MAGIC] = 0;
  i32[(type >>> 2) + KS_NEXT] = i32[KMEM + KM_FREE];
  i32[KMEM + KM_FREE] = type;
}

function describe(type: number, shortdesc: string): void {
  const tw = type >>> 2;
  strlcpy(type + KS_SHORTDESC * 4, shortdesc, KS_SHORTDESC_BYTES);
  i32[tw + KS_ID] = (type - (KMEM + KM_WORDS) * 4) / TYPE_BYTES;
  i32[tw + KS_LIMIT] = Math.floor((i32[SB_NPAGES] * PAGE_SIZE) / 10);
  i32[tw + KS_MAGIC] = M_MAGIC;
}

function link(type: number): void {
  i32[(type >>> 2) + KS_NEXT] = i32[KMEM + KM_STATISTICS];
  i32[KMEM + KM_STATISTICS] = type;
  i32[KMEM + KM_COUNT]++;
}
