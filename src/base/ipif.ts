/**
 * ipif.ts — the functions an IPI message may name.
 *
 * A message carries a number, not a closure: the two CPUs share memory, not code. Each number is bound once, when the
 * module that owns the function is loaded (kern/lwkt_ipiq.ts, ipiq_register).
 */

export const IPIF_NONE = 0;
export const IPIF_ACK = 1;
export const IPIF_CPUSYNC_REMOTE1 = 2;
export const IPIF_CPUSYNC_REMOTE2 = 3;
export const IPIF_CPUSYNC_FUNC = 4;
export const IPIF_FREE_REMOTE = 5;
export const IPIF_KFREE_REMOTE = 6;
export const IPIF_REMOTE_FLUSH = 7;
/** for workloads, tests and embedders */
export const IPIF_USER = 8;
export const IPIF_MAX = 16;
