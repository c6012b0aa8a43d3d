/**
 * walk_slab.ts — the slab allocator's structures from outside: zones, their chunks and which of them are free, blocks
 * of whole pages, spare zones. Pages are what their kmemusage word says (vm/kmemusage.ts).
 */
import { PAGE_SHIFT, PAGE_SIZE } from '../base/param.js';
import * as Z from '../dragonfly/slaballoc.layout.js';
import { SB_FIRST_PAGE, SB_KMU, SB_NPAGES, SB_ZONE_SIZE } from '../hw/superblock.layout.js';
import type { Memory } from './memory.js';
import { chain, peek, readable } from './peek.js';
import { isFreebsd } from './walk_uma.js';

/** chunks of 8 bytes in the largest zone there is */
const MOST_CHUNKS = 16384;

export interface Block {
  readonly address: number;
  readonly bytes: number;
}

export interface Chunks {
  readonly local: readonly number[];
  readonly remote: readonly number[];
  /** indices never handed out */
  readonly fresh: ReadonlySet<number>;
}

/** The zone in service an address lies in, 0 without one. */
export function zoneAround(memory: Memory, address: number): number {
  if (address < memory.sb(SB_FIRST_PAGE) * PAGE_SIZE || address >= memory.heap.byteLength) return 0;
  const z = memory.zoneHeader(address);
  const live = kmemusage(memory, z >>> PAGE_SHIFT) < 0 && peek(memory, z, Z.Z_MAGIC) === Z.ZALLOC_SLAB_MAGIC;
  return live ? z : 0;
}

/** CPU that owns the zone an address lies in, -1 where there is none, as on a freebsd machine. */
export function ownerOfZoneAt(memory: Memory, address: number): number {
  const z = isFreebsd(memory) ? 0 : zoneAround(memory, address);
  return z === 0 ? -1 : peek(memory, z, Z.Z_CPU);
}

export function kmemusage(memory: Memory, page: number): number {
  return memory.i32[(memory.sb(SB_KMU) >>> 2) + page]!;
}

/** Zones in service and blocks of whole pages, by address. */
export function walkPages(memory: Memory): { zones: number[]; blocks: Block[] } {
  const zones: number[] = [];
  const blocks: Block[] = [];
  const end = memory.sb(SB_NPAGES);
  for (let page = memory.sb(SB_FIRST_PAGE); page < end; ) {
    const ku = kmemusage(memory, page);
    const begins = ku < 0 && (page * PAGE_SIZE) % memory.sb(SB_ZONE_SIZE) === 0;
    const z = begins ? zoneAround(memory, page * PAGE_SIZE) : 0;
    if (z !== 0) zones.push(z);
    if (ku > 0) blocks.push({ address: page * PAGE_SIZE, bytes: Math.min(ku, end - page) * PAGE_SIZE });
    page += z !== 0 ? memory.sb(SB_ZONE_SIZE) >>> PAGE_SHIFT : Math.max(1, ku);
  }
  return { zones, blocks };
}

/** Number of chunks of a zone, 0 where its header makes no sense. */
export function zoneChunks(memory: Memory, z: number): number {
  const count = peek(memory, z, Z.Z_NMAX);
  const size = peek(memory, z, Z.Z_CHUNKSIZE);
  const base = peek(memory, z, Z.Z_BASEPTR);
  const fits = size >= 8 && base > z && base + count * size <= memory.heap.byteLength;
  return fits ? Math.min(MOST_CHUNKS, Math.max(0, count)) : 0;
}

/** Chunks that nobody holds, by where they are. */
export function freeChunks(memory: Memory, z: number): Chunks {
  const count = zoneChunks(memory, z);
  const list = (head: number) => chain(memory, head, 0, 4, count);
  const fresh = new Set<number>();
  const used = peek(memory, z, Z.Z_UINDEX);
  const last = peek(memory, z, Z.Z_UENDINDEX);
  if (used >= 0 && used < count) {
    // circular: from behind the last one taken to where the zone began
    for (let at = (used + 1) % count; at !== last && !fresh.has(at); at = (at + 1) % count) fresh.add(at);
  }
  return {
    local: list(peek(memory, z, Z.Z_LCHUNKS)), remote: list(peek(memory, z, Z.Z_RCHUNKS) & Z.CHUNK_MASK), fresh,
  };
}

/** Chunks on their way home: open batches of all CPUs (policy rbatch). */
export function batchedChunks(memory: Memory): Set<number> {
  const found = new Set<number>();
  for (let cpu = 0; cpu < memory.ncpu; cpu++) {
    for (let n = 0; n < Z.RB_ENTRIES; n++) {
      const rb = memory.slgd(cpu) + Z.SL_BATCH + n * Z.RB_WORDS;
      if (memory.i32[rb + Z.RB_ZONE] === 0) continue;
      const most = Math.min(MOST_CHUNKS, Math.max(0, memory.i32[rb + Z.RB_COUNT]!));
      for (const chunk of chain(memory, memory.i32[rb + Z.RB_HEAD]!, 0, 4, most)) found.add(chunk);
    }
  }
  return found;
}

/** Chunks somebody holds. @param batched what batchedChunks found */
export function liveChunks(memory: Memory, z: number, batched: ReadonlySet<number>): Block[] {
  const { local, remote, fresh } = freeChunks(memory, z);
  const gone = new Set([...local, ...remote]);
  const bytes = peek(memory, z, Z.Z_CHUNKSIZE);
  const base = peek(memory, z, Z.Z_BASEPTR);
  const live: Block[] = [];
  for (let n = 0; n < zoneChunks(memory, z); n++) {
    const address = base + n * bytes;
    if (!fresh.has(n) && !gone.has(address) && !batched.has(address)) live.push({ address, bytes });
  }
  return live;
}

/** FreeZones and FreeOvZones of a CPU. */
export function spareZones(memory: Memory, cpu: number): { zones: number[]; oversized: number[] } {
  const list = (head: number) => chain(memory, memory.i32[memory.slgd(cpu) + head]!, Z.Z_NEXT, Z.Z_WORDS * 4);
  return { zones: list(Z.SL_FREEZONES), oversized: list(Z.SL_FREEOVZONES) };
}

export function isZoneHeader(memory: Memory, address: number): boolean {
  return readable(memory, address, Z.Z_WORDS * 4) && zoneAround(memory, address) === address;
}
