/** wide.ts — 64-bit counters: one access, or two halves where the machine has 32 bits (torn); and doubles. */
import { LD, LD64, LDF, RACY, RACY64, ST64, STF } from '../../base/access.js';
import { highHalf, joined, lowHalf } from '../../base/bits.js';
import { f64, i32, i64 } from '../heap.js';
import { layout } from './entity.js';
import { options } from './hooks.js';
import { journal, journalCount } from './journal.js';
import { length, logBig, logDouble, me, pos } from './log.js';
import { ld32, racy32, st32 } from './plain.js';
import { after, before, diverged, live, replay } from './step.js';

export function ld64(dword: number): bigint {
  return read64(LD64, LD, dword);
}

function read64(kind: number, half: number, dword: number): bigint {
  const word = dword << 1;
  if (options.torn || layout.tso) {
    if (live && half === LD) return joined(ld32(word), ld32(word + 1));
    if (live) return joined(racy32(word), racy32(word + 1));
  }
  if (pos < length) {
    replay(kind, word);
    return logBig[me][pos - 1];
  }
  if (!live) return i64[dword];
  before(kind, word, 0);
  const value = i64[dword];
  after(kind, word, i32[word], i32[word], i32[word]);
  logBig[me][pos - 1] = value;
  return value;
}

export function st64(dword: number, to: bigint): bigint {
  const word = dword << 1;
  const value = BigInt.asIntN(64, to);
  if (live && (options.torn || layout.tso)) {
    st32(word, lowHalf(value));
    st32(word + 1, highHalf(value));
  } else if (pos < length) {
    if (logBig[me][pos] !== value) diverged('it wrote something else');
    replay(ST64, word);
  } else if (!live) set64(dword, value);
  else {
    before(ST64, word, lowHalf(value));
    const old = i32[word];
    set64(dword, value);
    after(ST64, word, i32[word], old, i32[word]);
    logBig[me][pos - 1] = value;
  }
  return to;
}

function set64(dword: number, value: bigint): void {
  journal(dword << 1, lowHalf(value));
  journal((dword << 1) + 1, highHalf(value));
  i64[dword] = value;
}

export function racyBig(dword: number): bigint {
  return read64(RACY64, RACY, dword);
}

// doubles count events of their CPU: never a scheduling point

export function ldf(dword: number): number {
  if (pos < length) {
    replay(LDF, dword << 1);
    return logDouble[me][pos - 1];
  }
  if (!live) return f64[dword];
  before(LDF, dword << 1, 0);
  const value = f64[dword];
  after(LDF, dword << 1, 0, 0, 0);
  logDouble[me][pos - 1] = value;
  return value;
}

export function stf(dword: number, value: number): number {
  if (pos < length) {
    replay(STF, dword << 1);
    return value;
  }
  if (live) before(STF, dword << 1, 0);
  journalCount(dword << 1);
  journalCount((dword << 1) + 1);
  f64[dword] = value;
  if (live) after(STF, dword << 1, 0, 0, 0);
  return value;
}
