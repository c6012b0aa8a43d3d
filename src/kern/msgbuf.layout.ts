/**
 * msgbuf.layout.ts — what the kernel printed: the last MSG_ENTRIES messages of the machine (FreeBSD sys/msgbuf.h).
 *
 *   line 0      │ MSG_WINDEX: messages ever begun │        atomic
 *   line 1..    │ seq+1 │ code │ cpu │ - │ a │ b │ c │ d │ text[32] │    one line an entry
 *
 * A message is numbers, its text is made by whoever reads (base/messages.ts); a name that may be gone then is copied.
 * The writer takes a number with add(MSG_WINDEX), fills its entry, and stores number + 1 in MSG_SEQ last: a reader
 * takes an entry whose MSG_SEQ is the number it looks for + 1, before and after it copied it.
 */
import { struct } from '../base/struct.js';

export const MSG_WINDEX = 0;
export const MSG_HEAD_WORDS = 16;

export const MSG_SEQ = 0;
export const MSG_CODE = 1;
export const MSG_CPU = 2;
export const MSG_A = 4;
export const MSG_B = 5;
export const MSG_C = 6;
export const MSG_D = 7;
export const MSG_TEXT = 8;
export const MSG_TEXT_BYTES = 32;
export const MSG_ENTRY_WORDS = 16;
export const MSG_ENTRIES = 64;
export const MSGBUF_WORDS = MSG_HEAD_WORDS + MSG_ENTRIES * MSG_ENTRY_WORDS;

export const MSGBUF = /* @__PURE__ */ struct('msgbuf', MSG_HEAD_WORDS, ['atomic'], { MSG_WINDEX });
export const MSGBUF_ENTRY = /* @__PURE__ */ struct('msgbuf_entry', MSG_ENTRY_WORDS, ['atomic'], {
  MSG_SEQ, MSG_CODE, MSG_CPU, MSG_A, MSG_B, MSG_C, MSG_D, MSG_TEXT,
});
