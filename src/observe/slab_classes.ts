/**
 * slab_classes.ts — what the slab allocator of DragonFly has in its zones, a row a class of chunks.
 *
 * It counts no requests, and knows no limit: those stay unknown. Chunks on their way home (RChunks, open batches) are
 * free. Zones of classes nobody uses any more are spare, and not counted.
 */
import { Z_CHUNKSIZE, Z_NFREE, Z_NMAX, Z_RCHUNKS, CHUNK_MASK } from '../dragonfly/slaballoc.layout.js';
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
}

/** Classes that have zones, by size; none where another allocator runs. */
export function slabClasses(memory: Memory): SlabClass[] {
  if (isFreebsd(memory)) return [];
  const batched = new Map<number, number>();
  for (const chunk of batchedChunks(memory)) {
    const z = zoneAround(memory, chunk);
    batched.set(z, (batched.get(z) ?? 0) + 1);
  }
  const classes = new Map<number, SlabClass>();
  for (const z of walkPages(memory).zones) {
    const size = peek(memory, z, Z_CHUNKSIZE);
    const count = zoneChunks(memory, z);
    if (count === 0) continue;
    const homeward = chain(memory, peek(memory, z, Z_RCHUNKS) & CHUNK_MASK, 0, 4, count).length;
    const local = Math.max(0, peek(memory, z, Z_NFREE));
    const free = Math.min(peek(memory, z, Z_NMAX), local + homeward + (batched.get(z) ?? 0));
    const { zones = 0, used: usedBefore = 0, free: freeBefore = 0 } = classes.get(size) ?? {};
    classes.set(size, { size, zones: zones + 1, used: usedBefore + count - free, free: freeBefore + free });
  }
  return [...classes.values()].sort((a, b) => a.size - b.size);
}
