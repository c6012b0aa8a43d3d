/** CPUs die, phases fail: whoever waits for them is told, and the memory stays for the post-mortem. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { FreePolicy } from '../../src/index.js';
import { P_CPU_DIED, P_CRIT_UNBALANCED, P_EXCEPTION } from '../../src/base/panics.js';
import { machine, millisecondsOf, panicOf, phases, run, smpalloc, workload } from './helpers/machine.js';
import { LOADS, type LoadName } from './helpers/workloads.js';

const MISHAPS = phases('mishaps');
/** the host ends CPUs that have not left by themselves this long after a panic (machine.ts) */
const GRACE_MS = 2000;

const mortal: [FreePolicy, LoadName][] = [
  ['rbatch', 'larson'], ['rtagged', 'xmalloc'], ['rsignal2', 'ring'], ['ipi', 'xmalloc'], ['locked', 'larson'],
];

test.each(mortal)('a CPU killed in the middle of its frees ends the run: policy %s, %s', async (free, name) => {
  const m = await machine({ cpus: 4, free, ktr: 16 });
  const load = await LOADS[name](m, 1e6);
  const requests = () => smpalloc.mallocTypes(m.memory)[0]!.requests;
  const before = requests();
  const running = panicOf(load.go());
  await expect.poll(requests, { interval: 5, timeout: 5000 }).toBeGreaterThan(before + 1000);
  let panic!: Awaited<typeof running>;
  const ms = await millisecondsOf(async () => {
    await m.killCpu(1);
    panic = await running;
  });
  // the others left by themselves
  expect(ms).toBeLessThan(GRACE_MS);
  expect(panic.panicCode).toBe(P_CPU_DIED);
  expect(panic.message).toBe('panic: cpu1 died (exit code 1): its worker was ended');
  expect(panic.report[1]).toBe('cpuid = 1');
  expect((await panicOf(workload(m, 'ready'))).message).toBe(panic.message);
});

