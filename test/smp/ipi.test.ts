/** Messages between CPUs: none lost, none twice, in order, and never a standstill. */
import { expect, test } from 'vitest';
import type { Machine } from '../../src/index.js';
import { P_IPIQ_NESTED, P_WAIT_IPIQ } from '../../src/base/panics.js';
import { audited, defineType, machine, panicOf, phases, run, UNRUNG_MS, workload } from './helpers/machine.js';
import { LOADS } from './helpers/workloads.js';

const IPI = phases('ipi');
const LINE_BYTES = 64;

interface Received {
  messages: number;
  disorder: number;
}

/** A zeroed block on CPU 0. */
async function area(m: Machine, bytes: number): Promise<number> {
  const [address] = await workload<number>(m, 'allocateArea', [bytes, await defineType(m, 'test')], { cpus: [0] });
  return address!;
}

const tally = (m: Machine): Promise<number> => area(m, m.memory.ncpu ** 2 * LINE_BYTES);

test('four CPUs on two cores storm each other: every message arrives once, in the order of its pair', async () => {
  const m = await machine({ cpus: 4 });
  const count = 8000;
  const received = await run<Received>(m, IPI, 'storm', [await tally(m), count]);
  expect(received.reduce((sum, { messages }) => sum + messages, 0)).toBe(4 * count);
  expect(received.map(({ disorder }) => disorder)).toEqual([0, 0, 0, 0]);
  expect(m.sysctl('lwkt.ipiq_done')).toBe(m.sysctl('lwkt.ipiq_count'));
  expect(m.sysctl('lwkt.ipiq_passive')).toBeGreaterThan(count);
  expect(await audited(m)).toBe(1);
});

test('four CPUs on two cores free in a ring and lose nothing', async () => {
  const m = await machine({ cpus: 4 });
  const load = await LOADS.ring(m, 20_000);
  await load.go();
  expect(await audited(m)).toBe(load.resting);
});

test.each([false, true])('two full queues against each other drain (passive: %s)', async (passive) => {
  const m = await machine();
  const received = await run<Received>(m, IPI, 'flood', [await tally(m), 20_000, passive]);
  expect(received).toEqual([{ messages: 20_000, disorder: 0 }, { messages: 20_000, disorder: 0 }]);
  expect(m.sysctl('lwkt.ipiq_fifofull')).toBeGreaterThan(0);
  await audited(m);
});

test('a ring of four full queues drains', async () => {
  const m = await machine({ cpus: 4 });
  const received = await run<Received>(m, IPI, 'flood', [await tally(m), 5000, false]);
  expect(received).toEqual(Array(4).fill({ messages: 5000, disorder: 0 }));
  await audited(m);
});

test.each([false, true])('a CPU in its event loop makes room in a queue that fills up (passive: %s)', async (passive) => {
  const m = await machine();
  await run(m, IPI, 'load');
  const [executed] = await run(m, IPI, 'floodIdle', [await tally(m), 2, 1, 5000, passive], { cpus: [0] });
  expect(executed).toBe(5000);
  await audited(m);
});

test('a send that may not wait is refused when the queue is two thirds full', async () => {
  const m = await machine();
  const [sent, executed] = await run<number>(m, IPI, 'nowait', [await area(m, 128)]);
  expect(sent).toBe(Math.ceil((256 * 2) / 3));
  expect(executed).toBe(sent);
  await audited(m);
});

test('all CPUs may wait for all queues at once, passive messages included', async () => {
  const m = await machine({ cpus: 4 });
  expect(await run(m, IPI, 'synchronize', [await tally(m), 20])).toEqual([0, 0, 0, 0]);
  await audited(m);
});

test('a CPU that leads a rendezvous finds all others standing still', async () => {
  const m = await machine({ cpus: 3 });
  const counters = await area(m, 128);
  const [moved, ...counted] = await run<number>(m, IPI, 'standStill', [counters, 100]);
  expect(moved).toBe(0);
  for (const count of counted) expect(count).toBeGreaterThan(0);
  expect(Array.from(m.memory.i32.subarray((counters >>> 2) + 16, (counters >>> 2) + 19))).toEqual([0, 100, 100]);
  expect(m.sysctl('lwkt.ipiq_cscount')).toBe(100);
});

test('a CPU in its event loop hears messages after it was held there', async () => {
  const m = await machine();
  await run(m, IPI, 'load');
  const [ms] = await run<number>(m, IPI, 'holdThenSynchronize', [50], { cpus: [0] });
  expect(ms).toBeLessThan(UNRUNG_MS / 2);
});

test.each([2, 4, 10])('%i CPUs lead rendezvous at once, and every function runs everywhere', async (cpus) => {
  const m = await machine({ cpus });
  const rounds = cpus === 10 ? 1 : 10;
  const ran = await run<number>(m, IPI, 'lead', [await area(m, 128), rounds]);
  expect(ran).toEqual(Array(cpus).fill(cpus * rounds));
});

test('handlers that answer into full queues never come to a standstill', async () => {
  const m = await machine();
  // when both queues are full in both handlers the kernel gives up rather than wait (R51)
  const answers = await run<number>(m, IPI, 'converse', [await area(m, 64), 20_000]).catch((panic) => panic.panicCode);
  expect([P_IPIQ_NESTED, [20_000, 20_000]]).toContainEqual(answers);
});

test('a message nobody serves makes its waiter panic in the end', async () => {
  const m = await machine({ tunables: { 'lwkt.ipiq_timeout': 100 } });
  const panic = await panicOf(run(m, IPI, 'waitInVain', [await area(m, 128)]));
  expect(panic.panicCode).toBe(P_WAIT_IPIQ);
  expect(panic.report.slice(0, 2)).toEqual(['panic: LWKT_WAIT_IPIQ', 'cpuid = 0']);
});

test('handlers that send while their target has no room nest until the kernel has had enough', async () => {
  const m = await machine({ cpus: 3 });
  const panic = await panicOf(run(m, IPI, 'nest', [await area(m, 128)]));
  expect(panic.panicCode).toBe(P_IPIQ_NESTED);
  expect(panic.message).toBe('panic: lwkt_send_ipiq: TOO HEAVILY NESTED!');
});
