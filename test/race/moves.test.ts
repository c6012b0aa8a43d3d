/** moves.test.ts — threads that move to another CPU: where they may, and what they see there. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { follow } from '../../src/lab/counterexample/follow.js';
import { entitiesOf, titleOf } from '../../src/lab/counterexample/letters.js';
import { replayToken } from '../../src/lab/counterexample/replay.js';
import { decode, encode } from '../../src/lab/counterexample/token.js';
import { findScenario } from '../../src/lab/catalogue/index.js';
import type { Client } from '../../src/lab/kit.js';
import { type Scenario, scenario } from '../../src/lab/scenario.js';
import { makeSearch } from '../../src/lab/search/index.js';
import { bootStepped } from '../../src/lab/stepped.js';
import { prepareSubject, type Subject, type SubjectOptions } from '../../src/lab/subject.js';
import { program, type ProgramOptions } from './programs.js';

type Definition = Omit<Scenario, 'name' | 'origin'>;

/** One thread of CPU 0, which may be moved to CPU 1, where nobody is. */
function mover(name: string, run: (c: Client, words: readonly number[]) => unknown, more: Partial<Definition> = {}) {
  return scenario(name, {
    origin: 'generic',
    cpus: ['mover', 'idle'],
    moves: { 0: [1] },
    rules: false,
    setup: (k) => k.words(4),
    cpu: { mover: (k, words: number[]) => [k.op('run', (c) => run(c, words))], idle: () => [] },
    ...more,
  });
}

/** Everything that can come out of all schedules, failures by class. */
async function ends(of: Scenario, options: SubjectOptions = {}, algorithm = 'bound'): Promise<string[]> {
  return endsOf(await prepareSubject(of, options), algorithm)!;
}

function endsOf(subject: Subject, algorithm: string, most = 100_000): string[] | null {
  const found = new Set<string>();
  const search = makeSearch(algorithm, subject, {
    onEnd: ({ failure, outcome }) => found.add(failure ? `! ${failure.cls}` : outcome),
  });
  for (let n = 0; search.next(); n++) if (n > most) return null;
  return [...found].sort();
}

/** Pending accesses of the first thread before which, by the default schedule, a move was offered, by place. */
async function offered(of: Scenario): Promise<string[]> {
  const subject = await prepareSubject(of);
  const { layout, pendWord } = subject.engine.entity;
  const names = new Map(subject.machine.critWords.map((word, cpu) => [word, `crit${cpu}`]));
  const places: string[] = [];
  follow(subject, (stay, enabled) => {
    if (stay === 0 && ((enabled >>> layout.move0) & 1) === 1) {
      const word = pendWord[0]!;
      places.push(names.get(word) ?? (word >= subject.engine.journal.HEAP_WORDS ? 'mask' : 'word'));
    }
    return stay;
  });
  return places;
}

