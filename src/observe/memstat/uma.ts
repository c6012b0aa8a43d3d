/**
 * uma.ts — UMA zones into a list: memstat_sysctl_uma, memstat_kvm_uma (FreeBSD lib/libmemstat/memstat_uma.c).
 *
 * free is what lies in the CPUs' buckets, in the zone's full ones and on slabs; the slabs of a keg count for its
 * primary zone alone. countlimit is in items on both ways; C's kvm reader divides where it should multiply.
 */
import { SB_UMA } from '../../hw/superblock.layout.js';
import { Memory } from '../memory.js';
import { PERCPU_BYTES } from '../stream.js';
import {
  UMA_NAME_FIELD_BYTES, UMA_TYPE_HEADER_BYTES, UTH_ZONE_SECONDARY, umaStreamBytes,
} from '../uma_stream.js';
import { umaZones } from '../uma_zones.js';
import { isFreebsd, umaKegs } from '../walk_uma.js';
import * as U from '../../freebsd/uma_int.layout.js';
import { peek } from '../peek.js';
import { kvmOpen, linksAway } from './kvm.js';
import { MEMSTAT_ERROR_KVM_NOSYMBOL, MEMSTAT_ERROR_KVM_SHORTREAD, type MemoryTypeList } from './list.js';
import { fetchStream, openStream, type RecordReader } from './reader.js';
import type { SysctlSource } from './source.js';
import { ALLOCATOR_UMA, type MemoryType, u64 } from './type.js';

/**
 * Fills or updates the list from vm.zone_stats.
 * @returns 0, or -1: memstatMtlGeterror says what it was
 */
export async function memstatSysctlUma(list: MemoryTypeList, source: SysctlSource): Promise<0 | -1> {
  const bytes = await fetchStream(source, 'vm.zone_stats', 'vm.zone_count', umaStreamBytes);
  return typeof bytes === 'number' ? list.fail(bytes) : memstatParseUma(list, bytes);
}

/** The same from the bytes of a stream. */
export function memstatParseUma(list: MemoryTypeList, bytes: Uint8Array): 0 | -1 {
  const stream = openStream(bytes, (maxcpus) => UMA_TYPE_HEADER_BYTES + maxcpus * PERCPU_BYTES);
  if (typeof stream === 'number') return list.fail(stream);
  const { maxcpus, count, read } = stream;
  const search = !list.empty;
  for (let n = 0; n < count; n++) {
    const type = list.entry(ALLOCATOR_UMA, read.text(UMA_NAME_FIELD_BYTES), search);
    const zone = zoneHeader(read);
    const cpus = Array.from({ length: maxcpus }, () => {
      const cpu = { allocs: read.u64(), frees: read.u64(), cacheFree: read.u64() };
      read.skip(40);
      return cpu;
    });
    fill(type, { ...zone, cpus });
  }
  return 0;
}

/** What of a zone the library keeps. */
interface Zone {
  readonly size: bigint;
  readonly limit: bigint;
  readonly kegFree: bigint;
  readonly zoneFree: bigint;
  readonly secondary: boolean;
  readonly allocs: bigint;
  readonly frees: bigint;
  readonly fails: bigint;
  readonly sleeps: bigint;
  readonly cpus: readonly { readonly allocs: bigint; readonly frees: bigint; readonly cacheFree: bigint }[];
}

function zoneHeader(read: RecordReader): Omit<Zone, 'cpus'> {
  const [, size, , , limit, , kegFree, zoneFree, , flags] = Array.from({ length: 10 }, () => read.u32());
  const [allocs, frees, fails, sleeps] = [read.u64(), read.u64(), read.u64(), read.u64()];
  read.skip(16);
  return {
    size: BigInt(size!), limit: BigInt(limit!), kegFree: BigInt(kegFree!), zoneFree: BigInt(zoneFree!),
    secondary: (flags! & UTH_ZONE_SECONDARY) !== 0, allocs, frees, fails, sleeps,
  };
}

/** Fills or updates the list from a machine's memory, such as that of a core dump. */
export function memstatKvmUma(list: MemoryTypeList, heap: Memory | SharedArrayBuffer | ArrayBuffer): 0 | -1 {
  const memory = kvmOpen(heap, SB_UMA);
  if (!(memory instanceof Memory)) return list.fail(memory);
  if (!isFreebsd(memory)) return list.fail(MEMSTAT_ERROR_KVM_NOSYMBOL);
  if (cutShort(memory)) return list.fail(MEMSTAT_ERROR_KVM_SHORTREAD);
  const search = !list.empty;
  const big = (value: number) => BigInt(value >>> 0);
  for (const zone of umaZones(memory)) {
    const { name, size, limit, kegFree, zoneFree } = zone;
    fill(list.entry(ALLOCATOR_UMA, name, search), {
      ...zone, size: big(size), limit: big(limit), kegFree: big(kegFree), zoneFree: big(zoneFree),
    });
  }
  return 0;
}

/** Does uma_kegs lead out of the memory? */
function cutShort(memory: Memory): boolean {
  const kegs = umaKegs(memory);
  const last = kegs.at(-1);
  const link = last === undefined ? memory.sb(SB_UMA) + U.UMA_KEGS * 4 : last + U.UK_LINK * 4;
  return linksAway(memory, peek(memory, link), kegs, U.UK_WORDS * 4);
}

function fill(type: MemoryType, zone: Zone): void {
  type.numallocs = zone.allocs;
  type.numfrees = zone.frees;
  for (const [cpu, { allocs, frees, cacheFree }] of zone.cpus.entries()) {
    const own = type.percpu(cpu);
    own.numallocs = allocs;
    own.numfrees = frees;
    own.free = cacheFree;
    type.numallocs = u64(type.numallocs + allocs);
    type.numfrees = u64(type.numfrees + frees);
    type.free = u64(type.free + cacheFree);
  }
  type.size = zone.size;
  type.countlimit = zone.limit;
  type.byteslimit = u64(zone.limit * zone.size);
  type.memalloced = u64(type.numallocs * zone.size);
  type.memfreed = u64(type.numfrees * zone.size);
  type.failures = zone.fails;
  type.sleeps = zone.sleeps;
  type.zonefree = zone.zoneFree;
  // several zones on one keg: what lies on its slabs is said once
  type.kegfree = zone.secondary ? 0n : zone.kegFree;
  type.free = u64(type.free + type.kegfree + type.zonefree);
  type.derive();
}
