/**
 * mbufs.ts — races of FreeBSD's mbuf allocators. The allocators themselves (mb_alloc, mbuma) are not made again here:
 * these are their protocols, on words and on blocks of malloc(9).
 */
import type { Client, Setup } from '../kit.js';
import { type Scenario, scenario } from '../scenario.js';

const MCLBYTES = 2048;
const MBUMA = 'FreeBSD kern_mbuf.c, uipc_mbuf.c (mbuma, 2004)';
const MB_ALLOC = 'FreeBSD subr_mbuf.c (mb_alloc, 2001 to 2004)';

const freebsd = { alloc: 'freebsd', tunables: { 'vm.boot_pages': 24 } } as const;

interface Cluster {
  readonly block: number;
  /** word of its reference count, m_ext.ref_cnt */
  readonly refcnt: number;
}

function cluster(k: Setup, references: number): Cluster {
  const [refcnt] = k.words(1);
  return k.on(0, (c) => {
    c.store(refcnt!, references);
    return { block: c.kmalloc(MCLBYTES), refcnt: refcnt! };
  });
}

/** @returns how many references were left: 0, it was the last one and the cluster has gone */
function drop(c: Client, { block, refcnt }: Cluster): number {
  const left = c.add(refcnt, -1) - 1;
  if (left === 0) c.kfree(block);
  return left;
}

const R26 = scenario<Cluster>('R26', {
  title: 'two CPUs drop the last two references to a cluster, and both count from 2 to 1',
  origin: `${MBUMA}: MEXT_REM_REF`,
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A cluster two mbufs share has a reference count; who drops the last reference frees the cluster.',
      'With a plain decrement two CPUs both read 2 and both write 1.',
      'Neither was the last, and the cluster is never freed.',
      'Read again after the decrement, the same count can be 0 for both, and then it is freed twice.',
    ],
    fix: 'An atomic decrement whose own result decides; a count of 1 needs none, as nobody else has a reference.',
  },
  machine: freebsd,
  cpus: ['freer', 'freer'],
  setup: (k) => cluster(k, 2),
  cpu: {
    freer: (k, s) => [
      k.op('m_free', (c) => {
        if (!k.defect('R26')) return drop(c, s);
        const left = c.load(s.refcnt) - 1;
        c.store(s.refcnt, left);
        if (left === 0) c.kfree(s.block);
        return left;
      }),
    ],
  },
  after: (_view, _s, results) =>
    results.flat().includes(0) || { cls: 'leak', message: 'nobody was the last, and the cluster stays' },
  defects: ['R26'],
  expect: { verdict: 'pass', with: { R26: 'leak' } },
});

/** A second reference: MEXT_ADD_REF. */
function addRef(c: Client, { refcnt }: Cluster, lazy: boolean): void {
  if (lazy && c.load(refcnt) === 0) c.store(refcnt, 2);
  else c.add(refcnt, 1);
}

const R27 = scenario<Cluster>('R27', {
  title: 'two CPUs copy the same mbuf, and both find that its cluster has no reference count yet',
  origin: `${MBUMA}: ref_cnt of mb_ctor_clust`,
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A cluster that is not shared has no reference count at first; the first copy makes one and sets it to 2.',
      'Two CPUs copy the same mbuf, both find none, and both set 2. There are three references.',
      'The second one that is dropped is taken for the last, and the cluster is freed.',
      'The third mbuf still points to it: it reads what the next owner writes.',
    ],
    fix: 'The constructor of the cluster sets the count to 1, before anybody can share it.',
  },
  machine: freebsd,
  cpus: ['copier', 'copier'],
  setup: (k) => cluster(k, k.defect('R27') ? 0 : 1),
  cpu: {
    copier: (k, s, index) => [
      k.op('m_copym, m_free the copy', (c) => {
        addRef(c, s, k.defect('R27'));
        return drop(c, s);
      }),
      ...(index > 0 ? [] : [k.op('read the original', (c) => void c.read(s.block))]),
    ],
  },
  after: (_view, _s, results) =>
    !results.flat().includes(0) || { cls: 'use-after-free', message: 'the cluster has gone, its mbuf has not' },
  defects: ['R27'],
  expect: { verdict: 'pass', with: { R27: 'use-after-free' } },
});

