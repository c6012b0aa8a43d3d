/** Mallocs that are made to fail: every workload goes on without the block, and nothing is lost or freed twice. */
import { beforeEach, describe, expect, test } from 'vitest';
import { failMalloc, mallocFailures } from '../../src/host/fail_malloc.js';
import { EV_ALLOC, EV_FREE, EV_REALLOC, EV_WORDS } from '../../src/workload/replay.layout.js';
import { type Inside, inside } from '../helpers/inside.js';

const parts = async () => ({
  larson: await import('../../src/workload/larson.js'),
  local: await import('../../src/workload/local.js'),
  pair: await import('../../src/workload/pair.js'),
  replay: await import('../../src/workload/replay.js'),
  ring: await import('../../src/workload/ring.js'),
  stats: await import('../../src/workload/stats.js'),
  xmalloc: await import('../../src/workload/xmalloc.js'),
});

describe.each([1, 3])('one of %i mallocs fails', (rate) => {
  let m: Inside;
  let run: Awaited<ReturnType<typeof parts>>;
  let type: number;
  let slots: number;

  beforeEach(async () => {
    m = await inside({ cpus: 1, alloc: 'freebsd', tunables: { 'debug.malloc.failure_rate': rate } });
    run = await parts();
    type = m.mallocTypeCreate('temp');
    // a malloc that may wait never fails
    slots = m.kmalloc(64 * 1024, type, m.M_WAITOK | m.M_ZERO) >>> 2;
  });

  /** Frees what stands in the first `count` slots, and finds everything in its place. */
  function rest(count: number): void {
    for (let n = 0; n < count; n++) {
      const p = m.i32[slots + n]!;
      if (p > 1) m.kfree(p, type);
    }
    m.kfree(slots << 2, type);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
    expect(m.mallocTypeInuse(type)).toBe(0);
  }

  const failures = () => mallocFailures(m.memory);

  test('pair and stats leave the pair out', () => {
    run.pair.pairLoop(type, 64, 300);
    run.stats.statsMallocLoop(type, 64, 300);
    expect(failures()).toBe(600 / rate);
    rest(0);
  });

  test('local keeps the slot empty', () => {
    run.local.localLoop(type, slots, 3000, 1);
    expect(failures()).toBe(3000 / rate);
    rest(1024);
  });

  test('larson keeps the slot empty, from the start', () => {
    const x = run.larson.larsonFill(type, slots, 1);
    run.larson.larsonRun(type, [slots], 0, 1, 0, 2, x);
    expect(failures()).toBe(15_000 / rate);
    rest(5000);
  });

  test('ring puts nothing into its slot, and counts on', () => {
    run.ring.ringRun(type, slots, slots, 16, 64, 3000);
    expect(failures()).toBe(3000 / rate);
    rest(0);
  });

  test('xmalloc leaves the block out of its batch, never the batch', () => {
    const queue = m.kmalloc(128, type, m.M_WAITOK | m.M_ZERO);
    m.i32[(queue >>> 2) + run.xmalloc.XQ_LEFT] = 3;
    run.xmalloc.xmallocProduce(type, queue >>> 2, 64, 3);
    expect(run.xmalloc.xmallocConsume(type, queue >>> 2)).toBe(3 * 4096);
    expect(failures()).toBe((3 * 4096) / rate);
    m.kfree(queue, type);
    rest(0);
  });

  test('replay leaves out what was never born; a realloc that fails leaves the old block', () => {
    const births = 300;
    const events = [
      ...Array.from({ length: births }, (_, n) => [EV_ALLOC, n, 100, 0]),
      ...Array.from({ length: births }, (_, n) => [EV_REALLOC, births + n, n % 5 === 0 ? 0 : 3000, n]),
      ...Array.from({ length: births }, (_, n) => [EV_FREE, births + n, 0, 0]),
    ];
    const program = new Int32Array(events.length * EV_WORDS);
    for (const [n, words] of events.entries()) program.set(words, n * EV_WORDS);
    run.replay.replayRun(program, events.length, slots, [type]);
    expect(failures()).toBeGreaterThan(0);
    rest(2 * births);
  });

  test('what a trace leaves alive is freed, what was never born is not', () => {
    const program = new Int32Array(100 * EV_WORDS);
    for (let n = 0; n < 100; n++) program.set([EV_ALLOC, n, 100, 0], n * EV_WORDS);
    run.replay.replayRun(program, 100, slots, [type]);
    run.replay.replayFree(slots, 0, 100, 1, [type], new Int32Array(100));
    expect(Array.from({ length: 100 }, (_, n) => m.i32[slots + n])).toEqual(new Array(100).fill(0));
    rest(0);
  });
});

describe('while the machine runs', () => {
  let m: Inside;
  let type: number;
  const nowait = (count: number, of = type): number => {
    let failed = 0;
    for (let n = 0; n < count; n++) {
      const p = m.kmalloc(64, of, m.M_NOWAIT);
      if (p === 0) failed++;
      else m.kfree(p, of);
    }
    return failed;
  };

  beforeEach(async () => {
    m = await inside({ cpus: 2, alloc: 'freebsd' });
    type = m.mallocTypeCreate('temp');
  });

  test('failures can be switched on and off', () => {
    expect(nowait(100)).toBe(0);
    failMalloc(m.memory, { rate: 4 });
    expect(nowait(100)).toBe(25);
    expect(mallocFailures(m.memory)).toBe(25);
    failMalloc(m.memory, { rate: 0 });
    expect(nowait(100)).toBe(0);
  });

  test('of one type only, whatever all types were told before', () => {
    const other = m.mallocTypeCreate('other');
    failMalloc(m.memory, { rate: 1 });
    failMalloc(m.memory, { rate: 2, type: 'temp' });
    expect([nowait(10), nowait(10, other)]).toEqual([5, 0]);
  });

  test('of one CPU only', () => {
    failMalloc(m.memory, { rate: 1, cpu: 1 });
    expect([nowait(10), m.on(1, () => nowait(10))]).toEqual([0, 10]);
  });

  test.each([
    [{ rate: -1 }, /rate: -1 is not usable; expected a whole number from 0/],
    [{ rate: 0.5 }, /rate: 0.5 is not usable/],
    [{ rate: 1, cpu: 2 }, /cpu: 2 is not usable; expected a whole number from 0 to 1/],
    [{ rate: 1, type: 'nix' }, /type: no type 'nix'; there are .*temp/],
  ])('%j is refused by name', (failure, message) => {
    expect(() => failMalloc(m.memory, failure)).toThrow(message);
    expect(nowait(10)).toBe(0);
  });

  test('the slab allocator has no such switch', async () => {
    const other = await inside();
    expect(() => failMalloc(other.memory, { rate: 1 })).toThrow(/boot with alloc: 'freebsd'/);
    expect(mallocFailures(other.memory)).toBe(0);
  });
});
