/** ktr.ts — recording events; costs nothing when the ring has no entries. Any context: a CPU writes its own ring. */
import { curcpu } from '../hw/curcpu.js';
import { i32 } from '../hw/heap.js';
import { SB_KTR, SB_KTR_ENTRIES } from '../hw/superblock.layout.js';
import { nowMs } from '../hw/time.js';
import { mycpu } from './globaldata.js';
import { GD_KTR } from './globaldata.layout.js';
import { KTR_A, KTR_B, KTR_C, KTR_EVENT, KTR_TIME, KTR_WORDS } from './ktr.layout.js';

/** true when this machine records events; test it before calling, so that the arguments are not even computed */
export const KTR = i32[SB_KTR_ENTRIES] !== 0;

const ENTRIES = i32[SB_KTR_ENTRIES];
const RINGS = i32[SB_KTR] >>> 2;

/** @param event KTR_* of ktr.layout */
export function ktr(event: number, a: number, b: number, c: number): void {
  const gd = mycpu();
  const index = i32[gd + GD_KTR];
  i32[gd + GD_KTR] = index + 1;
  const entry = RINGS + (curcpu * ENTRIES + ((index >>> 0) % ENTRIES)) * KTR_WORDS;
  i32[entry + KTR_TIME] = (nowMs() * 1000) | 0;
  i32[entry + KTR_EVENT] = event;
  i32[entry + KTR_A] = a;
  i32[entry + KTR_B] = b;
  i32[entry + KTR_C] = c;
}
