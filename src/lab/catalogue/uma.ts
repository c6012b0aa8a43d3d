/**
 * uma.ts — scenarios of malloc(9) on UMA: buckets between CPUs, threads of one CPU, limits, reclaim. All of them pass.
 */
import type { Setup } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';

const ORIGIN = 'FreeBSD uma_core.c 1.136';
const SIZE = 1024;

export const freebsd = { alloc: 'freebsd', tunables: { 'vm.boot_pages': 24 } } as const;

/** Slabs and a bucket there are, so that a CPU that finds no bucket has nothing to make but to fill one. */
export function warm(k: Setup): void {
  const { uma } = k.engine;
  k.on(0, (c) => {
    c.kfree(c.kmalloc(SIZE / 2));
    uma.umaPrealloc(uma.kmemZone(SIZE), 12);
  });
}

/** with the KASSERTs, and without the layers that look at each item */
const checked = {
  ...freebsd, invariants: true, tunables: { ...freebsd.tunables, 'debug.trash': 0, 'debug.uma_dbg': 0 },
} as const;

const cross = scenario<number[]>('uma-cross-free', {
  title: 'blocks of one CPU are freed on the other, into its own bucket, while the first allocates more',
  origin: ORIGIN,
  machine: freebsd,
  cpus: ['allocator', 'freer'],
  setup: (k) => k.on(0, (c) => [c.kmalloc(SIZE), c.kmalloc(SIZE), c.kmalloc(SIZE)]),
  cpu: {
    allocator: (k) => [k.op('malloc', (c) => c.kmalloc(SIZE)), k.op('malloc', (c) => c.kmalloc(SIZE))],
    freer: (k, blocks) => blocks.map((block) => k.op('free', (c) => c.kfree(block))),
  },
  expect: { verdict: 'pass' },
});

const misses = scenario('uma-two-misses', {
  title: 'two CPUs find no bucket at once, and both fill one from the same keg',
  origin: ORIGIN,
  machine: freebsd,
  cpus: ['allocator', 'allocator'],
  setup: warm,
  cpu: { allocator: (k) => [k.op('malloc', (c) => c.kmalloc(SIZE))] },
  expect: { verdict: 'pass' },
});

const threads = scenario('uma-two-threads', {
  title: 'between the empty bucket and the lock another thread of the CPU fills it: the buckets are looked at again',
  origin: ORIGIN,
  machine: checked,
  cpus: ['thread'],
  threads: { 0: 'thread' },
  // the window has no shared word in it
  points: 'all',
  setup: warm,
  cpu: { thread: (k) => [k.op('malloc', (c) => c.kmalloc(SIZE)), k.op('malloc', (c) => c.kmalloc(SIZE))] },
  expect: { verdict: 'pass' },
});

interface Limited {
  readonly zone: number;
  readonly items: readonly number[];
}

/** A zone of one slab, all of it out; its items are no malloc blocks, so callers do not hold any. */
function limitedZone(k: Setup): Limited {
  const { uma } = k.engine;
  return k.on(0, () => {
    const zone = uma.umaZcreate({ name: 'limited', size: 2048, flags: 0 });
    uma.umaZoneSetMax(zone, 1);
    const items = [uma.umaZallocArg(zone, 0, 2)];
    for (let item = uma.umaZallocArg(zone, 0, 1); item !== 0; item = uma.umaZallocArg(zone, 0, 1)) items.push(item);
    return { zone, items };
  });
}

const limit = scenario<Limited>('uma-zone-limit', {
  title: 'a CPU sleeps in "zonelimit" while another frees: it is told, whenever it fell asleep',
  origin: ORIGIN,
  machine: freebsd,
  cpus: ['sleeper', 'freer'],
  setup: limitedZone,
  cpu: {
    sleeper: (k, { zone }) => [
      k.op('zalloc', (c) => c.engine.uma.umaZallocArg(zone, 0, 2)),
    ],
    freer: (k, { zone, items }) => [k.op('zfree', (c) => c.engine.uma.umaZfreeArg(zone, items[0]!, 0))],
  },
  after: (_view, _state, results) => (results[0]![0] === 0 ? 'the sleeper got nothing' : ''),
  expect: { verdict: 'pass' },
});

const drain = scenario<number[]>('uma-drain', {
  title: 'a CPU gives back what is whole while another allocates and frees',
  origin: ORIGIN,
  machine: freebsd,
  cpus: ['user', 'reclaimer'],
  setup: (k) => k.on(0, (c) => {
    const blocks = Array.from({ length: 12 }, () => c.kmalloc(SIZE));
    for (const block of blocks.slice(2)) c.kfree(block);
    return blocks.slice(0, 2);
  }),
  cpu: {
    user: (k, blocks) => [
      k.op('free', (c) => c.kfree(blocks[0]!)), k.op('malloc', (c) => c.kmalloc(SIZE)),
    ],
    reclaimer: (k) => [k.op('uma_reclaim', (c) => c.cleanup(true))],
  },
  expect: { verdict: 'pass' },
});

const large = scenario<number>('uma-large', {
  title: 'large blocks come and go on two CPUs: pages, slab headers, and the pages that know them',
  origin: ORIGIN,
  machine: freebsd,
  cpus: ['freer', 'allocator'],
  setup: (k) => k.on(0, (c) => c.kmalloc(8192)),
  cpu: {
    freer: (k, block) => [k.op('free', (c) => c.kfree(block))],
    allocator: (k) => [k.op('malloc', (c) => c.kmalloc(8192)), k.op('malloc', (c) => c.kmalloc(5000))],
  },
  expect: { verdict: 'pass' },
});

const types = scenario('malloc-init-twice', {
  title: 'two CPUs define a type of the same name: there is one, and the other record and its statistics go back',
  origin: 'FreeBSD kern_malloc.c malloc_init',
  machine: freebsd,
  cpus: ['module', 'module'],
  cpu: {
    module: (k) => [k.op('malloc_init', (c) => c.engine.engine.mallocTypeCreate('twin'))],
  },
  after: (_view, _state, results) => (results[0]![0] === results[1]![0] ? '' : 'two types of one name'),
  expect: { verdict: 'pass' },
});

export const umas: readonly Scenario[] = [cross, misses, threads, limit, drain, large, types];
