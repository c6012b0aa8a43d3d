import { beforeEach, describe, expect, test } from 'vitest';
import {
  A_ZONE_MAGIC, P_PHYS_FREE_ORDER, P_PHYS_ORDER, P_PHYS_SPLIT_ORDER, panicText,
} from '../../src/base/panics.js';
import { SB_FIRST_PAGE, SB_NPAGES, SB_VM } from '../../src/hw/superblock.layout.js';
import {
  FQ_COUNT, FQ_WORDS, PG_DIRTY, PG_ORDER, VM_FREE_COUNT, VM_FREE_QUEUES, VM_NFREEORDER, VM_WIRE_COUNT, VM_WIRE_PEAK,
} from '../../src/vm/vm_page.layout.js';
import { type Inside, inside, panicCodeOf } from '../helpers/inside.js';

let m: Inside;
beforeEach(async () => void (m = await inside({ cpus: 1, memory: '16MiB' })));

const vm = (offset: number): number => m.i32[(m.memory.sb(SB_VM) >>> 2) + offset]!;
/** free blocks of each order */
function queues(): number[] {
  return Array.from({ length: VM_NFREEORDER }, (_, order) => vm(VM_FREE_QUEUES + order * FQ_WORDS + FQ_COUNT));
}
function use(page: number, npages: number): void {
  m.u8.fill(0x5a, page << 12, (page + npages) << 12);
}

test('all memory behind the kernel is free at boot, in the largest aligned blocks', () => {
  const first = m.memory.sb(SB_FIRST_PAGE);
  expect(vm(VM_FREE_COUNT)).toBe(m.memory.sb(SB_NPAGES) - first);
  const expected = new Array<number>(VM_NFREEORDER).fill(0);
  for (let page = first; page < 4096; ) {
    const order = Math.min(12, 31 - Math.clz32(page & -page));
    expected[order]!++;
    page += 1 << order;
  }
  expect(queues()).toEqual(expected);
});

test('a block is cut from the smallest that will do, and the halves stay free', () => {
  const before = queues();
  const page = m.phys.vmPhysAllocPages(0);
  const smallest = before.findIndex((count) => count > 0);
  const after = [...before];
  after[smallest]!--;
  for (let order = 0; order < smallest; order++) after[order]!++;
  expect(queues()).toEqual(after);
  m.phys.vmPhysFreePages(page, 0, 0);
  expect(queues()).toEqual(before);
});

test.each([0, 1, 2, 3, 5, 8, 11])('a block of order %i is aligned to its size', (order) => {
  for (let n = 0; n < 3; n++) {
    const page = m.phys.vmPhysAllocPages(order);
    if (page !== 0) expect(page % (1 << order)).toBe(0);
  }
});

test('buddies grow together again, whatever the order they are freed in', () => {
  const before = queues();
  const pages: number[] = [];
  for (let page; (page = m.phys.vmPhysAllocPages(0)) !== 0; ) pages.push(page);
  expect(vm(VM_FREE_COUNT)).toBe(0);
  expect(new Set(pages).size).toBe(pages.length);
  // the odd pages upwards, then the even ones downwards
  for (const page of pages.filter((page) => page & 1)) m.phys.vmPhysFreePages(page, 0, 0);
  for (const page of pages.filter((page) => !(page & 1)).reverse()) m.phys.vmPhysFreePages(page, 0, 0);
  expect(queues()).toEqual(before);
});

test('there is no order 13, and none below 0', async () => {
  expect(panicCodeOf(() => m.phys.vmPhysAllocPages(13))).toBe(P_PHYS_ORDER);
  m = await inside();
  expect(panicCodeOf(() => m.phys.vmPhysAllocPages(-1))).toBe(P_PHYS_ORDER);
});

test('an order nobody has gives 0 and changes nothing', () => {
  const before = queues();
  expect(m.phys.vmPhysAllocPages(12)).toBe(0);
  expect(queues()).toEqual(before);
});

