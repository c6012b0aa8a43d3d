/**
 * malloc_types.ts — races of malloc(9)'s types: their statistics are read, their list is walked, they come and go.
 */
import { KERN_MALLOC, KMZ_MT_ZONE } from '../../freebsd/kern_malloc.layout.js';
import { M_WAITOK } from '../../freebsd/malloc.js';
import { UB_CNT, UC_ALLOCBUCKET, UZ_CPU } from '../../freebsd/uma_int.layout.js';
import { SB_MALLOC, SB_UMA } from '../../hw/superblock.layout.js';
import {
  KM_COUNT, KM_MTX, KM_STATISTICS, KS_HANDLE, KS_ID, KS_NEXT, MTS_DWORDS, MTS_NUMALLOCS, MTS_NUMFREES,
} from '../../kern/malloc_type.layout.js';
import type { Client, Setup } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';

const SIZE = 64;

/** Without the layers that look at each item: what they find is theirs (R22, R23). */
const freebsd = {
  alloc: 'freebsd', tunables: { 'vm.boot_pages': 24, 'debug.trash': 0, 'debug.uma_dbg': 0 },
} as const;

/** Blocks in use, as `show malloc` and libmemstat add it up: u64, a CPU after the other. */
function inuse(c: Client, type: number, ncpu: number): bigint {
  let sum = 0n;
  const stats = c.ld((type >>> 2) + KS_HANDLE) >>> 3;
  for (let cpu = 0; cpu < ncpu; cpu++) {
    const slot = stats + cpu * MTS_DWORDS;
    sum += c.engine.atomics.racy64(slot + MTS_NUMALLOCS) - c.engine.atomics.racy64(slot + MTS_NUMFREES);
  }
  return sum;
}

const R5 = scenario<number>('R5', {
  title: 'a tool adds up what CPUs are counting, sees a free and not its allocation, and shows 1.8e19 blocks',
  origin: 'FreeBSD kern_malloc.c "show malloc", libmemstat: they do not clamp as kern.malloc does',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'Each CPU counts in a slot of its own. A reader adds the slots up, one after the other, without a lock.',
      'It has read cpu0\'s slot when cpu0 allocates a block. cpu1 frees that block, and counts that in its slot.',
      'Then the reader comes to cpu1\'s slot. It has seen a free and no allocation: the sum is -1 (R4).',
      'The kernel\'s own text shows 0. The debugger and libmemstat print it as u64: InUse 18446744073709551615.',
      'It takes a block that goes from CPU to CPU at that very moment, and is gone at the next look.',
    ],
    fix: 'Every reader has to show a negative sum as 0: the kernel did, the tools did not.',
  },
  machine: freebsd,
  cpus: ['allocator', 'freer', 'reader'],
  setup(k) {
    for (const cpu of [0, 1]) k.on(cpu, (c) => c.kfree(c.kmalloc(SIZE, k.type, M_WAITOK)));
    return k.words(1)[0]!;
  },
  cpu: {
    allocator: (k, mail) => [k.op('malloc', (c) => c.store(mail, c.kmalloc(SIZE, k.type, M_WAITOK)))],
    freer: (k, mail) => [
      k.op('free', (c) => {
        while (c.load(mail) === 0) c.pause();
        c.kfree(c.load(mail));
      }),
    ],
    reader: (k) => [
      k.op('show malloc', (c) => {
        const sum = inuse(c, k.type, k.ncpu);
        return Number(k.defect('R5') || sum > 0n ? BigInt.asUintN(64, sum) : 0n);
      }),
    ],
  },
  result: (_view, _mail, results) => `InUse ${results[2]![0]}`,
  outcome: { 'InUse 0': 'acceptable', 'InUse 1': 'acceptable', '*': 'forbidden' },
  defects: ['R5'],
  expect: { verdict: 'pass', with: { R5: 'outcome' } },
});

/** bytes of a type in the stream of R6 */
const RECORD = 16;
const NEIGHBOUR = 0x51a7;

/** Types there are. */
function count(c: Client): number {
  const list = c.ld(SB_MALLOC) >>> 2;
  c.mtxLock(list + KM_MTX);
  const types = c.ld(list + KM_COUNT);
  c.mtxUnlock(list + KM_MTX);
  return types;
}

