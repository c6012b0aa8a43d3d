/**
 * slab_classes.ts — what the slab allocator of DragonFly has in its zones, a row a class of chunks.
 *
 * It counts no requests, and knows no limit: those stay unknown. Chunks on their way home (RChunks, open batches) are
 * free. Zones of classes nobody uses any more are spare, and not counted.
 */
import { CHUNK_MASK, Z_CHUNKSIZE, Z_CPU, Z_NFREE, Z_NMAX, Z_RCHUNKS } from '../dragonfly/slaballoc.layout.js';
import { SB_ZONE_SIZE } from '../hw/superblock.layout.js';
import type { Memory } from './memory.js';
import { chain, peek } from './peek.js';
import { batchedChunks, walkPages, zoneAround, zoneChunks } from './walk_slab.js';
import { isFreebsd } from './walk_uma.js';

export interface SlabClass {
  /** bytes of a chunk */
  readonly size: number;
  readonly zones: number;
  readonly used: number;
  readonly free: number;
  /** bytes of the zones, headers and all */
  readonly bytes: number;
  /** zones by the CPU that owns them */
  readonly cpus: readonly number[];
}

/** Classes that have zones, by size; none where another allocator runs. */
export function slabClasses(memory: Memory): SlabClass[] {
  if (isFreebsd(memory)) return [];
  const batched = new Map<number, number>();
  for (const chunk of batchedChunks(memory)) {
    const z = zoneAround(memory, chunk);
    batched.set(z, (batched.get(z) ?? 0) + 1);
  }
  const classes = new Map<number, SlabClass & { cpus: number[] }>();
  for (const z of walkPages(memory).zones) {
    const size = peek(memory, z, Z_CHUNKSIZE);
    const count = zoneChunks(memory, z);
    if (count === 0) continue;
    const homeward = chain(memory, peek(memory, z, Z_RCHUNKS) & CHUNK_MASK, 0, 4, count).length;
    const local = Math.max(0, peek(memory, z, Z_NFREE));
    const free = Math.min(peek(memory, z, Z_NMAX), local + homeward + (batched.get(z) ?? 0));
    const before = classes.get(size) ?? { size, zones: 0, used: 0, free: 0, bytes: 0, cpus: nobodys(memory) };
    const owner = peek(memory, z, Z_CPU);
    classes.set(size, {
      ...before, zones: before.zones + 1, used: before.used + count - free, free: before.free + free,
      bytes: before.bytes + memory.sb(SB_ZONE_SIZE),
    });
    if (owner >= 0 && owner < memory.ncpu) before.cpus[owner]!++;
  }
  return [...classes.values()].sort((a, b) => a.size - b.size);
}

function nobodys(memory: Memory): number[] {
  return Array.from({ length: memory.ncpu }, () => 0);
}
