/**
 * lists.ts — scenarios of lock-free lists, written out: a node is a word that holds the next one's index, 0 ends it.
 */
import type { FailureClass } from '../../base/failures.js';
import type { Client, Setup, View } from '../kit.js';
import { type Scenario, scenario, type Wrong } from '../scenario.js';

interface List {
  /** word of the list's head; of the list its owner keeps */
  readonly head: number;
  readonly mine: number;
  readonly nodes: readonly number[];
}

function list(k: Setup, count: number): List {
  const [head, mine, ...nodes] = k.words(count + 2);
  return { head: head!, mine: mine!, nodes };
}

/** The usual push: link, then swap the head. */
export function push(c: Client, head: number, node: number): void {
  for (;;) {
    const first = c.load(head);
    c.st(node, first);
    if (c.cas(head, first, node)) return;
  }
}

/** Puts every node of a chain on the owner's own list. */
function keep(c: Client, mine: number, chain: number): void {
  for (let node = chain; node !== 0; ) {
    const next = c.ld(node);
    c.st(node, c.ld(mine));
    c.st(mine, node);
    node = next;
  }
}

/** Nodes of the lists, in order, or what is wrong with them. */
export function walk(view: View, heads: readonly number[]): number[] | Wrong {
  const found: number[] = [];
  for (const head of heads) {
    for (let node = view.i32[head]!; node !== 0; node = view.i32[node]!) {
      if (found.includes(node)) return { cls: 'list-corrupt', message: 'a node is on the lists twice' };
      found.push(node);
    }
  }
  return found;
}

/** Every node that was pushed is on one of the two lists, once. */
function allThere(view: View, { head, mine, nodes }: List): Wrong | undefined {
  const found = walk(view, [head, mine]);
  if (!Array.isArray(found)) return found;
  const lost = nodes.length - found.length;
  return lost === 0 ? undefined : { cls: 'leak', message: `${lost} of ${nodes.length} nodes cannot be reached` };
}

const freeList = scenario<List>('free-list', {
  title: 'two producers push, the owner takes all: 3 operations each',
  origin: 'generic',
  cpus: ['producer', 'producer', 'owner'],
  setup: (k) => list(k, 6),
  cpu: {
    producer: (k, { head, nodes }, index) =>
      [0, 1, 2].map((n) => k.op(`push ${n}`, (c) => push(c, head, nodes[index * 3 + n]!))),
    owner: (k, { head, mine }) => [0, 1, 2].map(() => k.op('take all', (c) => keep(c, mine, c.xchg(head, 0)))),
  },
  after: allThere,
  points: 'all',
  interrupts: false,
  expect: { verdict: 'pass' },
});

/** Two producers with a push each, an owner that takes all. */
function pushAndTake(name: string, about: About, defect: string, cls: FailureClass, ways: Ways): Scenario<List> {
  return scenario<List>(name, {
    ...about,
    origin: 'generic',
    cpus: ['producer', 'producer', 'owner'],
    setup: (k) => list(k, 2),
    cpu: {
      producer: (k, { head, nodes }, index) => [
        k.op('push', (c) => (k.defect(defect) && ways.push ? ways.push : push)(c, head, nodes[index]!)),
      ],
      owner: (k, { head, mine }) => [
        k.op('take all', (c) => keep(c, mine, k.defect(defect) && ways.take ? ways.take(c, head) : c.xchg(head, 0))),
      ],
    },
    after: allThere,
    interrupts: false,
    defects: [defect],
    expect: { verdict: 'pass', with: { [defect]: cls } },
  });
}

type About = Required<Pick<Scenario, 'title' | 'lesson'>>;

interface Ways {
  readonly push?: (c: Client, head: number, node: number) => void;
  readonly take?: (c: Client, head: number) => number;
}

