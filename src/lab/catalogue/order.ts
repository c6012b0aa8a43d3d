/** order.ts — scenarios of order alone: locks, and the smallest programs that tell memory models apart. */
import { type Scenario, scenario } from '../scenario.js';

const mutex = scenario<readonly number[]>('mutex', {
  title: 'two CPUs add to a plain word under a lock; a waiter sleeps',
  origin: 'generic',
  machine: { mutex: 'futex' },
  cpus: ['adder', 'adder'],
  setup: (k) => k.words(2),
  cpu: {
    adder: (k, [lock, word]) => [
      k.op('lock', (c) => c.mtxLock(lock!)),
      k.op('add', (c) => c.st(word!, c.ld(word!) + 1)),
      k.op('unlock', (c) => c.mtxUnlock(lock!)),
    ],
  },
  after: (view, [, word]) => view.i32[word!] === 2 || `the sum is ${view.i32[word!]}`,
  expect: { verdict: 'pass' },
});

const storeBuffering = scenario<readonly number[]>('litmus-sb', {
  title: 'each CPU stores one word and looks at the other: can both see nothing?',
  origin: 'Dekker; SB of the litmus tests',
  lesson: {
    kernel: 'generic',
    story: [
      "Each CPU stores 1 in a word of its own, then looks at the other's. Whoever looks last sees a 1, one thinks.",
      'But a store waits in the store buffer of its CPU, and the load that follows does not wait for it.',
      'Both loads are made before either store is seen: both see 0. In a lock both CPUs would be inside.',
      'x86 does this, and it is all the reordering that x86 does; other machines do more.',
      'R48 is this very program in a kernel.',
    ],
    fix: 'An atomic store, or a full barrier between the two: the buffer is empty before the load is made.',
  },
  cpus: ['left', 'right'],
  setup: (k) => k.words(2),
  cpu: {
    left: (k, [x, y]) => [
      k.op('x = 1, look at y', (c) => {
        if (k.defect('plain')) c.st(x!, 1);
        else c.store(x!, 1);
        return c.load(y!);
      }),
    ],
    right: (k, [x, y]) => [
      k.op('y = 1, look at x', (c) => {
        if (k.defect('plain')) c.st(y!, 1);
        else c.store(y!, 1);
        return c.load(x!);
      }),
    ],
  },
  result: (_view, _s, results) => `(${results[0]}, ${results[1]})`,
  outcome: { '(0, 0)': 'forbidden', '*': 'acceptable' },
  memory: 'tso',
  points: 'all',
  interrupts: false,
  races: false,
  defects: ['plain'],
  expect: { verdict: 'pass', with: { plain: 'outcome' } },
});

const messagePassing = scenario<readonly number[]>('litmus-mp', {
  title: 'a word is written, then a flag: can the flag be seen and the word not?',
  origin: 'MP of the litmus tests',
  lesson: {
    kernel: 'generic',
    story: [
      'The writer stores data 1, scratch[0], then flag 1. A reader that sees the flag expects to see the data.',
      'With plain accesses nobody promises that: compilers may exchange two stores or two loads, and machines too.',
      'Then the reader sees flag 1 and data 0: the message is there before its contents.',
      'The explorer does not wait for that to happen: it finds two accesses to the flag that nothing orders.',
      'This is how every ring, queue and mailbox hands over what is in it.',
    ],
    fix: 'The flag is stored and loaded atomically: who sees it sees all that was written before it.',
    unseen: 'An x86 keeps the order of two stores and of two loads, so there it takes a compiler that ' +
      'exchanges them.',
  },
  cpus: ['writer', 'reader'],
  setup: (k) => k.words(2),
  cpu: {
    writer: (k, [data, flag]) => [
      k.op('data = 1, flag = 1', (c) => {
        c.st(data!, 1);
        if (k.defect('plain')) c.st(flag!, 1);
        else c.store(flag!, 1);
      }),
    ],
    reader: (k, [data, flag]) => [
      k.op('look at flag, data', (c) => {
        const seen = k.defect('plain') ? c.ld(flag!) : c.load(flag!);
        return seen === 0 ? 'nothing' : `data ${c.ld(data!)}`;
      }),
    ],
  },
  result: (_view, _s, results) => String(results[1]),
  outcome: { 'data 0': 'forbidden', '*': 'acceptable' },
  points: 'all',
  interrupts: false,
  defects: ['plain'],
  expect: { verdict: 'pass', with: { plain: 'data-race' } },
});

export const orders: readonly Scenario[] = [mutex, storeBuffering, messagePassing];
