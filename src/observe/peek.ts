/**
 * peek.ts — reading what may be damaged: every address is looked at before it is followed, every list ends.
 *
 * Words that cannot be read are 0. A list that changes under its reader, or whose links were overwritten, is cut where
 * it leaves the memory or comes back to itself.
 */
import type { Memory } from './memory.js';

/** longest list anybody will want to see the end of */
const MOST_LINKS = 1 << 20;

/** Do `bytes` bytes of structure begin at this address? NULL's page is no place for one. */
export function readable(memory: Memory, address: number, bytes = 4): boolean {
  return Number.isInteger(address) && address >= 4096 && address % 4 === 0 &&
    address + bytes <= memory.heap.byteLength;
}

/** A word of the structure at an address. @param offset in words */
export function peek(memory: Memory, address: number, offset = 0): number {
  return readable(memory, address) ? (memory.i32[(address >>> 2) + offset] ?? 0) : 0;
}

/** A 64-bit word, unsigned. @param offset in words, even */
export function peek64(memory: Memory, address: number, offset = 0): bigint {
  return readable(memory, address) ? BigInt.asUintN(64, memory.i64[((address >>> 2) + offset) >>> 1] ?? 0n) : 0n;
}

/** Text that ends with a NUL or after `bytes`; what cannot be printed is '.'. */
export function peekText(memory: Memory, address: number, bytes: number): string {
  if (address < 0 || address >= memory.heap.byteLength) return '';
  const raw = memory.u8.slice(address, address + bytes);
  const end = raw.indexOf(0);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return Buffer.from(end < 0 ? raw : raw.subarray(0, end)).toString('latin1').replace(/[\x00-\x1f\x7f-\x9f]/g, '.');
}

/**
 * Addresses of a list, in order.
 * @param link word of its links @param bytes of an element
 */
export function chain(memory: Memory, head: number, link: number, bytes: number, most = MOST_LINKS): number[] {
  const seen = new Set<number>();
  for (let at = head; readable(memory, at, bytes) && !seen.has(at) && seen.size < most; at = peek(memory, at, link)) {
    seen.add(at);
  }
  return [...seen];
}
