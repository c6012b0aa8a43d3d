/**
 * others.ts — races of snmalloc, the Pony runtime and jemalloc, written out on words: queues that many push to, a
 * list with a lock a node, and two locks that were held too little and too much.
 */
import type { Client, Setup, View } from '../kit.js';
import { type Scenario, scenario, type Wrong } from '../scenario.js';

/** A queue many push to and one takes from: `back` is the node pushed last, `front` the one taken last. */
interface Queue {
  readonly back: number;
  readonly front: number;
  readonly nodes: readonly number[];
}

/** Empty: back and front are the same node, which is nobody's. */
function queue(k: Setup, count: number): Queue {
  const [back, front, stub, ...nodes] = k.words(count + 3);
  k.on(0, (c) => {
    c.store(back!, stub!);
    c.store(front!, stub!);
  });
  return { back: back!, front: front!, nodes };
}

interface Ways {
  /** the node ends the queue: written before it can be seen, or after */
  readonly initLate?: boolean;
  /** the queue's end is read without an order */
  readonly unordered?: boolean;
}

function enqueue(c: Client, { back }: Queue, node: number, { initLate, unordered }: Ways): void {
  if (!initLate) c.store(node, 0);
  let last: number;
  if (unordered) {
    do last = c.ld(back);
    while (!c.cas(back, last, node));
  } else {
    last = c.xchg(back, node);
  }
  if (initLate) c.store(node, 0);
  c.store(last, node);
}

/** @returns the node taken, 0 when none is linked */
function dequeue(c: Client, { front }: Queue): number {
  const node = c.load(c.ld(front));
  if (node !== 0) c.st(front, node);
  return node;
}

/** Every node was taken, or can be reached from the front. */
function allQueued(view: View, { front, nodes }: Queue, results: readonly (readonly unknown[])[]): Wrong | undefined {
  const there = results.flat().filter((node) => typeof node === 'number' && node !== 0);
  for (let node = view.i32[view.i32[front]!]!; node !== 0; node = view.i32[node]!) there.push(node);
  const lost = nodes.filter((node) => !there.includes(node)).length;
  return lost === 0 ? undefined : { cls: 'leak', message: `the queue ends before ${lost} of its nodes` };
}

function pushers(k: Setup, s: Queue, index: number, ways: Ways) {
  return [k.op('push', (c) => enqueue(c, s, s.nodes[index]!, ways))];
}

const snQueue = scenario<Queue>('sn-queue', {
  title: 'a block is pushed to another thread\'s queue by an exchange that releases and does not acquire',
  origin: 'snmalloc PR #444, remoteallocator.h enqueue',
  lesson: {
    kernel: 'snmalloc',
    story: [
      'A free of another thread\'s block ends the block\'s link, exchanges the queue\'s back, links the one before.',
      'The exchange released, so that the end of the link is seen with the block. It did not acquire.',
      'So the next pusher\'s link is not ordered behind the end that was written into the same word.',
      'By the language the end may win, and the queue stops there. Found by ThreadSanitizer.',
      'JavaScript has no such exchange; with the defect the back is read plainly, and then swapped.',
    ],
    fix: 'The exchange acquires and releases (2021).',
    unseen: 'the swap behind the plain read orders it after all; what is left is a race by the language.',
  },
  cpus: ['pusher', 'pusher', 'owner'],
  setup: (k) => queue(k, 2),
  cpu: {
    pusher: (k, s, index) => pushers(k, s, index, { unordered: k.defect('no-acquire') }),
    owner: (k, s) => [k.op('take', (c) => dequeue(c, s))],
  },
  after: allQueued,
  interrupts: false,
  defects: ['no-acquire'],
  expect: { verdict: 'pass', with: { 'no-acquire': 'data-race' } },
});