const lostTake = pushAndTake(
  'lost-take',
  {
    title: 'the owner empties the list by a load and a store instead of a swap',
    lesson: {
      kernel: 'generic',
      story: [
        'Producers push nodes on a list, an owner takes the whole list. Here the owner does it in two steps:',
        'load the head, scratch[0], then store 0. It loads 0: the list is empty.',
        'Two producers push a node each. Then the owner stores its 0, and both nodes are gone; it has taken nothing.',
        'Each step is atomic, and the two together are not. In an allocator this is memory nobody ever sees again.',
        'It leaks slowly, one push a time, and only under load.',
      ],
      fix: 'One atomic swap of the head with 0: what is taken away is what the owner gets.',
    },
  },
  'load-store', 'leak',
  {
    take(c, head) {
      const chain = c.load(head);
      c.store(head, 0);
      return chain;
    },
  },
);

const lateLink = pushAndTake(
  'late-link',
  {
    title: 'a producer links its node after it has published it',
    lesson: {
      kernel: 'generic',
      story: [
        'A push has two parts: the node gets a link to the old head, and the head, scratch[0], is swapped for the node.',
        'Here the head is swapped first. The owner takes the list at once, and follows a link that is not there yet:',
        'it reads 0 and believes that the list ends here, or an old value, and goes astray.',
        'All nodes behind this one are lost. The window is one instruction wide.',
        'Publish last: what others can reach has to be complete.',
      ],
      fix: 'Link the node, then swap the head; if the swap fails, link it anew.',
    },
  },
  'link-last', 'data-race',
  {
    push(c, head, node) {
      for (;;) {
        const first = c.load(head);
        if (!c.cas(head, first, node)) continue;
        c.st(node, first);
        return;
      }
    },
  },
);

const staleNext = pushAndTake(
  'stale-next',
  {
    title: 'after a failed swap a producer keeps the link of its first try',
    lesson: {
      kernel: 'generic',
      story: [
        'A push reads the head, links its node to it, and swaps the head if it is still the one the node is linked to.',
        'Here the link is made once, and the swap begins with a head, scratch[0], that is read again.',
        'cpu1 reads head 448. The owner takes 448. cpu1 links its node to 448, reads the head again, 0, and swaps that.',
        "Node 448 is on the owner's list, and behind cpu1's node as well: one node on two lists, handed out twice.",
        'The compare is there, and compares the wrong thing: not the value that the link was made from.',
      ],
      fix: 'Each try begins anew: read the head, link to that very value, swap from that very value.',
    },
  },
  'link-once', 'list-corrupt',
  {
    push(c, head, node) {
      c.st(node, c.load(head));
      while (!c.cas(head, c.load(head), node));
    },
  },
);

/** Pops one node by swapping the head for what was behind it then. */
function popOne(c: Client, head: number): number {
  for (;;) {
    const first = c.load(head);
    if (first === 0 || c.cas(head, first, c.load(first))) return first;
  }
}

/** Takes all there is, keeps the first node, puts the rest back. */
function takeOne(c: Client, head: number): number {
  const first = c.xchg(head, 0);
  if (first === 0) return 0;
  const rest = c.load(first);
  if (rest === 0) return first;
  let last = rest;
  for (let next = c.load(last); next !== 0; next = c.load(last)) last = next;
  putBack(c, head, rest, last);
  return first;
}

function putBack(c: Client, head: number, chain: number, last: number): void {
  for (;;) {
    const first = c.load(head);
    c.store(last, first);
    if (c.cas(head, first, chain)) return;
  }
}

/** Three nodes on the list, nobody's. */
function threeNodes(k: Setup): List {
  const s = list(k, 3);
  k.on(0, (c) => {
    for (const node of s.nodes) push(c, s.head, node);
  });
  return s;
}

/** Nodes that were taken are not on the list, and nobody else has them. @param results nodes taken, 0: none */
function takenOnce(view: View, { head, nodes }: List, results: readonly (readonly unknown[])[]): Wrong | undefined {
  const free = walk(view, [head]);
  if (!Array.isArray(free)) return free;
  const taken = results.flat().filter((node) => node !== 0) as number[];
  const all = [...free, ...taken];
  if (new Set(all).size < all.length) return { cls: 'double-alloc', message: 'a node that was taken is on the list' };
  const lost = nodes.length - all.length;
  return lost === 0 ? undefined : { cls: 'leak', message: `${lost} nodes are nowhere` };
}

