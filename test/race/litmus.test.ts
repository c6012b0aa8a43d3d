/**
 * litmus.test.ts — the small programs that tell memory models apart have exactly the outcomes of sequential
 * consistency, and with store buffers exactly those of TSO (Sewell et al. 2010).
 */
import { expect, test } from 'vitest';
import type { Client } from '../../src/lab/kit.js';
import { scenario } from '../../src/lab/scenario.js';
import { everything, exhaust } from './freelist.js';

/** what its accesses return: stores nothing */
type Thread = (c: Client, x: number, y: number) => readonly unknown[];

interface Litmus {
  readonly threads: readonly Thread[];
  /** also what is in x and y at the end */
  readonly final?: boolean;
  readonly sc: readonly string[];
  /** those that TSO adds */
  readonly tso: readonly string[];
}

const pairs = ['00', '01', '10', '11'];

const LITMUS: Readonly<Record<string, Litmus>> = {
  'SB, store buffering': {
    threads: [
      (c, x, y) => [c.st(x, 1), c.ld(y)],
      (c, x, y) => [c.st(y, 1), c.ld(x)],
    ],
    sc: ['0 1', '1 0', '1 1'],
    tso: ['0 0'],
  },
  'SB with atomic stores': {
    threads: [
      (c, x, y) => [c.store(x, 1), c.load(y)],
      (c, x, y) => [c.store(y, 1), c.load(x)],
    ],
    sc: ['0 1', '1 0', '1 1'],
    tso: [],
  },
  'SB with atomic loads only': {
    threads: [
      (c, x, y) => [c.st(x, 1), c.load(y)],
      (c, x, y) => [c.st(y, 1), c.load(x)],
    ],
    sc: ['0 1', '1 0', '1 1'],
    tso: ['0 0'],
  },
  'SB, each reads its own store first': {
    threads: [
      (c, x, y) => [c.st(x, 1), c.ld(x), c.ld(y)],
      (c, x, y) => [c.st(y, 1), c.ld(y), c.ld(x)],
    ],
    sc: ['10 11', '11 10', '11 11'],
    tso: ['10 10'],
  },
  'MP, message passing': {
    threads: [
      (c, x, y) => [c.st(x, 1), c.st(y, 1)],
      (c, x, y) => [c.ld(y), c.ld(x)],
    ],
    sc: [' 00', ' 01', ' 11'],
    tso: [],
  },
  'LB, load buffering': {
    threads: [
      (c, x, y) => [c.ld(x), c.st(y, 1)],
      (c, x, y) => [c.ld(y), c.st(x, 1)],
    ],
    sc: ['0 0', '0 1', '1 0'],
    tso: [],
  },
  'IRIW, independent reads of independent writes': {
    threads: [
      (c, x) => [c.st(x, 1)],
      (c, _x, y) => [c.st(y, 1)],
      (c, x, y) => [c.ld(x), c.ld(y)],
      (c, x, y) => [c.ld(y), c.ld(x)],
    ],
    sc: pairs.flatMap((a) => pairs.map((b) => `  ${a} ${b}`)).filter((out) => out !== '  10 10'),
    tso: [],
  },
  'CoRR, coherence of two reads': {
    threads: [
      (c, x) => [c.st(x, 1)],
      (c, x) => [c.ld(x), c.ld(x)],
    ],
    sc: [' 00', ' 01', ' 11'],
    tso: [],
  },
  '2+2W, two writes each': {
    threads: [
      (c, x, y) => [c.st(x, 1), c.st(y, 2)],
      (c, x, y) => [c.st(y, 1), c.st(x, 2)],
    ],
    final: true,
    sc: [' x1y2', ' x2y1', ' x2y2'],
    tso: [],
  },
};

async function outcomes(name: string, memory: 'sc' | 'tso', algorithm: string): Promise<string[]> {
  const { threads, final } = LITMUS[name]!;
  const litmus = scenario('litmus', {
    origin: 'generic',
    cpus: threads.map((_, n) => `cpu${n}`),
    interrupts: false,
    races: false,
    setup: (k) => k.words(2),
    cpu: Object.fromEntries(threads.map((run, n) => [
      `cpu${n}`,
      (k, [x, y]: number[]) => [k.op('run', (c) => run(c, x!, y!).join(''))],
    ])),
    result: (view, [x, y]: number[], results) => {
      const read = results.slice(0, threads.length).flat().join(' ');
      return final ? `${read}x${view.i32[x!]}y${view.i32[y!]}` : read;
    },
  });
  const found = new Set<string>();
  exhaust(await everything(litmus, { memory }), algorithm, {
    onEnd: ({ outcome, failure }) => found.add(failure ? failure.message : outcome),
  });
  return [...found].sort();
}

const names = Object.keys(LITMUS);

test.each(names)('%s: sequentially consistent', async (name) => {
  const expected = [...LITMUS[name]!.sc].sort();
  for (const algorithm of ['bound', 'dpor', 'states']) expect(await outcomes(name, 'sc', algorithm)).toEqual(expected);
});

test.each(names)('%s: with store buffers', async (name) => {
  const expected = [...LITMUS[name]!.sc, ...LITMUS[name]!.tso].sort();
  const algorithms = name.startsWith('IRIW') ? ['dpor', 'states'] : ['bound', 'dpor', 'states'];
  for (const algorithm of algorithms) expect(await outcomes(name, 'tso', algorithm)).toEqual(expected);
});
