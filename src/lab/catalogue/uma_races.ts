/**
 * uma_races.ts — races UMA had: limits, headers of slabs, zones that come and go, hashes that grow. Programs that
 * misuse it are in uma_misuse.ts.
 */
import { PAGE_SIZE } from '../../base/param.js';
import { M_NOWAIT, M_WAITOK } from '../../freebsd/malloc.js';
import { UMA_HASH_SIZE_INIT, UMA_SLAB_KMEM, UMA_TIMEOUT, UMA_ZONE_MALLOC } from '../../freebsd/uma.js';
import {
  UK_FREE, UK_IPERS, UK_PGOFF, UMA_BUCKET_ZONES, UMA_BUCKETDISABLE, UMA_KEGS_ZONE, UMA_LAST_TIMEOUT, UMA_SLABZONE,
  UMA_ZONES_ZONE, US_FLAGS, US_FREECOUNT, UZ_KEG,
} from '../../freebsd/uma_int.layout.js';
import { SB_UMA } from '../../hw/superblock.layout.js';
import { GD_WCHAN } from '../../kern/globaldata.layout.js';
import type { Setup } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';
import { asRace } from './variants.js';

const boot = { 'vm.boot_pages': 24 } as const;

/** with the KASSERTs, and without the layers that look at each item */
export const checked = {
  alloc: 'freebsd', invariants: true, tunables: { ...boot, 'debug.trash': 0, 'debug.uma_dbg': 0 },
} as const;

/** bytes of an item that has a slab, which is a page, for itself */
const ALONE = 3000;
/** no more than the machine boots from */
const FEW_BOOT_PAGES = 5;
/** bytes of a block of whole pages, which has its header elsewhere */
const LARGE = 5000;

const umaWord = (k: Setup, word: number): number => k.i32[(k.i32[SB_UMA]! >>> 2) + word]!;

interface Full {
  readonly zone: number;
  readonly items: readonly number[];
}

/**
 * A zone of so many items, all of them out; it has found itself full. Memory is short, so there are no buckets to take
 * what others wait for; nobody zeroes its pages.
 */
export function fullZone(k: Setup, most: number): Full {
  const { uma } = k.engine;
  return k.on(0, (c) => {
    const zone = uma.umaZcreate({ name: 'limited', size: ALONE, flags: UMA_ZONE_MALLOC });
    uma.umaZoneSetMax(zone, most);
    const items = Array.from({ length: most }, () => uma.umaZallocArg(zone, 0, M_WAITOK));
    uma.umaZallocArg(zone, 0, M_NOWAIT);
    c.store((k.i32[SB_UMA]! >>> 2) + UMA_BUCKETDISABLE, 1);
    return { zone, items };
  });
}

/** Waits until a CPU is about to sleep. @param wchan its GD_WCHAN */
const asleep = (k: Setup, wchan: number) => k.op('the other sleeps', (c) => {
  while (c.load(wchan) === 0) c.pause();
});

const R16 = scenario<Full & { wchan: readonly number[] }>('R16', {
  title: 'a zone is full no longer, one sleeper is woken, and frees go to buckets from then on',
  origin: 'FreeBSD uma_core.c 1.136 uma_zfree_internal: wakeup_one(keg)',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'While a zone is at its limit every free goes past the buckets and wakes one sleeper: an item, a thread.',
      'The limit is raised, or the page daemon gives a slab back. There is room, but FULL stays, and nobody is told.',
      'The next free finds room below the limit, clears FULL, and wakes one sleeper, as ever. From then on frees go',
      'to buckets and wake nobody: the other sleepers hang in "zonelimit" with items and pages to be had.',
      'Needs two sleepers and a limit that is hit and left again: rare, and more memory does not cure it.',
    ],
    fix: 'FreeBSD: whoever clears FULL wakes all, a rare thundering herd. Ours: a new limit and a drain do, too.',
  },
  machine: checked,
  cpus: ['sleeper', 'sleeper', 'freer'],
  setup: (k) => ({ ...fullZone(k, 2), wchan: [0, 1].map((cpu) => k.engine.gd.globaldataFind(cpu) + GD_WCHAN) }),
  cpu: {
    // one after the other: how they fall asleep is uma-zone-limit
    sleeper: (k, { zone, wchan }, index) => [
      ...(index === 0 ? [] : [asleep(k, wchan[0]!)]),
      k.op('zalloc', (c) => c.engine.uma.umaZallocArg(zone, 0, M_WAITOK)),
    ],
    freer: (k, { zone, items, wchan }) => [
      asleep(k, wchan[1]!),
      k.op('zone_set_max', (c) => c.engine.uma.umaZoneSetMax(zone, 4)),
      // when the limit has told nobody
      k.op('zfree', (c) => {
        if (c.engine.uma.umaZoneExhausted(zone)) c.engine.uma.umaZfreeArg(zone, items[0]!, 0);
      }),
    ],
  },
  interrupts: false,
  after: (_view, _state, results) =>
    (results[0]![0] === 0 || results[1]![1] === 0 ? 'a caller who may sleep got nothing' : ''),
  defects: ['R16'],
  expect: { verdict: 'pass', with: { R16: 'deadlock' } },
});

