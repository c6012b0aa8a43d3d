/**
 * cpu_counters.ts — what each CPU has counted and what waits for it (machine.cpus), and the page allocator's counts
 * (vm.pages): what an observer takes differences of.
 */
import { PAGE_SIZE } from '../base/param.js';
import { SL_COUNTERS } from '../dragonfly/sysctl.js';
import { SL_NFREEZONES } from '../dragonfly/slaballoc.layout.js';
import { SB_FIRST_PAGE, SB_IPIQ_FIFO, SB_NPAGES, SB_VM } from '../hw/superblock.layout.js';
import { GD_ONLINE, GD_RUNNING, GD_WCHAN } from '../kern/globaldata.layout.js';
import { IP_RINDEX, IP_WINDEX } from '../kern/lwkt_ipiq.layout.js';
import { GD_COUNTERS } from '../kern/sysctl.js';
import {
  FQ_COUNT, FQ_WORDS, VM_FREE_COUNT, VM_FREE_QUEUES, VM_NFREEORDER, VM_WIRE_COUNT, VM_WIRE_PEAK,
} from '../vm/vm_page.layout.js';
import { ipiqAt } from './ipiq.js';
import type { Memory } from './memory.js';

export type CpuState = 'run' | 'sleep' | 'idle' | 'offline';

export interface CpuCounters {
  /** at this moment: in a phase, asleep in one, in none, or not up */
  readonly state: CpuState;
  /** messages in the queues to this CPU that it has not taken */
  readonly queued: number;
  /** zones on FreeZones, kept for the next class that wants one; 0 where another allocator runs */
  readonly spareZones: number;
  /** since boot, by the names Memory.sysctl sums them under */
  readonly counters: Readonly<Record<string, number>>;
}

export interface PageCounts {
  /** bytes of a page */
  readonly size: number;
  /** pages the allocator was given, that nobody has, that somebody has, and had at most */
  readonly total: number;
  readonly free: number;
  readonly wired: number;
  readonly peak: number;
  /** free blocks of 1, 2, 4 ... pages */
  readonly blocks: readonly number[];
}

const COUNTERS = [...Object.keys(GD_COUNTERS), ...Object.keys(SL_COUNTERS)];

/** machine.cpus */
export function cpuCounters(memory: Memory): CpuCounters[] {
  return Array.from({ length: memory.ncpu }, (_, cpu) => ({
    state: cpuState(memory, memory.gd(cpu)),
    queued: queuedTo(memory, cpu),
    spareZones: memory.i32[memory.slgd(cpu) + SL_NFREEZONES]!,
    counters: Object.fromEntries(COUNTERS.map((name) => [name, memory.sysctl(name, cpu)])),
  }));
}

function cpuState({ i32 }: Memory, gd: number): CpuState {
  if (i32[gd + GD_ONLINE] === 0) return 'offline';
  if (i32[gd + GD_RUNNING] === 0) return 'idle';
  return i32[gd + GD_WCHAN] === 0 ? 'run' : 'sleep';
}

/** Cursors are read one after the other: a queue never shows more than it has slots, or less than nothing. */
function queuedTo(memory: Memory, target: number): number {
  const fifo = memory.sb(SB_IPIQ_FIFO);
  let sum = 0;
  for (let source = 0; source < memory.ncpu; source++) {
    const ip = ipiqAt(memory, source, target);
    const used = (memory.i32[ip + IP_WINDEX]! - memory.i32[ip + IP_RINDEX]!) | 0;
    sum += Math.min(fifo, Math.max(0, used));
  }
  return sum;
}

/** vm.pages */
export function pageCounts(memory: Memory): PageCounts {
  const vm = memory.sb(SB_VM) >>> 2;
  const word = (offset: number) => memory.i32[vm + offset]!;
  return {
    size: PAGE_SIZE, total: memory.sb(SB_NPAGES) - memory.sb(SB_FIRST_PAGE),
    free: word(VM_FREE_COUNT), wired: word(VM_WIRE_COUNT), peak: word(VM_WIRE_PEAK),
    blocks: Array.from({ length: VM_NFREEORDER }, (_, order) => word(VM_FREE_QUEUES + order * FQ_WORDS + FQ_COUNT)),
  };
}
