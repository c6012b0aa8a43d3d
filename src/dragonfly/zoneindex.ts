/**
 * zoneindex.ts — which class of chunks serves a size.
 *
 * Follows  DragonFly sys/kern/kern_slaballoc.c zoneindex().
 *
 *   size      < 128  < 256  < 512  < 1024  < 2048  < 4096  < 8192  < 16384
 *   steps of      8     16     32      64     128     256     512     1024
 *   classes   0..15 16..23 24..31  32..39  40..47  48..55  56..63   64..71       waste: an eighth at the most
 */
import { log2Floor } from '../base/bits.js';
import { P_BYTE_COUNT } from '../base/panics.js';
import { panic } from '../kern/panic.js';

/** @param bytes 1..16383 @returns class 0..71 */
export function zoneindex(bytes: number): number {
  return zoneChunkSize(bytes) / zoneStep(bytes) + zoneBase(bytes);
}

/** @returns bytes of a chunk that serves `bytes` */
export function zoneChunkSize(bytes: number): number {
  const step = zoneStep(bytes);
  return (bytes + step - 1) & ~(step - 1);
}

function zoneStep(bytes: number): number {
  if (bytes < 128) return 8;
  if (bytes < 256) return 16;
  if (bytes < 512) return 32;
  if (bytes < 1024) return 64;
  if (bytes < 2048) return 128;
  if (bytes < 4096) return 256;
  if (bytes < 8192) return 512;
  if (bytes < 16384) return 1024;
  return panic(P_BYTE_COUNT, bytes);
}

/** A size rounded onto a boundary has the same class from both sides: 128/8 - 1 = 128/16 + 7. */
function zoneBase(bytes: number): number {
  return bytes < 128 ? -1 : 8 * (log2Floor(bytes) - 7) + 7;
}
