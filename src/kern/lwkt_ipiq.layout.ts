/**
 * lwkt_ipiq.layout.ts — one FIFO of messages per ordered pair of CPUs (DragonFly sys/thread.h, struct lwkt_ipiq).
 *
 *   gd_ipiq[source][target]
 *        ┌───────────────┐  line 0  atomic   stored by the source, in a critical section
 *        │ ip_windex     │
 *        ├───────────────┤  line 1  atomic   stored by the target
 *        │ ip_rindex     │           taken:  the slot may be written again
 *        │ ip_xindex     │           done:   the function has returned
 *        ├───────────────┤  line 2  owner    the target
 *        │ ip_depth      │           handlers of this queue now on its stack
 *        ├───────────────┤  line 3..         slot: written by the source before it stores ip_windex past it,
 *        │ func arg1 arg2│                   read by the target after it loaded that ip_windex
 *        └───────────────┘
 *
 * Cursors run freely and wrap; used = ip_windex - ip_rindex as a signed difference;
 * ip_xindex <= ip_rindex <= ip_windex.
 */
import { struct } from '../base/struct.js';

export const IP_WINDEX = 0;
export const IP_RINDEX = 16;
export const IP_XINDEX = 17;
export const IP_DEPTH = 32;
/** first slot */
export const IP_INFO = 48;

export const INFO_FUNC = 0;
export const INFO_ARG1 = 1;
export const INFO_ARG2 = 2;
export const INFO_WORDS = 4;

/** Bytes of one queue with `fifo` slots. */
export function ipiqBytes(fifo: number): number {
  return (IP_INFO + fifo * INFO_WORDS) * 4;
}

export const IPIQ = /* @__PURE__ */ struct('lwkt_ipiq', IP_INFO, ['atomic', 'atomic', 'owner'], {
  IP_WINDEX, IP_RINDEX, IP_XINDEX, IP_DEPTH,
});
