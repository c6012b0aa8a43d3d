/**
 * malloc.ts — races of malloc(9) on the way to a block and back: failures, profiles, large blocks, filling buckets.
 */
import { M_WAITOK } from '../../freebsd/malloc.js';
import { UZ_FILLS } from '../../freebsd/uma_int.layout.js';
import { SB_MPROF } from '../../hw/superblock.layout.js';
import { MP_REQUESTS, MP_WORDS, MPROF_SHIFT } from '../../kern/malloc_profile.layout.js';
import type { Setup } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';
import { asRace } from './variants.js';

const SIZE = 1 << MPROF_SHIFT;
const LARGE = 8192;

/** Without the layers that look at each item: what they find is theirs (R22, R23). */
const tunables = { 'vm.boot_pages': 24, 'debug.trash': 0, 'debug.uma_dbg': 0 } as const;
const freebsd = { alloc: 'freebsd', tunables } as const;

/** Every CPU has buckets of this size, with something in them. */
function bucketsOnEach(k: Setup, size: number): void {
  for (let cpu = 0; cpu < k.ncpu; cpu++) k.on(cpu, (c) => c.kfree(c.kmalloc(size, k.type, M_WAITOK)));
}

const R7 = scenario('R7', {
  title: 'a malloc that failed is counted: one block in use, of no bytes, for ever',
  origin: 'FreeBSD kern_malloc.c: "if (size > 0)" in malloc_type_allocated',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'malloc takes a block and counts it for its caller\'s type: so many bytes more in use, and one block.',
      'With M_NOWAIT it may get none. It counts all the same: no bytes more, but one block.',
      'Nobody frees a block he was not given, so the type has that block in use for ever.',
      'vmstat -m shows a leak where there is none, which grows whenever memory is short. No second CPU is needed.',
    ],
    fix: 'FreeBSD counts only what has a size; here a malloc that failed does not come to the counting.',
  },
  machine: freebsd,
  cpus: ['asker'],
  cpu: {
    asker: (k) => [k.op('malloc more than there is', (c) => c.kmalloc(1 << 24))],
  },
  after: (_view, _state, results) => (results[0]![0] === 0 ? '' : 'it was to fail'),
  defects: ['R7'],
  expect: { verdict: 'pass', with: { R7: 'stats-drift' } },
});

/** krequests[] of SIZE. */
interface Row {
  readonly address: number;
  readonly requests: number;
}

const R11 = scenario<Row>('R11', {
  title: 'two CPUs count a request of the same size, and one of the two is lost',
  origin: 'FreeBSD kern_malloc.c MALLOC_PROFILE: krequests[], "not entirely mp safe"',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'MALLOC_PROFILE counts how often each size is asked for: krequests[index]++, a load and a store.',
      'cpu0 loads 2 and is about to store 3. cpu1 asks for the same size: it loads 2 and stores 3.',
      'Then cpu0 stores its 3. The table has one request less than there were mallocs.',
      'Sizes that are asked for often lose most, and they are those the table was made for.',
    ],
    fix: 'An atomic add. FreeBSD took it for good enough: the option is for tuning, not for counting.',
  },
  machine: { ...freebsd, tunables: { ...tunables, 'debug.malloc.profile': 1 } },
  cpus: ['allocator', 'allocator'],
  setup(k) {
    bucketsOnEach(k, SIZE);
    const address = k.word(0, SB_MPROF) + ((SIZE >> MPROF_SHIFT) * MP_WORDS) * 4;
    return { address, requests: k.word(address, MP_REQUESTS) };
  },
  cpu: { allocator: (k) => [k.op('malloc', (c) => c.kmalloc(SIZE))] },
  after(view, { address, requests }) {
    const counted = view.word(address, MP_REQUESTS) - requests;
    return counted === 2 ? '' : { cls: 'stats-drift', message: `${counted} requests counted, of 2` };
  },
  races: false,
  rules: false,
  defects: ['R11'],
  expect: { verdict: 'pass', with: { R11: 'stats-drift' } },
});

