/** libkern.ts — strings of ASCII characters in physical memory, with a 0 behind them. */
import { u8 } from '../hw/heap.js';

/** Writes `text` to a field of `bytes`, cut to fit with its 0; each character keeps its lower 7 bits. */
export function strlcpy(address: number, text: string, bytes: number): void {
  const length = Math.min(text.length, bytes - 1);
  for (let n = 0; n < length; n++) u8[address + n] = text.charCodeAt(n) & 0x7f;
  u8[address + length] = 0;
}

/** @returns the text of a field of `bytes`, which need not end in a 0: it may be what a caller passed */
export function stringAt(address: number, bytes: number): string {
  let text = '';
  for (let n = 0; n < bytes - 1 && u8[address + n] !== 0; n++) text += String.fromCharCode(u8[address + n]);
  return text;
}
