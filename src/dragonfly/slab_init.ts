/**
 * slab_init.ts — kmeminit: the table of classes. On the boot CPU, before any other runs.
 *
 * Line rule of the table: const after boot. The allocator's other data start as zeroes.
 */
import { i32, u8 } from '../hw/heap.js';
import { SB_ZINDEX } from '../hw/superblock.layout.js';
import { ZONE_LIMIT } from './slglobaldata.js';
import { zoneindex } from './zoneindex.js';

export function slabInit(): void {
  const table = i32[SB_ZINDEX];
  // an entry serves the 8 sizes up to its own; the last entry's own size, ZoneLimit, is not a zone's business any more
  for (let size = 8; size <= ZONE_LIMIT; size += 8) u8[table + (size >>> 3)] = zoneindex(size - 1);
}
