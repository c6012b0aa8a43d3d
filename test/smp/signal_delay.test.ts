/** How late an owner hears of chunks that came home, and that it hears of them in any case. */
import { expect, test } from 'vitest';
import { audited, defineType, machine, phases, run, workload } from './helpers/machine.js';
import { conserves } from './helpers/workloads.js';

const IPI = phases('ipi');
/** fifty clock ticks: on two busy cores a tick itself may be late */
const SOON_MS = 500;

test.each([0, 10, 'tick'] as const)('a signal delay of %s loses nothing', async (signalDelay) => {
  await conserves('larson', { signalDelay, free: 'rbatch' });
  await conserves('ring', { signalDelay, free: 'rsignal2' });
  await conserves('xmalloc', { signalDelay, free: 'ipi' });
});

test('a passive message reaches a CPU in its event loop at a clock tick, without further traffic', async () => {
  const m = await machine();
  const type = await defineType(m);
  const [tally] = await workload<number>(m, 'allocateArea', [4 * 64, type], { cpus: [0] });
  await run(m, IPI, 'load');
  const [line] = await run(m, IPI, 'sendOne', [tally, 2, 1, true], { cpus: [0] });
  const [ms] = await run<number>(m, IPI, 'watch', [line, 1, 5000], { cpus: [0] });
  expect(ms).toBeGreaterThanOrEqual(0);
  expect(ms).toBeLessThan(SOON_MS);
});

test('a passive message reaches a CPU that sleeps in a phase at a clock tick', async () => {
  const m = await machine();
  const type = await defineType(m);
  const [tally] = await workload<number>(m, 'allocateArea', [4 * 64, type], { cpus: [0] });
  const [ms] = await run<number>(m, IPI, 'sendToSleeper', [tally, 5000]);
  expect(ms).toBeGreaterThanOrEqual(0);
  expect(ms).toBeLessThan(SOON_MS);
});

test('a chunk freed elsewhere leaves its batch when the phase is over', async () => {
  const m = await machine();
  const type = await defineType(m);
  const [block] = await workload<number>(m, 'allocateArea', [64, type], { cpus: [0] });
  await workload(m, 'freeArea', [block, type], { cpus: [1] });
  await expect.poll(() => m.sysctl('kern.slab.cas_tries'), { timeout: SOON_MS }).toBe(1);
  expect(await audited(m)).toBe(0);
});
