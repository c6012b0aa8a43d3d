/**
 * sysctl.ts — the machine's variables by name: tunables set at boot, counters read at any time.
 *
 * A tunable is a word of the superblock; a counter is a double in each CPU's globaldata or SLGlobalData, and its value
 * the sum. Pure data: whoever holds the memory can read it (host, observers, a core dump).
 */
import {
  SB_IPIQ_TIMEOUT, SB_MALLOC_PATTERN, SB_RBATCH, SB_ZONE_CACHE,
} from '../hw/superblock.layout.js';
import {
  GD_IPIQ_AVOIDED, GD_IPIQ_COUNT, GD_IPIQ_CSCOUNT, GD_IPIQ_DONE, GD_IPIQ_FIFOFULL, GD_IPIQ_INTR, GD_IPIQ_PASSIVE,
  GD_IPIQ_RUNS,
} from './globaldata.layout.js';

export interface Tunable {
  /** word of the superblock */
  readonly word: number;
  readonly initial: number;
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
