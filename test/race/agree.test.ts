/**
 * agree.test.ts — all schedules, one of each class, and every state once: three searches that share little come to the
 * same ends and the same failures, whatever the programs wait for.
 */
import { expect, test } from 'vitest';
import type { Client } from '../../src/lab/kit.js';
import { type Scenario, scenario } from '../../src/lab/scenario.js';
import { makeSearch } from '../../src/lab/search/index.js';
import { bootStepped, type SteppedMachine } from '../../src/lab/stepped.js';
import { prepareSubject, type Subject, type SubjectOptions } from '../../src/lab/subject.js';
import { type Kind, program, type ProgramOptions } from './programs.js';

/** Everything that can come out, failures by class; null when there is too much of it. */
function ends(subject: Subject, algorithm: string, most: number): string[] | null {
  const found = new Set<string>();
  const search = makeSearch(algorithm, subject, {
    onEnd: ({ failure, outcome }) => found.add(failure ? `! ${failure.cls}` : outcome),
  });
  for (let n = 0; search.next(); n++) if (n > most) return null;
  return [...found].sort();
}

const RAW: readonly Kind[] = ['ld', 'st', 'load', 'store', 'cas', 'xchg', 'add'];
const WAITING: readonly Kind[] = ['wait', 'notify', 'notify', 'spin'];

const FAMILIES: Readonly<Record<string, ProgramOptions & { readonly count: number; readonly memory?: 'tso' }>> = {
  'plain and atomic accesses': { cpus: 3, statements: 3, kinds: RAW, count: 60 },
  'sleeping and spinning': { cpus: 3, statements: 3, kinds: [...RAW, ...WAITING], count: 80 },
  'two threads on one CPU': {
    cpus: 2, twoThreads: true, statements: 2, kinds: [...RAW, 'crit', ...WAITING], count: 40,
  },
  'a mutex': { cpus: 2, statements: 2, kinds: ['lock', 'ld', 'st', 'add'], count: 10 },
  'interrupts': {
    cpus: 2, interrupts: true, statements: 2, kinds: ['raise', 'ld', 'st', 'crit', 'cas', 'splz'], count: 25,
  },
  'interrupts and sleep': {
    cpus: 2, interrupts: true, statements: 2, kinds: ['raise', 'crit', 'st', ...WAITING], count: 25,
  },
  'interrupts and two threads': {
    cpus: 2, interrupts: true, twoThreads: true, statements: 2, kinds: ['raise', 'ld', 'st', 'crit', 'spin'], count: 12,
  },
  'store buffers': { cpus: 2, statements: 3, kinds: [...RAW, ...WAITING], memory: 'tso', count: 60 },
};

test.each(Object.keys(FAMILIES))('random programs: %s', async (name) => {
  const { count, memory = 'sc', ...options } = FAMILIES[name]!;
  const on = await bootStepped({ cpus: options.cpus, signalDelay: 0, mutex: 'futex' });
  let compared = 0;
  for (let seed = 1; seed <= count; seed++) {
    const casFails = seed % 3 === 0 ? 0 : Number.POSITIVE_INFINITY;
    const subject = await prepareSubject(program(seed, options), { on, points: 'all', memory, casFails });
    const states = ends(subject, 'states', 8000);
    if (states === null) continue;
    compared++;
    const programs = subject.threads.map(({ operations }) => operations.map((op) => op.name).join('; '));
    const text = `${seed}: ${programs.join(' || ')}`;
    expect([text, ends(subject, 'dpor', 8000)]).toEqual([text, states]);
    const all = ends(subject, 'bound', 1500);
    if (all !== null) expect([text, all]).toEqual([text, states]);
    // scheduling points left out at words that nobody shares hide nothing
    const shared = await prepareSubject(program(seed, options), { on, points: 'shared', memory, casFails });
    expect([text, ends(shared, 'dpor', 8000)]).toEqual([text, states]);
  }
  expect(compared).toBeGreaterThan(count / 2);
}, 120_000);

async function compare(of: Scenario, options: SubjectOptions & { on?: SteppedMachine } = {}): Promise<string[]> {
  const subject = await prepareSubject(of, { points: 'all', casFails: Number.POSITIVE_INFINITY, ...options });
  const states = ends(subject, 'states', 100_000)!;
  expect(ends(subject, 'dpor', 100_000)).toEqual(states);
  return states;
}

