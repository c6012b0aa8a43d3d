/** malloc.ts — kmalloc's limits (DragonFly sys/sys/malloc.h, sys/sys/slaballoc.h); its flags are in kern/malloc.ts. */

export * from '../kern/malloc.js';

/** largest size a zone serves, unless the zones are small */
export const ZALLOC_ZONE_LIMIT = 16 * 1024;
export const ZALLOC_MIN_ZONE_SIZE = 32 * 1024;
export const ZALLOC_MAX_ZONE_SIZE = 128 * 1024;
export const ZALLOC_SLAB_SLIDE = 20;
export const MIN_CHUNK_SIZE = 8;
/** freed memory reads as this (weirdary) */
export const WEIRD_ADDR = 0xdeadc0de | 0;
export const WEIRD_BYTES = 64;

/** Zone size for a machine of `bytes` of memory: about a thousandth of it, 32 to 128 KiB. */
export function zoneSizeFor(bytes: number): number {
  let zoneSize = ZALLOC_MIN_ZONE_SIZE;
  while (zoneSize < ZALLOC_MAX_ZONE_SIZE && zoneSize << 1 < bytes / 1024) zoneSize <<= 1;
  return zoneSize;
}
