/** uma.ts — `show uma`, and `show zone` of UMA's zones (FreeBSD uma_core.c: DB_SHOW_COMMAND(uma), uma_print_zone). */
import * as U from '../../freebsd/uma_int.layout.js';
import { didYouMean } from '../../base/nearest.js';
import type { Memory } from '../memory.js';
import { peek, peekText } from '../peek.js';
import { umaZones, zoneName, type ZoneStats } from '../uma_zones.js';
import {
  type Bucket, bucketItems, findSlab, isFreebsd, kegSlabs, kegZones, umaKegs, zoneBuckets,
} from '../walk_uma.js';
import { columns, type DdbCommand, hex, noMore, wrong } from './command.js';

const u64 = (value: bigint) => BigInt.asUintN(64, value);
const WIDTHS = [18, 12, 12, 12, 8];

export function kegText(memory: Memory, keg: number): string {
  return peekText(memory, keg + U.UK_NAME * 4, U.UMA_NAME_BYTES);
}

export function allZones(memory: Memory): { zone: number; keg: number }[] {
  return umaKegs(memory).flatMap((keg) => kegZones(memory, keg).map((zone) => ({ zone, keg })));
}

export function onlyFreebsd(memory: Memory, command: string): void {
  if (!isFreebsd(memory)) throw wrong(`${command}: this machine has no UMA; it runs the dragonfly slab allocator`);
}

function umaRow({ name, allocs, frees, cpus, zoneFree, kegFree, secondary }: ZoneStats): string {
  const sum = (of: (cpu: ZoneStats['cpus'][number]) => bigint) => cpus.reduce((total, cpu) => total + of(cpu), 0n);
  const allocated = allocs + sum((cpu) => cpu.allocs);
  const freed = frees + sum((cpu) => cpu.frees);
  // the keg's free items are said once, of its primary zone
  const cache = sum((cpu) => cpu.cacheFree) + BigInt(zoneFree) + BigInt(secondary ? 0 : kegFree);
  return columns(WIDTHS, [name, u64(allocated), u64(freed), u64(allocated - freed), cache]);
}

export const SHOW_UMA: DdbCommand = {
  name: 'show uma', args: '', doc: 'zones: allocations, frees, items in use and cached',
  run(memory, args) {
    noMore('show uma', args, 0);
    onlyFreebsd(memory, 'show uma');
    return [
      columns(WIDTHS, ['Zone', 'Allocs', 'Frees', 'Used', 'Cache']),
      ...umaZones(memory).map(umaRow),
    ];
  },
};

/** `show zone` of a freebsd machine: all zones, or that of a name or of an address in it or in one of its items. */
export function showUmaZone(memory: Memory, word: string | undefined): string[] {
  const zones = allZones(memory);
  if (word === undefined) return zones.flatMap(({ zone, keg }) => printZone(memory, zone, keg));
  const named = zones.filter(({ zone }) => zoneName(memory, zone) === word);
  const chosen = named.length > 0 ? named : zonesAt(memory, zones, word);
  if (chosen.length === 0) {
    const names = zones.map(({ zone }) => zoneName(memory, zone));
    throw wrong(`show zone: no zone '${word}'; ${didYouMean(word, names)}there are ${names.join(', ')}`);
  }
  return chosen.flatMap(({ zone, keg }) => printZone(memory, zone, keg));
}

function zonesAt(memory: Memory, zones: readonly { zone: number; keg: number }[], word: string) {
  const address = /^(0x)?[0-9a-f]{1,8}$/i.test(word) ? Number.parseInt(word.replace(/^0x/i, ''), 16) : 0;
  const exact = zones.filter(({ zone, keg }) => zone === address || keg === address);
  const slab = exact.length > 0 || address === 0 ? null : findSlab(memory, address);
  return slab ? zones.filter(({ keg }) => keg === slab.keg) : exact;
}

/** uma_print_zone */
export function printZone(memory: Memory, zone: number, keg: number): string[] {
  const k = (field: number) => peek(memory, keg, field);
  const items = Math.trunc(k(U.UK_PAGES) / Math.max(1, k(U.UK_PPERA))) * k(U.UK_IPERS);
  const full = k(U.UK_FULL) !== 0 ? ' FULL' : '';
  const { part, free, full: fullSlabs } = kegSlabs(memory, keg);
  const lines = [
    `${zoneName(memory, zone)}(${hex(zone)}) keg ${hex(keg)} size ${k(U.UK_SIZE)}(${k(U.UK_RSIZE)}) flags ` +
      `${hex(k(U.UK_FLAGS))}${full} ipers ${k(U.UK_IPERS)} ppera ${k(U.UK_PPERA)} out ${items - k(U.UK_FREE)} ` +
      `free ${k(U.UK_FREE)}`,
  ];
  for (const [title, slabs] of [['Part', part], ['Free', free], ['Full', fullSlabs]] as const) {
    lines.push(`${title} Slabs:${slabs.length === 0 ? ' none' : ` ${slabs.length}`}`);
    lines.push(...slabs.map((slab) => `  ${slabLine(memory, slab)}`));
  }
  for (let cpu = 0; cpu < memory.ncpu; cpu++) lines.push(`CPU ${cpu} Cache:`, `  ${cacheLine(memory, zone, cpu)}`);
  lines.push(...zoneBuckets(memory, zone).filter(({ cpu }) => cpu < 0).map((bucket) => bucketLine(bucket)));
  return lines;
}

export function slabLine(memory: Memory, slab: number): string {
  const s = (field: number) => peek(memory, slab, field);
  return `slab: ${hex(slab)} keg ${hex(s(U.US_KEG))}, data ${hex(s(U.US_DATA))}, freecount ${s(U.US_FREECOUNT)}, ` +
    `firstfree ${s(U.US_FIRSTFREE)}`;
}

function cacheLine(memory: Memory, zone: number, cpu: number): string {
  const at = (field: number) => peek(memory, zone, U.UZ_CPU + cpu * U.UC_WORDS + field);
  const shown = (bucket: number) => `${hex(bucket)}(${bucketItems(memory, bucket).length})`;
  return `alloc: ${shown(at(U.UC_ALLOCBUCKET))}, free: ${shown(at(U.UC_FREEBUCKET))}`;
}

function bucketLine({ address, place, items }: Bucket): string {
  return `${place} bucket: ${hex(address)}(${items.length})`;
}
