/**
 * migration.ts — scenarios of threads that move to another CPU between reading curcpu and writing: what FreeBSD's
 * critical sections are for. No run on real workers shows them (docs/design/stepping.md).
 */
import { STATS_CRITICAL } from '../../base/policy.js';
import { SB_STATS } from '../../hw/superblock.layout.js';
import { MTS_MEMALLOCED, MTS_NUMALLOCS, mtsOffset, mtsStride } from '../../kern/malloc_type.layout.js';
import type { Client, Setup } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';
import { SIZE, uncounted } from './statistics.js';
import { freebsd, warm } from './uma.js';
import { asRace } from './variants.js';

/** bytes of a block, and how many of them a CPU's first bucket gets */
const BLOCK = 1024;
const FIRST_FILL = 5;
const UNSEEN = 'a worker is one CPU for its life, and nothing interrupts it within an operation, to go on elsewhere';

const R2moves = scenario<number>('R2-moves', {
  title: 'an update of the CPU\'s own slot goes on on another CPU: a slot is written by who does not own it',
  origin: 'FreeBSD kern_malloc.c 63a7e0a3: critical_enter around the update',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A thread reads curcpu, which is 0, and with it finds the slot of CPU 0. It is preempted there.',
      'The scheduler gives it to CPU 1. It goes on where it was, with the address it had: the slot of CPU 0.',
      'Now CPU 1 writes what CPU 0 alone may write, without a lock, because nobody else ever does.',
      'If a thread of CPU 0 counts at that moment, one of the two updates is lost (R2-early).',
    ],
    fix: 'critical_enter before curcpu is read, critical_exit behind the update: no thread is moved in between.',
    unseen: UNSEEN,
  },
  machine: { stats: 'critical' },
  cpus: ['thread', 'idle'],
  moves: { 0: [1] },
  setup: uncounted,
  cpu: {
    thread: (k, sizeAt) => [
      ...['first', 'second'].map((block) =>
        k.op(`count the ${block}`, (c) => c.engine.stats.mallocTypeAllocated(k.type, sizeAt))),
    ],
    idle: () => [],
  },
  defects: ['R2'],
  expect: { verdict: 'pass', with: { R2: 'rule-violation' } },
});

/** malloc_type_allocated by hand. @param early curcpu is read before the section is entered, and not in it */
function count(k: Setup, c: Client, early: boolean): void {
  const slot = () => (k.type >>> 3) + mtsOffset(k.ncpu) + c.engine.curcpu * mtsStride(STATS_CRITICAL);
  const before = slot();
  c.critEnter();
  const mts = early ? before : slot();
  c.st64(mts + MTS_MEMALLOCED, c.ld64(mts + MTS_MEMALLOCED) + BigInt(SIZE));
  c.st64(mts + MTS_NUMALLOCS, c.ld64(mts + MTS_NUMALLOCS) + 1n);
  c.critExit();
}

const R2early = scenario<number>('R2-early', {
  title: 'curcpu is read before the critical section and not in it: two CPUs update one slot, each in its section',
  origin: 'FreeBSD kern_malloc.c 63a7e0a3: critical_enter before curcpu is read',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A thread reads curcpu, 0, and enters its critical section only then. In between it is moved to CPU 1.',
      'The section keeps others off CPU 1. The slot it updates is that of CPU 0.',
      'A thread of CPU 0 updates the same slot in a critical section of its own: both are right, and one is lost.',
      'Two threads of one CPU never show this: there the section does exclude. It takes a move.',
    ],
    fix: 'critical_enter first, then curcpu.',
    unseen: UNSEEN,
  },
  machine: { stats: 'critical' },
  cpus: ['thread', 'idle'],
  threads: { 0: 'thread' },
  moves: { 0: [1] },
  setup: uncounted,
  cpu: {
    thread: (k, sizeAt) => [
      k.op('count', (c) => {
        // other policies have no slots to count in by hand
        if (k.i32[SB_STATS] === STATS_CRITICAL) count(k, c, k.defect('early'));
        else c.engine.stats.mallocTypeAllocated(k.type, sizeAt);
      }),
    ],
    idle: () => [],
  },
  races: false,
  rules: false,
  defects: ['early'],
  expect: { verdict: 'pass', with: { early: 'stats-drift' } },
});

const R14 = scenario('R14', {
  title: 'between the empty bucket and the lock another thread of the CPU fills it, and it is not looked at again',
  origin: 'FreeBSD uma_core.c 1.136, uma_zalloc_arg: "critical_enter(); cpu = curcpu; cache = &zone->uz_cpu[cpu];"',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'malloc finds its CPU\'s bucket empty, leaves the critical section, and takes the lock of the zone.',
      'Before it has the lock, another thread of the CPU finds the same, and has filled the bucket already.',
      'The first takes the bucket for empty still, and puts it on the list of empty ones: its items are lost.',
      'They are neither free nor anybody\'s. An INVARIANTS kernel stops: "Freeing a non free bucket."',
    ],
    fix: 'Under the lock the section is entered again, curcpu is read again, and the buckets are looked at again.',
    unseen: 'it takes a second thread on the CPU between two accesses, and a worker has one and is not interrupted',
  },
  machine: freebsd,
  cpus: ['thread'],
  threads: { 0: 'thread' },
  interrupts: false,
  // the window has no shared word in it
  points: 'all',
  setup: warm,
  cpu: { thread: (k) => [k.op('malloc', (c) => c.kmalloc(BLOCK))] },
  defects: ['R14'],
  expect: { verdict: 'pass', with: { R14: 'audit' } },
});

/** @returns blocks of cpu0, whose two buckets are there now, and empty */
function emptyBuckets(k: Setup): number[] {
  warm(k);
  return k.on(0, (c) => {
    const blocks = Array.from({ length: FIRST_FILL }, () => c.kmalloc(BLOCK));
    c.kfree(blocks.pop()!);
    return [...blocks, c.kmalloc(BLOCK)];
  });
}

const R14moves = scenario<number[]>('R14-moves', {
  title: 'between the empty bucket and the lock the thread moves: it changes the buckets of a CPU it is not on',
  origin: 'FreeBSD uma_core.c 1.136, uma_zalloc_arg: "critical_enter(); cpu = curcpu; cache = &zone->uz_cpu[cpu];"',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'malloc finds the buckets of CPU 0 empty, leaves the critical section, and is moved to CPU 1.',
      'It takes the lock of the zone, and has the pointer to the buckets of CPU 0 still.',
      'A thread of CPU 0 frees into these buckets meanwhile, in its critical section and without the lock.',
      'Neither keeps the other out: counts are lost; at worst both CPUs have one bucket, and its items come twice.',
    ],
    fix: 'Under the lock the section is entered again, curcpu is read again, and the buckets are looked at again.',
    unseen: UNSEEN,
  },
  machine: freebsd,
  cpus: ['allocator', 'idle'],
  threads: { 0: 'freer' },
  moves: { 0: [1] },
  interrupts: false,
  setup: emptyBuckets,
  cpu: {
    allocator: (k) => [k.op('malloc', (c) => c.kmalloc(BLOCK))],
    // on one CPU this does no harm: the stale pointer is right, and the buckets it leads to are not full
    freer: (k, [block]) => [k.op('free', (c) => c.kfree(block!))],
    idle: () => [],
  },
  races: false,
  rules: false,
  defects: ['R14'],
  expect: { verdict: 'pass', with: { R14: 'audit' } },
});

export const migrations: readonly Scenario[] = [R2moves, R2early, R14, R14moves, asRace(R14moves)];
