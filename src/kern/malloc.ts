/** malloc.ts — the flags of an allocation: DragonFly's (sys/sys/malloc.h), and on this machine everybody's. */

export const M_RNOWAIT = 0x1;
export const M_WAITOK = 0x2;
export const M_ZERO = 0x100;
export const M_USE_RESERVE = 0x200;
export const M_NULLOK = 0x400;
export const M_PASSIVE_ZERO = 0x800;
export const M_USE_INTERRUPT_RESERVE = 0x1000;
/** malloc(9): take what the caches have, ask for no pages. FreeBSD's 0x200, which is another flag here */
export const M_NOVM = 0x8000;
/** round the size up to a power of two: the block is aligned to it */
export const M_POWEROF2 = 0x4000;

export const M_NOWAIT = M_RNOWAIT | M_NULLOK | M_USE_RESERVE;
export const M_INTNOWAIT = M_NOWAIT | M_USE_INTERRUPT_RESERVE;
export const M_INTWAIT = M_WAITOK | M_USE_RESERVE | M_USE_INTERRUPT_RESERVE;

/** What kmalloc(0) returns: not NULL, not memory; kfree takes it back. */
export const ZERO_LENGTH_PTR = -8;
