/**
 * audit.ts — is everything where it must be? The identities of the structures, checked when the machine is quiet.
 *
 *   the allocator   audit_slab.ts, audit_uma.ts: every structure of its own
 *   every type      sum of allocations - frees over CPUs = blocks that are out: blocks, bytes
 *   every page      free + wired = the pages there are; every wired page is in use by the allocator
 *   every queue     windex = rindex = xindex
 *
 * Runs on   one CPU, after auditPrepare ran on all (open batches sent, messages served, types' statistics at rest).
 */
import { STATS_NONE } from '../base/policy.js';
import { load } from '../hw/atomics.js';
import { i32 } from '../hw/heap.js';
import {
  SB_FIRST_PAGE, SB_NPAGES, SB_PGA, SB_STATS, SB_VM,
} from '../hw/superblock.layout.js';
import { critEnter, critExit } from '../kern/critical.js';
import { gangBarrier } from '../kern/gang.js';
import { NCPU } from '../kern/globaldata.js';
import { ipiqFind, lwktProcessIpiq } from '../kern/lwkt_ipiq.js';
import { IP_RINDEX, IP_WINDEX, IP_XINDEX } from '../kern/lwkt_ipiq.layout.js';
import { mallocTypeInuse, mallocTypeMemuse } from '../kern/malloc_stats.js';
import { mallocTypeFirst, mallocTypeNext } from '../kern/malloc_type.js';
import {
  FQ_COUNT, FQ_WORDS, PG_ORDER, PG_WORDS, VM_FREE_COUNT, VM_FREE_QUEUES, VM_NFREEORDER, VM_WIRE_COUNT,
} from '../vm/vm_page.layout.js';
import { FREEBSD, flush } from './allocator.js';
import type { Audit } from './audit_result.js';
import { auditSlab } from './audit_slab.js';
import { auditUma } from './audit_uma.js';

export type { Audit } from './audit_result.js';

const VM = i32[SB_VM] >>> 2;
const PGA = i32[SB_PGA] >>> 2;
const FIRST = i32[SB_FIRST_PAGE];
const END = i32[SB_NPAGES];

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
  flush();
  lwktProcessIpiq();
  critExit();
}

/** On one CPU, while the others wait. */
export function auditMachine(): Audit {
  const audit = { violations: [] as string[], zones: 0, stranded: 0, blocks: 0, bytes: 0 };
  const wired = FREEBSD ? auditUma(audit) : auditSlab(audit);
  auditPages(wired, audit.violations);
  auditTypes(audit);
  auditQueues(audit.violations);
  return audit;
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
