/**
 * statistics.ts — scenarios of counting: what a malloc type allocates and frees, by every CPU, summed by any.
 */
import { Z_CHUNKSIZE } from '../../dragonfly/slaballoc.layout.js';
import { MTS_MEMALLOCED, MTS_MEMFREED, mtsOffset } from '../../kern/malloc_type.layout.js';
import type { Setup } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';
import { asRace } from './variants.js';

export const SIZE = 64;

/** Each CPU has a zone of its own with chunks left, so that kmalloc is nothing but the update. */
function zoneOnEach(k: Setup): void {
  for (let cpu = 0; cpu < k.ncpu; cpu++) k.zone(SIZE, { owner: cpu, chunks: 2 });
}

const R1 = scenario('R1', {
  title: 'two CPUs count in one record: without its lock an update is lost',
  origin: 'FreeBSD kern_malloc.c before 63a7e0a3: the mutex a type had, and what it was for',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A malloc type has one record of counters; all CPUs add to it. An addition is three steps: load, add, store.',
      'cpu0 loads inuse 4, and is about to store 5. cpu1 comes in between: it loads 4 as well, and stores 5.',
      'Then cpu0 stores its 5. Two blocks were allocated and the record says one: an update is lost.',
      'Nothing crashes. In use and truth never meet again, and one day there are more frees than allocations.',
      'The window is a few instructions wide, but every allocation of every CPU goes through it.',
    ],
    fix: 'A mutex for each type (FreeBSD until 2005); since 63a7e0a3 each CPU has a record of its ' +
      'own, that no other CPU writes. Here: ks_mtx, policy mutex.',
  },
  machine: { stats: 'mutex' },
  cpus: ['counter', 'counter'],
  setup: zoneOnEach,
  cpu: { counter: (k) => [k.op('kmalloc', (c) => c.kmalloc(SIZE))] },
  races: false,
  rules: false,
  defects: ['R1'],
  expect: { verdict: 'pass', with: { R1: 'stats-drift' } },
});

/** Two blocks are out and not counted: counting them is the work. @returns where mtsAllocated finds their size */
export function uncounted(k: Setup): number {
  return k.on(0, (c) => {
    const sizeAt = ((k.engine.zoneOf(c.kmalloc(SIZE)) >>> 2) + Z_CHUNKSIZE) >>> 1;
    c.kmalloc(SIZE);
    for (let n = 0; n < 2; n++) k.engine.stats.mallocTypeFreed(k.type, sizeAt);
    return sizeAt;
  });
}

const R2 = scenario<number>('R2', {
  title: 'an update of the CPU\'s own slot is preempted, and the next thread updates the slot too',
  origin: 'FreeBSD kern_malloc.c 63a7e0a3: critical_enter around the update',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'Each CPU has counters of its own, so there is no lock: a thread adds to those of the CPU it runs on.',
      'Thread A loads numallocs 2 and is preempted. Thread B runs on the same CPU: it loads 2 and stores 3.',
      'A goes on and stores its 3: two updates, one counted. An interrupt handler that allocates does the same.',
      'If A goes on on another CPU, it even writes the counters of a CPU it has left.',
      'Statistics drift, but seldom: the switch has to come just between one load and its store.',
    ],
    fix: 'A critical section around the update, entered before the thread asks which CPU it is on ' +
      '(FreeBSD 63a7e0a3, 2005). Here: kern/malloc_stats.ts.',
    unseen: 'It takes a second thread, or an interrupt, between two accesses of one CPU. A worker ' +
      'cannot be interrupted there.',
  },
  machine: { stats: 'critical' },
  cpus: ['thread'],
  threads: { 0: 'thread' },
  setup: uncounted,
  cpu: {
    thread: (k, sizeAt) => [
      k.op('malloc_type_allocated', (c) => c.engine.stats.mallocTypeAllocated(k.type, sizeAt)),
    ],
  },
  defects: ['R2'],
  expect: { verdict: 'pass', with: { R2: 'stats-drift' } },
});