const R41 = scenario<List>('R41', {
  title: 'a taker swaps the head for the node behind it, which was taken and has come back meanwhile (ABA)',
  origin: 'DragonFly 5fee07e6: the owner takes the whole list, so that it need not care',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'To take one node off a list: read the head A, read what is behind it, B, and swap the head from A to B.',
      'Before the swap another CPU takes A, takes B, and puts A back. The list is A, C now, and B is in use.',
      'The swap finds A at the head, as it expects, and succeeds: it compares values, and knows nothing of what was.',
      'The list begins with B, which somebody holds. Soon it will be handed out once more: one block, two owners.',
      'A, B, A: hence the name. In the schedule A is 480, B is 464, C is 448, and scratch[0] is the head.',
    ],
    fix: 'Whoever takes, takes the whole list, by a swap to 0 that compares nothing; and only the ' +
      'owner takes (5fee07e6). Here: slab_remote.ts, takeHome.',
  },
  cpus: ['taker', 'returner'],
  setup: threeNodes,
  cpu: {
    taker: (k, { head }) => [k.op('take one', (c) => (k.defect('R41') ? popOne : takeOne)(c, head))],
    returner: (k, { head }) => [
      k.op('take two, give the first back', (c) => {
        const take = k.defect('R41') ? popOne : takeOne;
        const first = take(c, head);
        const second = take(c, head);
        if (first !== 0) putBack(c, head, first, first);
        return second;
      }),
    ],
  },
  after: takenOnce,
  interrupts: false,
  defects: ['R41'],
  expect: { verdict: 'pass', with: { R41: 'double-alloc' } },
});

const slubAba = scenario<List & { func: number }>('slub2008-aba', {
  title: 'a CPU\'s own list: between load and swap an interrupt takes two nodes and gives the first back',
  origin: 'Linux 1f84260c8ce3, reverted by 00e962c5408b',
  lesson: {
    kernel: 'Linux',
    story: [
      "Linux tried to take from a CPU's own list without masking interrupts: read head A, read A's next, B, swap.",
      'No other CPU comes near the list; an interrupt of this one does. It comes between the reads and the swap:',
      'its handler takes A, takes B, and frees A. The head is A again, and the swap succeeds.',
      "The list begins with B, which the handler's caller holds: one object, two owners. R41 on one CPU alone.",
      "'Per-CPU' keeps other CPUs out, and nothing else. The commit was suspected of rare crashes, and reverted.",
    ],
    fix: 'No interrupt between the look and the swap. Since 2011 SLUB swaps head and transaction ' +
      'number together instead.',
    unseen:
      'It takes an interrupt between two accesses of one CPU, and a worker cannot be interrupted there.',
  },
  cpus: ['thread', 'interrupter'],
  setup(k) {
    const s = threeNodes(k);
    const func = k.handler((c) => {
      const first = popOne(c, s.head);
      const second = popOne(c, s.head);
      putBack(c, s.head, first, first);
      c.store(s.mine, second);
    });
    return { ...s, func };
  },
  cpu: {
    thread: (k, { head }) => [
      k.op('take one', (c) => (k.defect('no-section') ? popOne(c, head) : c.crit(() => popOne(c, head)))),
    ],
    interrupter: (k, { func }) => [k.op('send', (c) => c.send(0, func))],
  },
  after: (view, s, results) => takenOnce(view, s, [results[0]!, [view.i32[s.mine]]]),
  defects: ['no-section'],
  expect: { verdict: 'pass', with: { 'no-section': 'double-alloc' } },
});

export const lists: readonly Scenario[] = [freeList, lostTake, lateLink, staleNext, R41, slubAba];
