/**
 * sysctl.ts — the machine's variables by name: tunables set at boot, counters read at any time.
 *
 * A tunable is a word of the superblock; a counter is a double in each CPU's globaldata or SLGlobalData, and its value
 * the sum. Pure data: whoever holds the memory can read it (host, observers, a core dump).
 */
import {
  SB_BOOT_PAGES, SB_DIAGNOSTIC, SB_FAILURE_RATE, SB_IPIQ_TIMEOUT, SB_KMEM_SIZE, SB_KMEM_SIZE_MAX, SB_KMEM_SIZE_MIN,
  SB_KMEM_SIZE_OLD, SB_KMEM_SIZE_SCALE, SB_LOWMEM, SB_MALLOC_PATTERN, SB_NOSLEEPWITHLOCKS, SB_PROFILE, SB_RBATCH,
  SB_SOFT_CRITICAL, SB_TRASH, SB_UMA_DBG, SB_ZONE_CACHE,
} from '../hw/superblock.layout.js';
import {
  GD_IPIQ_AVOIDED, GD_IPIQ_COUNT, GD_IPIQ_CSCOUNT, GD_IPIQ_DONE, GD_IPIQ_FIFOFULL, GD_IPIQ_INTR, GD_IPIQ_PASSIVE,
  GD_IPIQ_RUNS,
} from './globaldata.layout.js';

export interface Tunable {
  /** word of the superblock */
  readonly word: number;
  readonly initial: number;
  /** its initial value in the invariants flavour, where that is another */
  readonly invariants?: number;
  readonly min: number;
  readonly max: number;
  readonly doc: string;
}

export const TUNABLES: Readonly<Record<string, Tunable>> = {
  'kern.zone_cache': {
    word: SB_ZONE_CACHE, initial: 32, min: 0, max: 100000, doc: 'spare zones a CPU keeps (ZONE_RELS_THRESH)',
  },
  'kern.rbatch': {
    word: SB_RBATCH, initial: 32, min: 1, max: 4096, doc: 'chunks in a batch of remote frees (policy rbatch)',
  },
  'debug.use_malloc_pattern': {
    word: SB_MALLOC_PATTERN, initial: 0, min: 0, max: 1, doc: 'fill new blocks with -1',
  },
  'lwkt.ipiq_timeout': {
    word: SB_IPIQ_TIMEOUT, initial: 10000, min: 1, max: 3600000,
    doc: 'milliseconds lwkt_wait_ipiq waits before it panics',
  },
  'vm.kmem_size': {
    word: SB_KMEM_SIZE, initial: 0, min: 0, max: 0x7fffffff, doc: 'bytes of kmem_map; 0: computed at boot (freebsd)',
  },
  'vm.kmem_size_min': {
    word: SB_KMEM_SIZE_MIN, initial: 0, min: 0, max: 0x7fffffff, doc: 'least computed size of kmem_map; 0: none',
  },
  'vm.kmem_size_max': {
    word: SB_KMEM_SIZE_MAX, initial: 0, min: 0, max: 0x7fffffff, doc: 'largest computed size of kmem_map; 0: none',
  },
  'vm.kmem_size_scale': {
    word: SB_KMEM_SIZE_SCALE, initial: 1, min: 0, max: 1000, doc: 'kmem_map is memory over this; 0: not scaled',
  },
  'kern.vm.kmem.size': {
    word: SB_KMEM_SIZE_OLD, initial: 0, min: 0, max: 0x7fffffff, doc: 'old name of vm.kmem_size',
  },
  'vm.boot_pages': {
    word: SB_BOOT_PAGES, initial: 48, min: 1, max: 1024, doc: 'pages UMA boots from (freebsd)',
  },
  'debug.trash': {
    word: SB_TRASH, initial: 0, invariants: 1, min: 0, max: 1,
    doc: 'fill freed items with 0xdeadc0de and check them; on in the invariants flavour (freebsd)',
  },
  'debug.uma_dbg': {
    word: SB_UMA_DBG, initial: 0, invariants: 2, min: 0, max: 2,
    doc: 'check frees: 1 past the buckets, 2 in the bucket path; 2 in the invariants flavour (freebsd)',
  },
  'debug.malloc.failure_rate': {
    word: SB_FAILURE_RATE, initial: 0, min: 0, max: 0x7fffffff,
    doc: 'one of N M_NOWAIT mallocs fails; 0: none (freebsd)',
  },
  'kern.soft_critical': {
    word: SB_SOFT_CRITICAL, initial: 0, min: 0, max: 1,
    doc: 'critical sections of malloc count instead of masking interrupts, as RELENG_5 (freebsd)',
  },
  'debug.malloc.profile': {
    word: SB_PROFILE, initial: 0, min: 0, max: 1, doc: 'count requests by size (MALLOC_PROFILE)',
  },
  'debug.diagnostic': {
    word: SB_DIAGNOSTIC, initial: 0, min: 0, max: 1, doc: 'fill new blocks with 0x70 (DIAGNOSTIC, freebsd)',
  },
  'debug.nosleepwithlocks': {
    word: SB_NOSLEEPWITHLOCKS, initial: 0, min: 0, max: 1, doc: 'every M_WAITOK becomes M_NOWAIT (freebsd, 2004)',
  },
  'vm.lowmem': {
    word: SB_LOWMEM, initial: 1, min: 0, max: 1, doc: 'reclaim what zones hoard when memory is short (freebsd)',
  },
};

/** Counters of a CPU's globaldata: word offsets of doubles. */
export const GD_COUNTERS: Readonly<Record<string, number>> = {
  'lwkt.ipiq_count': GD_IPIQ_COUNT,
  'lwkt.ipiq_fifofull': GD_IPIQ_FIFOFULL,
  'lwkt.ipiq_avoided': GD_IPIQ_AVOIDED,
  'lwkt.ipiq_passive': GD_IPIQ_PASSIVE,
  'lwkt.ipiq_cscount': GD_IPIQ_CSCOUNT,
  'lwkt.ipiq_interrupts': GD_IPIQ_INTR,
  'lwkt.ipiq_runs': GD_IPIQ_RUNS,
  'lwkt.ipiq_done': GD_IPIQ_DONE,
};
