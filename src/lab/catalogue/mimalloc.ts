/**
 * mimalloc.ts — races of mimalloc, written out on words: values that are made when first asked for, accesses without
 * an order, and lists of frees that nobody looks at any more.
 *
 * JavaScript's atomics have one order, so "relaxed", or a swap that only releases, is a plain access here: where C11
 * leaves out the order, so does this. Races of that kind change no value on any processor the code was run on.
 */
import type { Client, View } from '../kit.js';
import { type Scenario, scenario, type Wrong } from '../scenario.js';
import { push, walk } from './lists.js';

const UNORDERED = 'both values it can read are right: only the order is missing, and a processor does not tell.';

const NUMA_NODES = 2;

const numa = scenario<readonly number[]>('mi-numa', {
  title: 'the number of NUMA nodes is found out when first asked for, and kept in a plain variable',
  origin: 'mimalloc #414, _mi_numa_node_count; found by model checking, mary3000/mimalloc-mc',
  lesson: {
    kernel: 'mimalloc',
    story: [
      'The first allocation asks the system for the number of NUMA nodes and keeps it in a global variable.',
      'Threads that start together all find 0, all ask, and all write: one reads while another writes.',
      'All write the same, so no value is ever wrong; but the language promises nothing of such a program.',
      'Found by model checking in 2020, when the stress tests under ThreadSanitizer did not see it yet.',
    ],
    fix: 'Atomic accesses to the variable; asking twice does no harm.',
    unseen: 'every thread writes the same value.',
  },
  cpus: ['asker', 'asker'],
  setup: (k) => k.words(1),
  cpu: {
    asker: (k, [word]) => [
      k.op('numa_node_count', (c) => {
        const plain = k.defect('plain');
        const known = plain ? c.ld(word!) : c.load(word!);
        if (known !== 0) return known;
        if (plain) c.st(word!, NUMA_NODES);
        else c.store(word!, NUMA_NODES);
        return NUMA_NODES;
      }),
    ],
  },
  after: (_view, _s, results) => results.flat().every((count) => count === NUMA_NODES) || 'somebody saw another number',
  interrupts: false,
  defects: ['plain'],
  expect: { verdict: 'pass', with: { plain: 'data-race' } },
});

const READY = 2;

/** The flag goes up before the work is done. */
function initEarly(c: Client, flag: number, table: number): void {
  if (c.load(flag) !== 0) return;
  c.store(flag, READY);
  c.store(table, 1);
}

/** One does the work, the others wait until it is done. */
function initOnce(c: Client, flag: number, table: number): void {
  if (c.cas(flag, 0, 1)) {
    c.store(table, 1);
    c.store(flag, READY);
    return;
  }
  while (c.load(flag) !== READY) c.pause();
}

const init = scenario<readonly number[]>('mi-init', {
  title: 'the first to come sets "initialised" and then initialises',
  origin: 'mimalloc #701, mi_process_init',
  lesson: {
    kernel: 'mimalloc',
    story: [
      'The first allocation initialises the process: it sets "initialised", and then does the work.',
      'The flag first, so that an allocation made by the work itself does not begin it again.',
      'A second thread comes in between, finds the flag up, and goes on with what is not made yet.',
      'The authors took it for single-threaded code, run before main; nothing made sure of that.',
    ],
    fix: 'Atomic initialisation: one thread does it, the others wait until it says that it is done.',
  },
  cpus: ['caller', 'caller'],
  setup: (k) => k.words(2),
  cpu: {
    caller: (k, [flag, table]) => [
      k.op('process_init', (c) => (k.defect('flag-first') ? initEarly : initOnce)(c, flag!, table!)),
      k.op('use', (c) => c.load(table!)),
    ],
  },
  after: (_view, _s, results) => results.slice(0, 2).every(([, seen]) => seen === 1) || 'used before it was made',
  interrupts: false,
  defects: ['flag-first'],
  expect: { verdict: 'pass', with: { 'flag-first': 'invariant' } },
});

const REGION = 64;

