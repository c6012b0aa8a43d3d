/** lines.test.ts — who has which line, and what it costs: an example worked by hand, and an independent directory. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boot, busy, counts, fresh, play, scratch } from './machine.js';

describe('the coherence model', () => {
  it('counts what an example of three CPUs comes to by hand', async () => {
    const m = await boot(3);
    const { ld32, st32, atomicAdd } = m.engine.access;
    const x = scratch(1);
    const wait = (cpu: number, times: number) => busy(m, scratch(10 + cpu), times);
    const ns = play(m, [
      // 0: the line comes from memory, unshared; 1000: both others have copies by now
      [() => st32(x, 1), ...wait(0, 900), () => st32(x, 2)],
      // 300: from CPU 0
      [...wait(1, 200), () => ld32(x)],
      // 600: from whoever had it alone last; 2000: two locked operations, one of them with the line here
      [...wait(2, 500), () => ld32(x), ...wait(2, 1500), () => atomicAdd(x, 1), () => atomicAdd(x, 1)],
    ]);
    expect(counts(m)).toEqual({
      accesses: 1 + 900 + 1 + 200 + 1 + 500 + 1 + 1500 + 2, locked: 2,
      // x: to 1, to 2, the upgrade of 0, to 2 again
      transfers: 4, upgrades: 1,
      // the upgrade takes the copies of 1 and 2, the locked operation that of 0
      invalidations: 3,
      // x, and a line of its own each
      misses: 4,
    });
    // CPU 2 is last: its line from memory and 500 reads, x from the other cluster, 1500 reads, x again, 2 locked
    expect(ns).toBe(100 + 500 + (70 + 1) + 1500 + (70 + 11) + 11);
    expect(m.memory.i32[x]).toBe(4);
  });

  it('agrees with a directory of sets on random accesses, whatever their order was', async () => {
    const m = await boot(5);
    const { ld32, st32, atomicAdd } = m.engine.access;
    const access = fc.record({ line: fc.nat(5), kind: fc.constantFrom('read', 'write', 'lock') });
    const area = fresh(m, 60 * 6 * 20);
    let used = 0;
    fc.assert(
      fc.property(fc.array(fc.array(access, { maxLength: 40 }), { minLength: 5, maxLength: 5 }), (lists) => {
        const first = used;
        used += 6;
        const order: { cpu: number; line: number; kind: string }[] = [];
        play(m, lists.map((list, cpu) => list.map(({ line, kind }) => () => {
          const word = area + (first + line) * 16;
          if (kind === 'read') ld32(word);
          else if (kind === 'write') st32(word, cpu);
          else atomicAdd(word, 1);
          order.push({ cpu, line, kind });
        })));
        expect(counts(m)).toMatchObject(directory(order));
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('makes a line everybody writes a queue: nobody has it before the one before him', async () => {
    const m = await boot(4);
    const { atomicAdd } = m.engine.access;
    const adds = Array.from({ length: 100 }, () => () => atomicAdd(scratch(1), 1));
    const ns = play(m, [adds, adds, adds, adds]);
    const { transfers = 0 } = counts(m);
    expect(transfers).toBeGreaterThan(100);
    // each transfer takes 50 or 70, and they do not overlap
    expect(ns).toBeGreaterThanOrEqual(transfers * 50);
    expect(m.memory.i32[scratch(1)]).toBe(400);
  });

  it('lets a plain store go on and a locked operation wait for it', async () => {
    const m = await boot(1);
    const { st32, atomicAdd } = m.engine.access;
    // ten lines from memory at once
    expect(play(m, [Array.from({ length: 10 }, (_, n) => () => st32(scratch(1 + n), 1))])).toBe(10);
    // the eleventh store waits for the first, and the locked operation for all
    const n = 11;
    const stores = Array.from({ length: n }, (_, k) => () => st32(scratch(20 + k), 1));
    expect(play(m, [[...stores, () => atomicAdd(scratch(20), 1)]])).toBeGreaterThan(200);
  });
});

/** Counts of an order of accesses, by a directory that knows nothing of the model. */
function directory(order: readonly { cpu: number; line: number; kind: string }[]) {
  const holders = new Map<number, Set<number>>();
  const dirty = new Map<number, number>();
  const result = { locked: 0, transfers: 0, upgrades: 0, invalidations: 0, misses: 0 };
  for (const { cpu, line, kind } of order) {
    const has = holders.get(line) ?? new Set<number>();
    holders.set(line, has);
    if (kind === 'lock') result.locked++;
    if (kind === 'read') {
      if (!has.has(cpu)) has.size === 0 ? result.misses++ : result.transfers++;
      has.add(cpu);
      if (has.size > 1) dirty.delete(line);
      continue;
    }
    const others = [...has].filter((other) => other !== cpu).length;
    if (has.size === 0) result.misses++;
    else if (others > 0) {
      result.transfers++;
      if (has.has(cpu)) result.upgrades++;
    }
    result.invalidations += others;
    has.clear();
    has.add(cpu);
    dirty.set(line, cpu);
  }
  return result;
}
