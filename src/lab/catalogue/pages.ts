/**
 * pages.ts — scenarios of memory that goes back: zones that are released, whole pages, a CPU that waits for some.
 */
import { Z_NFREE, Z_NMAX } from '../../dragonfly/slaballoc.layout.js';
import { IP_RINDEX, IP_WINDEX } from '../../kern/lwkt_ipiq.layout.js';
import type { Setup } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';
import { underPolicy, asRace } from './variants.js';

/** four chunks a zone, the fewest there can be */
const SIZE = 7000;
/** one more page than the largest chunk: nothing but pages */
const OVERSIZED = 12288;

/**
 * A zone that has been off its list: it asked for a signal, which nobody has taken back. All chunks but one are home.
 * @returns the chunk that is out
 */
function almostWhole(k: Setup): number {
  const { chunk } = k.zone(SIZE, { owner: 0 });
  k.on(0, (c) => {
    for (const home of chunk.slice(1)) c.kfree(home);
  });
  return chunk[0]!;
}

const R38 = scenario<{ chunk: number; z: number; ip: number }>('R38', {
  title: 'the zone is ripped out under a CPU that has linked its chunk and looks at z_Cpu',
  origin: 'DragonFly 5fee07e6, cured by df9daea8 (z_RCount)',
  lesson: {
    kernel: 'DragonFly',
    story: [
      "A freer links its chunk to the zone's list z_RChunks. Then it reads z_Cpu from the zone, to tell its owner.",
      "But with the link the chunk is the owner's. He takes it home, sees that all chunks are in (z_NFree == z_NMax),",
      "and gives the zone's pages back. The freer reads z_Cpu from memory that is no zone any more.",
      'A page fault in the kernel, or, if the page is used again, a message to any CPU that its new contents name.',
      'The comment beside the code says that the zone must not be touched there. The next line touches it.',
    ],
    fix: 'df9daea8, eleven days later: z_RCount is raised before the link, and pins the zone. Or ' +
      'z_Cpu is read before the link. Here: slab_link.ts; rchunks has the race still.',
  },
  machine: { free: 'rcount', tunables: { 'kern.zone_cache': 0 } },
  cpus: ['owner', 'remote'],
  setup(k) {
    const chunk = almostWhole(k);
    return { chunk, z: k.engine.zoneOf(chunk), ip: k.engine.ipiq.ipiqFind(1, 0) };
  },
  cpu: {
    owner: (k, { ip, z }) => [
      k.op('take home', (c) => c.cleanup()),
      k.op('release', (c) =>
        c.crit(() => {
          // a message that is under way is R42
          if (c.load(ip + IP_WINDEX) !== c.load(ip + IP_RINDEX)) return;
          if (c.ld((z >>> 2) + Z_NFREE) === c.ld((z >>> 2) + Z_NMAX)) c.cleanup(true);
        })),
    ],
    remote: (k, { chunk }) => [k.op('kfree', (c) => c.kfree(chunk))],
  },
  defects: ['R38'],
  expect: { verdict: 'pass', with: { R38: 'use-after-free' } },
});

const R42 = scenario<number>('R42', {
  title: 'a zone is given back while a message about it is on its way',
  origin: 'DragonFly 5fee07e6 trusts ku_pagecnt to tell; df9daea8 pins the zone',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'A freer has linked its chunk and sent the owner a message with the address of the zone. It is on its way.',
      'The owner does not wait for it. It takes the chunk home, finds the zone whole, and gives its pages back.',
      'When the message comes, the handler asks kmemusage whether a zone of this CPU is at that address.',
      'There may be one again, another one. The answer is yes, and the handler works on a zone nobody wrote about:',
      'mostly harmless, at worst it puts it on a list for a second time. An address says where, and not who.',
    ],
    fix: 'df9daea8: z_RCount counts the messages under way, and a zone that is counted stays. Here ' +
      'the other policies pin it too. rchunks has the race still.',
  },
  machine: { free: 'rcount', tunables: { 'kern.zone_cache': 0 } },
  cpus: ['owner', 'remote'],
  setup: almostWhole,
  cpu: {
    // in a section, or the message would come before the pages go
    owner: (k) => [k.op('slab_cleanup', (c) => c.crit(() => c.cleanup(true)))],
    remote: (k, chunk) => [k.op('kfree', (c) => c.kfree(chunk))],
  },
  defects: ['R42'],
  expect: { verdict: 'pass', with: { R42: 'ipi-dangling' } },
});

