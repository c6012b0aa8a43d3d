/** param.ts — sizes every layer knows (FreeBSD and DragonFly sys/param.h). */

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;
/** 32-bit words in a cache line; one line has one writing rule */
export const LINE_WORDS = 16;
export const LINE_BYTES = 64;
/** most virtual CPUs a machine may have */
export const MAXCPU = 256;
/**
 * Most physical memory in bytes. Addresses stay non-negative 32-bit integers: above 2 GiB V8 has to box them, which
 * doubles the cost of every allocation.
 */
export const MAXMEM = 0x80000000;
