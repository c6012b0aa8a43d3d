/**
 * live_blocks.ts — blocks of malloc's that somebody holds, found by walking all of the allocator's memory.
 *
 * What is on its way home is not live: chunks on RChunks, in open batches and in messages; items in buckets. On a
 * running machine the walk and the machine pass each other: a block may be missed, or be seen though it is gone.
 */
import { IPIF_FREE_REMOTE } from '../../base/ipif.js';
import { PAGE_SIZE } from '../../base/param.js';
import { KERN_MALLOC, KMZ_NZONES, KMZ_ZONES } from '../../freebsd/kern_malloc.layout.js';
import { UZ_KEG } from '../../freebsd/uma_int.layout.js';
import * as U from '../../freebsd/uma_int.layout.js';
import { SB_FIRST_PAGE, SB_NPAGES, SB_UMA } from '../../hw/superblock.layout.js';
import type { Memory } from '../memory.js';
import { pendingMessages } from '../ipiq.js';
import { peek } from '../peek.js';
import { batchedChunks, type Block, liveChunks, walkPages } from '../walk_slab.js';
import {
  allSlabs, isFreebsd, isLarge, kegSlabs, kegZones, slabFreeIndices, slabItems, vtoslab, zoneBuckets,
} from '../walk_uma.js';

export function liveBlocks(memory: Memory): Block[] {
  return isFreebsd(memory) ? liveItems(memory) : liveOfSlabs(memory);
}

function liveOfSlabs(memory: Memory): Block[] {
  const homeward = batchedChunks(memory);
  for (const { func, arg1 } of pendingMessages(memory)) if (func === IPIF_FREE_REMOTE) homeward.add(arg1);
  const { zones, blocks } = walkPages(memory);
  return [...zones.flatMap((z) => liveChunks(memory, z, homeward)), ...blocks];
}

/** The zones malloc(9) takes from: "16" to "4096". */
export function mallocZones(memory: Memory): number[] {
  const first = (memory.sb(SB_UMA) >>> 2) + KERN_MALLOC + KMZ_ZONES;
  const zones = new Set(memory.i32.subarray(first, first + KMZ_NZONES));
  return [...zones].filter((zone) => peek(memory, zone, UZ_KEG) !== 0);
}

function liveItems(memory: Memory): Block[] {
  const live: Block[] = [];
  for (const keg of new Set(mallocZones(memory).map((zone) => peek(memory, zone, UZ_KEG)))) {
    const cached = kegZones(memory, keg).flatMap((zone) => zoneBuckets(memory, zone)).flatMap(({ items }) => items);
    const away = new Set(cached);
    const bytes = peek(memory, keg, U.UK_RSIZE);
    for (const slab of allSlabs(kegSlabs(memory, keg))) {
      const free = new Set(slabFreeIndices(memory, keg, slab));
      slabItems(memory, keg, slab).forEach((address, n) => {
        if (!free.has(n) && !away.has(address)) live.push({ address, bytes });
      });
    }
  }
  return [...live, ...largeBlocks(memory)];
}

/** Blocks beyond the zones: the first page of each has a slab header to itself. */
function largeBlocks(memory: Memory): Block[] {
  const found: Block[] = [];
  for (let page = memory.sb(SB_FIRST_PAGE); page < memory.sb(SB_NPAGES); page++) {
    const address = page * PAGE_SIZE;
    const slab = vtoslab(memory, address);
    if (slab === 0 || !isLarge(memory, slab) || peek(memory, slab, U.US_DATA) !== address) continue;
    const bytes = Math.min(Math.max(0, peek(memory, slab, U.US_SIZE)), memory.heap.byteLength - address);
    found.push({ address, bytes });
  }
  return found;
}
