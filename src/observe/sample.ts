/**
 * sample.ts — everything `smpalloc top` shows, read from a machine at one moment, and what it had been.
 *
 *   readSample ──► Sample (counts since boot)  ┐
 *                                              ├─ interval.ts ──► Interval: rates, and what there is now
 *   a second later ──► Sample                  ┘
 *
 * All names are asked for at once: a machine behind a socket makes the answers in one go, so that its numbers are less
 * than a millisecond or two apart. Nothing is stopped for it (sysctl.ts).
 */
import type { CpuCounters, PageCounts } from './cpu_counters.js';
import { memstatMtlAlloc, memstatMtlGeterror, memstatStrerror, type MemoryTypeList } from './memstat/list.js';
import { memstatParseMalloc } from './memstat/malloc.js';
import { readText, SysctlError, type SysctlSource } from './memstat/source.js';
import type { MemoryType } from './memstat/type.js';
import { memstatParseUma } from './memstat/uma.js';
import type { SlabZones } from './slab_zones.js';
import type { MachineFacts } from './sysctl.js';

/** Successful allocations and frees since boot. */
export interface Calls {
  readonly allocs: number;
  readonly frees: number;
}

export interface TypeSample extends Calls {
  readonly name: string;
  /** bytes */
  readonly allocated: number;
  readonly freed: number;
  /** one for each CPU of the machine; where all count in one place, it is that of CPU 0 */
  readonly cpus: readonly Calls[];
}

/** A UMA zone. */
export interface ZoneSample extends Calls {
  readonly name: string;
  /** bytes of an item */
  readonly size: number;
  readonly used: number;
  /** items in buckets of CPUs, in full buckets of the zone, and on slabs */
  readonly cached: number;
  readonly bucketed: number;
  readonly slabbed: number;
  readonly fails: number;
  readonly sleeps: number;
  /** items in each CPU's buckets */
  readonly cpus: readonly number[];
}

export interface Sample {
  /** milliseconds of the reader's monotonic clock */
  readonly at: number;
  readonly machine: MachineFacts;
  /** the kernel's last words, '' while all is well */
  readonly panic: string;
  readonly cpus: readonly CpuCounters[];
  readonly types: readonly TypeSample[];
  readonly zones: readonly ZoneSample[];
  readonly classes: readonly SlabZones[];
  readonly pages: PageCounts;
}

/**
 * Reads a machine once.
 * @param now monotonic milliseconds
 * @throws SysctlError when the source has no answer any more, or one that makes no sense
 */
export async function readSample(source: SysctlSource, now: () => number = () => performance.now()): Promise<Sample> {
  const json = async <T>(name: string): Promise<T> => JSON.parse(await readText(source, name)) as T;
  const bytes = async (name: string) => source.read(name);
  const counted = json<CpuCounters[]>('machine.cpus').then((cpus) => ({ cpus, at: now() }));
  const [{ cpus, at }, machine, types, zones, classes, pages, panic] = await Promise.all([
    counted, json<MachineFacts>('machine'), bytes('kern.malloc_stats'), bytes('vm.zone_stats'),
    json<SlabZones[]>('kern.slab.owned'), json<PageCounts>('vm.pages'), readText(source, 'kern.panicstr'),
  ]);
  return {
    at, machine, panic, cpus, classes, pages,
    types: [...listed(memstatParseMalloc, types)].map((type) => typeSample(type, machine.ncpu)),
    zones: [...listed(memstatParseUma, zones)].map((zone) => zoneSample(zone, machine.ncpu)),
  };
}

/** Each sample has lists of its own: a type that is gone is not in the next one. */
function listed(parse: (list: MemoryTypeList, bytes: Uint8Array) => 0 | -1, bytes: Uint8Array): MemoryTypeList {
  const list = memstatMtlAlloc();
  if (parse(list, bytes) !== 0) throw new SysctlError('EIO', memstatStrerror(memstatMtlGeterror(list)));
  return list;
}

/** A u64 as a number: less than nothing (R5) stays so. */
function signed(value: bigint): number {
  return Number(BigInt.asIntN(64, value));
}

function typeSample(type: MemoryType, ncpu: number): TypeSample {
  return {
    name: type.name, allocs: signed(type.numallocs), frees: signed(type.numfrees),
    allocated: signed(type.memalloced), freed: signed(type.memfreed),
    cpus: Array.from({ length: ncpu }, (_, cpu) => {
      const { numallocs, numfrees } = type.percpu(cpu);
      return { allocs: signed(numallocs), frees: signed(numfrees) };
    }),
  };
}

function zoneSample(zone: MemoryType, ncpu: number): ZoneSample {
  const cpus = Array.from({ length: ncpu }, (_, cpu) => signed(zone.percpu(cpu).free));
  return {
    name: zone.name, size: Number(zone.size), allocs: signed(zone.numallocs), frees: signed(zone.numfrees),
    used: Math.max(0, signed(zone.count)), cached: cpus.reduce((sum, free) => sum + free, 0),
    bucketed: signed(zone.zonefree), slabbed: signed(zone.kegfree),
    fails: signed(zone.failures), sleeps: signed(zone.sleeps), cpus,
  };
}
