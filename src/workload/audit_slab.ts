/**
 * audit_slab.ts — the slab allocator's identities.
 *
 *   every zone      NFree = |LChunks| + never used; NFree + allocated + |RChunks| = NMax; no chunk twice; on ZoneAry
 *                   exactly when NFree > 0 (except the strandings the historic policies are known for: counted)
 *   every page      belongs to a zone, a spare zone or an oversized block
 */
import { D_R43 } from '../base/defects.js';
import {
  CHUNK_MASK, SL_FREEOVZONES, SL_FREEZONES, Z_BASEPTR, Z_CHUNKSIZE, Z_CPU, Z_LCHUNKS, Z_LISTED, Z_MAGIC, Z_NEXT,
  Z_NFREE, Z_NMAX, Z_OVBYTES, Z_RCHUNKS, Z_UENDINDEX, Z_UINDEX, ZALLOC_SLAB_MAGIC,
} from '../dragonfly/slaballoc.layout.js';
import { slgdFind, ZONE_MASK, zoneOf } from '../dragonfly/slglobaldata.js';
import { load } from '../hw/atomics.js';
import { defect } from '../hw/defect.js';
import { i32 } from '../hw/heap.js';
import { SB_FIRST_PAGE, SB_NPAGES, SB_ZONE_SIZE } from '../hw/superblock.layout.js';
import { NCPU } from '../kern/globaldata.js';
import { btokup } from '../vm/kmemusage.js';
import type { Findings } from './audit_result.js';

declare const DEFECTS: boolean;

const R43 = DEFECTS && defect(D_R43);
const FIRST = i32[SB_FIRST_PAGE];
const END = i32[SB_NPAGES];
const ZONE_SIZE = i32[SB_ZONE_SIZE];

/** @returns pages the allocator has */
export function auditSlab(audit: Findings): number {
  const spare = spareZones(audit.violations);
  let wired = 0;
  for (let page = FIRST; page < END; ) {
    const pages = auditPage(page, spare, audit);
    wired += pages;
    page += Math.max(1, pages);
  }
  return wired;
}

/** @returns pages of the thing that begins at `page`, 0 for none */
function auditPage(page: number, spare: Map<number, number>, audit: Findings): number {
  const address = page << 12;
  const ku = i32[btokup(address)];
  if (ku > 0) {
    audit.blocks++;
    audit.bytes += ku * 4096;
    return ku;
  }
  // R43: a zone on FreeZones still has its word
  if (ku < 0 && !(R43 && spare.has(address))) {
    auditZone(zoneOf(address), -ku - 1, audit);
    return ZONE_SIZE >>> 12;
  }
  return (spare.get(address) ?? 0) >>> 12;
}

function auditZone(z: number, cpu: number, audit: Findings): void {
  const zw = z >>> 2;
  const bad = (what: string) => audit.violations.push(`zone 0x${z.toString(16)}: ${what}`);
  audit.zones++;
  if (i32[zw + Z_MAGIC] !== ZALLOC_SLAB_MAGIC) return void bad(`magic ${i32[zw + Z_MAGIC]}`);
  if (i32[zw + Z_CPU] !== cpu) bad(`z_Cpu ${i32[zw + Z_CPU]}, kmemusage says ${cpu}`);
  const seen = new Set<number>();
  const local = countChain(z, i32[zw + Z_LCHUNKS], seen, bad);
  const remote = countChain(z, load(zw + Z_RCHUNKS) & CHUNK_MASK, seen, bad);
  const fresh = neverUsed(zw);
  const nfree = i32[zw + Z_NFREE];
  if (nfree !== local + fresh) bad(`NFree ${nfree}, but ${local} on LChunks and ${fresh} never used`);
  const out = i32[zw + Z_NMAX] - nfree - remote;
  if (out < 0) bad(`NMax ${i32[zw + Z_NMAX]} < NFree ${nfree} + RChunks ${remote}`);
  if (nfree > 0 !== (i32[zw + Z_LISTED] !== 0)) bad(`NFree ${nfree}, listed ${i32[zw + Z_LISTED]}`);
  if (nfree === 0 && remote > 0) audit.stranded++;
  audit.blocks += out;
  audit.bytes += out * i32[zw + Z_CHUNKSIZE];
}

/** Length of a list of chunks; each must be a chunk of the zone and be on one list once. */
function countChain(z: number, head: number, seen: Set<number>, bad: (what: string) => void): number {
  const zw = z >>> 2;
  let count = 0;
  for (let chunk = head; chunk !== 0; chunk = i32[chunk >>> 2]) {
    const index = (chunk - i32[zw + Z_BASEPTR]) / i32[zw + Z_CHUNKSIZE];
    if (!Number.isInteger(index) || index < 0 || index >= i32[zw + Z_NMAX]) {
      bad(`0x${(chunk >>> 0).toString(16)} on a list is no chunk of it`);
      return count;
    }
    if (seen.has(index)) {
      bad(`chunk ${index} is on its lists twice`);
      return count;
    }
    seen.add(index);
    count++;
  }
  return count;
}

/** Chunks from behind UIndex round to UEndIndex. */
function neverUsed(zw: number): number {
  const left = i32[zw + Z_UENDINDEX] - i32[zw + Z_UINDEX] - 1;
  return left < 0 ? left + i32[zw + Z_NMAX] : left;
}

/** FreeZones and FreeOvZones of all CPUs: address -> bytes. */
function spareZones(violations: string[]): Map<number, number> {
  const spare = new Map<number, number>();
  for (let cpu = 0; cpu < NCPU; cpu++) {
    for (let z = i32[slgdFind(cpu) + SL_FREEZONES]; z !== 0; z = i32[(z >>> 2) + Z_NEXT]) {
      if (spare.has(z & ZONE_MASK)) {
        violations.push(`zone 0x${z.toString(16)} is spare twice`);
        break;
      }
      spare.set(z & ZONE_MASK, ZONE_SIZE);
    }
    for (let z = i32[slgdFind(cpu) + SL_FREEOVZONES]; z !== 0; z = i32[(z >>> 2) + Z_NEXT]) {
      spare.set(z, i32[(z >>> 2) + Z_OVBYTES]);
    }
  }
  return spare;
}
