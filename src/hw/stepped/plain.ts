/** plain.ts — plain accesses to 32-bit words and to bytes. */
import { LD, LD8, RACY, ST, ST8 } from '../../base/access.js';
import { i32, u8 } from '../heap.js';
import { curcpu } from './curcpu.js';
import { critWord, layout } from './entity.js';
import { journal } from './journal.js';
import { length, pos } from './log.js';
import { after, before, live, replay, replayWrite } from './step.js';
import { buffered, seen } from './storebuffer.js';

export function ld32(at: number): number {
  if (pos < length) return replay(LD, at);
  if (!live) return i32[at];
  const word = before(LD, at, 0);
  const value = layout.tso ? seen(word) : i32[word];
  after(LD, word, value, value, value);
  return value;
}

export function st32(at: number, to: number): number {
  const value = to | 0;
  if (pos < length) replayWrite(ST, at, value);
  else if (!live) setWord(at, value);
  else {
    const word = before(ST, at, value);
    const old = i32[word];
    // who may interrupt is asked of memory: the critical count is its CPU's own, and need not wait
    if (layout.tso && word !== critWord[curcpu]) buffered(word, value);
    else setWord(word, value);
    after(ST, word, value, old, value);
  }
  return to;
}

export function setWord(word: number, value: number): void {
  journal(word, value);
  i32[word] = value;
}

export function ld8(byte: number): number {
  if (pos < length) return replay(LD8, byte >>> 2);
  if (!live) return u8[byte];
  before(LD8, byte >>> 2, 0);
  const value = layout.tso ? (seen(byte >>> 2) >>> ((byte & 3) << 3)) & 0xff : u8[byte];
  after(LD8, byte >>> 2, value, value, value);
  return value;
}

export function st8(byte: number, to: number): number {
  const word = byte >>> 2;
  const shift = (byte & 3) << 3;
  if (pos < length) {
    replay(ST8, word);
    return to;
  }
  if (live) before(ST8, word, to);
  const old = live && layout.tso ? seen(word) : i32[word];
  const value = (old & ~(0xff << shift)) | ((to & 0xff) << shift);
  if (!live) setWord(word, value);
  else {
    if (layout.tso) buffered(word, value);
    else setWord(word, value);
    after(ST8, word, to & 0xff, old, value);
  }
  return to;
}

export function racy32(word: number): number {
  if (pos < length) return replay(RACY, word);
  if (!live) return i32[word];
  before(RACY, word, 0);
  const value = layout.tso ? seen(word) : i32[word];
  after(RACY, word, value, value, value);
  return value;
}
