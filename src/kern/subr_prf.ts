/**
 * subr_prf.ts — the kernel says something: kprintf into the message buffer (FreeBSD sys/kern/subr_prf.c, by role).
 *
 * The protocol stands in msgbuf.layout.ts. Runs in any context; never waits, never allocates.
 */
import { add, store } from '../hw/atomics.js';
import { curcpu } from '../hw/curcpu.js';
import { i32 } from '../hw/heap.js';
import { SB_MSGBUF } from '../hw/superblock.layout.js';
import {
  MSG_A, MSG_B, MSG_C, MSG_CODE, MSG_CPU, MSG_D, MSG_ENTRIES, MSG_ENTRY_WORDS, MSG_HEAD_WORDS, MSG_SEQ, MSG_TEXT,
  MSG_TEXT_BYTES, MSG_WINDEX,
} from './msgbuf.layout.js';

const MSGBUF = i32[SB_MSGBUF] >>> 2;

/**
 * @param code MSG_* of base/messages, which has the text
 * @param name word index of MSG_TEXT_BYTES of text for the message's %s; 0: it has none
 */
export function kprintf(code: number, a = 0, b = 0, c = 0, d = 0, name = 0): void {
  const number = add(MSGBUF + MSG_WINDEX, 1);
  const entry = MSGBUF + MSG_HEAD_WORDS + ((number >>> 0) % MSG_ENTRIES) * MSG_ENTRY_WORDS;
  // nobody takes it for a whole message while it is being written
  store(entry + MSG_SEQ, 0);
  store(entry + MSG_CODE, code);
  store(entry + MSG_CPU, curcpu);
  store(entry + MSG_A, a);
  store(entry + MSG_B, b);
  store(entry + MSG_C, c);
  store(entry + MSG_D, d);
  for (let word = 0; word < MSG_TEXT_BYTES / 4; word++) {
    store(entry + MSG_TEXT + word, name === 0 ? 0 : i32[name + word]);
  }
  store(entry + MSG_SEQ, number + 1);
}
