/**
 * allocator.ts — the machine's kernel memory allocator, whichever it was booted with: what workloads, embedders and the
 * audit call. Flags are those of kern/malloc.ts for both; freebsd/machdep.ts turns them into malloc(9)'s.
 *
 * Which one it is never changes while an isolate lives, so these constants are folded like direct calls.
 */
import * as freebsd from '../freebsd/machdep.js';
import * as dragonfly from '../dragonfly/machdep.js';
import { i32 } from '../hw/heap.js';
import { SB_FAILURE_RATE } from '../hw/superblock.layout.js';
import { FREEBSD } from '../kern/alloc.js';
import { M_NOWAIT, M_NULLOK, M_WAITOK } from '../kern/malloc.js';

export { M_NOWAIT, M_NULLOK, M_POWEROF2, M_WAITOK, M_ZERO } from '../kern/malloc.js';

export { FREEBSD } from '../kern/alloc.js';

/**
 * kmalloc(size, type, flags): allocates `size` bytes for a malloc_type.
 * @see dragonfly/kern_slaballoc.ts, freebsd/kern_malloc.ts
 */
export const kmalloc = FREEBSD ? freebsd.kmalloc : dragonfly.kmalloc;
export const kfree = FREEBSD ? freebsd.free : dragonfly.kfree;
/** Copies a string of ASCII characters into new memory, with a 0 behind it. */
export const kstrdup = FREEBSD ? freebsd.kstrdup : dragonfly.kstrdup;
export const krealloc = FREEBSD ? freebsd.krealloc : dragonfly.krealloc;
/** Bytes a caller may use of a block. */
export const kmallocUsable = FREEBSD ? freebsd.usable : dragonfly.kmallocUsable;
/** Dword index of a 64-bit word that holds the size of a small block: what its statistics are counted with. */
export const sizeAt = FREEBSD ? freebsd.sizeAt : dragonfly.sizeAt;
/** Finds or defines a type. @returns its address, 0 when there is no room */
export const mallocTypeCreate = FREEBSD ? freebsd.mallocTypeCreate : dragonfly.mallocTypeCreate;
/** Raises a type's limit: malloc(9) has none. */
export const kmallocRaiseLimit = FREEBSD ? freebsd.kmallocRaiseLimit : dragonfly.kmallocRaiseLimit;
/** A type goes. @returns bytes of it that are still allocated */
export const mallocUninit = FREEBSD ? freebsd.mallocUninit : dragonfly.mallocUninit;
/** On CPU 0, once, with the page allocator up. */
export const kmeminit = FREEBSD ? freebsd.kmeminit : dragonfly.kmeminit;
/** This CPU gives back what it can spare. */
export const reclaim = FREEBSD ? freebsd.reclaim : dragonfly.reclaim;
/** This CPU leaves: nothing of what it hoards stays behind. */
export const offline = FREEBSD ? freebsd.offline : dragonfly.reclaim;
/** What this CPU has on its way to others is sent. Critical section. */
export const flush = FREEBSD ? freebsd.flush : dragonfly.flush;

/** mallocs are made to fail: a workload may get 0, and goes on without that block */
export const MAY_FAIL = FREEBSD && i32[SB_FAILURE_RATE] !== 0;
/** flags of a measured loop: M_WAITOK, unless mallocs are made to fail */
export const WAIT = MAY_FAIL ? M_NOWAIT : M_WAITOK;
/** for callers that try, and have something else to do when there is no memory */
export const PATIENT = MAY_FAIL ? M_NOWAIT : M_WAITOK | M_NULLOK;
