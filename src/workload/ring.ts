/**
 * ring.ts — each CPU frees its neighbour's blocks: CPU c allocates, CPU c + 1 frees. The full steady state in which
 * z_RChunks alone does not save messages (docs/design/remote-free.md).
 *
 *   one ring an ordered pair: line 0 atomic RG_PUT (producer), line 1 atomic RG_GOT (consumer), then `depth` slots;
 *   a slot belongs to the producer until it stores RG_PUT past it, then to the consumer until it stores RG_GOT past it
 */
import { load, store } from '../hw/atomics.js';
import { i32 } from '../hw/heap.js';
import { cpuPause } from '../kern/pause.js';
import { splzWaiting } from '../kern/splz.js';
import { kfree, kmalloc, MAY_FAIL, WAIT } from './allocator.js';

export const RG_PUT = 0;
export const RG_GOT = 16;
export const RG_SLOTS = 32;
/** blocks put between two looks at what has arrived, a power of two */
export const RING_TURN = 16;

/** Bytes of a ring of `depth` slots, a power of two. */
export function ringBytes(depth: number): number {
  return (RG_SLOTS + depth) * 4;
}

/**
 * Allocates `ops` blocks into ring `out` and frees as many from ring `from`.
 * @param out word index of the ring this CPU fills @param from of the one it empties
 */
export function ringRun(type: number, out: number, from: number, depth: number, size: number, ops: number): void {
  const base = load(out + RG_PUT);
  let freed = 0;
  for (let n = 0; n < ops; n++) {
    for (let spins = 0; base + n - load(out + RG_GOT) >= depth; ) {
      const got = drain(type, from, depth);
      freed += got;
      if (got === 0) spins = ringPause(spins);
    }
    ringPut(type, out, depth, size, base + n);
    if ((n & (RING_TURN - 1)) === 0) freed += drain(type, from, depth);
  }
  for (let spins = 0; freed < ops; ) {
    const got = drain(type, from, depth);
    freed += got;
    if (got === 0) spins = ringPause(spins);
  }
}

/** Puts a new block, the n-th, where there is room. */
export function ringPut(type: number, out: number, depth: number, size: number, n: number): void {
  const p = kmalloc(size, type, WAIT);
  // a malloc that failed takes its slot all the same: what is put and what is got stay in step
  if (!MAY_FAIL || p !== 0) i32[p >>> 2] = n;
  i32[out + RG_SLOTS + (n & (depth - 1))] = p;
  store(out + RG_PUT, n + 1);
}

/** Frees the n-th block, which has arrived. */
export function ringTake(type: number, from: number, depth: number, n: number): void {
  const p = i32[from + RG_SLOTS + (n & (depth - 1))];
  if (!MAY_FAIL || p !== 0) kfree(p, type);
}

/** Frees what has arrived. @returns how many */
function drain(type: number, from: number, depth: number): number {
  const put = load(from + RG_PUT);
  const got = load(from + RG_GOT);
  for (let n = got; n !== put; n++) ringTake(type, from, depth, n);
  if (put !== got) store(from + RG_GOT, put);
  return put - got;
}

/** One turn of waiting for room, or for blocks. @returns turns made */
export function ringPause(spins: number): number {
  splzWaiting();
  return cpuPause(spins, Number.POSITIVE_INFINITY);
}