/**
 * Streams the list of types into a buffer of its size: the list may not be locked while memory is waited for.
 * @returns the buffer
 */
function stream(c: Client, type: number, recheck: boolean): number {
  const list = c.ld(SB_MALLOC) >>> 2;
  for (;;) {
    const room = count(c);
    const buffer = c.kmalloc(room * RECORD, type, M_WAITOK);
    c.mtxLock(list + KM_MTX);
    const fits = !recheck || c.ld(list + KM_COUNT) <= room;
    let at = buffer;
    for (let one = c.ld(list + KM_STATISTICS); fits && one !== 0; one = c.ld((one >>> 2) + KS_NEXT)) {
      c.write(at, c.ld((one >>> 2) + KS_ID));
      at += RECORD;
    }
    c.mtxUnlock(list + KM_MTX);
    if (fits) return buffer;
    c.kfree(buffer, type);
  }
}

const R6 = scenario<number>('R6', {
  title: 'the list of types grows between counting it and streaming it: the last record lies behind the buffer',
  origin: 'FreeBSD kern_malloc.c sysctl_kern_malloc_stats; the same in uma_core.c sysctl_vm_zone_stats',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'vmstat -m asks for a stream of all types. The kernel counts them under malloc_mtx and needs a buffer for it.',
      'malloc may sleep, so it lets the mutex go. In between a module is loaded on cpu1, and defines a type.',
      'cpu0 locks the mutex again and streams the list: one record more than the buffer has room for.',
      'It lies behind the buffer, in somebody else\'s block, and he finds out later.',
      'It takes a module that is loaded just while somebody looks at the statistics.',
    ],
    fix: 'The count is looked at again under the second lock. If it has grown, everything begins anew.',
  },
  machine: freebsd,
  cpus: ['reader', 'module'],
  setup(k) {
    // two types: the buffer of two records is a block without a byte to spare
    k.on(1, (c) => c.engine.engine.mallocTypeCreate('before'));
    return k.on(0, (c) => {
      // of a full bucket the last item is from a slab of its own; from then on each is in front of the one before
      c.kmalloc(2 * RECORD, k.type, M_WAITOK);
      const neighbour = c.kmalloc(2 * RECORD, k.type, M_WAITOK);
      c.write(neighbour, NEIGHBOUR);
      return neighbour;
    });
  },
  cpu: {
    reader: (k) => [k.op('kern.malloc_stats', (c) => stream(c, k.type, !k.defect('R6')))],
    module: (k) => [k.op('malloc_init', (c) => c.engine.engine.mallocTypeCreate('module'))],
  },
  after: (view, neighbour) => (view.word(neighbour) === NEIGHBOUR ? '' : 'the block behind the buffer was overwritten'),
  defects: ['R6'],
  expect: { verdict: 'pass', with: { R6: 'invariant' } },
});

const R8 = scenario<number>('R8', {
  title: 'malloc_init of a type there is already leaves malloc_mtx locked: who comes next waits for ever',
  origin: 'FreeBSD kern_malloc.c malloc_init, before 2005',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'malloc_init locks malloc_mtx and looks whether the type is on the list already.',
      'If another CPU has put it there, there is nothing to do: it returns, with the mutex locked.',
      'Nobody notices until malloc_mtx is locked again: another CPU sleeps for ever, and the same CPU panics,',
      'recursed on a non-recursive mutex.',
      'It takes a type that is defined twice, such as by two modules that have it in common.',
    ],
    fix: 'The mutex is unlocked before the early return, too.',
  },
  machine: freebsd,
  cpus: ['module', 'twin'],
  setup: (k) => k.words(1)[0]!,
  cpu: {
    module: (k, defined) => [
      k.op('malloc_init', (c) => {
        const type = c.engine.engine.mallocTypeCreate('twin');
        c.store(defined, 1);
        return type;
      }),
      k.op('kern.malloc_count', count),
    ],
    twin: (k, defined) => [
      k.op('malloc_init', (c) => {
        while (c.load(defined) === 0) c.pause();
        return c.engine.engine.mallocTypeCreate('twin');
      }),
    ],
  },
  after: (_view, _state, results) => (results[0]![0] === results[1]![0] ? '' : 'two types of one name'),
  defects: ['R8'],
  expect: { verdict: 'pass', with: { R8: 'deadlock' } },
});