const R18 = scenario('R18', {
  title: 'a slab header is wanted while another CPU makes a slab of headers: M_WAITOK returns NULL',
  origin: 'FreeBSD uma_core.c uma_zone_slab: the recursion guard',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      "The allocator's own zones must not recurse into themselves: while a slab of theirs is made (uk_recurse)",
      'uma_zone_slab answers NULL. The lock is dropped meanwhile, and the count does not say who recurses.',
      'CPU 0 makes a slab of slab headers. CPU 1 needs a header for a large block, finds the count up, and gets none.',
      'malloc(M_WAITOK) returns NULL, which nobody checks, with memory to be had. Rare: a slab of headers lasts long.',
    ],
    fix: 'The zones of slab headers are exempt: they have their headers in the page, so they cannot recurse.',
  },
  // as few as there can be: pages that come from them are zeroed word by word
  machine: { ...checked, tunables: { ...checked.tunables, 'vm.boot_pages': FEW_BOOT_PAGES } },
  cpus: ['caller', 'caller'],
  setup: (k) => k.on(0, (c) => {
    // the last header there is
    const keg = k.word(umaWord(k, UMA_SLABZONE), UZ_KEG);
    while (k.word(keg, UK_FREE) > 0) c.kmalloc(LARGE);
  }),
  cpu: { caller: (k) => [k.op('malloc(M_WAITOK)', (c) => c.kmalloc(LARGE, k.type, M_WAITOK))] },
  interrupts: false,
  defects: ['R18'],
  expect: { verdict: 'pass', with: { R18: 'panic' } },
});

/** The clock of CPU 0 ticks, and uma_timeout is due. */
const timeout = (k: Setup) => k.op('uma_timeout', (c) => c.tick());
function timeoutDue(k: Setup): void {
  k.on(0, (c) => c.st((k.i32[SB_UMA]! >>> 2) + UMA_LAST_TIMEOUT, -UMA_TIMEOUT));
}

/** Is an item of a zone with headers in the page the only one of its slab, and the slab no boot page? */
function alone(k: Setup, of: number, item: number): boolean {
  const keg = k.word(umaWord(k, of), UZ_KEG);
  const slab = (item & -PAGE_SIZE) + k.word(keg, UK_PGOFF);
  return k.word(slab, US_FREECOUNT) === k.word(keg, UK_IPERS) - 1 && k.word(slab, US_FLAGS) === UMA_SLAB_KMEM;
}

/** A zone that has a page for itself, and its keg has, too: when it goes, they may go. */
function loneZone(k: Setup): number {
  const { uma } = k.engine;
  return k.on(0, () => {
    const others = [];
    for (;;) {
      const zone = uma.umaZcreate({ name: 'short-lived', size: ALONE });
      if (alone(k, UMA_ZONES_ZONE, zone) && alone(k, UMA_KEGS_ZONE, k.word(zone, UZ_KEG))) {
        for (const other of others) uma.umaZdestroy(other);
        return zone;
      }
      others.push(zone);
    }
  });
}