describe('runs of any length', () => {
  test.each([1, 2, 3, 5, 7, 13, 100, 257, 1000])('%i pages are aligned to the next power of two, and no more are taken', (npages) => {
    const free = vm(VM_FREE_COUNT);
    const before = queues();
    const page = m.phys.vmPhysAllocContig(npages);
    expect(page % 2 ** Math.ceil(Math.log2(npages))).toBe(0);
    expect(vm(VM_FREE_COUNT)).toBe(free - npages);
    const next = m.phys.vmPhysAllocContig(1);
    expect(next < page || next >= page + npages).toBe(true);
    m.phys.vmPhysFreeContig(next, 1);
    m.phys.vmPhysFreeContig(page, npages);
    expect(queues()).toEqual(before);
  });

  test('a run can be given back piece by piece', () => {
    const before = queues();
    const page = m.phys.vmPhysAllocContig(100);
    m.phys.vmPhysFreeContig(page + 33, 67);
    m.phys.vmPhysFreeContig(page, 33);
    expect(queues()).toEqual(before);
  });

  test('more than the largest block is taken from neighbouring blocks', async () => {
    m = await inside({ cpus: 1, memory: '96MiB' });
    const before = queues();
    const free = vm(VM_FREE_COUNT);
    for (const npages of [4097, 8192, 10000, 16384]) {
      const page = m.phys.vmPhysAllocContig(npages);
      expect(page % 4096).toBe(0);
      expect(page).toBeGreaterThan(0);
      expect(vm(VM_FREE_COUNT)).toBe(free - npages);
      m.phys.vmPhysFreeContig(page, npages);
      expect(queues()).toEqual(before);
    }
  });

  test('more than the largest block is not found across a hole', async () => {
    m = await inside({ cpus: 1, memory: '96MiB' });
    const run = m.phys.vmPhysAllocContig(5 * 4096);
    expect(run).toBe(4096);
    // every second block is free, then one pair of neighbours
    m.phys.vmPhysFreeContig(run, 4096);
    m.phys.vmPhysFreeContig(run + 2 * 4096, 4096);
    m.phys.vmPhysFreeContig(run + 4 * 4096, 4096);
    expect(m.phys.vmPhysAllocContig(4097)).toBe(0);
    m.phys.vmPhysFreeContig(run + 3 * 4096, 4096);
    expect(m.phys.vmPhysAllocContig(4097)).toBe(run + 2 * 4096);
  });

  test('more than there is gives 0', () => {
    expect(m.phys.vmPhysAllocContig(4096)).toBe(0);
    expect(m.phys.vmPhysAllocContig(100000)).toBe(0);
    expect(m.phys.vmPhysAllocContig(524288)).toBe(0);
  });
});

describe('mistakes', () => {
  test('freeing the head of a free block is a panic that names the page', () => {
    const page = m.phys.vmPhysAllocPages(3);
    m.phys.vmPhysFreePages(page, 3, 0);
    const head = m.phys.vmPage(page) + PG_ORDER;
    if (m.i32[head] === 0) return expect.fail('the test needs a block that stays its own head');
    expect(panicCodeOf(() => m.phys.vmPhysFreePages(page, 3, 0))).toBe(P_PHYS_FREE_ORDER);
  });

  test('a block whose inside claims to be free cannot be split', () => {
    const page = m.phys.vmPhysAllocPages(4);
    m.phys.vmPhysFreePages(page, 4, 0);
    const [order] = queues().flatMap((count, order) => (count > 0 ? [order] : []));
    const victim = m.phys.vmPhysAllocPages(order!);
    m.phys.vmPhysFreePages(victim, order!, 0);
    const split = queues().findIndex((count, order) => count > 0 && order > 0);
    const head = m.phys.vmPhysAllocPages(split);
    m.phys.vmPhysFreePages(head, split, 0);
    for (let n = 1; n < 1 << split; n++) m.i32[m.phys.vmPage(head + n) + PG_ORDER] = 1;
    const act = () => {
      while (m.phys.vmPhysAllocPages(0) !== 0);
    };
    expect(panicCodeOf(act)).toBe(P_PHYS_SPLIT_ORDER);
  });
});

