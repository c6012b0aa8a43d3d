/**
 * audit.ts — is everything where it must be? The identities of the structures, checked when the machine is quiet.
 *
 *   every zone      NFree = |LChunks| + never used; NFree + allocated + |RChunks| = NMax; no chunk twice; on ZoneAry
 *                   exactly when NFree > 0 (except the strandings the historic policies are known for: counted)
 *   every type      sum of allocations - frees over CPUs = chunks and oversized blocks that are out: blocks, bytes
 *   every page      free + wired = the pages there are; every wired page belongs to a zone, a spare zone or a block
 *   every queue     windex = rindex = xindex
 *
 * Runs on   one CPU, after auditPrepare ran on all (open batches sent, messages served, types' statistics at rest).
 */
import { D_R43 } from '../base/defects.js';
import { STATS_NONE } from '../base/policy.js';
import { load } from '../hw/atomics.js';
import { i32 } from '../hw/heap.js';
import {
  SB_DEFECTS, SB_FIRST_PAGE, SB_NPAGES, SB_PGA, SB_STATS, SB_VM, SB_ZONE_SIZE,
} from '../hw/superblock.layout.js';
import { critEnter, critExit } from '../kern/critical.js';
import { gangBarrier } from '../kern/gang.js';
import { NCPU } from '../kern/globaldata.js';
import { ipiqFind, lwktProcessIpiq } from '../kern/lwkt_ipiq.js';
import { IP_RINDEX, IP_WINDEX, IP_XINDEX } from '../kern/lwkt_ipiq.layout.js';
import { mallocTypeInuse, mallocTypeMemuse } from '../kern/malloc_stats.js';
import { mallocTypeFirst, mallocTypeNext } from '../kern/malloc_type.js';
import { remoteFlush } from '../dragonfly/slab_batch.js';
import {
  CHUNK_MASK, SL_FREEOVZONES, SL_FREEZONES, Z_BASEPTR, Z_CHUNKSIZE, Z_CPU, Z_LCHUNKS, Z_LISTED, Z_MAGIC, Z_NEXT,
  Z_NFREE, Z_NMAX, Z_OVBYTES, Z_RCHUNKS, Z_UENDINDEX, Z_UINDEX, ZALLOC_SLAB_MAGIC,
} from '../dragonfly/slaballoc.layout.js';
import { myslgd, slgdFind, ZONE_MASK, zoneOf } from '../dragonfly/slglobaldata.js';
import { btokup } from '../vm/kmemusage.js';
import {
  FQ_COUNT, FQ_WORDS, PG_ORDER, PG_WORDS, VM_FREE_COUNT, VM_FREE_QUEUES, VM_NFREEORDER, VM_WIRE_COUNT,
} from '../vm/vm_page.layout.js';

declare const DEFECTS: boolean;

const R43 = DEFECTS && (i32[SB_DEFECTS] & D_R43) !== 0;
const VM = i32[SB_VM] >>> 2;
const PGA = i32[SB_PGA] >>> 2;
const FIRST = i32[SB_FIRST_PAGE];
const END = i32[SB_NPAGES];
const ZONE_SIZE = i32[SB_ZONE_SIZE];

export interface Audit {
  /** empty: all identities hold */
  readonly violations: string[];
  readonly zones: number;
  /** zones with free chunks in RChunks that nobody will be told of (R40) */
  readonly stranded: number;
  /** blocks and bytes that are out */
  readonly blocks: number;
  readonly bytes: number;
}

/** On every CPU: nothing stays in transit. Several rounds, since serving a message may send another. */
export function auditPrepare(parties: number): void {
  for (let round = 0; round < 3; round++) {
    auditDrain();
    gangBarrier(parties);
  }
}

/** Sends this CPU's open batches and serves its messages, the passive ones as the clock tick would. */
export function auditDrain(): void {
  critEnter();
  remoteFlush(myslgd());
  lwktProcessIpiq();
  critExit();
}

/** On one CPU, while the others wait. */
export function auditMachine(): Audit {
  const audit = { violations: [] as string[], zones: 0, stranded: 0, blocks: 0, bytes: 0 };
  const spare = spareZones(audit.violations);
  let wired = 0;
  for (let page = FIRST; page < END; ) {
    const pages = auditPage(page, spare, audit);
    wired += pages;
    page += Math.max(1, pages);
  }
  auditPages(wired, audit.violations);
  auditTypes(audit);
  auditQueues(audit.violations);
  return audit;
}

/** @returns pages of the thing that begins at `page`, 0 for none */
function auditPage(page: number, spare: Map<number, number>, audit: Mutable<Audit>): number {
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

function auditZone(z: number, cpu: number, audit: Mutable<Audit>): void {
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

function auditPages(wired: number, violations: string[]): void {
  let queued = 0;
  for (let order = 0; order < VM_NFREEORDER; order++) {
    queued += i32[VM + VM_FREE_QUEUES + order * FQ_WORDS + FQ_COUNT] << order;
  }
  let heads = 0;
  for (let page = FIRST; page < END; page++) {
    const order = i32[PGA + page * PG_WORDS + PG_ORDER] - 1;
    if (order < 0) continue;
    if ((page & ((1 << order) - 1)) !== 0) violations.push(`page ${page}: free block of order ${order} is not aligned`);
    heads += 1 << order;
  }
  const free = i32[VM + VM_FREE_COUNT];
  if (queued !== free || heads !== free) {
    violations.push(`pages: ${free} free, ${queued} queued, ${heads} in the array`);
  }
  if (free + i32[VM + VM_WIRE_COUNT] !== END - FIRST) {
    violations.push(`pages: ${free} free + ${i32[VM + VM_WIRE_COUNT]} wired, but there are ${END - FIRST}`);
  }
  if (wired !== i32[VM + VM_WIRE_COUNT]) violations.push(`pages: ${i32[VM + VM_WIRE_COUNT]} wired, ${wired} in use`);
}

function auditTypes(audit: Audit): void {
  if (i32[SB_STATS] === STATS_NONE) return;
  let blocks = 0;
  let bytes = 0;
  for (let type = mallocTypeFirst(); type !== 0; type = mallocTypeNext(type)) {
    blocks += mallocTypeInuse(type);
    bytes += mallocTypeMemuse(type);
  }
  if (blocks !== audit.blocks) audit.violations.push(`statistics: ${blocks} blocks in use, in truth ${audit.blocks}`);
  if (bytes !== audit.bytes) audit.violations.push(`statistics: ${bytes} bytes in use, in truth ${audit.bytes}`);
}

function auditQueues(violations: string[]): void {
  for (let source = 0; source < NCPU; source++) {
    for (let target = 0; target < NCPU; target++) {
      const ip = ipiqFind(source, target);
      const windex = load(ip + IP_WINDEX);
      const rindex = load(ip + IP_RINDEX);
      const xindex = load(ip + IP_XINDEX);
      if (windex !== rindex || windex !== xindex) {
        violations.push(`ipiq ${source} -> ${target}: windex ${windex}, rindex ${rindex}, xindex ${xindex}`);
      }
    }
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
