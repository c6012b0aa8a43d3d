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
