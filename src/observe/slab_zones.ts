/**
 * slab_zones.ts — zones of the slab allocator by class and owner, as the allocator itself counts them: what is not in
 * NFree is out, be it in use or on its way home (RChunks, open batches). Reads zone headers and no chunk, so it may be
 * asked often; slab_classes.ts follows every list, and knows how many of those are free.
 */
import { PAGE_SHIFT, PAGE_SIZE } from '../base/param.js';
import { Z_CHUNKSIZE, Z_CPU, Z_NFREE } from '../dragonfly/slaballoc.layout.js';
import { SB_FIRST_PAGE, SB_NPAGES, SB_ZONE_SIZE } from '../hw/superblock.layout.js';
import type { Memory } from './memory.js';
import { peek } from './peek.js';
import { zoneAround, zoneChunks } from './walk_slab.js';
import { isFreebsd } from './walk_uma.js';

export interface SlabZones {
  /** bytes of a chunk */
  readonly size: number;
  readonly zones: number;
  /** chunks that are out, and that their owners have */
  readonly out: number;
  readonly free: number;
  /** bytes of the zones, headers and all */
  readonly bytes: number;
  /** zones by the CPU that owns them */
  readonly cpus: readonly number[];
}

/** Classes that have zones, by size; none where another allocator runs. */
export function slabZones(memory: Memory): SlabZones[] {
  if (isFreebsd(memory)) return [];
  const zoneBytes = memory.sb(SB_ZONE_SIZE);
  const classes = new Map<number, { zones: number; out: number; free: number; cpus: number[] }>();
  const step = zoneBytes >>> PAGE_SHIFT;
  const end = memory.sb(SB_NPAGES);
  for (let page = Math.ceil(memory.sb(SB_FIRST_PAGE) / step) * step; page < end; page += step) {
    const z = zoneAround(memory, page * PAGE_SIZE);
    const count = z === 0 ? 0 : zoneChunks(memory, z);
    if (count === 0) continue;
    const size = peek(memory, z, Z_CHUNKSIZE);
    if (!classes.has(size)) classes.set(size, { zones: 0, out: 0, free: 0, cpus: Array(memory.ncpu).fill(0) });
    const row = classes.get(size)!;
    const free = Math.min(count, Math.max(0, peek(memory, z, Z_NFREE)));
    const owner = peek(memory, z, Z_CPU);
    row.zones++;
    row.free += free;
    row.out += count - free;
    if (owner >= 0 && owner < memory.ncpu) row.cpus[owner]!++;
  }
  return [...classes].map(([size, row]) => ({ size, ...row, bytes: row.zones * zoneBytes }))
    .sort((a, b) => a.size - b.size);
}