const R28 = scenario<readonly number[]>('R28', {
  title: 'mbstat.m_mbufs is one word that all CPUs count in: an update is lost',
  origin: `${MBUMA}: mb_ctor_mbuf, an XXX in the source`,
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'The constructor of an mbuf adds 1 to mbstat.m_mbufs, the destructor subtracts 1: plain, all CPUs one word.',
      'Two CPUs read the same value and write the same sum; one mbuf was never counted, or never uncounted.',
      'Nothing breaks. netstat -m drifts, and after a lost addition it falls below zero: 4294967295 mbufs in use.',
      'Common on busy machines: the window is a few instructions, and every packet passes it.',
    ],
    fix: 'The statistics of UMA\'s zones, counted by each CPU for itself and summed by who asks.',
  },
  cpus: ['freer', 'allocator'],
  setup(k) {
    const words = k.words(2);
    k.on(0, (c) => c.st(words[0]!, 1));
    return words;
  },
  cpu: {
    freer: (k, words) => [k.op('mb_dtor_mbuf', (c) => c.st(words[0]!, c.ld(words[0]!) - 1))],
    allocator: (k, words) => [
      k.op('mb_ctor_mbuf', (c) => {
        const word = words[k.defect('R28') ? 0 : 1]!;
        c.st(word, c.ld(word) + 1);
      }),
    ],
  },
  after(view, [first, second]) {
    const sum = view.i32[first!]! + view.i32[second!]!;
    return sum === 1 || { cls: 'stats-drift', message: `${sum} mbufs in use, and there is 1` };
  },
  interrupts: false,
  // its data race is the plain word's, found first
  races: false,
  defects: ['R28'],
  expect: { verdict: 'pass', with: { R28: 'stats-drift' } },
});

/** mb_owner of a bucket on the general list */
const GENERAL = 1;

interface Buckets {
  /** of the CPU's container, of the general one: lock, and objects free in it */
  readonly mtx: readonly number[];
  readonly mbfree: readonly number[];
  readonly owner: number;
  readonly numfree: number;
}

const R30 = scenario<Buckets>('R30', {
  title: 'a bucket goes to the general list between "whose is it?" and the owner\'s lock',
  origin: `${MB_ALLOC}: mb_free`,
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'A bucket of mbufs belongs to a CPU\'s container, or to the general one; its lock guards the bucket.',
      'mb_free reads the bucket\'s owner and locks that container. It cannot hold the lock before it knows.',
      'In between another CPU gives the bucket to the general list.',
      'The mbuf is put into a bucket under a lock that does not guard it, and counted where it is not.',
      'It shows as statistics that do not fit, or as a bucket two CPUs change at once.',
    ],
    fix: 'With the lock held the owner is read again; if it has changed, the lock is dropped and all begins anew.',
  },
  cpus: ['freer', 'owner'],
  setup(k) {
    const [mine, general, mineFree, generalFree, owner, numfree] = k.words(6);
    k.on(1, (c) => {
      c.st(numfree!, 2);
      c.st(mineFree!, 2);
    });
    return { mtx: [mine!, general!], mbfree: [mineFree!, generalFree!], owner: owner!, numfree: numfree! };
  },
  cpu: {
    freer: (k, { mtx, mbfree, owner, numfree }) => [
      k.op('mb_free', (c) => {
        for (;;) {
          const container = c.load(owner);
          c.mtxLock(mtx[container]!);
          const same = k.defect('R30') || c.load(owner) === container;
          if (same) {
            c.st(numfree, c.ld(numfree) + 1);
            c.st(mbfree[container]!, c.ld(mbfree[container]!) + 1);
          }
          c.mtxUnlock(mtx[container]!);
          if (same) return;
        }
      }),
    ],
    owner: (k, { mtx, mbfree: [mine, general], owner, numfree }) => [
      k.op('to the general list', (c) => {
        for (const lock of mtx) c.mtxLock(lock);
        const free = c.ld(numfree);
        c.st(mine!, c.ld(mine!) - free);
        c.st(general!, c.ld(general!) + free);
        c.store(owner, GENERAL);
        for (const lock of mtx) c.mtxUnlock(lock);
      }),
    ],
  },
  after(view, { mbfree: [mine, general], numfree }) {
    const [cpu, gen, free] = [mine!, general!, numfree].map((word) => view.i32[word]);
    if (cpu === 0 && gen === free) return undefined;
    return { cls: 'stats-drift', message: `CPU cache ${cpu} free, GEN cache ${gen}; GEN's bucket has ${free}` };
  },
  interrupts: false,
  defects: ['R30'],
  expect: { verdict: 'pass', with: { R30: 'stats-drift' } },
});