const R19 = scenario<number>('R19', {
  title: 'uma_timeout walks the zones while one is destroyed',
  origin: 'FreeBSD uma_core.c uma_timeout, zone_dtor',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'Every 20 seconds uma_timeout goes from zone to zone: it grows hashes, and notes what each zone allocated.',
      'It holds a pointer to a zone and no lock when, on another CPU, a module is unloaded and destroys its zone.',
      "The zone's and the keg's memory go back, their pages perhaps, too. The timeout goes on: it takes the lock of a",
      'zone that is no more, and writes its estimate into what is somebody else\'s by now.',
      'Rare, 20 seconds against a module unload, and seen as a fault or a hang in the timeout.',
    ],
    fix: 'uma_mtx is held for the whole walk, and a zone is off the list, under it, before anything of it goes.',
  },
  // what comes from boot pages never goes back
  machine: { ...checked, tunables: { ...checked.tunables, 'vm.boot_pages': FEW_BOOT_PAGES } },
  cpus: ['clock', 'module'],
  setup(k) {
    timeoutDue(k);
    return loneZone(k);
  },
  cpu: {
    clock: (k) => [timeout(k)],
    module: (k, zone) => [
      k.op('uma_zdestroy', (c) => c.engine.uma.umaZdestroy(zone)),
      k.op('zone_drain', (c) => {
        for (const of of [UMA_ZONES_ZONE, UMA_KEGS_ZONE]) c.engine.uma.zoneDrain(umaWord(k, of), true);
      }),
    ],
  },
  interrupts: false,
  races: false,
  // the end of a zone empties the caches of all CPUs
  rules: false,
  defects: ['R19'],
  expect: { verdict: 'pass', with: { R19: 'use-after-free' } },
});

const R20 = scenario('R20', {
  title: 'a zone is on the list before it has its fields, and uma_reclaim walks it',
  origin: 'FreeBSD 926bdf39: uma_reclaim and half-constructed zones',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'uma_zcreate links its keg and its zone, and fills in the lock, the functions and the sizes afterwards.',
      'In between the page daemon is short of pages, on another CPU, and drains every zone on the list.',
      'It meets the new one: its lock is a NULL pointer, or what the last zone at this address had in these fields.',
      'Theirs panics in a call of a NULL uk_freef, ours waits for a lock at word 0 that nobody will release.',
      'Rare, as few zones are made while a system runs; mounting tmpfs makes some, and showed it.',
    ],
    fix: 'FreeBSD: an sx lock, shared in uma_zcreate and uma_zdestroy, exclusive in uma_reclaim. Ours: linked last.',
  },
  machine: checked,
  cpus: ['module', 'daemon'],
  setup: timeoutDue,
  cpu: {
    module: (k) => [k.op('uma_zcreate', (c) => c.engine.uma.umaZcreate({ name: 'new', size: ALONE }))],
    daemon: (k) => [k.op('uma_reclaim', (c) => c.cleanup())],
  },
  interrupts: false,
  races: false,
  defects: ['R20'],
  expect: { verdict: 'pass', with: { R20: 'deadlock' } },
});

const R21 = scenario<number>('R21', {
  title: 'a slab goes into the old hash table while a larger one is filled',
  origin: 'FreeBSD uma_core.c hash_expand, zone_timeout',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'An item whose slab header lies elsewhere is found by a hash of its page. Of a table that has become small',
      'uma_timeout makes one of twice its size: made with the lock dropped; then the slabs move.',
      'Without the lock another CPU puts a new slab into the old table, at a chain that has been moved already.',
      'The new table is installed, the slab is in none. The first free of an item of it finds a NULL pointer.',
      'Rare, a table doubles a few times in its life, and deadly minutes or days later.',
    ],
    fix: 'The lock is taken again before the slabs are moved, and the old table is freed after that.',
  },
  // every item that is handed out is looked up
  machine: { ...checked, tunables: { ...checked.tunables, 'debug.uma_dbg': 2 } },
  cpus: ['clock', 'caller'],
  setup: (k) => k.on(0, () => {
    const { uma } = k.engine;
    const zone = uma.umaZcreate({ name: 'hashed', size: PAGE_SIZE });
    uma.umaPrealloc(zone, UMA_HASH_SIZE_INIT);
    return zone;
  }),
  cpu: {
    clock: (k, zone) => [
      k.op('zone_timeout', (c) => c.engine.uma.zoneTimeout(zone)),
      k.op('zalloc', (c) => c.engine.uma.umaZallocArg(zone, 0, M_NOWAIT)),
      k.op('zalloc', (c) => c.engine.uma.umaZallocArg(zone, 0, M_NOWAIT)),
    ],
    caller: (k, zone) => [k.op('uma_prealloc', (c) => c.engine.uma.umaPrealloc(zone, 1))],
  },
  interrupts: false,
  races: false,
  defects: ['R21'],
  expect: { verdict: 'pass', with: { R21: 'panic' } },
});