const ponyQueue = scenario<Queue>('pony-queue', {
  title: 'a node of a queue is initialised when the next push can see it already',
  origin: 'ponyc PR #2174; #5245 for the same queues',
  lesson: {
    kernel: 'ponyc',
    story: [
      'A push initialises its node, the end of the queue, and exchanges the head; then it links the one before.',
      'Nothing ordered the initialisation before the exchange: on ARM it could become visible after it.',
      'The next push finds the node and links its own to it; then the late initialisation wipes that link.',
      'The queue seems to be empty, with messages in it, and everything behind the gap is lost.',
      'Never on x86, where stores and exchanges stay in order. Here the defect writes them in the other order.',
    ],
    fix: 'A release fence before the exchange (2017); an exchange that acquires, too (#5245, 2026).',
  },
  cpus: ['pusher', 'pusher', 'owner'],
  setup: (k) => queue(k, 2),
  cpu: {
    pusher: (k, s, index) => pushers(k, s, index, { initLate: k.defect('init-late') }),
    owner: (k, s) => [k.op('take', (c) => dequeue(c, s))],
  },
  after: allQueued,
  interrupts: false,
  defects: ['init-late'],
  expect: { verdict: 'pass', with: { 'init-late': 'leak' } },
});

/** A block of the pool's list: its link, and a flag that whoever changes the link has to hold. */
interface Block {
  readonly next: number;
  readonly acquired: number;
}

interface Pool {
  readonly head: Block;
  readonly blocks: readonly Block[];
}

/** Takes a block's flag if nobody has it. */
const acquire = (c: Client, { acquired }: Block): boolean => c.xchg(acquired, 1) === 0;
const release = (c: Client, { acquired }: Block): void => c.store(acquired, 0);

/** pool_block_push: behind the first block as long as that is there, for it is smaller. */
function poolPush(c: Client, { head, blocks }: Pool, block: Block): void {
  const smaller = blocks[0]!;
  for (;;) {
    const before = c.load(head.next) === smaller.next ? smaller : head;
    const behind = c.load(before.next);
    if (acquire(c, before)) {
      if (c.load(before.next) === behind) return link(c, before, block, behind);
      release(c, before);
    }
    c.pause();
  }
}

function link(c: Client, before: Block, block: Block, behind: number): void {
  c.store(block.next, behind);
  c.store(before.next, block.next);
  release(c, before);
}

/** pool_block_pull: the first block. */
function poolPull(c: Client, { head }: Pool, block: Block, withBlock: boolean): void {
  while (!acquire(c, head)) c.pause();
  // the block's own flag is never given back: whoever still wants to put something behind it must begin again
  if (withBlock) while (!acquire(c, block)) c.pause();
  c.store(head.next, c.load(block.next));
  release(c, head);
}

const ponyPool = scenario<Pool>('pony-pool-list', {
  title: 'a block is put on the pool\'s global list behind one that is taken off at the same time',
  origin: 'ponyc PR #1945, pool_block_push and pool_block_pull',
  lesson: {
    kernel: 'ponyc',
    story: [
      'Threads that end leave their free blocks on a global list, sorted by size; a flag a block guards its link.',
      'A pull takes the flag of the block before the one it wants, and swings that one\'s link past it.',
      'A push puts its block behind the very block that is being taken, and holds that one\'s flag.',
      'The two flags are different ones: the new block hangs on a block that has left the list, and is lost.',
      'Only tests of the compiler start and stop the runtime in a way that uses this list.',
    ],
    fix: 'A pull takes the flag of the block it removes too, and does not give it back (2017).',
  },
  cpus: ['puller', 'pusher'],
  setup(k) {
    const words = k.words(6);
    const [head, ...blocks] = [0, 2, 4].map((n) => ({ next: words[n]!, acquired: words[n + 1]! }));
    k.on(0, (c) => c.store(head!.next, blocks[0]!.next));
    return { head: head!, blocks };
  },
  cpu: {
    puller: (k, s) => [k.op('pull', (c) => poolPull(c, s, s.blocks[0]!, !k.defect('one-flag')))],
    pusher: (k, s) => [k.op('push', (c) => poolPush(c, s, s.blocks[1]!))],
  },
  after(view, { head, blocks }) {
    let block = view.i32[head.next]!;
    while (block !== 0 && block !== blocks[1]!.next) block = view.i32[block]!;
    return block !== 0 || { cls: 'leak', message: 'the block that was put on the list is not on it' };
  },
  interrupts: false,
  defects: ['one-flag'],
  expect: { verdict: 'pass', with: { 'one-flag': 'leak' } },
});