describe('a thread', () => {
  test('may be moved before any access, but not in a critical section and not with interrupts masked', async () => {
    const outside = mover('outside', (c, [a]) => void c.st(a!, c.ld(a!) + 1));
    expect(await offered(outside)).toEqual(['word', 'word']);
    const inside = mover('inside', (c, [a]) => {
      c.ld(a!);
      c.crit(() => void c.st(a!, c.ld(a!) + 1));
      c.ld(a!);
    });
    // into the section: the load of the count, its store; behind it: the look for interrupts, and the last word
    expect(await offered(inside)).toEqual(['word', 'crit0', 'crit0', 'word', 'word']);
    const masked = mover('masked', (c, [a]) => {
      c.engine.intrDisable();
      c.st(a!, c.ld(a!) + 1);
      c.engine.intrRestore();
      c.ld(a!);
    });
    expect(await offered(masked)).toEqual(['mask', 'word', 'word']);
  });

  test('is not moved from under an interrupt, nor when it sleeps or is done', async () => {
    const subject = await prepareSubject(mover('interrupted', (c, [a]) => c.ld(a!), {
      setup: (k) => {
        const words = k.words(4);
        const func = k.handler((c) => void c.add(words[1]!, 1));
        k.on(1, (c) => void c.send(0, func));
        return words;
      },
      cpu: {
        mover: (k, [a, , bell]: number[]) => [
          k.op('run', (c) => c.ld(a!)), k.op('sleep', (c) => c.wait(bell!, 0)),
        ],
        idle: () => [],
      },
    }));
    const { layout, serving, stateOf, ASLEEP } = subject.engine.entity;
    const seen = { served: 0, free: 0 };
    const isMovable = (enabled: number) => ((enabled >>> layout.move0) & 1) === 1;
    follow(subject, (stay, enabled, decision) => {
      if (serving[0]! >= 0) {
        seen.served++;
        expect(isMovable(enabled)).toBe(false);
      } else if (isMovable(enabled)) seen.free++;
      return decision === 1 ? layout.irq0 : stay;
    });
    expect(seen.served).toBeGreaterThan(3);
    expect(seen.free).toBeGreaterThan(0);
    expect(stateOf[0]).toBe(ASLEEP);
    expect(isMovable(subject.engine.access.enabled())).toBe(false);
  });

  test('is moved to each CPU of its list once', async () => {
    const back = mover('back', (c, [a]) => {
      const cpus = [c.engine.curcpu];
      for (let n = 0; n < 3; n++) {
        c.ld(a!);
        cpus.push(c.engine.curcpu);
      }
      return cpus.join('');
    }, { moves: { 0: [1, 0] }, result: (_view, _state, results) => String(results[0]![0]) });
    expect(await ends(back)).toEqual(['0000', '0001', '0010', '0011', '0100', '0110', '0111']);
  });

  test('waits on its new CPU while another is in a critical section there', async () => {
    const busy = mover('busy', (c, [a]) => c.ld(a!), {
      cpu: {
        mover: (k, [a]: number[]) => [k.op('run', (c) => c.ld(a!))],
        idle: (k, [, b]: number[]) => [k.op('section', (c) => c.crit(() => c.ld(b!)))],
      },
    });
    const subject = await prepareSubject(busy);
    const { layout, pinned } = subject.engine.entity;
    let waited = 0;
    follow(subject, (stay, enabled) => {
      if (pinned(1) && ((enabled >>> layout.move0) & 1) === 1) return layout.move0;
      if (pinned(1) && (enabled & 1) === 0) waited++;
      return (enabled >>> 1) & 1 ? 1 : stay;
    });
    expect(waited).toBeGreaterThan(0);
  });
});

