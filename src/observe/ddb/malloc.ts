/**
 * malloc.ts — `show malloc`: what every malloc type has in use (FreeBSD kern_malloc.c, DB_SHOW_COMMAND(malloc)).
 *
 * Sums are those of the kernel's debugger, u64 and not clamped: a type whose frees are seen before its allocations
 * shows about 1.8e19 blocks, which says just that.
 */
import * as KS from '../../kern/malloc_type.layout.js';
import { mallocTypeStats, sumStats, typeName } from '../malloc_types.js';
import type { Memory } from '../memory.js';
import { peek, readable } from '../peek.js';
import { columns, type DdbCommand, hex, noMore } from './command.js';

export interface TypeRow {
  readonly name: string;
  readonly inuse: bigint;
  readonly memuse: bigint;
  readonly requests: bigint;
}

const u64 = (value: bigint) => BigInt.asUintN(64, value);
const WIDTHS = [18, 12, 12, 12];

/** Name of a type, or its address where there is none. */
export function typeText(memory: Memory, type: number): string {
  const named = readable(memory, type, KS.KS_USE * 4) && peek(memory, type, KS.KS_MAGIC) === KS.M_MAGIC;
  return named ? typeName(memory, type) : hex(type);
}

export function typeRows(memory: Memory): TypeRow[] {
  return mallocTypeStats(memory).map(({ name, cpus }) => {
    const { memalloced, memfreed, numallocs, numfrees } = sumStats(cpus);
    return { name, inuse: u64(numallocs - numfrees), memuse: u64(memalloced - memfreed), requests: numallocs };
  });
}

export const SHOW_MALLOC: DdbCommand = {
  name: 'show malloc', args: '', doc: 'malloc types: blocks and memory in use, requests; sums are not clamped',
  run(memory, args) {
    noMore('show malloc', args, 0);
    return [
      columns(WIDTHS, ['Type', 'InUse', 'MemUse', 'Requests']),
      ...typeRows(memory).map(({ name, inuse, memuse, requests }) =>
        columns(WIDTHS, [name, inuse, `${u64(memuse + 1023n) / 1024n}K`, requests])),
    ];
  },
};
