/**
 * globaldata.layout.ts — what a CPU knows of itself (DragonFly sys/globaldata.h, `gd`).
 *
 *   word  0 │ cpuid, critical count, nesting, ...     │ owner    line 0
 *        16 │ IPI counters, eight doubles             │ owner    line 1
 *        32 │ sleep channel, npoll                    │ atomic   line 2
 *        48 │ ipimask: one bit a source CPU           │ atomic   line 3
 *        64 │ cpusync requeue ring, 256 x {func, arg} │ owner    lines 4-35: every other CPU may lead at once
 *
 * GD_WCHAN   the sleeper stores the channel, then looks at its condition again, then halts; the waker changes the
 *            condition, then swaps GD_WCHAN to 0 and raises INTR_WAKE. 0: awake, or already woken.
 * GD_NPOLL   1: an IPI interrupt has been requested and not yet served. Whoever swaps 0 -> 1 sends it; the CPU stores 0
 *            when it believes its queues empty, and looks at GD_IPIMASK once more after that.
 * GD_IPIMASK a source sets its bit AFTER advancing ip_windex; the CPU swaps the word to 0 BEFORE reading ip_windex.
 */
import { MAXCPU } from '../base/param.js';
import { struct } from '../base/struct.js';

export const GD_CPUID = 0;
/** depth of critical sections (td_critcount) */
export const GD_CRIT = 1;
/** depth of lwkt_send_ipiq and IPI handlers */
export const GD_NESTING = 2;
/** polls left until a delayed signal is recognised */
export const GD_SIGNAL = 3;
/** next slot of the ktr ring */
export const GD_KTR = 4;
export const GD_TICKS = 5;
/** depth of cpusync interlocks held (td_cscount) */
export const GD_CSCOUNT = 6;
/** cursors of the cpusync requeue ring */
export const GD_CSR = 7;
export const GD_CSW = 8;
/** 1 while in a phase */
export const GD_RUNNING = 9;

/** doubles (index them with (gd + X) >>> 1) */
export const GD_IPIQ_COUNT = 16;
export const GD_IPIQ_FIFOFULL = 18;
export const GD_IPIQ_AVOIDED = 20;
export const GD_IPIQ_PASSIVE = 22;
export const GD_IPIQ_CSCOUNT = 24;
export const GD_IPIQ_INTR = 26;
export const GD_IPIQ_RUNS = 28;
export const GD_IPIQ_DONE = 30;

export const GD_WCHAN = 32;
export const GD_NPOLL = 33;
/** 1 from start-up (or attach) to detach: may be sent messages that somebody waits for */
export const GD_ONLINE = 34;
/** the rendezvous this CPU leads: acknowledgements still wanted, the call (IPIF_*, 0 while held), its argument */
export const GD_CS_WAITING = 35;
export const GD_CS_FUNC = 36;
export const GD_CS_DATA = 37;

export const GD_IPIMASK = 48;
export const GD_IPIMASK_WORDS = 8;

export const GD_CSQ = 64;
export const GD_CSQ_ENTRIES = MAXCPU;

export const GD_WORDS = GD_CSQ + GD_CSQ_ENTRIES * 2;

export const GLOBALDATA = /* @__PURE__ */ struct(
  'globaldata',
  GD_WORDS,
  ['owner', 'owner', 'atomic', 'atomic', 'owner'],
  {
    GD_CPUID, GD_CRIT, GD_NESTING, GD_SIGNAL, GD_KTR, GD_TICKS, GD_CSCOUNT, GD_CSR, GD_CSW, GD_RUNNING,
    GD_IPIQ_COUNT, GD_IPIQ_FIFOFULL, GD_IPIQ_AVOIDED, GD_IPIQ_PASSIVE, GD_IPIQ_CSCOUNT, GD_IPIQ_INTR, GD_IPIQ_RUNS,
    GD_IPIQ_DONE, GD_WCHAN, GD_NPOLL, GD_CS_WAITING, GD_CS_FUNC, GD_CS_DATA, GD_ONLINE, GD_IPIMASK, GD_CSQ,
  },
);