interface GeneralList {
  readonly mtx: number;
  readonly free: number;
  /** how many sleep for an mbuf */
  readonly starved: number;
  /** mgl_mb_starved, the condition variable: how often it was signalled */
  readonly cv: number;
}

/** @returns with the lock held, and an mbuf taken */
function waitFor(c: Client, { mtx, free, starved, cv }: GeneralList, unlocked: boolean): void {
  c.mtxLock(mtx);
  while (c.ld(free) === 0) {
    if (!unlocked) c.st(starved, c.ld(starved) + 1);
    const signals = c.load(cv);
    c.mtxUnlock(mtx);
    if (unlocked) {
      // starved is said only now, when nobody may be there to hear it
      c.mtxLock(mtx);
      c.st(starved, c.ld(starved) + 1);
      c.mtxUnlock(mtx);
    }
    while (c.load(cv) === signals) c.wait(cv, signals);
    c.mtxLock(mtx);
    c.st(starved, c.ld(starved) - 1);
  }
  c.st(free, c.ld(free) - 1);
}

const R31 = scenario<GeneralList>('R31', {
  title: 'a CPU finds no mbuf and goes to sleep; the one that is freed in between is not announced',
  origin: `${MB_ALLOC}: mb_alloc_wait`,
  lesson: {
    kernel: 'FreeBSD',
    story: [
      'Who finds the general list empty counts itself in "starved" and sleeps; who frees signals if any starve.',
      'If the count goes up only after the list\'s lock was dropped, a free may come in between.',
      'It puts its mbuf on the list, sees that nobody starves, and signals nobody.',
      'The sleeper sleeps with an mbuf on the list. mbuf_wait, 64 ticks, bounds it; the explorer has no clock.',
    ],
    fix: 'The count goes up under the lock of the list, which cv_timedwait releases as it falls asleep.',
  },
  cpus: ['sleeper', 'freer'],
  setup(k) {
    const [mtx, free, starved, cv] = k.words(4);
    return { mtx: mtx!, free: free!, starved: starved!, cv: cv! };
  },
  cpu: {
    sleeper: (k, s) => [
      k.op('mb_alloc_wait', (c) => {
        waitFor(c, s, k.defect('R31'));
        c.mtxUnlock(s.mtx);
      }),
    ],
    freer: (k, { mtx, free, starved, cv }) => [
      k.op('mb_free', (c) => {
        c.mtxLock(mtx);
        c.st(free, c.ld(free) + 1);
        if (c.ld(starved) > 0) {
          c.add(cv, 1);
          c.notify(cv);
        }
        c.mtxUnlock(mtx);
      }),
    ],
  },
  interrupts: false,
  defects: ['R31'],
  expect: { verdict: 'pass', with: { R31: 'deadlock' } },
});

export const mbufs: readonly Scenario[] = [R26, R27, R28, R30, R31];
