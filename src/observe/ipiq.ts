/** ipiq.ts — what is in the IPI queues of a machine, read from outside. */
import { SB_IPIQ, SB_IPIQ_FIFO } from '../hw/superblock.layout.js';
import {
  INFO_ARG1, INFO_ARG2, INFO_FUNC, INFO_WORDS, IP_INFO, IP_RINDEX, IP_WINDEX, ipiqBytes,
} from '../kern/lwkt_ipiq.layout.js';
import type { Memory } from './memory.js';

export interface PendingMessage {
  readonly source: number;
  readonly target: number;
  readonly func: number;
  readonly arg1: number;
  readonly arg2: number;
}

/** Word index of the queue from one CPU to another. */
export function ipiqAt(memory: Memory, source: number, target: number): number {
  const words = ipiqBytes(memory.sb(SB_IPIQ_FIFO)) >>> 2;
  return (memory.sb(SB_IPIQ) >>> 2) + (source * memory.ncpu + target) * words;
}

/** Messages of a queue that were published and not taken: no more than it has slots, whatever its indices say. */
export function pendingIn(memory: Memory, source: number, target: number): PendingMessage[] {
  const { i32 } = memory;
  const ip = ipiqAt(memory, source, target);
  const read = i32[ip + IP_RINDEX]!;
  if (i32[ip + IP_WINDEX] === read) return [];
  const fifo = memory.sb(SB_IPIQ_FIFO);
  const used = Math.min(fifo, Math.max(0, (i32[ip + IP_WINDEX]! - read) | 0));
  return Array.from({ length: used }, (_, n) => {
    const info = ip + IP_INFO + ((read + n) & (fifo - 1)) * INFO_WORDS;
    return {
      source, target, func: i32[info + INFO_FUNC]!, arg1: i32[info + INFO_ARG1]!, arg2: i32[info + INFO_ARG2]!,
    };
  });
}

/** Messages in all queues. */
export function pendingMessages(memory: Memory): PendingMessage[] {
  const all: PendingMessage[] = [];
  for (let source = 0; source < memory.ncpu; source++) {
    for (let target = 0; target < memory.ncpu; target++) all.push(...pendingIn(memory, source, target));
  }
  return all;
}