describe('an operation', () => {
  const cpus = (c: Client, words: readonly number[]): void => {
    for (const word of words) c.st(word, 1 + c.engine.curcpu + (c.ld(word) & 0));
  };

  test('that is run again sees at each access the CPU it saw there', async () => {
    const again = mover('again', cpus, {
      threads: { 0: 'other', 1: 'other' },
      cpu: {
        mover: (k, words: number[]) => [k.op('run', (c) => cpus(c, words))],
        idle: () => [],
        other: (k, words: number[]) => [k.op('look', (c) => void words.map((word) => c.ld(word)))],
      },
      races: false,
      result: (view, words: number[]) => words.map((word) => view.i32[word]).join(''),
    });
    // what has been stored is compared when the operation is run again: another CPU would be 'nondeterminism'
    const subject = await prepareSubject(again);
    const found = new Set<string>();
    const search = makeSearch('random', subject, {
      executions: 2000, onEnd: ({ failure, outcome }) => found.add(failure?.message ?? outcome),
    });
    while (search.next());
    // curcpu is read before the load: the first time before there was an access to be moved at
    expect([...found].sort()).toEqual(['1111', '1112', '1122', '1222']);
  });

  test('begins where the one before has ended', async () => {
    const two = mover('two', () => 0, {
      cpu: {
        mover: (k, [a]: number[]) => ['first', 'second'].map((name) => k.op(name, (c) => {
          const from = c.engine.curcpu;
          c.ld(a!);
          return `${from}${c.engine.curcpu}`;
        })),
        idle: () => [],
      },
      result: (_view, _state, results) => results[0]!.join(' '),
    });
    expect(await ends(two)).toEqual(['00 00', '00 01', '01 11']);
  });

  test('has its critical count and its masks with it, wherever they were begun', async () => {
    const sections = (c: Client, [a]: readonly number[]) => {
      c.crit(() => c.crit(() => void c.st(a!, c.ld(a!) + 1)));
      c.engine.intrDisable();
      c.st(a!, c.ld(a!) + 1);
      c.engine.intrRestore();
    };
    // the other thread of CPU 1 is in sections of its own
    const of = mover('sections', sections, {
      cpu: {
        mover: (k, words: number[]) => [k.op('run', (c) => sections(c, words))],
        idle: (k, [, b]: number[]) => [k.op('own', (c) => c.crit(() => void c.st(b!, c.ld(b!) + 1)))],
      },
      result: (view, [a, b]: number[]) => `${view.i32[a!]} ${view.i32[b!]}`,
    });
    const subject = await prepareSubject(of);
    const found = new Set<string>();
    const search = makeSearch('bound', subject, {
      bound: 3, onEnd: ({ failure, outcome }) => found.add(failure?.message ?? outcome),
    });
    while (search.next());
    expect([...found]).toEqual(['2 1']);
  });

  test('finds what it stored before it was moved: a context switch empties the store buffer', async () => {
    const stored = mover('stored', (c, [a]) => {
      c.st(a!, 1);
      return c.ld(a!);
    }, { result: (_view, _state, results) => String(results[0]![0]) });
    expect(await ends(stored, { memory: 'tso' })).toEqual(['1']);
  });
});

test('a mutex is a CPU\'s here: a thread that moves with one held outside of a section panics', async () => {
  const holder = (inSection: boolean) => mover('holder', (c, [a, mutex]) => {
    const hold = () => {
      c.mtxLock(mutex!);
      c.ld(a!);
      c.mtxUnlock(mutex!);
    };
    if (inSection) c.crit(hold);
    else hold();
  }, { result: () => 'held' });
  expect(await ends(holder(false))).toEqual(['! panic', 'held']);
  expect(await ends(holder(true))).toEqual(['held']);
});

describe('happens-before', () => {
  const twice = (c: Client, word: number) => {
    c.st(word, c.ld(word) + 1);
    c.st(word, c.ld(word) + 1);
  };

  test('orders what a thread did on its old CPU before what it does on the new one', async () => {
    expect(await ends(mover('alone', (c, [a]) => twice(c, a!), { result: () => 'ok' }))).toEqual(['ok']);
  });

  test('orders two threads of one CPU, until one of them has left it', async () => {
    const both = (moves: Definition['moves']) => scenario('both', {
      origin: 'generic',
      cpus: ['one', 'idle'],
      threads: { 0: 'one' },
      ...(moves && { moves }),
      setup: (k) => k.words(1),
      cpu: { one: (k, [a]: number[]) => [k.op('run', (c) => twice(c, a!))], idle: () => [] },
      result: () => 'ok',
    });
    expect(await ends(both(undefined), { points: 'all' })).toEqual(['ok']);
    expect(await ends(both({ 0: [1] }))).toEqual(['! data-race', 'ok']);
  });
});

