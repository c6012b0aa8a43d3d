/** Mutexes on more CPUs than cores: nobody gets in twice, and nobody who sleeps is forgotten. */
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/index.js';
import { MTX_NAMES } from '../../src/base/policy.js';
import { defineType, machine, phases, run, workload } from './helpers/machine.js';

const MUTEX = phases('mutex');
/** how long a sleeper sleeps when nobody wakes it (kern_mutex.ts) */
const FORGOTTEN_MS = 1000;

async function area(m: Machine): Promise<number> {
  const [address] = await workload<number>(m, 'allocateArea', [128, await defineType(m)], { cpus: [0] });
  return address!;
}

const counted = (m: Machine, address: number): number => m.memory.i32[(address >>> 2) + 16]!;

describe.each(MTX_NAMES)('four CPUs on two cores, mutex form %s', (mutex) => {
  test('a counter under the mutex is exact', async () => {
    const m = await machine({ cpus: 4, mutex });
    const address = await area(m);
    await run(m, MUTEX, 'count', [address, 3000]);
    expect(counted(m, address)).toBe(12_000);
    expect(m.memory.i32[address >>> 2]).toBe(0);
  });

  test('whoever waits for a long turn is woken when it ends', async () => {
    const m = await machine({ cpus: 4, mutex });
    const address = await area(m);
    const ms = await run<number>(m, MUTEX, 'hold', [address, 10]);
    expect(counted(m, address)).toBe(40);
    expect(Math.max(...ms)).toBeLessThan(FORGOTTEN_MS);
  });

  test('a try succeeds as often as it says', async () => {
    const m = await machine({ cpus: 4, mutex });
    const address = await area(m);
    const got = await run<number>(m, MUTEX, 'tryLock', [address, 3000]);
    expect(counted(m, address)).toBe(got.reduce((sum, n) => sum + n));
  });
});
