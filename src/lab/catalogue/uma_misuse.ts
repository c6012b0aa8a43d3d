/**
 * uma_misuse.ts — what programs and observers do to UMA: items freed twice or written to late, buckets of others looked
 * at, a sleep with a lock held. Each mistake is the scenario's own.
 */
import { M_NOWAIT, M_WAITOK } from '../../freebsd/malloc.js';
import {
  UB_CNT, UC_ALLOCBUCKET, UC_FREEBUCKET, UC_WORDS, UZ_CPU,
} from '../../freebsd/uma_int.layout.js';
import type { BootOptions } from '../../host/options.js';
import type { Client, Setup } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';
import { fullZone } from './uma_races.js';

const SIZE = 2048;

const freebsd = { alloc: 'freebsd', tunables: { 'vm.boot_pages': 24 } } as const;

function withTunables(tunables: Readonly<Record<string, number>>): BootOptions {
  return { ...freebsd, tunables: { ...freebsd.tunables, ...tunables } };
}

interface Items {
  readonly zone: number;
  readonly items: readonly number[];
}

/** A zone of CPU 0's, which has had so many items of it and has no other in its buckets. */
function zoneWith(k: Setup, many: number): Items {
  const { uma } = k.engine;
  return k.on(0, (c) => {
    const zone = uma.umaZcreate({ name: 'items', size: SIZE });
    const items = [];
    while (items.length < many || inBuckets(c, zone, 0) > 0) items.push(uma.umaZallocArg(zone, 0, M_WAITOK));
    return { zone, items };
  });
}

/** Items in a CPU's two buckets, as an observer counts them: first one bucket, then the other. */
function inBuckets(c: Client, zone: number, cpu: number): number {
  const cache = (zone >>> 2) + UZ_CPU + cpu * UC_WORDS;
  const alloc = c.ld(cache + UC_ALLOCBUCKET);
  const cnt = alloc === 0 ? 0 : c.ld((alloc >>> 2) + UB_CNT);
  const free = c.ld(cache + UC_FREEBUCKET);
  return free === 0 ? cnt : cnt + c.ld((free >>> 2) + UB_CNT);
}

interface Watched extends Items {
  readonly sum: number;
  readonly handler: number;
}

const R17 = scenario<Watched>('R17', {
  title: "an observer counts the items in another CPU's buckets while it swaps them",
  origin: 'FreeBSD uma_core.c uma_zone_sumstat, sysctl_vm_zone_stats',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'To show how many items are free, an observer goes through all CPUs and adds up their two buckets. A CPU',
      'changes its buckets without a lock, and swaps them when one runs out.',
      'The observer has counted the alloc bucket; the CPU swaps; what is the free bucket now is the same one again.',
      'One bucket is counted twice and the other not at all: of three items none is seen, or six. Common under load.',
      'The kernel accepts it: the number is old when it is read anyway, and buckets are never freed while they hang.',
    ],
    fix: 'None there, and none wanted: the buckets stay valid, the sum may be wrong. To be exact, ask the CPU itself.',
  },
  machine: freebsd,
  cpus: ['owner', 'observer'],
  setup(k) {
    const { zone, items } = zoneWith(k, 3);
    k.on(0, () => {
      for (const item of items) k.engine.uma.umaZfreeArg(zone, item, 0);
    });
    const sum = k.words(1)[0]!;
    return { zone, items, sum, handler: k.handler((c) => c.store(sum, inBuckets(c, zone, 0))) };
  },
  cpu: {
    owner: (k, { zone }) => [k.op('zalloc', (c) => c.engine.uma.umaZallocArg(zone, 0, M_NOWAIT))],
    observer: (k, { zone, sum, handler }) => [
      k.op('count', (c) => {
        if (k.defect('R17')) return inBuckets(c, zone, 0);
        c.waitIpiq(0, c.send(0, handler));
        return c.load(sum);
      }),
    ],
  },
  result: (_view, _state, results) => String(results[1]![0]),
  outcome: { 3: 'acceptable', 2: 'acceptable', '*': 'forbidden' },
  races: false,
  defects: ['R17'],
  expect: { verdict: 'pass', with: { R17: 'outcome' } },
});