describe('searches', () => {
  const kinds = ['own', 'own', 'ld', 'st', 'crit', 'cas'] as const;

  test.each([
    ['two threads', { cpus: 2, moves: true, statements: 2, kinds }],
    ['three', { cpus: 2, twoThreads: true, moves: true, statements: 1, kinds }],
  ] as [string, ProgramOptions][])('come to the same ends: all schedules, every state once; %s', async (_, options) => {
    const on = await bootStepped({ cpus: 2, signalDelay: 0, mutex: 'futex' });
    let compared = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const subject = await prepareSubject(program(seed, options), { on, casFails: Number.POSITIVE_INFINITY });
      expect(subject.points).toBe('all');
      const all = endsOf(subject, 'bound', 4000);
      if (all === null) continue;
      compared++;
      expect([seed, endsOf(subject, 'states')]).toEqual([seed, all]);
    }
    expect(compared).toBeGreaterThan(8);
  }, 120_000);

  test('that draw meet a failure that takes a move', async () => {
    const of = findScenario('R2-early');
    for (const algorithm of ['random', 'pos', 'pct:3']) {
      const search = makeSearch(algorithm, await prepareSubject(of, { defects: ['early'] }), { executions: 3000 });
      while (search.next() && !search.found);
      expect([algorithm, search.found?.failure.cls]).toEqual([algorithm, 'stats-drift']);
    }
  });

  test('count a move as a preemption', async () => {
    const subject = await prepareSubject(mover('one', (c, [a]) => c.ld(a!)));
    const executions = [0, 1].map((bound) => {
      const search = makeSearch('bound', subject, { bound });
      while (search.next());
      return search.executions;
    });
    expect(executions).toEqual([1, 2]);
  });

  test('by classes are refused', async () => {
    const subject = await prepareSubject(findScenario('R2-moves'));
    expect(() => makeSearch('dpor', subject)).toThrow(
      "algo: 'dpor' cannot explore threads that move; bound, states, random, pos and pct can",
    );
  });
});

describe('a token', () => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await prepareSubject(findScenario('R2-early'));
  });

  test('stands for one schedule, and that schedule has one token', () => {
    const { move0 } = subject.engine.entity.layout;
    const pick = fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, fc.constantFrom(0, 2, move0));
    let moved = 0;
    fc.assert(
      fc.property(fc.array(pick, { minLength: 1, maxLength: 40 }), (picks) => {
        const { schedule } = follow(subject, (stay, enabled, decision) => {
          const entity = picks[decision % picks.length]!;
          return entity >= 0 && ((enabled >>> entity) & 1) === 1 ? entity : stay;
        });
        const token = encode(schedule, subject);
        if (token.includes('I')) moved++;
        expect(decode(token, subject)).toEqual(schedule);
      }),
      { numRuns: 100, seed: 14 },
    );
    expect(moved).toBeGreaterThan(20);
  });

  test('has a letter for each move, and says whom it means', async () => {
    const two = await prepareSubject(mover('both', (c, [a]) => c.ld(a!), {
      threads: { 1: 'idle' }, moves: { 0: [1], 2: [0] }, interrupts: false,
    }));
    expect(entitiesOf(two).map((e) => titleOf(two, e))).toEqual([
      'cpu0', 'cpu1', "cpu1's 2nd thread", "the move of cpu0's thread to cpu1",
      "the move of cpu1's 2nd thread to cpu0",
    ]);
    expect(() => decode('K', two)).toThrow("token 'K': this token belongs to another scenario: it names move 2");
    expect(() => decode('900I', two)).toThrow(
      "decision 901 goes to the move of cpu0's thread to cpu1, and cannot be followed",
    );
    expect(() => decode('Q', two)).toThrow('I-P the move of a thread');
    expect(replayToken(two, 'I').preemptions).toBe(1);
  });
});

test('a scenario says which thread moves where, or is refused', () => {
  type Moves = NonNullable<Definition['moves']>;
  const moving = (moves: unknown) => () => mover('wrong', () => 0, { moves: moves as Moves });
  expect(moving({ 2: [0] })).toThrow("scenario 'wrong': moves names thread 2; its threads are 0 to 1");
  expect(moving({ a: [0] })).toThrow('moves names thread a');
  for (const cpus of [[], [2], [1, 1], 1, ['1']]) {
    expect(moving({ 0: cpus })).toThrow('moves[0] is a list of CPUs from 0 to 1, each once');
  }
  expect(moving('0 to 1')).toThrow('moves is { thread: [CPUs] }, by number');
});
