/** Every class of failure has a scenario that is as small as can be, and is called by its name. */
import { describe, expect, it } from 'vitest';
import { FAILURE_CLASSES, type FailureClass } from '../../src/base/failures.js';
import { GD_NPOLL } from '../../src/kern/globaldata.layout.js';
import { MTS_NUMALLOCS, mtsOffset } from '../../src/kern/malloc_type.layout.js';
import { Z_LCHUNKS, Z_NFREE } from '../../src/dragonfly/slaballoc.layout.js';
import type { Client } from '../../src/lab/kit.js';
import { type Scenario, scenario } from '../../src/lab/scenario.js';
import { find } from './find.js';

type Definition = Omit<Scenario, 'name' | 'origin'>;

/** One CPU, one operation. */
const alone = (run: Definition['cpu']['one'], more: Partial<Definition> = {}): Definition => ({
  cpus: ['one'], cpu: { one: run! }, ...more,
});

function both(c: Client, first: number, second: number): void {
  c.mtxLock(first);
  c.mtxLock(second);
  c.mtxUnlock(second);
  c.mtxUnlock(first);
}

const SMALLEST: Record<FailureClass, Definition> = {
  panic: alone((k) => [k.op('free NULL', (c) => c.kfree(0))]),
  'double-alloc': alone((k) => [
    k.op('a chunk that is out, on the list', (c) => {
      const p = c.kmalloc(64);
      const zw = c.engine.zoneOf(p) >>> 2;
      c.st(p >>> 2, 0);
      c.st(zw + Z_LCHUNKS, p);
      return c.kmalloc(64);
    }),
  ]),
  'double-free': alone((k) => [
    k.op('free twice', (c) => {
      const p = c.kmalloc(64);
      c.kfree(p);
      c.kfree(p);
    }),
  ]),
  'foreign-free': alone((k) => [k.op('free from inside', (c) => c.kfree(c.kmalloc(64) + 8))]),
  'use-after-free': alone((k) => [
    k.op('read what is free', (c) => {
      const p = c.kmalloc(64);
      c.kfree(p);
      return c.read(p);
    }),
  ]),
  leak: alone((k) => [
    k.op('forget a chunk', (c) => {
      const p = c.kmalloc(64);
      c.kfree(p);
      const zw = c.engine.zoneOf(p) >>> 2;
      c.critEnter();
      c.st(zw + Z_LCHUNKS, 0);
      c.st(zw + Z_NFREE, c.ld(zw + Z_NFREE) - 1);
      c.critExit();
    }),
  ], { machine: { stats: 'none' } }),
  'list-corrupt': alone((k) => [
    k.op('a ring', (c) => {
      const p = c.kmalloc(64);
      c.kfree(p);
      c.st(p >>> 2, p);
    }),
  ]),
  'stats-drift': alone((k) => [
    k.op('count an allocation that is none', (c) => {
      const dword = (k.type >>> 3) + mtsOffset(1) + MTS_NUMALLOCS;
      c.st64(dword, c.ld64(dword) + 1n);
    }),
  ]),
  audit: alone((k) => [
    k.op('miscount', (c) => {
      const p = c.kmalloc(64);
      const zw = c.engine.zoneOf(p) >>> 2;
      c.st(zw + Z_NFREE, c.ld(zw + Z_NFREE) + 1);
      c.kfree(p);
    }),
  ]),
  'data-race': {
    cpus: ['one', 'one'],
    setup: (k) => k.words(1)[0],
    cpu: { one: (k, word: number) => [k.op('plain increment', (c) => c.st(word, c.ld(word) + 1))] },
  },
  'rule-violation': alone((k) => [
    k.op('a plain store to an atomic line', (c) => c.st(c.engine.gd.globaldataFind(0) + GD_NPOLL, 0)),
  ]),
  'torn-read': alone((k) => [k.op('half a value', (c) => c.fail('torn-read', 'the low half is old'))]),
  deadlock: {
    cpus: ['one', 'two'],
    setup: (k) => k.words(2),
    cpu: {
      one: (k, [a, b]: number[]) => [k.op('a, b', (c) => both(c, a!, b!))],
      two: (k, [a, b]: number[]) => [k.op('b, a', (c) => both(c, b!, a!))],
    },
  },
  'lost-wakeup': {
    cpus: ['sleeper', 'waker'],
    setup: (k) => k.on(0, (c) => c.engine.intr.intrLine(0)),
    cpu: {
      sleeper: (k, line: number) => [k.op('halt', (c) => { if (c.load(line) === 0) c.wait(line, 0); })],
      waker: (k, line: number) => [k.op('raise and not ring', (c) => { c.or(line, 4); })],
    },
  },
  livelock: {
    cpus: ['one'],
    stepLimit: 100,
    setup: (k) => k.words(1)[0],
    cpu: { one: (k, word: number) => [k.op('count for ever', (c) => { for (;;) c.add(word, 1); })] },
  },
  'crit-unbalanced': alone((k) => [k.op('enter', (c) => c.critEnter())]),
  'ipi-dangling': {
    cpus: ['owner', 'remote'],
    machine: { free: 'rchunks', fifo: 8, tunables: { 'kern.zone_cache': 0 } },
    setup: (k) => ({ ...k.zone(7000, { owner: 0 }), page: k.on(0, (c) => c.kmalloc(32768)) }),
    cpu: {
      owner: (k, s: { page: number }) => [k.op('give back the pages', (c) => c.kfree(s.page))],
      remote: (k, s: { page: number }) => [
        k.op('a message about them', (c) => { c.send(0, c.engine.ipif.IPIF_KFREE_REMOTE, s.page); }),
      ],
    },
  },
  invariant: {
    cpus: ['one'],
    setup: (k) => k.words(1)[0],
    cpu: { one: (k, word: number) => [k.op('break it', (c) => c.st(word, 1))] },
    invariant: (view, word: number) => (view.i32[word] === 1 ? 'the word is 1' : ''),
  },
  outcome: alone((k) => [k.op('nothing', (c) => c.cpu)], { result: () => 'zero', outcome: { zero: 'forbidden' } }),
  exception: alone((k) => [k.op('throw', () => { throw new TypeError('no'); })]),
  nondeterminism: (() => {
    let calls = 0;
    return {
      cpus: ['one', 'two'],
      setup: (k) => k.words(3),
      cpu: {
        one: (k, words: number[]) => [
          k.op('another word each time', (c) => { c.add(words[calls++ & 1]!, 1); c.add(words[2]!, 1); }),
        ],
        two: (k, words: number[]) => [k.op('add', (c) => { c.add(words[2]!, 1); })],
      },
    } satisfies Definition;
  })(),
};

describe('every class of failure is found by its smallest scenario', () => {
  for (const cls of Object.keys(FAILURE_CLASSES) as FailureClass[]) {
    it(cls, async () => {
      const options = { rules: cls === 'rule-violation' };
      const { found } = await find(scenario(cls, { origin: 'test', ...SMALLEST[cls] }), options, [cls]);
      expect(found.failure.cls).toBe(cls);
    });
  }
});
