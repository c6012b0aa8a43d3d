/**
 * policy.ts — the boot options that choose between historic designs, by name and by number.
 *
 * The numbers stand in the superblock; the names are what a user types and what a record says.
 */

/** Which kernel's memory allocator the machine runs. */
export const ALLOC_DRAGONFLY = 0;
export const ALLOC_FREEBSD = 1;
export const ALLOC_NAMES = ['dragonfly', 'freebsd'] as const;
export type AllocName = (typeof ALLOC_NAMES)[number];

/** How malloc_type statistics are updated (kern/malloc_stats.ts). */
export const STATS_CRITICAL = 0;
export const STATS_UNPADDED = 1;
export const STATS_ATOMIC = 2;
export const STATS_MUTEX = 3;
export const STATS_MUTEX_UP = 4;
export const STATS_NONE = 5;
export const STATS_NAMES = ['critical', 'unpadded', 'atomic', 'mutex', 'mutex-up', 'none'] as const;
export type StatsPolicy = (typeof STATS_NAMES)[number];

/** How a chunk freed by another CPU than its zone's owner comes home (dragonfly/slab_remote.ts). */
export const FREE_IPI = 0;
export const FREE_RCHUNKS = 1;
export const FREE_RCOUNT = 2;
export const FREE_RSIGNAL2 = 3;
export const FREE_LOCKED = 4;
export const FREE_RTAGGED = 5;
export const FREE_RBATCH = 6;
export const FREE_NAMES = ['ipi', 'rchunks', 'rcount', 'rsignal2', 'locked', 'rtagged', 'rbatch'] as const;
export type FreePolicy = (typeof FREE_NAMES)[number];

/** How a contended mutex waits (kern/kern_mutex.ts). */
export const MTX_SPIN = 0;
export const MTX_ADAPTIVE = 1;
export const MTX_FUTEX = 2;
export const MTX_NAMES = ['spin', 'adaptive', 'futex'] as const;
export type MutexForm = (typeof MTX_NAMES)[number];

/** signalDelay value of 'tick': the remote-free signal is a passive message, seen at the next clock tick. */
export const SIGNAL_TICK = -1;