const region = scenario<readonly number[]>('mi-region', {
  title: 'a region is seen to be there by a read without an order: nothing says that its descriptor is',
  origin: 'mary3000/mimalloc-mc, "Too weak ordering for region->info read"',
  lesson: {
    kernel: 'mimalloc',
    story: [
      'A thread maps a region, fills in its descriptor and publishes it by a store that releases.',
      'Another looks whether the region is there with a relaxed load, and then uses the descriptor.',
      'A release without an acquire on the other side is half a bridge: it may see the descriptor as it was.',
      'In mimalloc it claims a bit of the map and may then read the map of before: an assertion fails.',
      'Found by a model checker, which takes C11 by the letter.',
    ],
    fix: 'The look at region->info acquires.',
    unseen: UNORDERED,
  },
  cpus: ['mapper', 'user'],
  setup: (k) => k.words(2),
  cpu: {
    mapper: (k, [info, map]) => [
      k.op('mi_region_alloc', (c) => {
        c.st(map!, REGION);
        c.store(info!, 1);
      }),
    ],
    user: (k, [info, map]) => [
      k.op('mi_region_try_claim', (c) => {
        const there = k.defect('relaxed') ? c.ld(info!) : c.load(info!);
        return there === 0 ? 0 : c.ld(map!);
      }),
    ],
  },
  result: (_view, _s, results) => (results[1]![0] === 0 ? 'not there yet' : `map ${results[1]![0]}`),
  outcome: { 'not there yet': 'acceptable', [`map ${REGION}`]: 'acceptable', '*': 'forbidden' },
  interrupts: false,
  defects: ['relaxed'],
  expect: { verdict: 'pass', with: { relaxed: 'data-race' } },
});

interface Page {
  readonly threadFree: number;
  readonly local: number;
  readonly blocks: readonly number[];
}

/** The owner takes the page's thread-free list and counts its blocks. */
function collect(c: Client, { threadFree, local }: Page, ordered: boolean): number {
  let chain: number;
  do chain = ordered ? c.load(threadFree) : c.ld(threadFree);
  while (!c.cas(threadFree, chain, 0));
  c.st(local, chain);
  let blocks = 0;
  for (let block = chain; block !== 0; block = c.ld(block)) blocks++;
  return blocks;
}

const next = scenario<Page>('mi-next', {
  title: 'the owner takes a page\'s thread-free list by a swap that does not acquire, and reads block->next',
  origin: 'mary3000/mimalloc-mc, "Race on next field"; mimalloc #130',
  lesson: {
    kernel: 'mimalloc',
    story: [
      'A thread that frees another\'s block writes block->next and links the block with a swap that releases.',
      'The owner takes the list with a swap that releases too, and does not acquire; then it reads block->next.',
      'What was written before a release is only promised to who acquires: the link may be the one of before.',
      'On the usual processors the link cannot be read before its address is known, and all goes well.',
    ],
    fix: 'The swap acquires and releases.',
    unseen: UNORDERED,
  },
  cpus: ['owner', 'freer'],
  setup(k) {
    const [threadFree, local, ...blocks] = k.words(4);
    return { threadFree: threadFree!, local: local!, blocks };
  },
  cpu: {
    owner: (k, page) => [k.op('collect', (c) => collect(c, page, !k.defect('no-acquire')))],
    freer: (k, { threadFree, blocks }) => blocks.map((block) => k.op('free', (c) => push(c, threadFree, block))),
  },
  after(view, { threadFree, local, blocks }) {
    const found = walk(view, [threadFree, local]);
    if (!Array.isArray(found)) return found;
    return found.length === blocks.length || { cls: 'leak', message: `${found.length} blocks of ${blocks.length}` };
  },
  interrupts: false,
  defects: ['no-acquire'],
  expect: { verdict: 'pass', with: { 'no-acquire': 'data-race' } },
});

const HAS_ALIGNED = 1;
const BLOCK_SIZE = 48;
/** 16 bytes into the second block */
const ALIGNED = BLOCK_SIZE + 16;

