/**
 * kern_malloc.layout.ts — malloc(9)'s own words, behind struct uma in the area SB_UMA (FreeBSD sys/kern/kern_malloc.c).
 *
 *   line 0   │ failure injection: rate, counts, when malloc failed last │ atomic
 *   line 1   │ mt_zone, kmemzones[9]                                    │ const after kmeminit
 *   line 2.. │ kmemsize[257], a byte an entry: (size + 15) / 16 -> zone │ const after kmeminit
 *
 * MF_RATE, MF_CPU may be changed at any time, from outside too (debug.malloc.failure_rate).
 */
import { struct } from '../base/struct.js';
import { UMA_WORDS } from './uma_int.layout.js';

/** first word, from the start of the area */
export const KERN_MALLOC = UMA_WORDS;

/** one of so many M_NOWAIT mallocs fails; 0: none */
export const MF_RATE = 0;
/** 1 + the only CPU that is to fail; 0: all */
export const MF_CPU = 1;
export const MF_NOWAIT_COUNT = 2;
export const MF_FAILURE_COUNT = 3;
/** t_malloc_fail: uptime in seconds */
export const MF_LAST_FAIL = 4;
/** uptime in seconds at which 'Bad malloc flags' was printed last, + 1 */
export const MF_BADFLAGS = 5;
export const KMZ_MT_ZONE = 16;
/** addresses */
export const KMZ_ZONES = 17;
export const KMZ_NZONES = 9;
export const KMZ_SIZE = 32;
export const KMZ_SIZE_BYTES = 260;
export const KERN_MALLOC_WORDS = 112;

export const KERN_MALLOC_STRUCT = /* @__PURE__ */ struct('kern_malloc', KERN_MALLOC_WORDS, ['atomic', 'const'], {
  MF_RATE, MF_CPU, MF_NOWAIT_COUNT, MF_FAILURE_COUNT, MF_LAST_FAIL, MF_BADFLAGS, KMZ_MT_ZONE, KMZ_ZONES, KMZ_SIZE,
});

/** Bytes of the area SB_UMA. */
export const UMA_AREA_BYTES = (UMA_WORDS + KERN_MALLOC_WORDS) * 4;
