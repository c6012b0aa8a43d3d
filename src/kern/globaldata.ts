/** globaldata.ts — finding a CPU's globaldata, and the machine's constants. */
import { curcpu } from '../hw/curcpu.js';
import { i32 } from '../hw/heap.js';
import { SB_GD, SB_NCPU } from '../hw/superblock.layout.js';
import { GD_WORDS } from './globaldata.layout.js';

export const NCPU = i32[SB_NCPU];

const GD = i32[SB_GD] >>> 2;

/** Word index of this CPU's globaldata. Ask again after anything that may have moved the thread. */
export function mycpu(): number {
  return GD + curcpu * GD_WORDS;
}

/** Word index of another CPU's globaldata: only its atomic lines are anybody's business. */
export function globaldataFind(cpu: number): number {
  return GD + cpu * GD_WORDS;
}
