/**
 * zone_text.ts — the text sysctl vm.zone printed (FreeBSD sys/vm/uma_core.c, sysctl_vm_zone): `vmstat -z` of 2005.
 *
 * USED is what the pages of the keg could hold without what is free somewhere, so the zones of one keg show each
 * other's items, as they did.
 */
import type { Memory } from './memory.js';
import { sized } from './stream.js';
import { umaZoneCount, umaZones, type ZoneStats } from './uma_zones.js';

/** vm.zone */
export function zoneText(memory: Memory): string {
  const zones = sized(() => umaZoneCount(memory), () => umaZones(memory));
  return `\nITEM            SIZE     LIMIT     USED    FREE  REQUESTS\n\n${zones.map(zoneRow).join('')}`;
}

/** `%-12.12s  %6.6u, %8.8u, %6.6u, %6.6u, %8.8llu`; the kernel's printf pads numbers with blanks all the same. */
function zoneRow({ name, size, maxpages, ipers, ppera, pages, kegFree, zoneFree, cpus, allocs }: ZoneStats): string {
  const cached = cpus.reduce((sum, { cacheFree }) => sum + cacheFree, 0n);
  const free = BigInt(kegFree) + BigInt(zoneFree) + cached;
  const used = BigInt(ipers) * BigInt(Math.trunc(pages / Math.max(1, ppera))) - free;
  const requests = cpus.reduce((sum, cpu) => sum + cpu.allocs, allocs);
  // the colon takes the place of the first blank behind the name
  const item = `${name.slice(0, 12).trimEnd()}:`.padEnd(14);
  const number = (value: number | bigint, width: number) => String(value).padStart(width);
  return `${item}${number(size, 6)}, ${number(maxpages * ipers, 8)}, ${number(BigInt.asUintN(32, used), 6)}, ` +
    `${number(free, 6)}, ${number(BigInt.asUintN(64, requests), 8)}\n`;
}