const flags = scenario<readonly number[]>('mi-flags', {
  title: 'a remote free reads a page\'s flags while the owner sets one of them',
  origin: 'mimalloc #865, _mi_free_generic',
  lesson: {
    kernel: 'mimalloc',
    story: [
      'A page\'s flags say among other things whether any of its blocks was handed out at an aligned address.',
      'A remote free reads them, to know whether the pointer has to be brought back to its block.',
      'The owner sets flags meanwhile, with plain accesses: they are its own.',
      'A flag that comes up now is about another block, so the authors held the race to be benign enough.',
    ],
    fix: 'A remote free always unaligns, from page_start and the block size, which never change (2024).',
    unseen: 'the flag only ever comes up, and not for the block that is freed.',
  },
  cpus: ['owner', 'freer'],
  setup(k) {
    const words = k.words(3);
    const [pageFlags, blockSize] = words;
    k.on(0, (c) => {
      c.st(pageFlags!, HAS_ALIGNED);
      c.st(blockSize!, BLOCK_SIZE);
    });
    return words;
  },
  cpu: {
    owner: (k, [pageFlags]) => [k.op('set in_full', (c) => c.st(pageFlags!, c.ld(pageFlags!) | 2))],
    freer: (k, [pageFlags, blockSize]) => [
      k.op('free', (c) => {
        if (k.defect('reads-flags') && (c.ld(pageFlags!) & HAS_ALIGNED) === 0) return ALIGNED;
        return ALIGNED - (ALIGNED % c.ld(blockSize!));
      }),
    ],
  },
  after: (_view, _s, results) => results[1]![0] === BLOCK_SIZE || `freed at ${results[1]![0]}`,
  interrupts: false,
  defects: ['reads-flags'],
  expect: { verdict: 'pass', with: { 'reads-flags': 'data-race' } },
});

/** page->xthread_free's low bits: how a remote free goes about it */
const USE_DELAYED = 0;
const DELAYED_FREEING = 1;
const NEVER_DELAYED = 2;

interface Heap {
  readonly state: number;
  /** page->heap: the delayed list a free goes to */
  readonly heap: number;
  /** the list of the heap that goes, of the one that gets its pages */
  readonly delayed: number;
  readonly backing: number;
  readonly threadFree: number;
  /** what the last look found */
  readonly collected: number;
  readonly block: number;
}

/** By way of the heap's delayed list as long as the page says so, else by the page's own. */
function freeRemote(c: Client, { state, heap, threadFree, block }: Heap): void {
  if (!c.cas(state, USE_DELAYED, DELAYED_FREEING)) return push(c, threadFree, block);
  push(c, c.load(heap), block);
  c.store(state, USE_DELAYED);
}

/** mi_heap_absorb: the heap goes, its pages go to the backing heap. */
function absorb(c: Client, { state, heap, delayed, backing, collected }: Heap, lookOnly: boolean): void {
  if (!lookOnly) while (!c.cas(state, USE_DELAYED, NEVER_DELAYED)) c.pause();
  c.store(collected, c.xchg(delayed, 0));
  c.store(heap, backing);
}

function blockThere(view: View, { backing, threadFree, collected }: Heap): Wrong | undefined {
  const found = walk(view, [backing, threadFree, collected]);
  if (!Array.isArray(found)) return found;
  return found.length === 1 ? undefined : { cls: 'leak', message: 'the block waits on a list nobody will look at' };
}

const delayed = scenario<Heap>('mi-delayed', {
  title: 'a block is put on a heap\'s delayed list when its owner has looked for the last time',
  origin: 'mimalloc #204, PR #205, mi_heap_absorb; of the same kind: #1117',
  lesson: {
    kernel: 'mimalloc',
    story: [
      'Freeing into a full page of another thread puts the block on its heap\'s delayed list; the owner looks there.',
      'A heap that is deleted empties the list once more, and hands its pages to the thread\'s other heap.',
      'A free comes in after that look, and before the pages have their new heap: it still goes to the old list.',
      'Nobody will ever look there. In #1117 it is the same with two heaps in a thread, and only one collected.',
      'An assertion found it, with a sleep put into the gap; without assertions it is a leak.',
    ],
    fix: 'First tell every page "never delayed", waiting for frees under way, then look (Sam Gross, 2020).',
  },
  cpus: ['owner', 'freer'],
  setup(k) {
    const [state, heap, list, backing, threadFree, collected, block] = k.words(7);
    k.on(0, (c) => c.store(heap!, list!));
    return {
      state: state!, heap: heap!, delayed: list!, backing: backing!,
      threadFree: threadFree!, collected: collected!, block: block!,
    };
  },
  cpu: {
    owner: (k, heap) => [k.op('mi_heap_absorb', (c) => absorb(c, heap, k.defect('look-only')))],
    freer: (k, heap) => [k.op('free', (c) => freeRemote(c, heap))],
  },
  after: blockThere,
  interrupts: false,
  defects: ['look-only'],
  expect: { verdict: 'pass', with: { 'look-only': 'leak' } },
});

export const mimallocs: readonly Scenario[] = [numa, init, region, next, flags, delayed];