describe('known-zero memory', () => {
  test('is what memory is at boot, whole or split', () => {
    for (const order of [0, 3, 7]) expect(m.phys.vmPhysIsZero(m.phys.vmPhysAllocPages(order))).toBe(true);
    expect(m.phys.vmPhysIsZero(m.phys.vmPhysAllocContig(77))).toBe(true);
  });

  test('is no longer what was used and given back', () => {
    const page = m.phys.vmPhysAllocContig(16);
    m.phys.vmPhysFreeContig(page, 16);
    for (let n = 0; n < 16; n++) {
      const again = m.phys.vmPhysAllocContig(1);
      if (again >= page && again < page + 16) expect(m.phys.vmPhysIsZero(again)).toBe(false);
    }
  });

  test('is never claimed of a block that has one used page', () => {
    const total = vm(VM_FREE_COUNT);
    const used = new Set<number>();
    for (let n = 0; n < 200; n++) {
      const page = m.phys.vmPhysAllocContig(1 + (n % 7));
      if (n % 3 === 0) {
        use(page, 1 + (n % 7));
        used.add(page);
      }
      m.phys.vmPhysFreeContig(page, 1 + (n % 7));
    }
    expect(vm(VM_FREE_COUNT)).toBe(total);
    expect(used.size).toBeGreaterThan(0);
    for (let page; (page = m.phys.vmPhysAllocContig(1)) !== 0; ) {
      if (!m.phys.vmPhysIsZero(page)) continue;
      expect(m.i32.subarray(page << 10, (page + 1) << 10).every((word) => word === 0), `page ${page}`).toBe(true);
    }
  });

  test('is not what grew together with a used buddy', () => {
    for (const dirty of [0, 1]) {
      const page = m.phys.vmPhysAllocPages(1);
      m.phys.vmPhysFreePages(page + dirty, 0, PG_DIRTY);
      m.phys.vmPhysFreePages(page + 1 - dirty, 0, 0);
      const again = m.phys.vmPhysAllocPages(1);
      expect(again === page && m.phys.vmPhysIsZero(again)).toBe(false);
    }
  });

  test('comes with the page number in the sign bit', () => {
    const fresh = m.page.vmPagesAlloc(5);
    expect(fresh).toBeLessThan(0);
    const first = fresh & ~m.page.KNOWN_ZERO;
    m.page.vmPagesFree(first, 5);
    const again: number[] = [];
    for (let page; (page = m.page.vmPagesAlloc(5)) !== 0; ) again.push(page);
    expect(again).toContain(first);
    expect(again.some((page) => page < 0)).toBe(true);
  });
});

describe('wired pages', () => {
  test('are counted, with their peak, and free + wired stays the same', () => {
    const total = vm(VM_FREE_COUNT);
    const pages = [10, 20, 30].map((npages) => m.page.vmPagesAlloc(npages) & ~m.page.KNOWN_ZERO);
    expect([vm(VM_WIRE_COUNT), vm(VM_WIRE_PEAK), vm(VM_FREE_COUNT)]).toEqual([60, 60, total - 60]);
    m.page.vmPagesFree(pages[1]!, 20);
    expect([vm(VM_WIRE_COUNT), vm(VM_WIRE_PEAK), vm(VM_FREE_COUNT)]).toEqual([40, 60, total - 40]);
    m.page.vmPagesAlloc(15);
    expect([vm(VM_WIRE_COUNT), vm(VM_WIRE_PEAK)]).toEqual([55, 60]);
    expect(m.page.vmFreeCount()).toBe(total - 55);
  });

  test('are not counted when there was no run', () => {
    expect(m.page.vmPagesAlloc(4096)).toBe(0);
    expect([vm(VM_WIRE_COUNT), vm(VM_WIRE_PEAK)]).toEqual([0, 0]);
  });
});

test('an assertion that is not in use has its text still', () => {
  const names = { type: () => '', zone: () => '', exception: () => '' };
  expect(panicText(13, [A_ZONE_MAGIC, 16], names)).toBe('assertion: z->z_Magic == ZALLOC_SLAB_MAGIC (0x10)');
});