const R12 = scenario('R12', {
  title: 'one of two mallocs is to fail: both do, or neither',
  origin: 'FreeBSD kern_malloc.c MALLOC_MAKE_FAILURES: malloc_nowait_count is read after the add',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'debug.malloc.failure_rate lets one of N mallocs fail: each adds 1 to a count, and fails at a multiple of N.',
      'The add is atomic, but the count is then read again, and another CPU may have added in between.',
      'N is 2. cpu0 adds: 1. cpu1 adds: 2, reads 2 and fails. cpu0 reads 2 and fails as well.',
      'From another count both read past the multiple, and nobody fails: the rate is irregular.',
    ],
    fix: 'To decide by the number the add itself returned: each number is returned to one CPU only.',
  },
  machine: { ...freebsd, tunables: { ...tunables, 'debug.malloc.failure_rate': 2 } },
  cpus: ['allocator', 'allocator'],
  setup: (k) => bucketsOnEach(k, SIZE),
  cpu: { allocator: (k) => [k.op('malloc M_NOWAIT', (c) => c.kmalloc(SIZE))] },
  result: (_view, _state, results) => `${results.filter(([block]) => block === 0).length} of 2 failed`,
  outcome: { '1 of 2 failed': 'acceptable', '*': 'forbidden' },
  defects: ['R12'],
  expect: { verdict: 'pass', with: { R12: 'outcome' } },
});

interface Shared {
  readonly block: number;
  /** word: 1 once somebody has freed it */
  readonly freed: number;
}

const R13 = scenario<Shared>('R13', {
  title: 'two CPUs free the same large block, and each sees it allocated',
  origin: 'FreeBSD kern_malloc.c free, uma_large_free',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'Two users share a large block. Who is done with it looks at a flag, frees the block, and sets the flag.',
      'cpu1 looks at the flag before cpu0 has set it, and frees the block as well.',
      'If the page is not marked as a slab\'s any more, free panics: "has not been allocated". That is luck.',
      'While cpu0 is still on its way both have found the slab header, and give pages and header back twice.',
      'The page allocator notices, unless somebody was given the pages in between: then they are taken from him.',
    ],
    fix: 'It is the program that is wrong: to look at the flag and to set it has to be one atomic exchange. ' +
      'malloc was never changed; MemGuard was made to find such programs.',
  },
  machine: freebsd,
  cpus: ['user', 'user'],
  setup: (k) => ({ block: k.on(0, (c) => c.kmalloc(LARGE)), freed: k.words(1)[0]! }),
  cpu: {
    user: (k, { block, freed }) => [
      k.op('free', (c) => {
        if (k.defect('R13')) {
          if (c.load(freed) !== 0) return;
          c.kfree(block);
          c.store(freed, 1);
        } else if (c.xchg(freed, 1) === 0) c.kfree(block);
      }),
    ],
  },
  races: false,
  defects: ['R13'],
  expect: { verdict: 'pass', with: { R13: 'panic' } },
});

const R15 = scenario<number>('R15', {
  title: 'two threads of one CPU find no bucket, and both fill one',
  origin: 'FreeBSD uma_core.c uma_zalloc_bucket: uz_fills',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A thread that finds no bucket with items in it fills one from slabs. For a new slab it lets the lock go.',
      'Meanwhile another thread finds no bucket either, and begins to fill one of its own; and then a third.',
      'In the end all of them are full, where the first would have done for everybody.',
      'Memory goes up by a bucket of items a thread. It takes many threads that wake up together.',
    ],
    fix: 'uz_fills: no more fills of a zone under way than there are CPUs. It is looked at after the bucket ' +
      'was made, which then goes back.',
    unseen: 'It takes more threads than CPUs. A worker is one CPU with one thread.',
  },
  machine: freebsd,
  cpus: ['thread'],
  threads: { 0: 'thread' },
  setup(k) {
    // buckets there are; slabs of the zone there are not
    bucketsOnEach(k, 512);
    return k.engine.uma.kmemZone(1024);
  },
  cpu: { thread: (k) => [k.op('malloc', (c) => c.kmalloc(1024))] },
  invariant(view, zone) {
    const fills = view.word(zone, UZ_FILLS);
    return fills > 1 ? `${fills} fills under way, for one CPU` : '';
  },
  defects: ['R15'],
  expect: { verdict: 'pass', with: { R15: 'invariant' } },
});

export const mallocs: readonly Scenario[] = [R7, R11, asRace(R11), R12, R13, R15];