/** A word each of two threads adds to. */
function adders(how: 'plain' | 'crit' | 'mutex' | 'atomic', sameCpu: boolean): Scenario {
  return scenario(`adders-${how}`, {
    origin: 'generic',
    cpus: sameCpu ? ['adder'] : ['adder', 'adder'],
    ...(sameCpu && { threads: { 0: 'adder' } }),
    interrupts: false,
    races: false,
    setup: (k) => k.words(2),
    cpu: {
      adder: (k, [word, mutex]: number[]) => [
        k.op('add', (c) => {
          const add = () => c.st(word!, c.ld(word!) + 1);
          if (how === 'atomic') c.add(word!, 1);
          else if (how === 'crit') c.crit(add);
          else if (how === 'plain') add();
          else {
            c.mtxLock(mutex!);
            add();
            c.mtxUnlock(mutex!);
          }
        }),
      ],
    },
    after: (view, [word]: number[]) => view.i32[word!] === 2 || 'an addition was lost',
    result: () => 'both',
  });
}

test('a lost update is found, and none where there is mutual exclusion', async () => {
  expect(await compare(adders('plain', false))).toEqual(['! invariant', 'both']);
  expect(await compare(adders('plain', true))).toEqual(['! invariant', 'both']);
  expect(await compare(adders('crit', true))).toEqual(['both']);
  // a critical section keeps other CPUs out of nothing
  expect(await compare(adders('crit', false))).toEqual(['! invariant', 'both']);
  expect(await compare(adders('atomic', false))).toEqual(['both']);
  expect(await compare(adders('mutex', false), { machine: { mutex: 'spin' } })).toEqual(['both']);
});

test('a mutex that sleeps excludes as well', async () => {
  expect(await compare(adders('mutex', false), { machine: { mutex: 'futex' } })).toEqual(['both']);
});

/** A thread waits for a flag another sets; the mistake is to clear it between the look and the sleep. */
function sleeper(lost: boolean): Scenario {
  return scenario('sleeper', {
    origin: 'generic',
    cpus: ['sleeper', 'waker'],
    interrupts: false,
    races: false,
    setup: (k) => k.words(2),
    cpu: {
      sleeper: (k, [flag, work]: number[]) => [
        k.op('sleep until there is work', (c) => {
          while (c.load(work!) === 0) {
            if (lost) c.store(flag!, 0);
            c.wait(flag!, 0);
            if (!lost) c.store(flag!, 0);
          }
        }),
      ],
      waker: (k, [flag, work]: number[]) => [
        k.op('make work', (c) => {
          c.store(work!, 1);
          c.store(flag!, 1);
          c.notify(flag!);
        }),
      ],
    },
    result: () => 'awake',
  });
}

test('a lost wake-up is found, and none in the right order', async () => {
  expect(await compare(sleeper(false))).toEqual(['awake']);
  expect(await compare(sleeper(true))).toEqual(['! deadlock', 'awake']);
});

function both(c: Client, first: number, second: number): void {
  c.mtxLock(first);
  c.mtxLock(second);
  c.mtxUnlock(second);
  c.mtxUnlock(first);
}

test('two locks taken in two orders: a deadlock, spinning and sleeping', async () => {
  for (const mutex of ['spin', 'futex'] as const) {
    const locks = scenario('locks', {
      origin: 'generic',
      cpus: ['there', 'back'],
      interrupts: false,
      setup: (k) => k.words(2),
      cpu: {
        there: (k, [a, b]: number[]) => [k.op('a, b', (c) => both(c, a!, b!))],
        back: (k, [a, b]: number[]) => [k.op('b, a', (c) => both(c, b!, a!))],
      },
      result: () => 'done',
    });
    const subject = await prepareSubject(locks, { machine: { mutex }, casFails: Number.POSITIVE_INFINITY });
    expect(ends(subject, 'dpor', 50_000)).toEqual(['! deadlock', 'done']);
  }
});

test('a handler that meets its own thread outside of a critical section loses an update', async () => {
  const counted = (guarded: boolean): Scenario => scenario('counted', {
    origin: 'generic',
    cpus: ['owner', 'sender'],
    races: false,
    setup: (k) => {
      const word = k.words(1)[0]!;
      return { word, func: k.handler((c) => c.st(word, c.ld(word) + 1)) };
    },
    cpu: {
      owner: (k, { word }) => [
        k.op('count', (c) => {
          const count = () => c.st(word, c.ld(word) + 1);
          if (guarded) c.crit(count);
          else count();
        }),
      ],
      sender: (k, { func }) => [k.op('send', (c) => void c.send(0, func))],
    },
    after: (view, { word }) => view.i32[word] === 2 || 'lost',
    result: () => 'both',
  });
  expect(await compare(counted(true), { points: 'shared' })).toEqual(['both']);
  expect(await compare(counted(false), { points: 'shared' })).toEqual(['! invariant', 'both']);
  expect(await compare(counted(false), { points: 'all' })).toEqual(['! invariant', 'both']);
});
