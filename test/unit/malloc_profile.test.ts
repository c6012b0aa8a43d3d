/** MALLOC_PROFILE: what was asked for, what was given, and how it is read from outside. */
import { beforeEach, describe, expect, test } from 'vitest';
import { MP_REQUESTS, MP_WORDS, MPROF_MAX } from '../../src/kern/malloc_profile.layout.js';
import { SB_MPROF } from '../../src/hw/superblock.layout.js';
import {
  mallocProfile, profileSince, profileSum, profileTotal, profiling, wastePercent,
} from '../../src/observe/malloc_profile.js';
import { type Inside, inside } from '../helpers/inside.js';

const tunables = { 'debug.malloc.profile': 1 };

describe.each([true, false])('the slab allocator (invariants: %s)', (invariants) => {
  let m: Inside;
  let type: number;
  beforeEach(async () => {
    m = await inside({ invariants, tunables });
    type = m.mallocTypeCreate('temp');
    m.kmallocRaiseLimit(type, 0);
  });
  const rows = () => mallocProfile(m.memory).map(({ size, requests, asked, given }) => [size, requests, asked, given]);

  test('counts a request in the row of its size rounded up to 16', () => {
    for (const size of [1, 16, 17, 100]) m.kmalloc(size, type, m.M_WAITOK);
    expect(rows()).toEqual([[16, 2, 17, 24], [32, 1, 17, 24], [112, 1, 100, 104]]);
  });

  test('counts every request, the first of a zone and those that find one', () => {
    for (let n = 0; n < 300; n++) m.kmalloc(64, type, m.M_WAITOK);
    expect(rows()).toEqual([[64, 300, 64 * 300, 64 * 300]]);
  });

  test('counts whole pages in rows of their own up to 16 KiB, beyond that in one', () => {
    for (const size of [MPROF_MAX, MPROF_MAX + 1, 100_000]) m.kmalloc(size, type, m.M_WAITOK);
    expect(rows()).toEqual([
      [MPROF_MAX, 1, MPROF_MAX, 16384], [null, 2, MPROF_MAX + 1 + 100_000, 20480 + 102_400],
    ]);
    expect(mallocProfile(m.memory).at(-1)!.largest).toBe(102_400);
  });

  test('a request that failed, a free and a reallocation in place count nothing', () => {
    const p = m.kmalloc(100, type, m.M_WAITOK);
    expect(m.kmalloc(1 << 30, type, m.M_NOWAIT | m.M_NULLOK)).toBe(0);
    expect(m.krealloc(p, 101, type, m.M_WAITOK)).toBe(p);
    m.kfree(p, type);
    expect(profileTotal(mallocProfile(m.memory))).toEqual({ requests: 1, asked: 100, given: 104 });
  });

  test('M_POWEROF2 asked for what the caller asked for', () => {
    m.kmalloc(65, type, m.M_WAITOK | m.M_POWEROF2);
    expect(rows()).toEqual([[80, 1, 65, 128]]);
  });

  test('carries into the high word', () => {
    const row = (m.memory.sb(SB_MPROF) >>> 2) + 4 * MP_WORDS;
    m.memory.i32[row + MP_REQUESTS] = -1;
    m.kmalloc(64, type, m.M_WAITOK);
    expect(mallocProfile(m.memory)).toMatchObject([{ size: 64, requests: 2 ** 32, asked: 64 }]);
  });
});

test('nothing is counted without the tunable', async () => {
  const m = await inside();
  const type = m.mallocTypeCreate('temp');
  m.kmalloc(64, type, m.M_WAITOK);
  expect(profiling(m.memory)).toBe(false);
  expect(mallocProfile(m.memory)).toEqual([]);
});

describe('two readings', () => {
  const row = (size: number | null, requests: number) => ({
    size, requests, asked: 10 * requests, given: 16 * requests, largest: 16,
  });

  test('give what came between them, without rows where nothing came', () => {
    expect(profileSince([row(16, 5), row(32, 2), row(null, 1)], [row(16, 3), row(32, 2)])).toEqual([
      row(16, 2), row(null, 1),
    ]);
  });

  test('of two machines add up, by size, everything beyond last', () => {
    const sum = profileSum([row(32, 1), row(null, 1)], [row(16, 2), row(32, 3), row(null, 1)]);
    expect(sum).toEqual([row(16, 2), row(32, 4), row(null, 2)]);
  });

  test('waste is of what was given, and none of nothing', () => {
    expect(wastePercent({ asked: 75, given: 100 })).toBe(25);
    expect(wastePercent({ asked: 0, given: 0 })).toBe(0);
  });
});
