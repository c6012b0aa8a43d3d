/** Litmus tests on real workers: counts add up, and whoever throws, dies or hangs ends the run with a message. */
import { expect, test } from 'vitest';
import { type LitmusRun, runLitmus } from '../../src/host/litmus.js';
import { partsOf, registersOf } from '../../src/lab/litmus/actor.js';
import { LITMUS } from '../../src/lab/litmus/tests.js';

const named = (name: string) => LITMUS.find((one) => one.name === name)!;

function runOf(name: string, more: Partial<LitmusRun> = {}): LitmusRun {
  const litmus = named(name);
  return {
    name, parts: litmus.actors.map((_, actor) => partsOf(litmus, actor)), registers: registersOf(litmus),
    seed: 1, ms: 20, warmUpMs: 1, ...more,
  };
}

/** The test's actors, the second of which does this instead. */
const spoiled = (part: string): Partial<LitmusRun> => ({
  parts: runOf('SB:plain').parts.map((one, actor) => (actor === 1 ? { ...one, part } : one)),
});

test('every instance has one result, and atomic accesses show none that is forbidden', async () => {
  const { counts, samples } = await runLitmus(runOf('SB:atomic'));
  expect(samples).toBeGreaterThan(0);
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(samples);
  expect(Object.keys(counts)).not.toContain('0');
});

test('no addition by Atomics is lost: memory is as it was before each instance', async () => {
  const { counts, samples } = await runLitmus(runOf('INC:atomic'));
  expect(counts).toEqual({ 2: samples });
});

test('threads beyond the cores get their turns', async () => {
  const { counts, samples } = await runLitmus(runOf('IRIW:atomic'));
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(samples);
});

test('an actor that throws ends the run, and is quoted', async () => {
  await expect(runLitmus(runOf('SB:plain', spoiled('throw new Error("no such word")')))).rejects.toMatchObject({
    code: 'ESMP_HALTED', message: 'litmus SB:plain: actor 1 threw Error: no such word',
  });
});

test('an actor that is no JavaScript ends the run', async () => {
  await expect(runLitmus(runOf('SB:plain', spoiled('=')))).rejects.toMatchObject({
    code: 'ESMP_HALTED', message: expect.stringMatching(/^litmus SB:plain: actor 1 threw SyntaxError: /),
  });
});

test('an actor whose worker ends is named', async () => {
  await expect(runLitmus(runOf('SB:plain', spoiled('process.exit(7)')))).rejects.toMatchObject({
    code: 'ESMP_HALTED', message: 'litmus SB:plain: actor 1 died with code 7',
  });
});

test('an actor that hangs ends the run as well', async () => {
  await expect(runLitmus(runOf('SB:plain', { ...spoiled('for (;;);'), patience: 500 }))).rejects.toMatchObject({
    code: 'ESMP_TIMEOUT', message: 'litmus SB:plain: an actor hangs: no stride in 500 ms',
  });
});

test('a signal ends the run with its reason', async () => {
  const stop = new AbortController();
  const running = runLitmus(runOf('SB:plain', { ms: 60_000 }), stop.signal, (samples) => {
    if (samples > 0) stop.abort(new Error('enough'));
  });
  await expect(running).rejects.toThrow('enough');
});
