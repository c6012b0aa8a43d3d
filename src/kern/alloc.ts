/**
 * alloc.ts — which allocator this machine runs. A bundle of one allocator knows when it is built (ALLOCATOR, scripts/
 * allocator.mjs); one of both, as the explorer's, asks the superblock.
 */
import { ALLOC_FREEBSD } from '../base/policy.js';
import { i32 } from '../hw/heap.js';
import { SB_ALLOC } from '../hw/superblock.layout.js';

/** ALLOC_* of base/policy, -1: both are in this bundle */
declare const ALLOCATOR: number;

export const FREEBSD = ALLOCATOR < 0 ? i32[SB_ALLOC] === ALLOC_FREEBSD : ALLOCATOR === ALLOC_FREEBSD;
