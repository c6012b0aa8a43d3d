/**
 * malloc_profile.layout.ts — which sizes were asked for, and what they got (option MALLOC_PROFILE, krequests[]).
 *
 *   one row for each 16 bytes of size up to 16 KiB, one for everything above: 8 words, half a line
 *   │ requests, lo/hi │ bytes asked, lo/hi │ bytes given, lo/hi │ largest given │ - │      atomic
 *
 * krequests[] was a plain array, and lost counts on SMP (R11); these are added to atomically.
 */
import { struct } from '../base/struct.js';

export const MPROF_SHIFT = 4;
/** sizes up to here have rows of their own */
export const MPROF_MAX = 16384;
export const MPROF_ROWS = (MPROF_MAX >> MPROF_SHIFT) + 2;
export const MP_REQUESTS = 0;
export const MP_ASKED = 2;
export const MP_GIVEN = 4;
export const MP_LARGEST = 6;
export const MP_WORDS = 8;
export const MPROF_WORDS = MPROF_ROWS * MP_WORDS;

export const MPROF = /* @__PURE__ */ struct('mprof', MP_WORDS, ['atomic'], {
  MP_REQUESTS, MP_ASKED, MP_GIVEN, MP_LARGEST,
});
