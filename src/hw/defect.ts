/** defect.ts — fixes this machine runs without (base/defects.ts): constants from the moment it is loaded. */
import { i32 } from './heap.js';
import { SB_DEFECTS } from './superblock.layout.js';

/** Is fix `number` taken out? @param number D_* of base/defects.ts */
export function defect(number: number): boolean {
  return ((i32[SB_DEFECTS + (number >>> 5)] >>> (number & 31)) & 1) === 1;
}
