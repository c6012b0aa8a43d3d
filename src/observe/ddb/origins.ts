/** origins.ts — who allocated a block, as far as the ktr rings still know. */
import { SB_KTR, SB_KTR_ENTRIES } from '../../hw/superblock.layout.js';
import { GD_KTR } from '../../kern/globaldata.layout.js';
import {
  KTR_A, KTR_B, KTR_C, KTR_EVENT, KTR_FREE, KTR_FREE_REMOTE, KTR_MALLOC, KTR_TIME, KTR_WORDS,
} from '../../kern/ktr.layout.js';
import type { Memory } from '../memory.js';
import { typeText } from './malloc.js';

export interface Origin {
  readonly type: string;
  readonly cpu: number;
  readonly size: number;
  readonly time: number;
}

/** address -> its newest KTR_MALLOC, of addresses about which nothing newer was recorded */
export function origins(memory: Memory): Map<number, Origin> {
  const newest = new Map<number, Origin & { allocated: boolean }>();
  const entries = memory.sb(SB_KTR_ENTRIES);
  for (let cpu = 0; cpu < memory.ncpu && entries > 0; cpu++) {
    const next = memory.i32[memory.gd(cpu) + GD_KTR]! >>> 0;
    for (let n = Math.max(0, next - entries); n < next; n++) {
      const entry = (memory.sb(SB_KTR) >>> 2) + (cpu * entries + (n % entries)) * KTR_WORDS;
      const at = (word: number) => memory.i32[entry + word]!;
      const event = at(KTR_EVENT);
      if (event !== KTR_MALLOC && event !== KTR_FREE && event !== KTR_FREE_REMOTE) continue;
      const before = newest.get(at(KTR_A));
      if (before && later(before.time, at(KTR_TIME))) continue;
      newest.set(at(KTR_A), {
        allocated: event === KTR_MALLOC, type: event === KTR_MALLOC ? typeText(memory, at(KTR_B)) : '', cpu,
        size: at(KTR_C), time: at(KTR_TIME),
      });
    }
  }
  return new Map([...newest].filter(([, { allocated }]) => allocated));
}

/** Times wrap. */
function later(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}
