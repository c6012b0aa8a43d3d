/**
 * malloc_fail.ts — making malloc fail on purpose, and when it last did (FreeBSD sys/kern/kern_malloc.c option
 * MALLOC_MAKE_FAILURES, malloc_last_fail).
 *
 *   debug.malloc.failure_rate N    one of N M_NOWAIT mallocs returns NULL; a tunable, so it can be on at boot
 *   debug.malloc.failure_count     how many did
 *   and what the commit only wished for: a rate per type (ks_failrate), one CPU only, and who the victim was (ktr)
 *
 * Differs  the count is the one the add returned: to read it again could hit two CPUs, or none (R12).
 */
import { D_R12 } from '../base/defects.js';
import { add, load, racy, store } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { defect } from '../hw/defect.js';
import { SB_UPTIME } from '../hw/superblock.layout.js';
import { KTR, ktr } from '../kern/ktr.js';
import { KTR_MALLOC_FAIL } from '../kern/ktr.layout.js';
import { KS_FAILRATE } from '../kern/malloc_type.layout.js';
import { MF_CPU, MF_FAILURE_COUNT, MF_LAST_FAIL, MF_NOWAIT_COUNT, MF_RATE } from './kern_malloc.layout.js';
import { KMALLOC } from './kern_malloc_words.js';

declare const DEFECTS: boolean;

const R12 = DEFECTS && defect(D_R12);

/** Is this M_NOWAIT malloc to fail? Counts it. */
export function mallocMustFail(size: number, type: number): boolean {
  const own = racy((type >>> 2) + KS_FAILRATE);
  const rate = own !== 0 ? own : racy(KMALLOC + MF_RATE);
  if (rate === 0) return false;
  const only = racy(KMALLOC + MF_CPU);
  if (only !== 0 && only !== curcpu + 1) return false;
  const count = add(KMALLOC + MF_NOWAIT_COUNT, 1) + 1;
  if ((R12 ? load(KMALLOC + MF_NOWAIT_COUNT) : count) % rate !== 0) return false;
  add(KMALLOC + MF_FAILURE_COUNT, 1);
  if (KTR) ktr(KTR_MALLOC_FAIL, type, size, rate);
  mallocFailed();
  return true;
}

/** malloc returns NULL: t_malloc_fail = time_uptime. */
export function mallocFailed(): void {
  store(KMALLOC + MF_LAST_FAIL, racy(SB_UPTIME));
}

/**
 * malloc_last_fail: seconds since malloc failed last, since boot when it never did. A cache that wants to be kind to
 * others shrinks while this is below 60.
 */
export function mallocLastFail(): number {
  return racy(SB_UPTIME) - load(KMALLOC + MF_LAST_FAIL);
}
