/**
 * chunk.ts — INVARIANTS: one bit a chunk, and freed memory that shows who writes to it.
 *
 * Follows  DragonFly sys/kern/kern_slaballoc.c chunk_mark_allocated, chunk_mark_free; weirdary.
 * The bitmap is the owner's. A chunk freed by another CPU is marked when the owner takes it home, so a double free
 * across CPUs is found there, far from the culprit; that is the price of a lockless list.
 * Differs  the kernel fills but does not look again; we verify the fill when the chunk is handed out.
 */
import { P_BIT_ILLEGAL, P_CHUNK_ALLOCATED, P_CHUNK_FREE, P_MODIFIED } from '../base/panics.js';
import { i32 } from '../hw/heap.js';
import { fill32 } from '../hw/mem.js';
import { panic } from '../kern/panic.js';
import { WEIRD_ADDR, WEIRD_BYTES } from './malloc.js';
import { Z_BASEPTR, Z_BITMAP, Z_CHUNKSIZE, Z_NMAX } from './slaballoc.layout.js';

export function chunkMarkAllocated(z: number, chunk: number): void {
  const bit = chunkIndex(z, chunk);
  const word = (z >>> 2) + Z_BITMAP + (bit >>> 5);
  if ((i32[word] & (1 << (bit & 31))) !== 0) panic(P_CHUNK_ALLOCATED, chunk);
  i32[word] |= 1 << (bit & 31);
}

export function chunkMarkFree(z: number, chunk: number): void {
  const bit = chunkIndex(z, chunk);
  const word = (z >>> 2) + Z_BITMAP + (bit >>> 5);
  if ((i32[word] & (1 << (bit & 31))) === 0) panic(P_CHUNK_FREE, chunk);
  i32[word] &= ~(1 << (bit & 31));
}

/** @throws panic unless `chunk` is the address of a chunk of `z` */
function chunkIndex(z: number, chunk: number): number {
  const zw = z >>> 2;
  const bit = (chunk - i32[zw + Z_BASEPTR]) / i32[zw + Z_CHUNKSIZE];
  if (!Number.isInteger(bit) || bit < 0 || bit >= i32[zw + Z_NMAX]) panic(P_BIT_ILLEGAL, chunk, Math.floor(bit));
  return bit;
}

/** Fills the first bytes of a block that was freed; the first word becomes the list link later. */
export function chunkPoison(chunk: number, bytes: number): void {
  fill32(chunk, WEIRD_ADDR, Math.min(bytes, WEIRD_BYTES));
}

/** @throws panic when a freed chunk was written to behind its link */
export function chunkVerify(chunk: number, bytes: number): void {
  const words = Math.min(bytes, WEIRD_BYTES) >>> 2;
  for (let n = 1; n < words; n++) {
    const value = i32[(chunk >>> 2) + n];
    if (value !== WEIRD_ADDR) panic(P_MODIFIED, chunk, value, n * 4);
  }
}