interface Freed extends Items {
  /** frees so far */
  readonly frees: number;
}

/** Two CPUs free an item each, and allocate; with the mistake it is the same item. */
function freedTwice(title: string, mistake: string, machine: BootOptions): Omit<Scenario<Freed>, 'name'> {
  return {
    title: `an item is freed on two CPUs, into two buckets: ${title}`,
    origin: 'FreeBSD uma_core.c uma_zfree_arg, uma_dbg_free',
    machine,
    cpus: ['freer', 'freer'],
    setup: (k) => ({ ...zoneWith(k, 2), frees: k.words(1)[0]! }),
    cpu: {
      freer: (k, { zone, items, frees }, index) => [
        k.op('zfree', (c) => c.engine.uma.umaZfreeArg(zone, items[k.defect(mistake) ? 0 : index]!, 0)),
        // a free of what the other has got meanwhile would be right for all that the allocator can see
        k.op('both freed', (c) => {
          c.add(frees, 1);
          while (c.load(frees) < 2) c.pause();
        }),
        k.op('zalloc', (c) => c.engine.uma.umaZallocArg(zone, 0, M_NOWAIT)),
      ],
    },
    after: (_view, _state, results) =>
      results[0]![2] === results[1]![2] ? { cls: 'double-alloc', message: 'both CPUs were given the same item' } : '',
    interrupts: false,
    defects: [mistake],
  };
}

const R22 = scenario<Freed>('R22', {
  ...freedTwice('both hand it out', 'R22', freebsd),
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'Two parts of a driver both believe that a buffer is theirs to free. CPU 0 frees it into its bucket, and CPU 1,',
      'which knows nothing of that, into its own. A bucket is an array: nothing is linked, nothing looks wrong.',
      'Then both CPUs allocate, and two owners write to the same memory. What breaks is not what freed it twice.',
      'It happens every time, and without INVARIANTS nobody looks: it shows late and elsewhere.',
    ],
    fix: 'In the driver. To find it: INVARIANTS, uma_dbg_free in the bucket path ("Duplicate free of item").',
  },
  expect: { verdict: 'pass', with: { R22: 'double-alloc' } },
});

const R24 = scenario<Freed>('R24', {
  ...freedTwice('the check is past the buckets', 'R24', withTunables({ 'debug.uma_dbg': 1 })),
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'With INVARIANTS a slab says of each item whether it is out, and a free of one that is not panics.',
      'At first it was looked at only when an item went back to its slab. Most frees end in a bucket, and for these',
      'nobody looked. The double free of R22 goes through a kernel full of checks, and two owners have one item.',
      'It shows every time: the checks are on, and no schedule makes them look.',
    ],
    fix: 'The check was moved before the buckets, for the price of the lock at every free (debug.uma_dbg=2).',
  },
  expect: { verdict: 'pass', with: { R24: 'double-alloc' } },
});

const found = scenario<Freed>('R24-found', {
  ...freedTwice('every free is checked', 'R24', withTunables({ 'debug.uma_dbg': 2 })),
  expect: { verdict: 'pass', with: { R24: 'panic' } },
});

/** A block of CPU 0's: freed, it is the first to be handed out again, since there is no other in a bucket. */
function lastFreed(k: Setup): number {
  return k.on(0, (c) => {
    let block = c.kmalloc(64);
    while (inBuckets(c, k.engine.uma.kmemZone(64), 0) > 0) block = c.kmalloc(64);
    return block;
  });
}