const zdtor = scenario<number>('uma-zdtor', {
  title: 'a timer gives a dying zone its working set back, and its slabs are leaked',
  origin: 'FreeBSD uma_core.c 8b04492f',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A zone keeps as many free items as it lately handed out, its working set. To be destroyed it needs none: the',
      'destructor sets it to 0, drops the lock, and drains the zone down to it.',
      'Between the two uma_timeout, on another CPU, finds the zone on the list and computes a new working set.',
      'The drain leaves that many items. Then the keg is freed, and its slabs are nobody\'s: pages leaked for good,',
      'with one line on the console, "Freed UMA keg was not empty". Rare: the timer runs every 20 seconds.',
    ],
    fix: 'The last drain asks for no working set at all. Ours takes the zone off the list before.',
  },
  machine: checked,
  cpus: ['clock', 'module'],
  setup(k) {
    const { uma } = k.engine;
    timeoutDue(k);
    return k.on(1, () => {
      const zone = uma.umaZcreate({ name: 'short-lived', size: ALONE, flags: UMA_ZONE_MALLOC });
      uma.umaZfreeArg(zone, uma.umaZallocArg(zone, 0, M_WAITOK), 0);
      return zone;
    });
  },
  cpu: {
    clock: (k) => [timeout(k)],
    module: (k, zone) => [k.op('uma_zdestroy', (c) => c.engine.uma.umaZdestroy(zone))],
  },
  interrupts: false,
  // the end of a zone empties the caches of all CPUs
  rules: false,
  defects: ['uma-zdtor'],
  expect: { verdict: 'pass', with: { 'uma-zdtor': 'audit' } },
});

const crossdomain = scenario<number>('uma-crossdomain', {
  title: "a bucket is allocated with the lock held that the bucket's own zone needs",
  origin: 'FreeBSD r368189, D27341',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A free that finds its buckets full takes the lock of the zone, and then wants another bucket, which is an item',
      'of another zone, the zone of buckets, with a lock of its own. As long as that is another lock, all is well.',
      'Bucket zones have buckets as well, and they come from the same zones: there the lock is the one that is held.',
      'The CPU waits for itself. Theirs was the lock for frees to other domains; ours is the lock of the keg.',
      'Only where a zone of buckets runs out of them: rare at first, and then every CPU that needs one hangs.',
    ],
    fix: 'No lock is held while a bucket is allocated; afterwards the zone is looked at again.',
  },
  machine: checked,
  // it waits for itself: nobody else is needed
  cpus: ['caller'],
  // a cache before the smallest buckets, as all bucket zones have later
  setup: (k) => k.on(0, () => k.engine.uma.umaZsecondCreate({ name: 'cached buckets' }, umaWord(k, UMA_BUCKET_ZONES))),
  cpu: { caller: (k, zone) => [k.op('zalloc', (c) => c.engine.uma.umaZallocArg(zone, 0, M_NOWAIT))] },
  interrupts: false,
  defects: ['uma-crossdomain'],
  expect: { verdict: 'pass', with: { 'uma-crossdomain': 'panic' } },
});

export const umaRaces: readonly Scenario[] = [
  R16, R18, R19, asRace(R19), R20, asRace(R20), R21, asRace(R21), zdtor, crossdomain,
];
