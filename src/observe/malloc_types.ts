/**
 * malloc_types.ts — what the types of a machine have in use, read from outside under any statistics policy.
 *
 * Counters are read without synchronisation, as vmstat does; a type whose frees were seen before its allocations would
 * show less than nothing, and shows 0 (R4).
 */
import { STATS_ATOMIC, STATS_MUTEX, STATS_MUTEX_UP, STATS_NONE } from '../base/policy.js';
import { SB_MALLOC, SB_STATS } from '../hw/superblock.layout.js';
import {
  KM_STATISTICS, KS64_CALLS, KS64_INUSE, KS64_MEMUSE, KS_NEXT, KS_SHORTDESC, KS_SHORTDESC_BYTES, KSA_MEMALLOCED,
  KSA_MEMFREED, KSA_NUMALLOCS, KSA_NUMFREES, MTS_MEMALLOCED, MTS_MEMFREED, MTS_NUMALLOCS, MTS_NUMFREES, mtsOffset,
  mtsStride,
} from '../kern/malloc_type.layout.js';
import type { Memory } from './memory.js';

export interface TypeUsage {
  readonly address: number;
  readonly name: string;
  /** live blocks and bytes, never negative */
  readonly inuse: number;
  readonly memuse: number;
  /** successful allocations since the type was defined */
  readonly requests: number;
}

/** All types, the newest first. */
export function mallocTypes(memory: Memory): TypeUsage[] {
  const types: TypeUsage[] = [];
  let type = memory.i32[(memory.sb(SB_MALLOC) >>> 2) + KM_STATISTICS]!;
  for (; type !== 0; type = memory.i32[(type >>> 2) + KS_NEXT]!) types.push(usage(memory, type));
  return types;
}

export function typeName(memory: Memory, type: number): string {
  const bytes = memory.u8.slice(type + KS_SHORTDESC * 4, type + KS_SHORTDESC * 4 + KS_SHORTDESC_BYTES);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
}

function usage(memory: Memory, type: number): TypeUsage {
  const [inuse, memuse, requests] = counts(memory, type);
  const name = typeName(memory, type);
  return { address: type, name, inuse: Math.max(0, inuse), memuse: Math.max(0, memuse), requests };
}

function counts(memory: Memory, type: number): [inuse: number, memuse: number, requests: number] {
  const policy = memory.sb(SB_STATS);
  const dword = (offset: number) => Number(memory.i64[(type >>> 3) + offset]!);
  const pair = (offset: number) => Number(BigInt.asUintN(64, memory.i64[((type >>> 2) + offset) >>> 1]!));
  if (policy === STATS_NONE) return [0, 0, 0];
  if (policy === STATS_MUTEX || policy === STATS_MUTEX_UP) {
    return [dword(KS64_INUSE), dword(KS64_MEMUSE), dword(KS64_CALLS)];
  }
  if (policy === STATS_ATOMIC) {
    const requests = pair(KSA_NUMALLOCS);
    return [requests - pair(KSA_NUMFREES), pair(KSA_MEMALLOCED) - pair(KSA_MEMFREED), requests];
  }
  const sum = (field: number) => {
    let total = 0n;
    for (let cpu = 0; cpu < memory.ncpu; cpu++) {
      total += memory.i64[(type >>> 3) + mtsOffset(memory.ncpu) + cpu * mtsStride(policy) + field]!;
    }
    return total;
  };
  const requests = sum(MTS_NUMALLOCS);
  return [
    Number(requests - sum(MTS_NUMFREES)), Number(sum(MTS_MEMALLOCED) - sum(MTS_MEMFREED)), Number(requests),
  ];
}