interface Module {
  readonly type: number;
  readonly block: number;
  /** word: 1 once the block is back */
  readonly back: number;
}

const R9 = scenario<Module>('R9', {
  title: 'a type goes while a block of it is being freed: the free is counted in the type that comes after it',
  origin: 'FreeBSD kern_malloc.c malloc_uninit, free',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'free takes the address of the type\'s statistics from its handle, and counts the block there.',
      'Before it has counted, the module is unloaded on cpu1: malloc_uninit gives type and statistics back.',
      'The next type that is defined gets the same memory and allocates a block. Now free counts, in there:',
      'one block is out, and the new type says none. If there is no next type, free finds no type and panics.',
      'It takes a module that goes while something it has started is still at work.',
    ],
    fix: 'A module has to wait for its last free before it goes. malloc_uninit can only warn of blocks that are out; ' +
      'DragonFly\'s waits for the frees it can know of (R52).',
  },
  machine: freebsd,
  cpus: ['freer', 'module'],
  setup(k) {
    const type = k.malloctype('module');
    k.on(0, (c) => c.kfree(c.kmalloc(SIZE, k.type, M_WAITOK)));
    return { type, block: k.on(1, (c) => c.kmalloc(SIZE, type, M_WAITOK)), back: k.words(1)[0]! };
  },
  cpu: {
    freer: (k, { type, block, back }) => [
      k.op('free', (c) => {
        c.kfree(block, type);
        c.store(back, 1);
      }),
    ],
    module: (k, { type, back }) => [
      k.op('malloc_uninit', (c) => {
        while (!k.defect('R9') && c.load(back) === 0) c.pause();
        c.engine.engine.mallocUninit(type);
      }),
      k.op('malloc_init another', (c) => c.engine.engine.mallocTypeCreate('another')),
      k.op('malloc', (c) => c.kmalloc(SIZE, c.results[1] as number, M_WAITOK)),
    ],
  },
  races: false,
  rules: false,
  defects: ['R9'],
  expect: { verdict: 'pass', with: { R9: 'stats-drift' } },
});

/** Items in CPU 0's alloc bucket of mt_zone, which are the next types' statistics. */
function statisticsLeft(k: Setup): number {
  const mtZone = k.word(k.word(0, SB_UMA), KERN_MALLOC + KMZ_MT_ZONE);
  return k.word(k.word(mtZone, UZ_CPU + UC_ALLOCBUCKET), UB_CNT);
}

const R10 = scenario<number>('R10', {
  title: 'malloc_uninit frees the type instead of its statistics: the next type gets it for a record, and zeroes it',
  origin: 'FreeBSD kern_malloc.c malloc_uninit, 63a7e0a3',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A type is the module\'s own data. Its statistics are an item of mt_zone, which malloc_uninit has to free.',
      'It freed the type instead, and without a slab, so nobody looked: the type is in a bucket of mt_zone.',
      'The next malloc_init takes it out for its statistics and zeroes it, whatever is there by now.',
      'Here that is the new type itself: its magic is gone, and the first malloc panics.',
      'No second CPU is needed. It could stay for years, as types hardly ever go.',
    ],
    fix: 'The statistics are freed, with their slab. With INVARIANTS uma_dbg asks of every item whose it is.',
  },
  machine: freebsd,
  cpus: ['module'],
  setup(k) {
    const type = k.malloctype('module');
    for (let n = 0; statisticsLeft(k) > 0; n++) k.malloctype(`other ${n}`);
    return type;
  },
  cpu: {
    module: (k, type) => [
      k.op('malloc_uninit', (c) => c.engine.engine.mallocUninit(type)),
      k.op('malloc_init another', (c) => c.engine.engine.mallocTypeCreate('another')),
      k.op('malloc', (c) => c.kmalloc(SIZE, c.results[1] as number)),
    ],
  },
  rules: false,
  defects: ['R10'],
  expect: { verdict: 'pass', with: { R10: 'panic' } },
});

export const mallocTypes: readonly Scenario[] = [R5, R6, R8, R9, R10];
