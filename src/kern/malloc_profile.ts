/**
 * malloc_profile.ts — MALLOC_PROFILE: which sizes are asked for, and what they get.
 *
 * Follows   FreeBSD sys/kern/kern_malloc.c (krequests[], kern.mprof); rows in malloc_profile.layout.ts.
 * Differs   counts are added to atomically, and for every allocator. Only what was given is counted: a request that
 *           failed wasted nothing.
 * Runs in   any context. Allocators call it where PROFILE, a constant of the boot, is set, and leave their first path
 *           then: without it it costs nothing.
 */
import { D_R11 } from '../base/defects.js';
import { cas, load } from '../hw/atomics.js';
import { defect } from '../hw/defect.js';
import { i32 } from '../hw/heap.js';
import { SB_MPROF, SB_PROFILE } from '../hw/superblock.layout.js';
import {
  MP_ASKED, MP_GIVEN, MP_LARGEST, MP_REQUESTS, MP_WORDS, MPROF_MAX, MPROF_ROWS, MPROF_SHIFT,
} from './malloc_profile.layout.js';
import { addPair } from './pair.js';

declare const DEFECTS: boolean;

const R11 = DEFECTS && defect(D_R11);
/** tunable debug.malloc.profile */
export const PROFILE = i32[SB_PROFILE] !== 0;

const MPROF = i32[SB_MPROF] >>> 2;
const ROUND = (1 << MPROF_SHIFT) - 1;

/** @param size bytes asked for @param given bytes of the block they were given */
export function mprofCount(size: number, given: number): void {
  const asked = size >>> 0;
  const index = asked <= MPROF_MAX ? (asked + ROUND) >>> MPROF_SHIFT : MPROF_ROWS - 1;
  const row = MPROF + index * MP_WORDS;
  if (R11) i32[row + MP_REQUESTS]++;
  else addPair(row + MP_REQUESTS, 1);
  addPair(row + MP_ASKED, asked);
  addPair(row + MP_GIVEN, given >>> 0);
  for (;;) {
    const largest = load(row + MP_LARGEST);
    if (largest >>> 0 >= given >>> 0 || cas(row + MP_LARGEST, largest, given | 0)) return;
  }
}
