/**
 * replay.layout.ts — a trace as programs for CPUs.
 *
 * A program is a list of events of 4 words, made by host/replay_plan.ts; pointers go through a table in the machine's
 * memory, one word an object:
 *
 *   w0  op (0 alloc, 1 free, 2 realloc) | SHARED << 4 | type << 8
 *   w1  slot of the object     w2  size in bytes     w3  slot of the old object (realloc)
 *
 * SHARED on a birth: another CPU will free it, so its pointer is published with an atomic store; SHARED on a death: it
 * was born on another CPU, so the pointer may not be there yet and the CPU waits for it, serving its messages. All
 * other pointers are this CPU's own words. A slot is used once between two barriers.
 */

export const EV_ALLOC = 0;
export const EV_FREE = 1;
export const EV_REALLOC = 2;
export const EV_OP_MASK = 0xf;
export const EV_SHARED = 0x10;
export const EV_TYPE_SHIFT = 8;
export const EV_WORDS = 4;