const R23 = scenario<{ block: number; done: number }>('R23', {
  title: 'a block is written to after it was freed, and the next malloc finds it',
  origin: 'FreeBSD uma_dbg.c mtrash_ctor',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'CPU 1 says that it is done with a block and writes its last word into it a moment later. CPU 0 has freed it by',
      'then. With INVARIANTS a free fills the block with 0xdeadc0de, and malloc looks whether that is still there:',
      '"Memory modified after free", and the last word of the block names the type that used it.',
      'Who wrote is not known, and a write after the next malloc, or into the last word, is not seen: it ruins',
      'somebody\'s data. The window is small, so on real CPUs it may take long to see it.',
    ],
    fix: 'In the program: write first, then say so. debug.trash only tells that there is something to look for.',
  },
  machine: withTunables({ 'debug.trash': 1 }),
  cpus: ['owner', 'writer'],
  setup: (k) => ({ block: lastFreed(k), done: k.words(1)[0]! }),
  cpu: {
    owner: (k, { block, done }) => [
      k.op('wait', (c) => {
        while (c.load(done) === 0) c.pause();
      }),
      k.op('free', (c) => c.kfree(block)),
      k.op('malloc', (c) => c.kmalloc(64)),
    ],
    writer: (k, { block, done }) => [
      k.op('write, say so', (c) => {
        if (k.defect('R23')) c.store(done, 1);
        c.st((block >>> 2) + 3, 42);
        if (!k.defect('R23')) c.store(done, 1);
      }),
    ],
  },
  interrupts: false,
  races: false,
  defects: ['R23'],
  expect: { verdict: 'pass', with: { R23: 'panic' } },
});

/** A CPU at the limit of a zone, with a lock held that the one who frees has to have. */
function atTheLimit(
  title: string, mistake: (k: Setup) => boolean, machine: BootOptions,
): Omit<Scenario<Items & { lock: number }>, 'name'> {
  return {
    title,
    origin: 'FreeBSD uma_core.c 1.103 debug.nosleepwithlocks, 2004',
    machine,
    cpus: ['caller', 'freer'],
    setup: (k) => ({ ...fullZone(k, 1), lock: k.words(1)[0]! }),
    cpu: {
      caller: (k, { zone, lock }) => [
        k.op('lock, zalloc, unlock', (c) => {
          c.mtxLock(lock);
          const item = c.engine.uma.umaZallocArg(zone, 0, mistake(k) ? M_WAITOK : M_NOWAIT);
          c.mtxUnlock(lock);
          return item;
        }),
      ],
      freer: (k, { zone, items, lock }) => [
        k.op('lock, zfree, unlock', (c) => {
          c.mtxLock(lock);
          c.engine.uma.umaZfreeArg(zone, items[0]!, 0);
          c.mtxUnlock(lock);
        }),
      ],
    },
    interrupts: false,
    defects: ['R29'],
  };
}

const R29 = scenario('R29', {
  ...atTheLimit(
    'a thread sleeps for an item, with the lock held that its freer needs', (k) => k.defect('R29'), freebsd,
  ),
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A driver holds its lock and allocates with M_WAITOK. There is memory nearly always, and all is well.',
      'One day the zone is at its limit, and the driver sleeps until an item is freed.',
      'The one who has an item to free wants the same lock first, and waits for it. Neither will ever go on.',
      'Rare as long as memory is plenty, and then the whole machine hangs with nothing running.',
    ],
    fix: 'No M_WAITOK with a lock held; WITNESS warns. debug.nosleepwithlocks makes M_NOWAIT of it: NULL, no deadlock.',
  },
  expect: { verdict: 'pass', with: { R29: 'deadlock' } },
});

const forced = scenario('R29-nosleep', {
  ...atTheLimit(
    'M_WAITOK with a lock held, and debug.nosleepwithlocks: the thread gets NULL', () => true,
    withTunables({ 'debug.nosleepwithlocks': 1 }),
  ),
  defects: [],
  expect: { verdict: 'pass' },
});

export const umaMisuses: readonly Scenario[] = [R17, R22, R23, R24, found, R29, forced];
