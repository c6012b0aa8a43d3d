/**
 * accounting.ts — races of what malloc types count and are limited by, and of pages that are freed twice.
 */
import type { Client, Setup } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';

const R35 = scenario<readonly number[]>('R35', {
  title: 'ks_calls is one word that all CPUs count in: a call is lost',
  origin: 'DragonFly kern_slaballoc.c 5fee07e6: ks_calls, a plain ++; later in ks_use, per CPU',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'kmalloc begins with ++type->ks_calls. Bytes and blocks in use are counted by each CPU, the calls are not.',
      'Two CPUs read the same number and write the same sum: one call is lost.',
      'vmstat -m shows too few requests; nothing else depends on it.',
      'Very common, with every two CPUs that allocate of one type.',
    ],
    fix: 'ks_calls moved to the padded record each CPU has of a type (ks_use); the reader sums them.',
  },
  cpus: ['caller', 'caller'],
  setup: (k) => k.words(2),
  cpu: {
    caller: (k, words, index) => [
      k.op('kmalloc', (c) => {
        const calls = words[k.defect('R35') ? 0 : index]!;
        c.st(calls, c.ld(calls) + 1);
      }),
    ],
  },
  after(view, [first, second]) {
    const sum = view.i32[first!]! + view.i32[second!]!;
    return sum === 2 || { cls: 'stats-drift', message: `${sum} requests, and there were 2` };
  },
  interrupts: false,
  // its data race is the plain word's, found first
  races: false,
  defects: ['R35'],
  expect: { verdict: 'pass', with: { R35: 'stats-drift' } },
});

/** bytes */
const LIMIT = 1000;
const BEFORE = 800;
const MORE = 100;

interface Loose {
  readonly mtx: number;
  readonly loose: number;
  /** ks_memuse of each CPU */
  readonly memuse: readonly number[];
}

/** The head and the tail of kmalloc as of the seed: look at the sum, count the block. */
function kmallocLoose(c: Client, { loose, memuse }: Loose): boolean {
  while (c.ld(loose) >= LIMIT) {
    const ttl = memuse.reduce((sum, word) => sum + c.ld(word), 0);
    c.st(loose, ttl);
    if (ttl >= LIMIT) return false;
  }
  const mine = memuse[c.cpu]!;
  c.st(mine, c.ld(mine) + MORE);
  c.st(loose, c.ld(loose) + MORE);
  return true;
}

const R36 = scenario<Loose>('R36', {
  title: 'a CPU sums up what a type uses and writes the sum over what another has added meanwhile',
  origin: 'DragonFly kern_slaballoc.c kmalloc: ks_loosememuse, "not MP synchronized"',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'ks_loosememuse is a rough sum of what a type uses: allocations add to it, frees do not subtract.',
      'A CPU that finds it at the limit sums up the exact figures of all CPUs and writes the result back.',
      'Another CPU adds in between: its addition is written over. Two additions can lose one another, too.',
      'The sum is then too small, and the limit is noticed late. The next look at the limit puts it right.',
      'Known and accepted: the comment in kmalloc says so.',
    ],
    fix: 'Later each CPU adds up by itself and folds in when it has a zone\'s worth; a lock here. The engine: I3.',
  },
  cpus: ['allocator', 'allocator'],
  setup(k) {
    const [mtx, loose, ...memuse] = k.words(4);
    k.on(0, (c) => {
      c.st(loose!, LIMIT);
      for (const word of memuse) c.st(word, BEFORE / memuse.length);
    });
    return { mtx: mtx!, loose: loose!, memuse };
  },
  cpu: {
    allocator: (k, s) => [
      k.op('kmalloc', (c) => {
        if (k.defect('R36')) return kmallocLoose(c, s);
        c.mtxLock(s.mtx);
        const done = kmallocLoose(c, s);
        c.mtxUnlock(s.mtx);
        return done;
      }),
    ],
  },
  after(view, { loose, memuse }) {
    const used = memuse.reduce((sum, word) => sum + view.i32[word]!, 0);
    const message = `ks_loosememuse is ${view.i32[loose]}, and ${used} bytes are in use`;
    return view.i32[loose] === used || { cls: 'stats-drift', message };
  },
  interrupts: false,
  // deliberate, in the kernel: all of it is plain
  races: false,
  defects: ['R36'],
  expect: { verdict: 'pass', with: { R36: 'stats-drift' } },
});

/** one page more than the largest chunk: nothing but pages, and no zones that hold some back */
const BLOCK = 12288;

interface Limited {
  readonly type: number;
  readonly mtx: number;
}

/** A type's limit is a tenth of memory unless it is raised. Blocks are out until one more would pass the limit. */
function upToLimit(k: Setup): Limited {
  const [mtx] = k.words(1);
  const type = k.engine.engine.mallocTypeCreate('limited');
  const limit = Math.floor(k.i32.byteLength / 10);
  k.on(0, (c) => c.kmalloc(limit - (limit % BLOCK), type));
  return { type, mtx: mtx! };
}

