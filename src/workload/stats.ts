/** stats.ts — one statistics update after the other: what a policy costs alone, and inside malloc and free. */
import { mallocTypeAllocated, mallocTypeFreed } from '../kern/malloc_stats.js';
import { kfree, kmalloc, MAY_FAIL, WAIT } from './allocator.js';

/** @param sizeAt dword index of a size in memory @param ops updates, half of them for frees */
export function statsUpdateLoop(type: number, sizeAt: number, ops: number): void {
  for (let n = 0; n < ops; n += 2) statsUpdates(type, sizeAt);
}

/** Two updates. */
export function statsUpdates(type: number, sizeAt: number): void {
  mallocTypeAllocated(type, sizeAt);
  mallocTypeFreed(type, sizeAt);
}

export function statsMallocLoop(type: number, size: number, ops: number): void {
  for (let n = 0; n < ops; n++) statsMalloc(type, size);
}

export function statsMalloc(type: number, size: number): void {
  const p = kmalloc(size, type, WAIT);
  if (!MAY_FAIL || p !== 0) kfree(p, type);
}
