import { describe, expect, test } from 'vitest';
import { along, follow } from '../../src/lab/counterexample/follow.js';
import { replayReal } from '../../src/lab/farm/real.js';
import { loadScenarios, type Reference } from '../../src/lab/farm/reference.js';
import { prepareForToken, replayToken } from '../../src/lab/counterexample/replay.js';
import { shrink } from '../../src/lab/counterexample/shrink.js';
import { prepareSubject } from '../../src/lab/subject.js';
import { findWhole } from './find.js';

function file(name: string, scenario: string | null = null): Reference {
  const url = new URL(`../fixtures/race/${name}`, import.meta.url);
  return { kind: 'file', url: url.href, path: url.pathname, name: scenario };
}

async function firstOf(reference: Reference) {
  const [scenario] = await loadScenarios(reference);
  return scenario!;
}

const OF_CATALOGUE = ['R40', 'R34', 'R47'];

describe('a schedule on real workers', () => {
  test('does what was explored, 20 times of 20', async () => {
    const reference = file('lost_add.mjs');
    const { subject, schedule } = await findWhole(await firstOf(reference));
    expect(await replayReal(subject, schedule, reference, 20)).toEqual({ runs: 20, agreed: 20, differences: [] });
  });

  test('does so without the operations a token leaves out', async () => {
    const reference = file('lost_add.mjs');
    const { subject, schedule } = await findWhole(await firstOf(reference));
    const { token } = await shrink(subject, schedule);
    expect(token).toContain('/');
    const smaller = await prepareForToken(subject.scenario, token);
    const replay = await replayReal(smaller, replayToken(smaller, token).schedule, reference, 20);
    expect(replay).toEqual({ runs: 20, agreed: 20, differences: [] });
  });

  // a zone nobody will be told of; a panic; an interrupt that nobody raised
  test.each(OF_CATALOGUE)('does so for the allocator: %s', async (name) => {
    const reference: Reference = { kind: 'catalogue', name };
    const { subject, schedule } = await findWhole(await firstOf(reference), { defects: [name] });
    expect(await replayReal(subject, schedule, reference, 20)).toEqual({ runs: 20, agreed: 20, differences: [] });
  });

  // asleep and woken by the bell alone; asleep for good, because the bell was rung before
  test.each([[[0, 1], null], [[1, 1], 'deadlock']] as const)('sleeps as long: decisions %j', async (decisions, cls) => {
    const reference = file('sleeps.mjs');
    const subject = await prepareSubject(await firstOf(reference));
    const { schedule, verdict } = follow(subject, along(decisions));
    expect(verdict.failure?.cls ?? null).toBe(cls);
    expect(await replayReal(subject, schedule, reference, 20)).toEqual({ runs: 20, agreed: 20, differences: [] });
  });

  test('that goes another way there is told from the one that was explored', async () => {
    const reference = file('misbehaves.mjs', 'other-access');
    const subject = await prepareSubject(await firstOf(reference));
    const { schedule } = follow(subject, (stay) => stay);
    const { agreed, differences } = await replayReal(subject, schedule, reference, 3);
    expect(agreed).toBe(0);
    expect(differences).toEqual([
      'step 2: cpu0 made load scratch[0] -> 0, explored was st scratch[0] -> 2',
    ]);
  });

  test('ends when a worker throws, dies or hangs', async () => {
    const run = async (name: string, signal?: AbortSignal) => {
      const reference = file('misbehaves.mjs', name);
      const subject = await prepareSubject(await firstOf(reference));
      const { schedule } = follow(subject, (stay) => stay);
      return replayReal(subject, schedule, reference, 2, signal);
    };
    const thrown = await run('other-throw');
    expect(thrown.agreed).toBe(0);
    expect(thrown.differences).toEqual(['cpu0 threw TypeError: not here']);
    await expect(run('other-exit')).rejects.toMatchObject({ code: 'ESMP_HALTED' });
    await expect(run('other-hang', AbortSignal.timeout(1500))).rejects.toThrow('timeout');
  });

  test('is refused where it cannot be had', async () => {
    const reference = file('lost_add.mjs');
    const subject = await prepareSubject(await firstOf(reference), { memory: 'tso' });
    await expect(replayReal(subject, [], reference, 1)).rejects.toThrow('--real: store buffers cannot be steered');
    const sc = await prepareSubject(await firstOf(reference));
    const { schedule } = follow(sc, (stay) => stay);
    await expect(replayReal(sc, schedule, file('nowhere.mjs'), 1)).rejects.toMatchObject({ code: 'ESMP_INPUT' });
    const stopped = AbortSignal.abort(new Error('enough'));
    await expect(replayReal(sc, schedule, reference, 1, stopped)).rejects.toThrow('enough');
  });
});
