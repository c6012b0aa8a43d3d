/**
 * intr.layout.ts — a CPU's interrupt line and its event counters, two cache lines a CPU.
 *
 *   line 0  atomic   INTR_PENDING │ INTR_IDLE │ ...     anybody raises, the CPU takes
 *   line 1  owner    HWC_LOCKED   │ HWC_LOADS │ ...     counted by the CPU itself (invariants flavour only)
 *
 * Protocol of line 0
 *   raise   or(INTR_PENDING, bits), then if INTR_IDLE is set notify(INTR_PENDING).
 *   sleep   store(INTR_IDLE, 1), then wait(INTR_PENDING, 0): returns at once when a bit is already up.
 *           Both orders are sequentially consistent, so either the raiser sees INTR_IDLE or the sleeper sees the bit.
 *   take    the CPU clears bits it is about to serve with and(~bits) BEFORE it looks at what they announce.
 *   poll    a plain read (racy): it may be late, never wrong; every slow path reads it again with an atomic load.
 * A CPU sleeps nowhere else than on its own INTR_PENDING: whoever wants it awake has to raise a bit.
 */
import { struct } from '../base/struct.js';

export const INTR_PENDING = 0;
export const INTR_IDLE = 1;

export const HWC_LOCKED = 16;
export const HWC_LOADS = 17;

export const INTR_WORDS = 32;

/** bits of INTR_PENDING */
export const INTR_IPIQ = 0x1;
export const INTR_TICK = 0x2;
export const INTR_WAKE = 0x4;
export const INTR_STOP = 0x8;
/** the sender's FIFO is half full: served whatever the signal delay says */
export const INTR_URGENT = 0x10;

export const INTR = /* @__PURE__ */ struct('intr', INTR_WORDS, ['atomic', 'owner'], {
  INTR_PENDING, INTR_IDLE, HWC_LOCKED, HWC_LOADS,
});
