/**
 * oversized.ts — blocks of whole pages, past the zones.
 *
 * Follows  DragonFly sys/kern/kern_slaballoc.c, the oversized paths of kmalloc and kfree.
 * kmemusage of the first page holds the page count while the block is allocated: > 0 is how kfree knows one. Any CPU
 * may free it. The pages go straight back, except from interrupt context, where they wait on FreeOvZones for kmalloc.
 */
import { D_R43 } from '../base/defects.js';
import { curcpu } from '../hw/curcpu.js';
import { defect } from '../hw/defect.js';
import { i32, i64 } from '../hw/heap.js';
import { KASAN_FREED, kasanMark } from '../hw/kasan.js';
import { critEnter, critExit } from '../kern/critical.js';
import { mycpu } from '../kern/globaldata.js';
import { GD_NESTING } from '../kern/globaldata.layout.js';
import { mtsAllocated, mtsFreed } from '../kern/malloc_stats.js';
import { btokup } from '../vm/kmemusage.js';
import { chunkPoison } from './chunk.js';
import { slabLock, slabUnlock } from './kern_slablock.js';
import { kmemSlabAlloc, kmemSlabFree } from './kmem_slab.js';
import {
  SL_FREEOVZONES, SL_SIZE, SLC_BIGALLOC, Z_MAGIC, Z_NEXT, Z_OVBYTES, ZALLOC_OVSZ_MAGIC,
} from './slaballoc.layout.js';
import { slCount } from './slglobaldata.js';

declare const INVARIANTS: boolean;
declare const STEPPED: boolean;
declare const DEFECTS: boolean;

const R43 = DEFECTS && defect(D_R43);

/** @param bytes whole pages @returns address, bit 0 set when known to be zero; 0 without memory */
export function mallocOversized(bytes: number, type: number): number {
  const block = kmemSlabAlloc(bytes);
  if (block === 0) return 0;
  critEnter();
  const sl = slabLock(curcpu);
  i32[btokup(block)] = bytes >>> 12;
  i64[(sl + SL_SIZE) >>> 1] = BigInt(bytes);
  mtsAllocated(type, (sl + SL_SIZE) >>> 1);
  slCount(sl, SLC_BIGALLOC, bytes / 1024);
  slabUnlock(sl);
  critExit();
  return block;
}

/** @param address first byte of the block: its kmemusage is > 0 */
export function freeOversized(address: number, type: number): void {
  const bytes = i32[btokup(address)] << 12;
  if (STEPPED) kasanMark(address, bytes, KASAN_FREED);
  critEnter();
  const sl = slabLock(curcpu);
  const later = i32[mycpu() + GD_NESTING] !== 0;
  // before anybody else can own these pages and write its own word (R43)
  if (!R43 || later) i32[btokup(address)] = 0;
  if (INVARIANTS) chunkPoison(address, bytes);
  i64[(sl + SL_SIZE) >>> 1] = BigInt(bytes);
  mtsFreed(type, (sl + SL_SIZE) >>> 1);
  if (later) {
    i32[(address >>> 2) + Z_MAGIC] = ZALLOC_OVSZ_MAGIC;
    i32[(address >>> 2) + Z_OVBYTES] = bytes;
    i32[(address >>> 2) + Z_NEXT] = i32[sl + SL_FREEOVZONES];
    i32[sl + SL_FREEOVZONES] = address;
  } else {
    slCount(sl, SLC_BIGALLOC, -bytes / 1024);
  }
  slabUnlock(sl);
  critExit();
  if (!later) kmemSlabFree(address, bytes);
  if (R43 && !later) i32[btokup(address)] = 0;
}