const R2interrupt = scenario<number>('R2-interrupt', {
  title: 'an update of the CPU\'s own slot is interrupted, and the handler updates the slot too',
  origin: 'FreeBSD kern_malloc.c 63a7e0a3: critical_enter around the update',
  machine: { stats: 'critical' },
  cpus: ['interrupted', 'sender'],
  setup(k) {
    const sizeAt = uncounted(k);
    const func = k.handler((c) => c.engine.stats.mallocTypeAllocated(k.type, sizeAt));
    k.on(1, (c) => c.send(0, func));
    return sizeAt;
  },
  cpu: {
    interrupted: (k, sizeAt) => [
      k.op('malloc_type_allocated', (c) => c.engine.stats.mallocTypeAllocated(k.type, sizeAt)),
    ],
    sender: () => [],
  },
  defects: ['R2'],
  expect: { verdict: 'pass', with: { R2: 'stats-drift' } },
});

/** One chunk is out, and the next allocation carries into the high word of memalloced. @returns bytes in use */
function beforeTheCarry(k: Setup): number {
  k.zone(SIZE, { owner: 0, chunks: 1 });
  const mts = (k.type >>> 3) + mtsOffset(k.ncpu);
  const allocated = 0xfffffff0n;
  k.on(0, (c) => {
    c.st64(mts + MTS_MEMALLOCED, allocated);
    c.st64(mts + MTS_MEMFREED, allocated - BigInt(SIZE));
  });
  return SIZE;
}

const R3 = scenario<number>('R3', {
  title: 'a reader of a 64-bit counter sees a low half that has wrapped and a high half that has not',
  origin: 'FreeBSD malloc(9) statistics, uint64_t since 2005, on 32-bit machines',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A 32-bit machine reads and writes a 64-bit counter as two halves, each in an access of its own.',
      'memalloced is 0x0_fffffff0 and grows by 64: the low half becomes 0x30, and the high half is to become 1.',
      'A reader comes between the two stores and sees low 0x30, high 0: 48 bytes, where there are 4,294,967,344.',
      'memfreed is larger than 48: the sum is negative, shown as 0, or as 1.8e19 by a tool that does not clamp it.',
      'The next reading is right again, and the carry comes once in 4 GiB: a spike in a graph nobody can explain.',
    ],
    fix:
      'FreeBSD lives with it, and shows a negative sum as 0. Here a counter is one 64-bit word of the host.',
  },
  machine: { stats: 'critical' },
  cpus: ['owner', 'reader'],
  setup: beforeTheCarry,
  cpu: {
    owner: (k) => [k.op('kmalloc', (c) => c.kmalloc(SIZE))],
    reader: (k, before) => [
      k.op('memuse', (c) => {
        const sum = c.memuse();
        if (sum !== before && sum !== before + SIZE) c.fail('torn-read', `${sum} bytes in use, never so many`);
        return sum;
      }),
    ],
  },
  defects: ['R3'],
  expect: { verdict: 'pass', with: { R3: 'torn-read' } },
});