test('a dead machine can still be read, and its core has all of it', async () => {
  const m = await machine();
  const load = await LOADS.larson(m);
  await load.go();
  await m.killCpu(0);
  await panicOf(workload(m, 'ready'));
  expect(m.panicReport?.[0]).toBe('panic: cpu0 died (exit code 1): its worker was ended');
  const folder = await mkdtemp(join(tmpdir(), 'smpalloc-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await m.dumpCore(join(folder, 'core'));
  const core = new smpalloc.Memory(await smpalloc.readCore(join(folder, 'core')));
  expect(Buffer.compare(core.u8, m.memory.u8)).toBe(0);
  expect(smpalloc.panicReport(core)).toEqual(m.panicReport);
  expect(smpalloc.mallocTypes(core)).toMatchObject([{ name: 'temp', inuse: load.resting }]);
  const leaks = smpalloc.ddbCommand(core, 'leaks');
  expect(leaks).toContainEqual(expect.stringContaining(`walk: ${load.resting} live blocks`));
});

test('the panic a dead CPU causes carries the memory: it is written when the machine is gone', async () => {
  const m = await machine();
  await m.killCpu(1);
  const panic = await panicOf(workload(m, 'ready'));
  await m.stop();
  const folder = await mkdtemp(join(tmpdir(), 'smpalloc-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await panic.dumpCore(join(folder, 'core'));
  const { header, memory } = await smpalloc.openCore(join(folder, 'core'));
  expect(header).toMatchObject({ cpu: 1, panic: P_CPU_DIED });
  expect(smpalloc.ddbCommand(new smpalloc.Memory(memory), 'show panic; cpu')).toEqual([
    ...panic.report.slice(0, 2), expect.stringMatching(/^cpu1 of /),
  ]);
});

test('an exception in a phase is a panic that carries its text, and the others leave their barrier', async () => {
  const m = await machine({ cpus: 4 });
  let panic!: Awaited<ReturnType<typeof panicOf>>;
  const ms = await millisecondsOf(async () => {
    panic = await panicOf(run(m, MISHAPS, 'oneThrows'));
  });
  expect(ms).toBeLessThan(GRACE_MS);
  expect(panic.panicCode).toBe(P_EXCEPTION);
  expect(panic.report.slice(0, 2)).toEqual(['panic: RangeError: the moon is full', 'cpuid = 1']);
});

test.each([
  ['throwString', 'panic: Error: a string'],
  ['rejects', 'panic: TypeError: later'],
])('%s is an exception as well', async (name, message) => {
  const m = await machine();
  expect(await panicOf(run(m, MISHAPS, name))).toMatchObject({ panicCode: P_EXCEPTION, message });
});

test('a phase module that does not exist is named', async () => {
  const m = await machine();
  const panic = await panicOf(run(m, phases('nowhere'), 'anything'));
  expect(panic.panicCode).toBe(P_EXCEPTION);
  expect(panic.message).toMatch(/Cannot find module .*phases\/nowhere\.mjs/);
});

test('a phase that is not exported is answered with those that are', async () => {
  const m = await machine();
  const panic = await panicOf(run(m, MISHAPS, 'nothing'));
  expect(panic.message).toMatch(/mishaps\.mjs exports no function 'nothing' \(it has: .*loop.*oneThrows/);
});

test('a phase that never ends is given up when its time is over, and its machine with it', async () => {
  const m = await machine();
  await expect(m.run(MISHAPS, 'loop', [], { timeout: 200 })).rejects.toMatchObject({
    code: 'ESMP_TIMEOUT', message: 'phase: not done after 200 ms',
  });
  await expect(m.run(MISHAPS, 'loop')).rejects.toMatchObject({ code: 'ESMP_HALTED' });
});

test('a process that has given a machine up ends by itself', async () => {
  const script = `
    const { boot } = await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)});
    const m = await boot({ cpus: 2, memory: '64MiB' });
    await m.run(${JSON.stringify(MISHAPS)}, 'loop', [], { timeout: 50 }).catch(({ code }) => console.log(code));`;
  const node = promisify(execFile);
  const { stdout } = await node(process.execPath, ['--input-type=module', '-e', script], { timeout: 10_000 });
  expect(stdout).toBe('ESMP_TIMEOUT\n');
});

test('aborting stops a phase', async () => {
  const m = await machine();
  await expect(m.run(MISHAPS, 'loop', [], { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  await expect(m.run(MISHAPS, 'loop')).rejects.toMatchObject({ code: 'ESMP_HALTED' });
});

test('a signal that was aborted before stops the phase as well', async () => {
  const m = await machine();
  const reason = new Error('no');
  await expect(m.run(MISHAPS, 'loop', [], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('stop ends a run that waits for nothing', async () => {
  const m = await machine();
  const running = expect(m.run(MISHAPS, 'sleepLong')).rejects.toMatchObject({ code: 'ESMP_HALTED' });
  await m.stop();
  await running;
});

test('a phase that ends its worker kills the CPU', async () => {
  const m = await machine();
  const panic = await panicOf(run(m, MISHAPS, 'exit', [3]));
  expect(panic.panicCode).toBe(P_CPU_DIED);
  expect(panic.message).toBe('panic: cpu1 died (exit code 3): its worker was ended');
});

test('an exception between two phases kills the CPU, and the next run says why', async () => {
  const m = await machine({ cpus: 1 });
  await run(m, MISHAPS, 'throwLater');
  await expect.poll(() => m.panicReport?.[0]).toBe('panic: cpu0 died (exit code 1): after hours');
  expect((await panicOf(workload(m, 'ready'))).panicCode).toBe(P_CPU_DIED);
});

test('a phase that leaves a critical section open is told at once', async () => {
  const m = await machine();
  const panic = await panicOf(run(m, MISHAPS, 'unbalanced'));
  expect(panic.panicCode).toBe(P_CRIT_UNBALANCED);
  expect(panic.message).toBe('panic: critical section count 1 where 0 was expected');
});

test('what cannot be sent to a CPU, or back, fails the run and nothing else', async () => {
  const there = await machine();
  await expect(there.run(MISHAPS, 'unbalanced', [() => {}])).rejects.toMatchObject({ name: 'DataCloneError' });
  const back = await machine();
  await expect(back.run(MISHAPS, 'returnFunction')).rejects.toThrow(/serializable/);
});

test('all CPUs that throw at once: one of them is heard, in full', async () => {
  for (let round = 0; round < 3; round++) {
    const m = await machine({ cpus: 4 });
    const panic = await panicOf(run(m, MISHAPS, 'allThrow'));
    const cpu = Number(/^cpuid = (\d)$/.exec(panic.report[1]!)![1]);
    expect(panic.message).toBe(`panic: Error: ${String.fromCharCode(65 + cpu).repeat(900)} from cpu${cpu}`);
    await m.stop();
  }
});
