/**
 * msgbuf.ts — what the kernel printed, read from outside: the messages that are still in their ring, the oldest first.
 *
 * An entry counts when its sequence number is the one that is looked for, before and after it was copied: a message
 * that is being written, or was overwritten meanwhile, is left out (kern/msgbuf.layout.ts).
 */
import { messageText } from '../base/messages.js';
import { SB_MSGBUF } from '../hw/superblock.layout.js';
import * as MSG from '../kern/msgbuf.layout.js';
import { typeName } from './malloc_types.js';
import type { Memory } from './memory.js';
import { peekText } from './peek.js';
import { zoneName } from './uma_zones.js';

export interface KernelMessage {
  /** since boot, the first is 0 */
  readonly number: number;
  /** who printed it */
  readonly cpu: number;
  readonly text: string;
}

/** The texts alone, as dmesg shows them. */
export function kernelMessages(memory: Memory): string[] {
  return messageRecords(memory).map(({ text }) => text);
}

/** @param from the first that is wanted, by its number */
export function messageRecords(memory: Memory, from = 0): KernelMessage[] {
  const next = memory.i32[(memory.sb(SB_MSGBUF) >>> 2) + MSG.MSG_WINDEX]! >>> 0;
  const messages: KernelMessage[] = [];
  for (let number = Math.max(from, next - MSG.MSG_ENTRIES); number < next; number++) {
    const message = entry(memory, number);
    if (message) messages.push(message);
  }
  return messages;
}

function entry(memory: Memory, number: number): KernelMessage | null {
  const { i32 } = memory;
  const at = (memory.sb(SB_MSGBUF) >>> 2) + MSG.MSG_HEAD_WORDS + (number % MSG.MSG_ENTRIES) * MSG.MSG_ENTRY_WORDS;
  const whole = () => i32[at + MSG.MSG_SEQ] === ((number + 1) | 0);
  if (!whole()) return null;
  const word = (offset: number) => i32[at + offset]!;
  const args = [word(MSG.MSG_A), word(MSG.MSG_B), word(MSG.MSG_C), word(MSG.MSG_D)];
  const text = messageText(
    word(MSG.MSG_CODE), args, peekText(memory, (at + MSG.MSG_TEXT) * 4, MSG.MSG_TEXT_BYTES),
    { type: (type) => typeName(memory, type), zone: (zone) => zoneName(memory, zone), exception: () => '' },
  );
  return whole() ? { number, cpu: word(MSG.MSG_CPU), text } : null;
}
