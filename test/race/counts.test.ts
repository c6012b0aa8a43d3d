/**
 * counts.test.ts — searches meet the numbers of schedules, classes and states that four other engines agreed on.
 *
 * Two producers push to a list with compare-and-swap, one owner takes it as a whole and walks it.
 */
import { expect, test } from 'vitest';
import { CAS, XCHG } from '../../src/base/access.js';
import { estimateTree } from '../../src/lab/search/estimate.js';
import type { Subject } from '../../src/lab/subject.js';
import { everything, exhaust, freelist } from './freelist.js';

function atAtomics(subject: Subject): Subject {
  subject.engine.access.options.allPoints = false;
  subject.engine.access.options.atomicPoints = true;
  return subject;
}

test('schedules with at most so many preemptions: two operations', async () => {
  const subject = await everything(freelist(2));
  const counts = [0, 1, 2, 3].map((bound) => exhaust(subject, 'bound', { bound }).executions);
  expect(counts).toEqual([6, 88, 984, 9062]);
});

test('schedules with at most so many preemptions: three operations', async () => {
  const subject = await everything(freelist(3));
  const counts = [0, 1, 2, 3].map((bound) => exhaust(subject, 'bound', { bound }).executions);
  expect(counts).toEqual([6, 138, 2520, 37296]);
});

test('all schedules at atomic accesses', async () => {
  const { executions, heaps, failures } = exhaust(atAtomics(await everything(freelist(2))), 'bound');
  expect([executions, heaps, failures]).toEqual([87260, 52, 0]);
});

test.each([false, true])('one schedule of each class, none blocked (at atomic accesses only: %s)', async (atomics) => {
  const subject = await everything(freelist(2));
  const { executions, cut, heaps, complete } = exhaust(atomics ? atAtomics(subject) : subject, 'dpor');
  expect([executions, cut, heaps, complete]).toEqual([8036, 0, 52, true]);
});

test('every state once', async () => {
  const search = exhaust(await everything(freelist(2)), 'states');
  expect([search.states, search.heaps, search.complete]).toEqual([33899, 52, true]);
});

/** The order of an execution's accesses to the list's head, but for reads between the same two writes: its class. */
class HeadOrder {
  #writes: number[] = [];
  #reads: number[][] = [[], [], []];
  readonly #head: number;

  constructor(subject: Subject) {
    this.#head = subject.engine.entity.pendWord[0]!;
    subject.engine.access.hooks.watch = (entity, kind, word, result) => {
      if (word !== this.#head) return;
      if (kind === XCHG || (kind === CAS && result === 1)) this.#writes.push(entity);
      else this.#reads[entity]!.push(this.#writes.length);
    };
  }

  /** and makes ready for the next execution */
  take(): string {
    const text = JSON.stringify([this.#writes, this.#reads]);
    this.#writes = [];
    this.#reads = [[], [], []];
    return text;
  }
}

test('a budget of failed compare-and-swaps cuts the classes that exceed it, and no other', async () => {
  const subject = atAtomics(await everything(freelist(2, true)));
  subject.execute();
  const order = new HeadOrder(subject);
  const worstOf = new Map<string, number>();
  exhaust(subject, 'bound', {
    onEnd: () => worstOf.set(order.take(), Math.max(...subject.results.slice(0, 2).flat().map(Number))),
  });
  expect(worstOf.size).toBe(8036);
  for (const [casFails, classes] of [206, 3900, 7360].entries()) {
    expect([...worstOf.values()].filter((worst) => worst <= casFails)).toHaveLength(classes);
    const { executions } = exhaust(await everything(freelist(2), { casFails }), 'dpor');
    expect(executions).toBe(classes);
  }
});

test('the estimate of a small tree is near its size', async () => {
  const subject = atAtomics(await everything(freelist(2)));
  const { schedules, error } = estimateTree(subject, 3000, 1);
  expect(Math.abs(schedules - 87260)).toBeLessThan(4 * error);
  expect(error / schedules).toBeLessThan(0.5);
});

test('a drawn execution is the same alone and behind others', async () => {
  const subject = await everything(freelist(2));
  for (const algorithm of ['random', 'pos', 'pct:3']) {
    const heaps: string[] = [];
    exhaust(subject, algorithm, { seed: 7, executions: 20, onEnd: () => heaps.push(subject.finalHeap()) });
    const alone: string[] = [];
    // part 13 of 20 has but the one execution
    exhaust(subject, algorithm, {
      seed: 7, executions: 1, shard: { index: 13, of: 20 }, onEnd: () => alone.push(subject.finalHeap()),
    });
    expect([algorithm, heaps[13]]).toEqual([algorithm, alone[0]]);
  }
});
