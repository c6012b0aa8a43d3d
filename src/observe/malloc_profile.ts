/**
 * malloc_profile.ts — MALLOC_PROFILE read from outside: requests by size, and what they were given.
 *
 * FreeBSD's kern.mprof printed the size a request was rounded to and its zone's; here each row knows the bytes that
 * were really asked for, so the waste is what clients did not ask for, not an estimate by zone.
 */
import { SB_MPROF, SB_PROFILE } from '../hw/superblock.layout.js';
import {
  MP_ASKED, MP_GIVEN, MP_LARGEST, MP_REQUESTS, MP_WORDS, MPROF_ROWS, MPROF_SHIFT,
} from '../kern/malloc_profile.layout.js';
import type { Memory } from './memory.js';

/** Requests of one size, rounded up to 16 bytes. */
export interface ProfileRow {
  /** largest size of the row; null: everything beyond 16 KiB */
  readonly size: number | null;
  readonly requests: number;
  readonly asked: number;
  readonly given: number;
  /** bytes of the largest block given */
  readonly largest: number;
}

export interface ProfileTotal {
  readonly requests: number;
  readonly asked: number;
  readonly given: number;
}

/** Does the machine count? (tunable debug.malloc.profile) */
export function profiling(memory: Memory): boolean {
  return memory.sb(SB_PROFILE) !== 0;
}

/** Rows with requests, by size. Those of a running machine may be a moment apart. */
export function mallocProfile(memory: Memory): ProfileRow[] {
  const rows: ProfileRow[] = [];
  for (let n = 0; n < MPROF_ROWS; n++) {
    const word = (memory.sb(SB_MPROF) >>> 2) + n * MP_WORDS;
    const pair = (at: number) => (memory.i32[word + at + 1]! >>> 0) * 0x100000000 + (memory.i32[word + at]! >>> 0);
    const requests = pair(MP_REQUESTS);
    if (requests === 0) continue;
    const size = n === MPROF_ROWS - 1 ? null : n << MPROF_SHIFT;
    const largest = memory.i32[word + MP_LARGEST]! >>> 0;
    rows.push({ size, requests, asked: pair(MP_ASKED), given: pair(MP_GIVEN), largest });
  }
  return rows;
}

/** What came after `before`: two readings of one machine. */
export function profileSince(after: readonly ProfileRow[], before: readonly ProfileRow[]): ProfileRow[] {
  const old = new Map(before.map((row) => [row.size, row]));
  return after.flatMap((row) => {
    const { requests = 0, asked = 0, given = 0 } = old.get(row.size) ?? {};
    const since = {
      ...row, requests: row.requests - requests, asked: row.asked - asked, given: row.given - given,
    };
    return since.requests > 0 ? [since] : [];
  });
}

/** Two profiles as one. */
export function profileSum(a: readonly ProfileRow[], b: readonly ProfileRow[]): ProfileRow[] {
  const sum = new Map(a.map((row) => [row.size, row]));
  for (const row of b) {
    const old = sum.get(row.size);
    sum.set(row.size, old === undefined ? row : {
      size: row.size, requests: old.requests + row.requests, asked: old.asked + row.asked,
      given: old.given + row.given, largest: Math.max(old.largest, row.largest),
    });
  }
  return [...sum.values()].sort((x, y) => (x.size ?? Number.MAX_VALUE) - (y.size ?? Number.MAX_VALUE));
}

export function profileTotal(rows: readonly ProfileRow[]): ProfileTotal {
  const sum = (value: (row: ProfileRow) => number) => rows.reduce((total, row) => total + value(row), 0);
  return { requests: sum((row) => row.requests), asked: sum((row) => row.asked), given: sum((row) => row.given) };
}

/** Of the bytes that were given, the percentage nobody had asked for. */
export function wastePercent({ asked, given }: Pick<ProfileTotal, 'asked' | 'given'>): number {
  return given === 0 ? 0 : (100 * (given - asked)) / given;
}