const R37 = scenario<Limited>('R37', {
  title: 'two CPUs find a type below its limit, and both allocate: it is over by both blocks',
  origin: 'DragonFly kern_slaballoc.c kmalloc: the limit is looked at before the block is counted',
  lesson: {
    kernel: 'DragonFly',
    story: [
      'kmalloc compares a type\'s use with its limit, then takes the memory, then counts it.',
      'CPUs between the look and the count do not see one another: each finds room, and each takes a block.',
      'Limit 1000, 990 in use, two blocks of 100: 1190. Which of them fails afterwards is chance.',
      'Accepted in the kernel: a limit is to stop a leak, not to be exact. The defect is kmalloc as it is.',
      'As common as two CPUs that allocate of one type when it is full.',
    ],
    fix: 'None in the kernel, and none here: the overshoot is bounded, kern_slaballoc.ts I3. Exact: under a lock.',
  },
  cpus: ['allocator', 'allocator'],
  setup: upToLimit,
  cpu: {
    allocator: (k, { type, mtx }) => [
      k.op('kmalloc', (c) => {
        if (k.defect('R37')) return c.kmalloc(BLOCK, type) !== 0;
        c.mtxLock(mtx);
        const block = c.kmalloc(BLOCK, type);
        c.mtxUnlock(mtx);
        return block !== 0;
      }),
    ],
  },
  result: (_view, _s, results) => `${results.flat().filter((got) => got === true).length} of 2 blocks`,
  outcome: { '1 of 2 blocks': 'acceptable', '*': 'forbidden' },
  interrupts: false,
  defects: ['R37'],
  expect: { verdict: 'pass', with: { R37: 'outcome' } },
});

interface OnePage {
  readonly page: number;
  /** 1 while somebody has to free it */
  readonly held: number;
}

const R68 = scenario<OnePage>('R68', {
  title: 'two CPUs free the same page: the second finds the head of a free block',
  origin: 'FreeBSD vm_phys.c vm_phys_free_pages: KASSERT(m->order == VM_NFREEORDER)',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'Two CPUs are to free a page when nobody holds it any more. Both look, and both find that they may.',
      'The first free gives the page to the buddy allocator, which merges it with its neighbours.',
      'The second would merge it once more: blocks overlap, and the same memory is handed out twice.',
      'vm_phys_free_pages asserts that the page is not free. It knows by the order that heads of blocks have;',
      'a page that has become the inside of a larger block by then has none, and passes.',
    ],
    fix: 'Looking and deciding in one atomic step, by who frees; the assertion stays for those who do not.',
  },
  cpus: ['freer', 'freer'],
  setup(k) {
    const [held] = k.words(1);
    return k.on(0, (c) => {
      c.store(held!, 1);
      return { page: k.engine.vm.vmPagesAlloc(1) & ~k.engine.vm.KNOWN_ZERO, held: held! };
    });
  },
  cpu: {
    freer: (k, { page, held }) => [
      k.op('vm_page_free', (c) => {
        const mine = k.defect('R68') ? c.load(held) : c.xchg(held, 0);
        if (mine === 0) return;
        if (k.defect('R68')) c.store(held, 0);
        c.engine.vm.vmPagesFree(page, 1);
      }),
    ],
  },
  defects: ['R68'],
  expect: { verdict: 'pass', with: { R68: 'panic' } },
});

const R80 = scenario<readonly number[]>('R80', {
  title: 'all CPUs count a type\'s allocations under its one mutex, and wait for each other',
  origin: 'FreeBSD kern_malloc.c before 63a7e0a3: ks_mtx, which the high watermark wants',
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A type\'s statistics were one record with a mutex: sums were exact, and so was the highest use.',
      'Every malloc and free of the type takes it, on every CPU. Who comes second waits, with nothing in dispute',
      'but a count. Nothing is ever wrong with it: this is a race for time.',
      'It shows in throughput, and only there: smpalloc bench --stats mutex,critical.',
    ],
    fix: 'Each CPU counts in a record of its own, in a critical section (2005). The high watermark was given up.',
  },
  cpus: ['counter', 'counter'],
  setup: (k) => k.words(3),
  cpu: {
    counter: (k, [mtx, ...counts], index) => [
      k.op('malloc_type_allocated', (c) => {
        const count = counts[k.defect('R80') ? 0 : index]!;
        const waits = k.defect('R80') && !c.engine.engine.mtxTrylock(mtx!);
        if (waits) c.mtxLock(mtx!);
        c.st(count, c.ld(count) + 1);
        if (k.defect('R80')) c.mtxUnlock(mtx!);
        return waits;
      }),
    ],
  },
  result: (_view, _s, results) => (results.flat().includes(true) ? 'a CPU waited for the lock' : 'nobody waited'),
  outcome: { 'nobody waited': 'acceptable', 'a CPU waited for the lock': 'forbidden' },
  interrupts: false,
  defects: ['R80'],
  expect: { verdict: 'pass', with: { R80: 'outcome' } },
});

export const accountings: readonly Scenario[] = [R35, R36, R37, R68, R80];
