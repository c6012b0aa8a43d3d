import { describe, expect, test } from 'vitest';
import { breakAt } from '../../src/lab/counterexample/break.js';
import { counterexample, describe as tell } from '../../src/lab/counterexample/counterexample.js';
import { findScenario } from '../../src/lab/catalogue/index.js';
import { decode } from '../../src/lab/counterexample/token.js';
import { prepareForToken, replayToken } from '../../src/lab/counterexample/replay.js';
import type { Step } from '../../src/lab/result.js';
import { scenario } from '../../src/lab/scenario.js';
import { prepareSubject } from '../../src/lab/subject.js';
import { traceSchedule } from '../../src/lab/counterexample/trace.js';
import { definition } from '../fixtures/race/lost_add.mjs';
import { find } from './find.js';

const lostAdd = scenario('lost-add', definition);
const line = ({ step, switched, cpu, op, kind, place, result, line, returned }: Step) =>
  `${step}${switched ? '>' : ''} cpu${cpu} ${op}: ${kind} ${place} ${result} (${line})` +
  (returned === undefined ? '' : ' returned');

/** A message is published by `publish`, looked for by `look`: what orders them is the scenario's. */
function passing(publish: 'store' | 'st', look: 'load' | 'ld') {
  return scenario('passing', {
    origin: 'generic',
    cpus: ['writer', 'reader'],
    rules: false,
    setup: (k) => k.words(2),
    cpu: {
      writer: (k, [data, flag]) => [
        k.op('publish', (c) => {
          c.st(data, 42);
          c[publish](flag, 1);
        }),
      ],
      reader: (k, [data, flag]) => [k.op('look', (c) => (c[look](flag) === 1 ? c.ld(data) : -1))],
    },
  });
}

describe('a counterexample', () => {
  test('is the smallest execution, step by step, with lines and operations', async () => {
    const { subject, found } = await find(lostAdd);
    const shown = await counterexample(subject, found, { bound: 1 });
    expect(shown).toMatchObject({
      cls: 'invariant', message: 'the word is 1', token: '1b/a0.a2.b0.b2', switches: 2, preemptions: 1,
      execution: found.execution, columns: ['cpu0 adder', 'cpu1 adder'],
    });
    expect(shown.steps.map(line)).toEqual([
      '1 cpu0 add 0: ld scratch[0] 0 (lost_add.mjs:2)',
      '2> cpu1 add 1: ld scratch[0] 0 (lost_add.mjs:2)',
      '3 cpu1 add 1: st scratch[0] 1 (lost_add.mjs:2) returned',
      '4> cpu0 add 0: st scratch[0] 1 (lost_add.mjs:2) returned',
    ]);
  });

  test('of the allocator shows its TypeScript lines, structures, and what operations returned', async () => {
    const R40 = findScenario('R40');
    const { subject, found } = await find(R40, { defects: ['R40'] });
    const shown = await counterexample(subject, found, { bound: 1 });
    expect(shown.cls).toBe('lost-wakeup');
    expect(shown.token).toMatch(/^b\d+a$/);
    const cas = shown.steps.find(({ kind, place }) => kind === 'cas' && place.endsWith('.z_RChunks'))!;
    expect(cas).toMatchObject({ result: 1, old: 0, switched: true, frame: 'thread' });
    expect(cas.line).toMatch(/^slab_link\.ts:\d+$/);
    expect(shown.steps.every((step) => /^\w+\.ts:\d+$/.test(step.line))).toBe(true);
    expect(shown.steps.some((step) => step.returned?.startsWith('0x'))).toBe(true);
    const again = await prepareForToken(R40, shown.token, { defects: ['R40'] });
    const { schedule } = replayToken(again, shown.token);
    expect(tell(again, schedule)?.steps).toEqual(shown.steps);
    const lines = breakAt(again, schedule, cas.step);
    expect(lines.join('\n')).toMatch(/z_rchunks/i);
    // it has not happened yet
    expect(lines.find((text) => /z_rchunks/i.test(text))).toMatch(/\b0\b/);
  });

  test('names interrupts and store buffers', async () => {
    const { subject, found } = await find(findScenario('R2-interrupt'), { defects: ['R2'] });
    const { steps } = await counterexample(subject, found);
    const served = steps.filter(({ frame }) => frame === 'interrupt');
    expect(served.length).toBeGreaterThan(0);
    expect(served.every(({ op }) => op === 'splz')).toBe(true);
    const buffered = await prepareSubject(passing('st', 'ld'), { memory: 'tso' });
    const frames = traceSchedule(buffered, decode('-', buffered)).steps.map(({ frame, op }) => `${frame} ${op}`);
    expect(frames).toContain('drain store buffer');
  });

  test('of a data race says which two accesses, and which edge is missing', async () => {
    const unordered = await find(passing('st', 'load'));
    const { race } = await counterexample(unordered.subject, unordered.found);
    expect(race).toMatchObject({ place: 'scratch[1]' });
    expect(race!.missing).toBe(
      `cpu0's plain write of scratch[1] (step ${race!.first}) and cpu1's atomic read (step ${race!.second}): nothing ` +
        `cpu0 did after step ${race!.first} was an atomic store that cpu1 read before step ${race!.second}`,
    );
    const unread = await find(passing('store', 'ld'));
    const missing = (await counterexample(unread.subject, unread.found)).race!.missing;
    expect(missing).toMatch(/^cpu\d's (plain|atomic) (read|write) of scratch\[\d\] \(step \d\) and cpu\d's /);
  });

  test('of an execution that passes is none', async () => {
    const subject = await prepareSubject(lostAdd);
    expect(tell(subject, decode('-', subject))).toBeNull();
  });

  test('that cannot be shown again is kept without steps', async () => {
    const subject = await prepareSubject(lostAdd);
    const failure = { cls: 'torn-read' as const, message: 'half', cpu: 0, step: 3 };
    const shown = await counterexample(subject, { failure, schedule: [0, 1], execution: 7 });
    expect(shown).toMatchObject({ cls: 'torn-read', token: '', execution: 7, steps: [] });
  });
});
