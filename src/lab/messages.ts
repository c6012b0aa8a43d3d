/** messages.ts — what is in the IPI queues of a machine, read from outside. */
import { SB_IPIQ, SB_IPIQ_FIFO } from '../hw/superblock.layout.js';
import {
  INFO_ARG1, INFO_FUNC, INFO_WORDS, IP_INFO, IP_RINDEX, IP_WINDEX, ipiqBytes,
} from '../kern/lwkt_ipiq.layout.js';
import type { Memory } from '../observe/memory.js';

export interface PendingMessage {
  readonly source: number;
  readonly target: number;
  readonly func: number;
  readonly arg1: number;
}

/** Messages that were published and not taken. */
export function pendingMessages(memory: Memory): PendingMessage[] {
  const pending: PendingMessage[] = [];
  const { ncpu, i32 } = memory;
  const fifo = memory.sb(SB_IPIQ_FIFO);
  const words = ipiqBytes(fifo) >>> 2;
  for (let source = 0; source < ncpu; source++) {
    for (let target = 0; target < ncpu; target++) {
      const ip = (memory.sb(SB_IPIQ) >>> 2) + (source * ncpu + target) * words;
      for (let at = i32[ip + IP_RINDEX]!; at !== i32[ip + IP_WINDEX]; at = (at + 1) | 0) {
        const info = ip + IP_INFO + (at & (fifo - 1)) * INFO_WORDS;
        pending.push({ source, target, func: i32[info + INFO_FUNC]!, arg1: i32[info + INFO_ARG1]! });
      }
    }
  }
  return pending;
}