/** room for two, and one is taken */
const TCACHES_MAX = 2;

const tcaches = scenario<readonly number[]>('je-tcaches', {
  title: 'the number of explicit caches is checked, the lock is dropped, and the number goes up',
  origin: 'jemalloc PR #1954, tcaches_create',
  lesson: {
    kernel: 'jemalloc',
    story: [
      'tcache.create checks under a lock that there is an index left, and drops it to allocate the cache.',
      'Then it takes the lock again and takes the index, without another look.',
      'With one index left, two threads both pass the check, and both take one: the second is out of bounds.',
      'It shows as an index beyond the array, by one, when threads create caches at the very limit.',
    ],
    fix: 'The lock is held from the check to the increment (David Goldblatt, 2020); allocating is fast enough.',
  },
  cpus: ['creator', 'creator'],
  setup(k) {
    const words = k.words(2);
    k.on(0, (c) => c.st(words[1]!, TCACHES_MAX - 1));
    return words;
  },
  cpu: {
    creator: (k, [mtx, past]) => [
      k.op('tcaches_create', (c) => {
        c.mtxLock(mtx!);
        const full = c.ld(past!) === TCACHES_MAX;
        if (!full) {
          if (k.defect('lock-dropped')) {
            c.mtxUnlock(mtx!);
            c.mtxLock(mtx!);
          }
          c.st(past!, c.ld(past!) + 1);
        }
        const index = full ? -1 : c.ld(past!) - 1;
        c.mtxUnlock(mtx!);
        return index;
      }),
    ],
  },
  after(_view, _s, results) {
    const beyond = results.flat().find((index) => (index as number) >= TCACHES_MAX);
    return beyond === undefined || `index ${beyond} was given out; there are ${TCACHES_MAX}`;
  },
  interrupts: false,
  defects: ['lock-dropped'],
  expect: { verdict: 'pass', with: { 'lock-dropped': 'invariant' } },
});

interface Arena {
  readonly mtx: number;
  readonly dirty: number;
  /** the exiting thread's own data, which is gone already */
  readonly tsd: number;
}

function arenaMalloc(c: Client, { mtx, dirty }: Arena): void {
  c.mtxLock(mtx);
  c.st(dirty, c.ld(dirty) + 1);
  c.mtxUnlock(mtx);
}

const purge = scenario<Arena>('je-purge', {
  title: 'a purge merges chunks with the arena\'s lock held, and merging wants memory from the arena',
  origin: 'jemalloc #425, arena_purge_to_limit, chunk_merge_default, malloc_tsd_malloc',
  lesson: {
    kernel: 'jemalloc',
    story: [
      'A thread that ends gives back what it had cached; that may purge, with the arena\'s lock held.',
      'Purged chunks are merged. Whether two may be merged was asked under a lock, by way of thread-specific data.',
      'The ending thread\'s data is gone already, so it is made anew: malloc, which wants the arena\'s lock.',
      'The thread waits for itself. jemalloc\'s lock hangs; this machine\'s mutex knows its owner, and panics.',
      'No other thread takes part: it takes a purge that comes due just when a thread ends.',
    ],
    fix: 'The question is answered with atomic operations: freeing makes no thread-specific data any more.',
  },
  cpus: ['exiting', 'allocator'],
  setup(k) {
    const [mtx, dirty, tsd] = k.words(3);
    return { mtx: mtx!, dirty: dirty!, tsd: tsd! };
  },
  cpu: {
    exiting: (k, s) => [
      k.op('tcache_destroy', (c) => {
        c.mtxLock(s.mtx);
        if (k.defect('mallocs-in-purge') && c.ld(s.tsd) === 0) {
          arenaMalloc(c, s);
          c.st(s.tsd, 1);
        }
        c.st(s.dirty, 0);
        c.mtxUnlock(s.mtx);
      }),
    ],
    allocator: (k, s) => [k.op('malloc', (c) => arenaMalloc(c, s))],
  },
  interrupts: false,
  defects: ['mallocs-in-purge'],
  expect: { verdict: 'pass', with: { 'mallocs-in-purge': 'panic' } },
});

export const others: readonly Scenario[] = [snQueue, ponyQueue, ponyPool, tcaches, purge];
