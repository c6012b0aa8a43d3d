/** Drawn schedules show the scheduling points that DPOR and `states` would else begin again for. */
import { expect, test } from 'vitest';
import { findScenario } from '../../src/lab/catalogue/index.js';
import { type PassRequest, runPass } from '../../src/lab/pass.js';
import { makeSearch } from '../../src/lab/search/index.js';
import { scout } from '../../src/lab/search/scouts.js';
import { prepareSubject, type Subject, type SubjectOptions } from '../../src/lab/subject.js';

const small = (options: SubjectOptions = {}): Promise<Subject> =>
  prepareSubject(findScenario('remote-free-2x2-polled'), { machine: { free: 'rtagged' }, ...options });
const never = () => false;

/** @returns executions of DPOR from its last beginning, and all that were made */
function dpor(subject: Subject): { counted: number; made: number } {
  const search = makeSearch('dpor', subject);
  let made = 1;
  while (search.next()) made++;
  return { counted: search.executions + search.cut, made };
}

test('a search that was scouted for begins but once, and has as many classes', async () => {
  const unprepared = dpor(await small());
  expect(unprepared.made).toBeGreaterThan(unprepared.counted);
  const subject = await small();
  scout(subject, 1, never);
  expect(dpor(subject)).toEqual({ counted: unprepared.counted, made: unprepared.counted });
});

test('what it learns does not depend on the seed', async () => {
  const known = [];
  for (const seed of [1, 2]) {
    const subject = await small();
    scout(subject, seed, never);
    known.push(new Set(subject.engine.shadow.exportSharing()));
  }
  expect(known[0]).toEqual(known[1]);
});

const request: PassRequest = {
  algorithm: 'dpor', bound: 0, seed: 1, executions: Number.MAX_SAFE_INTEGER, budget: 60_000, allFailures: false,
  countHeaps: false, sharing: [],
};

test('its executions are not counted among those of the pass', async () => {
  const { pass } = runPass(await small(), request, never);
  expect([pass.executions, pass.complete]).toEqual([844, true]);
});

test('a pass that nobody scouted for begins again with each point, and is not made once more at the end', async () => {
  const subject = await small();
  const executions = () => subject.engine.run.heart.beat[0]!;
  const before = executions();
  let asked = 0;
  const { pass } = runPass(subject, request, () => asked++ === 0);
  expect([pass.executions, pass.complete]).toEqual([844, true]);
  expect(executions() - before).toBe(dpor(await small()).made);
});

test('it makes no execution where every access is a point, or when it is told to stop', async () => {
  const cases = [[await small({ points: 'all' }), never], [await small(), () => true]] as const;
  for (const [subject, stop] of cases) {
    const executions = () => subject.engine.run.heart.beat[0];
    const before = executions();
    scout(subject, 1, stop);
    expect(executions()).toBe(before);
  }
});
