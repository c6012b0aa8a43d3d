/** mem.ts — hw/mem.ts for modelled CPUs: a block is moved and filled line by line, an access each. */
import { i32 } from '../heap.js';
import { live } from './access.js';
import { readLine, writeLine } from './lines.js';
import { again, keep, length, pos } from './log.js';

const LINE_BYTES = 64;

export function bzero(address: number, bytes: number): void {
  fill32(address, 0, bytes);
}

export function fill32(address: number, value: number, bytes: number): void {
  const end = address + bytes;
  for (let at = address; at < end; at = (at & -LINE_BYTES) + LINE_BYTES) {
    if (pos < length) {
      again(at >>> 2);
      continue;
    }
    if (live) writeLine(at >>> 6);
    i32.fill(value, at >>> 2, Math.min(end, (at & -LINE_BYTES) + LINE_BYTES) >>> 2);
    if (live) keep(at >>> 2, value);
  }
}

export function bcopy(from: number, to: number, bytes: number): void {
  for (let done = 0; done < bytes; done += LINE_BYTES) {
    const some = Math.min(LINE_BYTES, bytes - done);
    if (pos < length) {
      again(to + done >>> 2);
      continue;
    }
    if (live) {
      readLine(from + done >>> 6);
      writeLine(to + done >>> 6);
    }
    i32.copyWithin(to + done >>> 2, from + done >>> 2, from + done + some >>> 2);
    if (live) keep(to + done >>> 2, 0);
  }
}
