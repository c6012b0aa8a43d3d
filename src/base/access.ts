/**
 * access.ts — the kinds of access a stepped CPU makes, by number and by name.
 *
 * Everything a CPU does to memory in the stepped executions is one of these; a schedule is an order of them.
 */

export const LD = 0;
export const ST = 1;
/** a plain read that is allowed to race (hw/atomics racy) */
export const RACY = 2;
export const LD8 = 3;
export const ST8 = 4;
export const LD64 = 5;
export const ST64 = 6;
export const RACY64 = 7;
/** doubles: owner-only statistics */
export const LDF = 8;
export const STF = 9;
export const LOAD = 10;
export const STORE = 11;
export const CAS = 12;
export const XCHG = 13;
export const ADD = 14;
export const OR = 15;
export const AND = 16;
/** a futex wait, waking from it, and the bell */
export const WAIT = 17;
export const WAKE = 18;
export const NOTIFY = 19;
/** one turn of a wait loop */
export const PAUSE = 20;
/** interrupts masked, unmasked, and the look an interrupt takes at the mask */
export const MASK = 21;
export const UNMASK = 22;
export const LOOK = 23;
/** memory changes hands (hw/kasan) */
export const MARK = 24;
/** a store buffer's oldest store reaches memory (TSO) */
export const DRAIN = 25;
/** a thread is put on another CPU */
export const MOVE = 26;

export const ACCESS_NAMES = [
  'ld', 'st', 'racy', 'ld8', 'st8', 'ld64', 'st64', 'racy64', 'ldf', 'stf', 'load', 'store', 'cas', 'xchg', 'add', 'or',
  'and', 'wait', 'wake', 'notify', 'pause', 'mask', 'unmask', 'look', 'mark', 'drain',
  'move',
] as const;

/** Atomic accesses and what orders like one: always scheduling points. */
export function isAtomic(kind: number): boolean {
  return kind >= LOAD && kind <= NOTIFY;
}
