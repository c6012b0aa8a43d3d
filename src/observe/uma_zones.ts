/**
 * uma_zones.ts — what UMA's zones have allocated and what they keep, read from outside: the numbers the kernel collects
 * for vm.zone_stats (FreeBSD sys/vm/uma_core.c 1.136, sysctl_vm_zone_stats).
 *
 * No lock is taken: a bucket that changes hands meanwhile is counted in two places, or in none. A zone's counts are its
 * own and those its CPUs have not folded in yet.
 */
import { UMA_ZFLAG_INTERNAL, UMA_ZONE_SECONDARY } from '../freebsd/uma.js';
import * as U from '../freebsd/uma_int.layout.js';
import { SB_UMA } from '../hw/superblock.layout.js';
import type { Memory } from './memory.js';
import { chain, peek, peek64, peekText, readable } from './peek.js';
import { isFreebsd, kegZones, umaKegs } from './walk_uma.js';

const BUCKET_BYTES = U.UB_BUCKET * 4;
/** more than a zone keeps: a list that is longer is damaged */
const MOST_BUCKETS = 1 << 16;

/** One CPU's cache of a zone. */
export interface ZoneCpu {
  readonly allocs: bigint;
  readonly frees: bigint;
  /** items in its two buckets */
  readonly cacheFree: bigint;
}

export interface ZoneStats {
  readonly address: number;
  readonly keg: number;
  readonly name: string;
  readonly align: number;
  /** bytes an item was asked to have, and takes */
  readonly size: number;
  readonly rsize: number;
  /** 0: no limit */
  readonly maxpages: number;
  /** the same in items */
  readonly limit: number;
  readonly pages: number;
  /** items on free lists of slabs, of all zones of the keg */
  readonly kegFree: number;
  /** items in full buckets of the zone */
  readonly zoneFree: number;
  readonly bucketSize: number;
  /** it shares the keg of another zone, which was there first */
  readonly secondary: boolean;
  /** the allocator's own: it has no buckets, and no statistics a CPU */
  readonly internal: boolean;
  readonly ipers: number;
  readonly ppera: number;
  /** without what stands in `cpus` */
  readonly allocs: bigint;
  readonly frees: bigint;
  readonly fails: bigint;
  readonly sleeps: bigint;
  /** one for each CPU of the machine */
  readonly cpus: readonly ZoneCpu[];
}

export function zoneName(memory: Memory, zone: number): string {
  return readable(memory, zone) ? peekText(memory, zone + U.UZ_NAME * 4, U.UMA_NAME_BYTES) : '?';
}

/** vm.zone_count: zones there are, as the allocator counts them; 0 where there is no UMA. */
export function umaZoneCount(memory: Memory): number {
  return isFreebsd(memory) ? Math.max(0, memory.i32[(memory.sb(SB_UMA) >>> 2) + U.UMA_NZONES]!) : 0;
}

/** All zones, keg by keg, in the order of uma_kegs. */
export function umaZones(memory: Memory): ZoneStats[] {
  const seen = new Set<number>();
  const zones: ZoneStats[] = [];
  for (const keg of umaKegs(memory)) {
    for (const zone of kegZones(memory, keg)) {
      // lists that were overwritten may share a tail
      if (!seen.has(zone)) zones.push(zoneStats(memory, keg, zone));
      seen.add(zone);
    }
  }
  return zones;
}

function zoneStats(memory: Memory, keg: number, zone: number): ZoneStats {
  const k = (field: number) => peek(memory, keg, field);
  const flags = k(U.UK_FLAGS);
  const internal = (flags & UMA_ZFLAG_INTERNAL) !== 0;
  const [maxpages, ppera, ipers] = [k(U.UK_MAXPAGES), k(U.UK_PPERA), k(U.UK_IPERS)];
  return {
    address: zone, keg, name: zoneName(memory, zone),
    align: k(U.UK_ALIGN), size: k(U.UK_SIZE), rsize: k(U.UK_RSIZE),
    maxpages, limit: ppera > 1 ? Math.trunc(maxpages / ppera) : Math.imul(maxpages, ipers),
    pages: k(U.UK_PAGES), kegFree: k(U.UK_FREE), zoneFree: fullBuckets(memory, zone),
    bucketSize: peek(memory, zone, U.UZ_COUNT),
    secondary: (flags & UMA_ZONE_SECONDARY) !== 0 && k(U.UK_ZONES) !== zone,
    internal, ipers, ppera,
    allocs: peek64(memory, zone, U.UZ_ALLOCS), frees: peek64(memory, zone, U.UZ_FREES),
    fails: peek64(memory, zone, U.UZ_FAILS), sleeps: peek64(memory, zone, U.UZ_SLEEPS),
    cpus: Array.from({ length: memory.ncpu }, (_, cpu) => (internal ? NOTHING : zoneCpu(memory, zone, cpu))),
  };
}

const NOTHING: ZoneCpu = { allocs: 0n, frees: 0n, cacheFree: 0n };

function zoneCpu(memory: Memory, zone: number, cpu: number): ZoneCpu {
  const cache = U.UZ_CPU + cpu * U.UC_WORDS;
  const held = (field: number) => itemCount(memory, peek(memory, zone, cache + field));
  // a double of a damaged core may be anything
  const count = (field: number) => {
    const value = memory.f64[((zone >>> 2) + cache + field) >>> 1];
    return Number.isSafeInteger(value) && value! >= 0 ? value! : 0;
  };
  const alloc = held(U.UC_ALLOCBUCKET);
  const free = held(U.UC_FREEBUCKET);
  // what the buckets have seen since they came (uma_int.layout.ts); while they change hands it may be out by a bucket
  const popped = Math.max(0, peek(memory, zone, cache + U.UC_ALLOCMARK) - alloc);
  const pushed = Math.max(0, free - peek(memory, zone, cache + U.UC_FREEMARK));
  return {
    allocs: BigInt(count(U.UC_ALLOCS) + popped),
    frees: BigInt(count(U.UC_FREES) + pushed),
    cacheFree: BigInt(alloc + free),
  };
}

/** Items a bucket says it has, 0 where there is none, or none that makes sense. */
function itemCount(memory: Memory, bucket: number): number {
  const count = peek(memory, bucket, U.UB_CNT);
  return count >= 0 && count <= peek(memory, bucket, U.UB_ENTRIES) ? count : 0;
}

function fullBuckets(memory: Memory, zone: number): number {
  const buckets = chain(memory, peek(memory, zone, U.UZ_FULL_BUCKET), U.UB_LINK, BUCKET_BYTES, MOST_BUCKETS);
  return buckets.reduce((sum, bucket) => sum + itemCount(memory, bucket), 0);
}
