import { describe, expect, test } from 'vitest';
import { along, follow } from '../../src/lab/counterexample/follow.js';
import { prepareForToken, replayToken } from '../../src/lab/counterexample/replay.js';
import { scenario } from '../../src/lab/scenario.js';
import { shrink } from '../../src/lab/counterexample/shrink.js';
import { prepareSubject } from '../../src/lab/subject.js';
import { definition } from '../fixtures/race/lost_add.mjs';
import { findWhole } from './find.js';

const lostAdd = scenario('lost-add', definition);

describe('shrinking', () => {
  test('leaves out the operations that have no part in it', async () => {
    const { subject, found, schedule } = await findWhole(lostAdd);
    const shrunk = await shrink(subject, schedule);
    expect(shrunk.token).toBe('1b/a0.a2.b0.b2');
    expect(shrunk.from).toBe(schedule.length);
    expect(shrunk.replays).toBeGreaterThan(0);
    const again = await prepareForToken(lostAdd, shrunk.token);
    expect(replayToken(again, shrunk.token).verdict.failure?.cls).toBe(found.failure.cls);
  });

  test('gives the same for the same', async () => {
    const tokens = [];
    for (let n = 0; n < 2; n++) {
      const { subject, schedule } = await findWhole(lostAdd);
      tokens.push((await shrink(subject, schedule)).token);
    }
    expect(tokens[0]).toBe(tokens[1]);
  });

  test('finds the one switch in a schedule of many', async () => {
    const subject = await prepareSubject(lostAdd);
    // from CPU to CPU at every access
    const noisy = follow(subject, (stay, enabled, decision) => (enabled === 3 ? decision & 1 : stay));
    expect(noisy.verdict.failure?.cls).toBe('invariant');
    expect(noisy.deviations.length).toBeGreaterThan(3);
    const shrunk = await shrink(subject, noisy.schedule);
    expect(shrunk.token).toBe('1b/a0.a2.b0.b2');
  });

  test('leaves the subject it was given as it was', async () => {
    const { subject, found, schedule } = await findWhole(lostAdd);
    await shrink(subject, schedule);
    expect(follow(subject, along(schedule)).verdict.failure).toEqual(found.failure);
  });

  test('does not drop an operation whose absence is itself a failure', async () => {
    const needs = scenario('needs', {
      origin: 'generic',
      cpus: ['first', 'second'],
      races: false,
      rules: false,
      setup: (k) => k.words(2),
      cpu: {
        first: (k, [word]) => [k.op('set', (c) => c.st(word, 1)), k.op('add', (c) => c.st(word, c.ld(word) + 1))],
        second: (k, [word]) => [k.op('add', (c) => c.st(word, c.ld(word) + 1))],
      },
      after: (view, [word]) => (view.i32[word] === 3 ? undefined : `it is ${view.i32[word]}`),
    });
    const { subject, schedule } = await findWhole(needs);
    expect((await shrink(subject, schedule)).token).not.toContain('/');
  });

  test('keeps what it cannot shrink, and what does not fail', async () => {
    const { subject, schedule } = await findWhole(lostAdd);
    const spent = await shrink(subject, schedule, { limit: 0 });
    expect(spent.schedule).toEqual(schedule);
    const passing = follow(subject, (stay) => stay);
    const untouched = await shrink(subject, passing.schedule);
    expect(untouched).toMatchObject({ token: '-', replays: 0, schedule: passing.schedule });
  });

  test('keeps the class of the failure', async () => {
    // by default all is well; b alone in the middle of a: an exception; the sleeper first, and nobody rings: a deadlock
    const both = scenario('both', {
      origin: 'generic',
      cpus: ['a', 'b'],
      rules: false,
      races: false,
      setup: (k) => k.words(2),
      cpu: {
        a: (k, [x, y]) => [
          k.op('open', (c) => c.store(y, 1)), k.op('close', (c) => c.store(y, 2)), k.op('tell', (c) => c.store(x, 1)),
        ],
        b: (k, [x, y]) => [
          k.op('look', (c) => {
            if (c.load(y) === 1) throw new RangeError('open');
          }),
          k.op('sleep', (c) => c.wait(x, 0)),
        ],
      },
    });
    const subject = await prepareSubject(both);
    const asleep = follow(subject, along([0, 0, 1, 1]));
    expect(asleep.verdict.failure?.cls).toBe('deadlock');
    const thrown = follow(subject, along([0, 1]));
    expect(thrown.verdict.failure?.cls).toBe('exception');
    for (const { schedule, verdict } of [asleep, thrown]) {
      const shrunk = await shrink(subject, schedule);
      const again = await prepareForToken(both, shrunk.token);
      expect(replayToken(again, shrunk.token).verdict.failure?.cls).toBe(verdict.failure?.cls);
    }
  });
});
