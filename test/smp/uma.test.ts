/** UMA on real workers: who sleeps at a limit is woken, and reclaims meet zones in every state. */
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/index.js';
import { kernelMessages } from '../../src/observe/msgbuf.js';
import { audited, defineType, machine, phases, run, workload } from './helpers/machine.js';

const UMA = phases('uma');
/** a sleeper in "zonelimit" looks for itself this often (uma_slab.ts) */
const LOOK_MS = 1000;

async function flag(m: Machine): Promise<{ type: number; at: number }> {
  const type = await defineType(m);
  const [at] = await workload<number>(m, 'allocateArea', [64, type], { cpus: [0] });
  return { type, at: at! };
}

describe.each([false, true])('with checks %s', (invariants) => {
  test.each([[2, 8, 3, 1024], [4, 12, 3, 1024], [4, 4, 1, 1024], [4, 124, 20, 64], [3, 2, 1, 9000]])(
    '%i CPUs share %i items, %i at a time, of %i bytes: all get theirs, and nobody waits for a look of his own',
    async (cpus, max, hold, size) => {
      const m = await machine({ alloc: 'freebsd', cpus, invariants });
      const { at } = await flag(m);
      const [zone] = await run<number>(m, UMA, 'makeZone', [size, max], { cpus: [0] });
      const rounds = 2000;
      const start = performance.now();
      const results = await run<{ got: number; stolen: number }>(m, UMA, 'contend', [zone, hold, rounds, at]);
      expect(performance.now() - start).toBeLessThan(10 * LOOK_MS);
      for (const { got, stolen } of results) expect([got, stolen]).toEqual([hold * rounds, 0]);
      expect(await audited(m)).toBe(1);
      await run(m, UMA, 'destroyZone', [zone], { cpus: [0] });
      expect(kernelMessages(m.memory)).toEqual([]);
      expect(await audited(m)).toBe(1);
    },
  );

  test('one CPU reclaims while the others allocate and free', async () => {
    const m = await machine({ alloc: 'freebsd', cpus: 3, invariants });
    const { type, at } = await flag(m);
    const [reclaims] = await run<number>(m, UMA, 'reclaiming', [type, 60_000, at]);
    expect(reclaims).toBeGreaterThan(2);
    expect(await audited(m)).toBe(1);
  });

  test('zones come and go while the others reclaim', async () => {
    const m = await machine({ alloc: 'freebsd', cpus: 3, invariants });
    const { at } = await flag(m);
    const [rounds, looks] = await run<number>(m, UMA, 'comings', [300, at]);
    expect([rounds, looks! > 2]).toEqual([300, true]);
    expect(kernelMessages(m.memory)).toEqual([]);
    expect(await audited(m)).toBe(1);
  });
});
