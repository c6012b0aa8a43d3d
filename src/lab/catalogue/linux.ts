/**
 * linux.ts — races of Linux' SLUB between two threads of one CPU, written out on words: what its per-CPU structures
 * relied on, and what became of them when that was taken away.
 */
import type { Client, View } from '../kit.js';
import { type Scenario, scenario, type Wrong } from '../scenario.js';
import { walk } from './lists.js';

/** what the transaction id of a CPU grows by with each allocation and free */
const TID_STEP = 4;

/** The loop at the head of slab_alloc_node: both reads have to come from the same CPU, undisturbed. */
function readTid(c: Client, word: number, hoisted: boolean): number {
  const early = hoisted ? c.ld(word) : 0;
  for (;;) {
    const tid = c.ld(word);
    if (tid === (hoisted ? early : c.ld(word))) return tid;
    c.pause();
  }
}

const slubTid = scenario<readonly number[]>('slub2015-tid', {
  title: 'a retry loop compares two reads of c->tid, and the compiler makes one of them before the loop',
  origin: 'Linux 859b7a0e8912 "mm/slub: fix lockups on PREEMPT && !SMP kernels"',
  lesson: {
    kernel: 'Linux',
    story: [
      'An allocation reads the transaction id of its CPU twice and tries again until both reads agree.',
      'Without SMP the address is a constant, so GCC 4.9 made one of the reads once, before the loop.',
      'Another thread of the CPU allocates between the two reads: the id moves on, the early value does not.',
      'The loop never ends. The explorer calls it a deadlock: it waits for a word that nobody will change back.',
      'Seen as an occasional hang of kernels with PREEMPT and without SMP; on SMP the reads were left alone.',
    ],
    fix: 'READ_ONCE(c->tid) in the condition: the value is read again in each turn (Mark Rutland, 2015).',
    unseen: 'it takes two threads of one CPU that preempt each other, and a worker is one thread.',
  },
  cpus: ['allocator'],
  threads: { 0: 'other' },
  setup: (k) => k.words(1),
  cpu: {
    allocator: (k, [tid]) => [k.op('read tid', (c) => readTid(c, tid!, k.defect('hoisted-tid')))],
    other: (k, [tid]) => [k.op('allocate', (c) => c.st(tid!, c.ld(tid!) + TID_STEP))],
  },
  defects: ['hoisted-tid'],
  expect: { verdict: 'pass', with: { 'hoisted-tid': 'deadlock' } },
});

interface Partials {
  /** head of the CPU's own list of partial slabs, of the node's list */
  readonly partial: number;
  readonly node: number;
  readonly slabs: readonly number[];
}

function putCpuPartial(c: Client, { partial }: Partials, slab: number): void {
  c.st(slab, c.ld(partial));
  c.st(partial, slab);
}

/** Moves all of the CPU's partial slabs to the node. */
function unfreezePartials(c: Client, { partial, node }: Partials): void {
  let slab = c.ld(partial);
  c.st(partial, 0);
  while (slab !== 0) {
    const next = c.ld(slab);
    c.st(slab, c.ld(node));
    c.st(node, slab);
    slab = next;
  }
}

function allSlabs(view: View, { partial, node, slabs }: Partials): Wrong | undefined {
  const found = walk(view, [partial, node]);
  if (!Array.isArray(found)) return found;
  const lost = slabs.length - found.length;
  return lost === 0 ? undefined : { cls: 'leak', message: `${lost} of ${slabs.length} slabs are on no list` };
}

const slubPartial = scenario<Partials>('slub-rt-partial', {
  title: 'a CPU\'s list of partial slabs, where staying on the CPU was taken for having it to oneself',
  origin: 'linux-mm 2021-07, Galbraith: "mm/slub: restore/expand unfreeze_partials() local exclusion scope"',
  lesson: {
    kernel: 'Linux',
    story: [
      'A freeing thread puts a slab on its CPU\'s list of partial slabs: plain accesses, with preemption off.',
      'For PREEMPT_RT preempt_disable became migrate_disable: the thread stays on its CPU, but may be preempted.',
      'Another thread of the CPU comes between its accesses and moves the whole list to the node.',
      'Then a slab is on both lists, or on none.',
      'Stress tests with CPU partial lists and cgroup accounting on ran into free lists that were not mapped.',
    ],
    fix: 'Both sides take the CPU\'s local lock (Mike Galbraith, Vlastimil Babka, 2021). Here: a critical section.',
    unseen: 'it takes two threads of one CPU that preempt each other, and a worker is one thread.',
  },
  cpus: ['freer'],
  threads: { 0: 'drainer' },
  setup(k) {
    const [partial, node, ...slabs] = k.words(4);
    const s = { partial: partial!, node: node!, slabs };
    k.on(0, (c) => putCpuPartial(c, s, slabs[0]!));
    return s;
  },
  cpu: {
    freer: (k, s) => [
      k.op('put_cpu_partial', (c) =>
        k.defect('no-section') ? putCpuPartial(c, s, s.slabs[1]!) : c.crit(() => putCpuPartial(c, s, s.slabs[1]!))),
    ],
    drainer: (k, s) => [
      k.op('unfreeze_partials', (c) =>
        k.defect('no-section') ? unfreezePartials(c, s) : c.crit(() => unfreezePartials(c, s))),
    ],
  },
  after: allSlabs,
  defects: ['no-section'],
  expect: { verdict: 'pass', with: { 'no-section': 'list-corrupt' } },
});

export const linuxes: readonly Scenario[] = [slubTid, slubPartial];