const R4 = scenario<readonly number[]>('R4', {
  title: 'a sum sees the free and not its allocation',
  origin: 'FreeBSD kern_malloc.c 63a7e0a3, kern.malloc: "a negative value ... is 0"',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'To tell how many blocks a type has in use, a reader adds up the counters of all CPUs, one CPU after the other.',
      'It reads cpu0. Then cpu0 allocates a block and counts it, cpu1 frees that block and counts that.',
      'Now the reader comes to cpu1, and sees the free. Its allocation it has missed: the sum says -1 blocks in use.',
      'No counter is wrong, and the next sum is right. It is only that this one was never true at any moment.',
      'As long as the other CPUs are not stopped, a walk over their counters cannot be an exact sum.',
    ],
    fix: 'A negative sum is shown as 0 (FreeBSD 63a7e0a3). An exact one would need a lock in every ' +
      'malloc and free. Here: kern/malloc_stats.ts.',
  },
  machine: { stats: 'critical', free: 'rtagged' },
  cpus: ['allocator', 'freer', 'reader'],
  setup(k) {
    const { chunk } = k.zone(SIZE, { owner: 0, chunks: 1 });
    k.on(0, (c) => c.kfree(chunk[0]!));
    return k.words(1);
  },
  cpu: {
    allocator: (k, [mail]) => [k.op('kmalloc', (c) => c.store(mail!, c.kmalloc(SIZE)))],
    freer: (k, [mail]) => [
      k.op('kfree', (c) => {
        const block = c.load(mail!);
        if (block !== 0) c.kfree(block);
      }),
    ],
    reader: (k) => [
      k.op('inuse', (c) => {
        const sum = c.inuse();
        if (sum < 0) c.fail('stats-drift', `${sum} blocks in use`);
        return sum;
      }),
    ],
  },
  interrupts: false,
  defects: ['R4'],
  expect: { verdict: 'pass', with: { R4: 'stats-drift' } },
});

const R39 = scenario<readonly number[]>('R39', {
  title: 'a remote free counts in the owner\'s slot: the owner\'s own update is lost',
  origin: 'DragonFly 5fee07e6: "ks_inuse[z->z_Cpu]" in kfree',
  lesson: {
    kernel: 'DragonFly',
    story: [
      "A CPU that frees another's chunk counts it in the owner's counters, ks_inuse[z->z_Cpu], and takes no lock.",
      'The owner counts there too, in a critical section. That keeps interrupts out, and no other CPU.',
      'cpu0 loads numfrees 0. cpu1 loads 0 and stores 1. cpu0 stores its 1: two frees, and one is counted.',
      'From then on the type has 2 blocks in use where there is 1; its limit is reached too early.',
      "The commit's message says that each CPU counts in its own slot. The code did not.",
    ],
    fix: "Each CPU counts in its own slot, in a critical section. One CPU's slot may be negative; " +
      'only the sum has to be right. Here: kern/malloc_stats.ts.',
  },
  machine: { free: 'rtagged' },
  cpus: ['owner', 'remote'],
  setup: (k) => k.zone(SIZE, { owner: 0, chunks: 3 }).chunk,
  cpu: {
    owner: (k, chunk) => [k.op('kfree c0', (c) => c.kfree(chunk[0]!))],
    remote: (k, chunk) => [k.op('kfree c1', (c) => c.kfree(chunk[1]!))],
  },
  races: false,
  rules: false,
  defects: ['R39'],
  expect: { verdict: 'pass', with: { R39: 'stats-drift' } },
});

const counting = scenario<readonly number[]>('statistics', {
  title: 'allocations, frees at home and abroad, and a reader in between',
  origin: 'generic',
  machine: { free: 'rtagged' },
  cpus: ['owner', 'remote'],
  threads: { 1: 'reader' },
  setup: (k) => k.zone(SIZE, { owner: 0, chunks: 3 }).chunk,
  cpu: {
    owner: (k, chunk) => [k.op('kfree c0', (c) => c.kfree(chunk[0]!)), k.op('kmalloc', (c) => c.kmalloc(SIZE))],
    remote: (k, chunk) => [k.op('kfree c1', (c) => c.kfree(chunk[1]!))],
    reader: (k) => [
      k.op('inuse', (c) => {
        const sum = c.inuse();
        if (sum > 4) c.fail('stats-drift', `${sum} blocks in use, at most 4 ever were`);
        return sum;
      }),
    ],
  },
  expect: { verdict: 'pass' },
});

export const statistics: readonly Scenario[] = [R1, asRace(R1), R2, R2interrupt, R3, R4, R39, asRace(R39), counting];
