/** malloc.ts — kmalloc's flags and limits (DragonFly sys/sys/malloc.h, sys/sys/slaballoc.h). */

export const M_RNOWAIT = 0x1;
export const M_WAITOK = 0x2;
export const M_ZERO = 0x100;
export const M_USE_RESERVE = 0x200;
export const M_NULLOK = 0x400;
export const M_PASSIVE_ZERO = 0x800;
export const M_USE_INTERRUPT_RESERVE = 0x1000;
/** round the size up to a power of two: the block is aligned to it */
export const M_POWEROF2 = 0x4000;

export const M_NOWAIT = M_RNOWAIT | M_NULLOK | M_USE_RESERVE;
export const M_INTNOWAIT = M_NOWAIT | M_USE_INTERRUPT_RESERVE;
export const M_INTWAIT = M_WAITOK | M_USE_RESERVE | M_USE_INTERRUPT_RESERVE;

/** What kmalloc(0) returns: not NULL, not memory; kfree takes it back. */
export const ZERO_LENGTH_PTR = -8;

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
