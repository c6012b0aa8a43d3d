/** stats.ts — one statistics update after the other: what a policy costs alone, and inside malloc and free. */
import { kmalloc } from '../dragonfly/kern_slaballoc.js';
import { kfree } from '../dragonfly/kern_slabfree.js';
import { M_WAITOK } from '../dragonfly/malloc.js';
import { mallocTypeAllocated, mallocTypeFreed } from '../kern/malloc_stats.js';

/** @param sizeAt dword index of a size in memory @param ops updates, half of them for frees */
export function statsUpdateLoop(type: number, sizeAt: number, ops: number): void {
  for (let n = 0; n < ops; n += 2) {
    mallocTypeAllocated(type, sizeAt);
    mallocTypeFreed(type, sizeAt);
  }
}

export function statsMallocLoop(type: number, size: number, ops: number): void {
  for (let n = 0; n < ops; n++) kfree(kmalloc(size, type, M_WAITOK), type);
}
