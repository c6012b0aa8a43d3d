/** malloc_fail.test.ts — mallocs that are made to fail: how often, whose, and who asks when it was. */
import { describe, expect, test } from 'vitest';
import { MF_CPU, MF_FAILURE_COUNT, MF_NOWAIT_COUNT } from '../../../src/freebsd/kern_malloc.layout.js';
import { KTR_MALLOC_FAIL } from '../../../src/kern/ktr.layout.js';
import { KS_FAILRATE } from '../../../src/kern/malloc_type.layout.js';
import { ktrTail } from '../../../src/observe/panic_report.js';
import { type Freebsd, freebsd, NOWAIT, WAITOK } from '../../helpers/freebsd.js';

const failures = (m: Freebsd): number => m.i32[m.f.KMALLOC + MF_FAILURE_COUNT]!;

/** which of so many mallocs fail */
function failing(m: Freebsd, type: number, n: number, flags = NOWAIT, size = 64): number[] {
  const failed: number[] = [];
  for (let k = 1; k <= n; k++) {
    const block = m.f.malloc(size, type, flags);
    if (block === 0) failed.push(k);
    else m.f.free(block, type);
  }
  return failed;
}

test('nothing fails unless it is asked to', async () => {
  const m = await freebsd();
  expect(failing(m, m.mallocTypeCreate('temp'), 1000)).toEqual([]);
  expect(m.i32[m.f.KMALLOC + MF_NOWAIT_COUNT]).toBe(0);
});

describe.each([true, false])('debug.malloc.failure_rate, invariants %s', (invariants) => {
  test('10: one of ten M_NOWAIT mallocs, as a tunable from the boot on', async () => {
    const m = await freebsd({ invariants, tunables: { 'debug.malloc.failure_rate': 10 } });
    const type = m.mallocTypeCreate('temp');
    expect(failing(m, type, 45)).toEqual([10, 20, 30, 40]);
    expect(failures(m)).toBe(4);
    expect(failing(m, type, 10, NOWAIT, 100_000)).toEqual([5]);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
  });

  test('M_WAITOK never fails, and is not counted', async () => {
    const m = await freebsd({ invariants, tunables: { 'debug.malloc.failure_rate': 1 } });
    const type = m.mallocTypeCreate('temp');
    expect(failing(m, type, 100, WAITOK)).toEqual([]);
    expect(failures(m)).toBe(0);
    expect(failing(m, type, 3)).toEqual([1, 2, 3]);
  });

  test('it may be changed while the machine runs', async () => {
    const m = await freebsd({ invariants });
    const type = m.mallocTypeCreate('temp');
    expect(failing(m, type, 5)).toEqual([]);
    m.failureRate(2);
    expect(failing(m, type, 5)).toEqual([2, 4]);
    m.failureRate(0);
    expect(failing(m, type, 5)).toEqual([]);
  });
});

test('a type may have a rate of its own, whatever the rate of all', async () => {
  const m = await freebsd();
  const [fragile, sturdy] = [m.mallocTypeCreate('fragile'), m.mallocTypeCreate('sturdy')];
  m.poke(fragile, KS_FAILRATE, 3);
  expect(failing(m, sturdy, 20)).toEqual([]);
  expect(failing(m, fragile, 9)).toEqual([3, 6, 9]);
});

test('one CPU alone may be made to fail', async () => {
  const m = await freebsd({ tunables: { 'debug.malloc.failure_rate': 1 } });
  const type = m.mallocTypeCreate('temp');
  m.i32[m.f.KMALLOC + MF_CPU] = 1 + 1;
  expect(failing(m, type, 3)).toEqual([]);
  expect(m.on(1, () => failing(m, type, 3))).toEqual([1, 2, 3]);
});

test('the victim stands in ktr: its type, the size, the rate', async () => {
  const m = await freebsd({ ktr: 64, tunables: { 'debug.malloc.failure_rate': 5 } });
  const type = m.mallocTypeCreate('temp');
  failing(m, type, 5, NOWAIT, 99);
  expect(KTR_MALLOC_FAIL).toBe(11);
  const line = ktrTail(m.memory, 0, 10).find((event) => event.includes('made to fail'));
  expect(line).toMatch(/malloc made to fail: type (temp|0x[0-9a-f]+) size 99 rate 5/);
});

describe('malloc_last_fail', () => {
  test('is the uptime while nothing ever failed', async () => {
    const m = await freebsd();
    m.uptime(1000);
    expect(m.f.mallocLastFail()).toBe(1000);
  });

  test('counts seconds from an injected failure, and from a real one', async () => {
    const m = await freebsd();
    const type = m.mallocTypeCreate('temp');
    m.uptime(1000);
    m.failureRate(1);
    m.f.malloc(64, type, NOWAIT);
    m.uptime(1007);
    expect(m.f.mallocLastFail()).toBe(7);
    m.failureRate(0);
    m.f.malloc(1 << 27, type, NOWAIT);
    expect(m.f.mallocLastFail()).toBe(0);
  });
});

/** A cache of blocks that is kind to others: while memory was short within a minute, it gives up one at each look. */
class ShrinkingCache {
  readonly #m: Freebsd;
  readonly #type: number;
  readonly blocks = new Map<string, number>();

  constructor(m: Freebsd) {
    this.#m = m;
    this.#type = m.mallocTypeCreate('cache');
  }

  /** @returns the block kept under a name; a new one, where there is memory */
  look(name: string): number {
    if (this.#m.f.mallocLastFail() < 60) this.#shrink();
    const known = this.blocks.get(name);
    if (known !== undefined) return known;
    const block = this.#m.f.malloc(1000, this.#type, NOWAIT);
    if (block !== 0) this.blocks.set(name, block);
    return block;
  }

  /** the oldest goes */
  #shrink(): void {
    for (const [name, block] of this.blocks) {
      this.blocks.delete(name);
      return this.#m.f.free(block, this.#type);
    }
  }
}

test('a cache that asks malloc_last_fail shrinks by one at each look for a minute, then grows again', async () => {
  const m = await freebsd();
  m.uptime(100);
  const cache = new ShrinkingCache(m);
  for (let n = 0; n < 20; n++) cache.look(`page ${n}`);
  expect(cache.blocks.size).toBe(20);
  m.failureRate(1);
  expect(cache.look('one more')).toBe(0);
  m.failureRate(0);
  expect(cache.blocks.size).toBe(20);
  for (const [n, second] of [100, 110, 130, 159].entries()) {
    m.uptime(second);
    cache.look('page 19');
    expect(cache.blocks.size).toBe(20 - 1 - n);
  }
  m.uptime(160);
  for (let n = 0; n < 20; n++) cache.look(`page ${n}`);
  expect(cache.blocks.size).toBe(20);
  expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 20 });
});
