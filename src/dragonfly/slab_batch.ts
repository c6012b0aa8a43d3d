/**
 * slab_batch.ts — policy `rbatch`: chunks of one foreign zone gather on the freeing CPU and go home in one swap.
 *
 * A batch is {zone, head, tail, count} in a direct-mapped table of the freeing CPU, all plain words; the chunks are
 * linked through their own first words. It is sent when it is full (kern.rbatch), when another zone needs its place, at
 * every clock tick, when anybody is short of memory, and when the CPU goes offline; so a chunk waits a tick at most.
 * A batched chunk still counts as allocated for its zone, which therefore cannot go away.
 *
 * Runs in   a critical section.
 */
import { P_CHUNK_FREE } from '../base/panics.js';
import { i32 } from '../hw/heap.js';
import { SB_RBATCH } from '../hw/superblock.layout.js';
import { panic } from '../kern/panic.js';
import { linkTagged } from './slab_link.js';
import { RB_COUNT, RB_ENTRIES, RB_HEAD, RB_TAIL, RB_WORDS, RB_ZONE, SL_BATCH } from './slaballoc.layout.js';
import { ZONE_SIZE } from './slglobaldata.js';

declare const INVARIANTS: boolean;

const RBATCH = i32[SB_RBATCH];
const ZONE_SHIFT = 31 - Math.clz32(ZONE_SIZE);

export function remoteBatch(sl: number, z: number, chunk: number): void {
  const rb = sl + SL_BATCH + ((z >>> ZONE_SHIFT) & (RB_ENTRIES - 1)) * RB_WORDS;
  if (i32[rb + RB_ZONE] !== z) {
    remoteFlushOne(sl, rb);
    i32[rb + RB_ZONE] = z;
    i32[rb + RB_TAIL] = chunk;
    i32[rb + RB_COUNT] = 1;
  } else {
    i32[chunk >>> 2] = i32[rb + RB_HEAD];
    i32[rb + RB_COUNT]++;
  }
  i32[rb + RB_HEAD] = chunk;
  if (i32[rb + RB_COUNT] >= RBATCH) remoteFlushOne(sl, rb);
}

/** Sends every open batch of this CPU. */
export function remoteFlush(sl: number): void {
  for (let n = 0; n < RB_ENTRIES; n++) remoteFlushOne(sl, sl + SL_BATCH + n * RB_WORDS);
}

function remoteFlushOne(sl: number, rb: number): void {
  const z = i32[rb + RB_ZONE];
  if (z === 0) return;
  i32[rb + RB_ZONE] = 0;
  if (INVARIANTS) checkChain(rb);
  linkTagged(sl, z, i32[rb + RB_HEAD], i32[rb + RB_TAIL]);
}

/** A chunk freed twice into one batch would drop what was linked behind it, and never be noticed by the owner. */
function checkChain(rb: number): void {
  let chunk = i32[rb + RB_HEAD];
  let count = 1;
  for (; chunk !== i32[rb + RB_TAIL] && count < i32[rb + RB_COUNT]; count++) chunk = i32[chunk >>> 2];
  if (chunk !== i32[rb + RB_TAIL] || count !== i32[rb + RB_COUNT]) panic(P_CHUNK_FREE, chunk);
}