const R43 = scenario<{ block: number; done: number }>('R43', {
  title: 'kmemusage is cleared after the pages went: the next owner\'s entry is wiped',
  origin: 'DragonFly kern_slaballoc.c kmalloc: "ku_pagecnt must be cleared before we free the slab"',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'kmemusage says for each page what begins there, such as a block of 3 pages. kfree reads sizes from it.',
      "cpu0 frees such a block: it gives the pages back, and would clear the entry next. They are anybody's by now.",
      'cpu1 allocates the very same pages and writes its 3. Then cpu0 stores the 0 that it still owes.',
      'The block of cpu1 has lost its entry: its kfree panics with BADFREE, and blames who did nothing wrong.',
      'It needs a second allocation just between the free and the next store: rare, and hopeless to debug.',
    ],
    fix: "Clear the entry, then give the pages back: 'ku_pagecnt must be cleared before we free the " +
      "slab' (DragonFly kmalloc). Here: kern_slabzone.ts, oversized.ts.",
  },
  machine: { free: 'rtagged', fifo: 4 },
  cpus: ['freer', 'allocator'],
  setup: (k) => ({ block: k.on(0, (c) => c.kmalloc(OVERSIZED)), done: k.words(1)[0]! }),
  cpu: {
    freer: (k, { block, done }) => [
      k.op('kfree', (c) => c.kfree(block)),
      k.op('say so', (c) => c.store(done, 1)),
    ],
    allocator: (k, { done }) => [
      k.op('kmalloc', (c) => c.kmalloc(OVERSIZED)),
      k.op('kfree, later', (c) => {
        while (c.load(done) === 0) c.pause();
        c.kfree(c.results[0] as number);
      }),
    ],
  },
  interrupts: false,
  races: false,
  rules: false,
  defects: ['R43'],
  expect: { verdict: 'pass', with: { R43: 'panic' } },
});

const oversized = scenario<number>('oversized', {
  title: 'a block of whole pages is freed by one CPU and taken by another',
  origin: 'generic',
  cpus: ['freer', 'allocator'],
  setup: (k) => k.on(1, (c) => c.kmalloc(OVERSIZED)),
  cpu: {
    freer: (k, block) => [k.op('kfree', (c) => c.kfree(block))],
    allocator: (k) => [k.op('kmalloc', (c) => c.kmalloc(OVERSIZED))],
  },
  expect: { verdict: 'pass' },
});

const krealloc = scenario<number>('krealloc', {
  title: 'a block of another CPU grows: its bytes move, the old one goes home',
  origin: 'generic',
  machine: { free: 'rtagged' },
  cpus: ['owner', 'remote'],
  setup(k) {
    const [block] = k.zone(8, { owner: 0, chunks: 2 }).chunk;
    k.zone(16, { owner: 1, chunks: 1 });
    k.on(0, (c) => c.write(block!, 7));
    return block!;
  },
  cpu: {
    owner: (k) => [k.op('kmalloc', (c) => c.kmalloc(8))],
    remote: (k, block) => [
      k.op('krealloc', (c) => {
        const grown = c.krealloc(block, 16);
        if (c.read(grown) !== 7) c.fail('invariant', 'the bytes have not moved');
      }),
    ],
  },
  expect: { verdict: 'pass' },
});

/** All pages but a few that nobody can use: whoever wants more has to wait. @returns a block that can be freed */
function fillMemory(k: Setup): number {
  return k.on(1, (c) => {
    const block = c.kmalloc(OVERSIZED);
    for (let size = 65536; size >= OVERSIZED; size -= 4096) while (c.kmalloc(size) !== 0);
    return block;
  });
}

const mallocWait = scenario<number>('malloc-wait', {
  title: 'a CPU sleeps for memory, another frees some',
  origin: 'DragonFly vm_page.c vm_wait; M_WAITOK',
  cpus: ['sleeper', 'freer'],
  setup: fillMemory,
  cpu: {
    sleeper: (k) => [k.op('kmalloc M_WAITOK', (c) => c.kmalloc(OVERSIZED, k.type, k.engine.engine.M_WAITOK))],
    freer: (k, block) => [k.op('kfree', (c) => c.kfree(block))],
  },
  expect: { verdict: 'pass' },
});

export const pages: readonly Scenario[] = [
  R38,
  underPolicy(R38, 'rchunks', 'use-after-free', 'DragonFly 5fee07e6'),
  R42,
  R43,
  asRace(R43),
  oversized,
  krealloc,
  mallocWait,
];
