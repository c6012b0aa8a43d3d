/**
 * malloc.ts — malloc(9)'s sizes (FreeBSD sys/kern/kern_malloc.c). Its flags are the machine's (kern/malloc.ts): the
 * bits of M_NOVM and M_USE_RESERVE are not FreeBSD's.
 */
import { M_RNOWAIT } from '../kern/malloc.js';

export { M_NOVM, M_NULLOK, M_POWEROF2, M_USE_RESERVE, M_WAITOK, M_ZERO } from '../kern/malloc.js';
export const M_NOWAIT = M_RNOWAIT;

export const KMEM_ZSHIFT = 4;
export const KMEM_ZBASE = 16;
export const KMEM_ZMASK = KMEM_ZBASE - 1;
/** largest size a zone serves, bytes */
export const KMEM_ZMAX = 4096;
export const KMEM_ZSIZE = KMEM_ZMAX >> KMEM_ZSHIFT;
/** sizes of the zones, and their names */
export const KMEM_ZONES: readonly number[] = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096];
/** realloc moves a block when 1/2^this of it would do */
export const REALLOC_FRACTION = 1;
export const MINALLOCSIZE = 16;

/** bytes kmem_map has before anything else is said */
export const VM_KMEM_SIZE = 12 * 1024 * 1024;
