/** mem.ts — hw/mem.ts for stepped CPUs: word by word, so that races and marks are seen. */
import { ld8, st32, st8 } from './access.js';

export function bzero(address: number, bytes: number): void {
  fill32(address, 0, bytes);
}

export function fill32(address: number, value: number, bytes: number): void {
  for (let word = address >>> 2; word < (address >>> 2) + (bytes >>> 2); word++) st32(word, value);
}

export function bcopy(from: number, to: number, bytes: number): void {
  for (let byte = 0; byte < bytes; byte++) st8(to + byte, ld8(from + byte));
}
