/** Workers of a user's own as CPUs: they come, share memory, and go without leaving anything behind. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { Machine, Memory } from '../../src/index.js';
import { FREE_NAMES } from '../../src/base/policy.js';
import { P_CPU_DIED } from '../../src/base/panics.js';
import { RB_ENTRIES, RB_WORDS, RB_ZONE, SL_BATCH } from '../../src/dragonfly/slaballoc.layout.js';
import { attached } from './helpers/attached.js';
import { audited, machine, panicOf, phases, run, UNRUNG_MS, workload } from './helpers/machine.js';

/** Batches of remote frees that any CPU has not sent yet. */
function openBatches(memory: Memory): number {
  let open = 0;
  for (let cpu = 0; cpu < memory.ncpu; cpu++) {
    const first = memory.slgd(cpu) + SL_BATCH + RB_ZONE;
    for (let n = 0; n < RB_ENTRIES; n++) if (memory.i32[first + n * RB_WORDS] !== 0) open++;
  }
  return open;
}

const typeAttached = async (m: Machine): Promise<number> =>
  (await workload<number[]>(m, 'defineTypes', [['attached']]))[0]![0]!;

/** What a worker says that tries to attach without being asked to by a machine. */
async function attempt(workerData: unknown): Promise<{ code: string; message: string }> {
  const code = `
    import { parentPort } from 'node:worker_threads';
    const { attach } = await import(${JSON.stringify(new URL('../../dist/vcpu.js', import.meta.url).href)});
    await attach().catch(({ code, message }) => parentPort.postMessage({ code, message }));`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData });
  const [message] = await once(worker, 'message');
  await worker.terminate();
  return message;
}

test('two attached CPUs and the machine free what the others allocated', async () => {
  const m = await machine({ cpus: 1, attach: 2, invariants: true });
  const [a, b] = await Promise.all([attached(m), attached(m)]);
  const type = await typeAttached(m);
  const blocks = await a.ask<number[]>('allocate', 200, 1000);
  await b.ask('free', blocks.slice(0, 500));
  for (const block of blocks.slice(500, 510)) await workload(m, 'freeArea', [block, type]);
  await a.ask('free', blocks.slice(510));
  await Promise.all([a.ask('detach'), b.ask('detach')]);
  expect(await audited(m)).toBe(0);
});

test('an attached CPU takes part in the messages of a phase from its event loop', async () => {
  const m = await machine({ attach: 1 });
  const a = await attached(m);
  const [quick] = await run<number>(m, phases('ipi'), 'synchronizeOnce', [], { cpus: [0] });
  expect(quick).toBeLessThan(UNRUNG_MS / 2);
  await a.ask('sleep', 20);
  const [afterSleep] = await run<number>(m, phases('ipi'), 'synchronizeOnce', [], { cpus: [0] });
  expect(afterSleep).toBeLessThan(UNRUNG_MS / 2);
});

test('there are as many tickets as the machine was booted for', async () => {
  const m = await machine({ attach: 1 });
  expect(m.ticket().cpu).toBe(2);
  expect(() => m.ticket()).toThrow('attach: all 1 attachable CPUs have tickets; boot with attach: 2 or more');
});

test.each([undefined, { smpalloc: { cpu: 0 } }, { smpalloc: { heap: new SharedArrayBuffer(4096), cpu: 0 } }])(
  'attach refuses what is no ticket: %j',
  async (workerData) => {
    expect(await attempt(workerData)).toEqual({
      code: 'ESMP_UNBOUND',
      message:
        'attach: no ticket. Start the worker with workerData: { smpalloc: machine.ticket() }, or pass attach(ticket)',
    });
  },
);

test('a worker is a CPU once', async () => {
  const m = await machine({ attach: 1 });
  const a = await attached(m);
  expect(await a.ask('attachAgain')).toMatch(/attach: this worker is a CPU already/);
});

test('a CPU that detaches sends its open batches home first', async () => {
  const m = await machine({ attach: 2, invariants: true });
  const [a, b] = [await attached(m), await attached(m)];
  const blocks = await a.ask<number[]>('allocate', 64, 5);
  await b.ask('freeAndDetach', blocks);
  // one swap takes all five home; a clock tick among the frees sends what there is, and makes it two
  expect([1, 2]).toContain(m.sysctl('kern.slab.cas_tries'));
  expect(openBatches(m.memory)).toBe(0);
  await a.ask('detach');
  expect(await audited(m)).toBe(0);
});

test.each(['tick', 0] as const)('a CPU that detaches serves what was sent to it, signal delay %s', async (signalDelay) => {
  const m = await machine({ attach: 2, free: 'ipi', signalDelay });
  const [a, b] = [await attached(m), await attached(m)];
  const blocks = await a.ask<number[]>('allocate', 64, 100);
  await Promise.all([b.ask('freeAndDetach', blocks), a.ask('sleep', 50)]);
  await a.ask('detach');
  expect(await audited(m)).toBe(0);
});

test.each(FREE_NAMES)('blocks of a CPU that has gone can be freed: policy %s', async (free) => {
  const m = await machine({ attach: 1, free });
  const a = await attached(m);
  // more zones than a message queue has slots
  const blocks = await a.ask<number[]>('allocate', 4000, 3000);
  await a.ask('detach');
  await a.ask('exit', 0);
  await a.ended;
  const type = await typeAttached(m);
  await run(m, phases('mishaps'), 'freeAll', [type, blocks], { cpus: [0] });
  // chunks that go home by message had nobody to take them in, and are still accounted for
  expect(await audited(m)).toBe(free === 'ipi' ? blocks.length : 0);
});

test.each([
  ['by process.exit(1)', 'exit', 1],
  ['by process.exit(0)', 'exit', 0],
  ['because it has nothing left to do', 'end', 0],
])('an adopted CPU that ends without detaching %s panics the machine', async (_how, what, code) => {
  const m = await machine({ attach: 1 });
  const a = await attached(m);
  const running = panicOf(run(m, phases('mishaps'), 'sleepLong'));
  await a.ask(what, code);
  expect(await running).toMatchObject({
    panicCode: P_CPU_DIED, message: `panic: cpu2 died (exit code ${code}): its worker was ended`,
  });
});

test('an adopted CPU that is killed panics the machine', async () => {
  const m = await machine({ attach: 1 });
  const a = await attached(m);
  await a.worker.terminate();
  expect((await panicOf(workload(m, 'ready'))).message).toBe('panic: cpu2 died (exit code 1): its worker was ended');
});

test.each([0, 1])('a worker that detached may end as it likes: exit code %i', async (code) => {
  const m = await machine({ attach: 1 });
  const a = await attached(m);
  await a.ask('detach');
  await a.ask('exit', code);
  expect(await a.ended).toBe(code);
  expect(await audited(m)).toBe(0);
});

test('a panic reaches an attached CPU in what it does next', async () => {
  const m = await machine({ attach: 1 });
  const a = await attached(m);
  await panicOf(run(m, phases('mishaps'), 'oneThrows'));
  await expect(a.ask('sleep', 10_000)).rejects.toThrow(/panic/);
});
