/**
 * uma_stream.ts — vm.zone_stats: every UMA zone and the CPUs' caches of it, as FreeBSD's kernel streams it
 * (sys/vm/uma_core.c 1.136, sysctl_vm_zone_stats).
 *
 *   16 bytes       │ u32 ush_version = 1 │ u32 ush_maxcpus │ u32 ush_count │ u32 - │
 *   count times
 *     120 bytes    │ char uth_name[32]                                                                       │
 *                  │ u32 align │ size │ rsize │ maxpages │ limit │ pages │ keg_free │ zone_free │ bucketsize │
 *                  │ u32 zone_flags                                                                          │
 *                  │ u64 allocs │ frees │ fails │ sleeps │ - │ -                                             │
 *     maxcpus ×
 *     64 bytes     │ u64 ups_allocs │ ups_frees │ ups_cache_free │ - │ - │ - │ - │ -                         │
 *
 * ush_maxcpus is mp_maxid + 1: the CPUs there are, without holes here. zone_flags bit 0: a secondary zone, whose keg is
 * another one's. The allocator's internal zones have zeroes a CPU. A machine without UMA has a stream of no zones.
 */
import type { Memory } from './memory.js';
import { PERCPU_BYTES, STREAM_HEADER_BYTES, StreamWriter, sized } from './stream.js';
import { umaZoneCount, umaZones, type ZoneStats } from './uma_zones.js';

export const UMA_NAME_FIELD_BYTES = 32;
export const UMA_TYPE_HEADER_BYTES = 120;
export const UTH_ZONE_SECONDARY = 1;
const RESERVED_BYTES = 16;
const PERCPU_RESERVED_BYTES = 40;

/** Bytes of a stream of so many zones. */
export function umaStreamBytes(count: number, maxcpus: number): number {
  return STREAM_HEADER_BYTES + count * (UMA_TYPE_HEADER_BYTES + maxcpus * PERCPU_BYTES);
}

export function umaStream(memory: Memory): Uint8Array {
  const zones = sized(() => umaZoneCount(memory), () => umaZones(memory));
  const out = new StreamWriter(umaStreamBytes(zones.length, memory.ncpu));
  out.header(memory.ncpu, zones.length);
  for (const zone of zones) {
    typeHeader(out, zone);
    for (const { allocs, frees, cacheFree } of zone.cpus) {
      out.u64(allocs, frees, cacheFree);
      out.zeroes(PERCPU_RESERVED_BYTES);
    }
  }
  return out.bytes;
}

function typeHeader(out: StreamWriter, z: ZoneStats): void {
  out.text(z.name, UMA_NAME_FIELD_BYTES);
  out.u32(z.align, z.size, z.rsize, z.maxpages, z.limit, z.pages, z.kegFree, z.zoneFree, z.bucketSize);
  out.u32(z.secondary ? UTH_ZONE_SECONDARY : 0);
  out.u64(z.allocs, z.frees, z.fails, z.sleeps);
  out.zeroes(RESERVED_BYTES);
}
