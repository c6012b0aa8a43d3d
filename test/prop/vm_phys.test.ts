/** vm_phys.test.ts — runs of pages, taken and given back in any order, against a bitmap. */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { SB_FIRST_PAGE, SB_NPAGES, SB_VM } from '../../src/hw/superblock.layout.js';
import { FQ_COUNT, FQ_WORDS, VM_FREE_COUNT, VM_FREE_QUEUES, VM_NFREEORDER } from '../../src/vm/vm_page.layout.js';
import { type Inside, inside } from '../helpers/inside.js';

let m: Inside;
let first: number;
let end: number;
beforeAll(async () => {
  m = await inside({ cpus: 1, memory: '68MiB' });
  first = m.memory.sb(SB_FIRST_PAGE);
  end = m.memory.sb(SB_NPAGES);
});

type Op = { op: 'alloc'; npages: number } | { op: 'order'; order: number } | { op: 'free' | 'part'; pick: number };

const pick = fc.nat(1 << 20);
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('alloc' as const), npages: fc.integer({ min: 1, max: 70 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('alloc' as const), npages: fc.integer({ min: 1, max: 10000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('order' as const), order: fc.nat(12) }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('free' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('part' as const), pick }) },
);

const counts = (): number[] => {
  const queues = (m.memory.sb(SB_VM) >>> 2) + VM_FREE_QUEUES;
  return Array.from({ length: VM_NFREEORDER }, (_, order) => m.i32[queues + order * FQ_WORDS + FQ_COUNT]!);
};

test('no page is handed out twice, none is lost, runs are aligned, and all of them grow together again', () => {
  const before = counts();
  fc.assert(
    fc.property(fc.array(op, { maxLength: 150, size: 'max' }), (ops) => {
      const taken = new Uint8Array(end);
      const runs: [page: number, npages: number][] = [];
      const free = (page: number, npages: number) => {
        m.phys.vmPhysFreeContig(page, npages);
        taken.fill(0, page, page + npages);
      };
      const take = (page: number, npages: number, align: number) => {
        if (page === 0) return;
        expect(page % Math.min(align, 4096)).toBe(0);
        expect(page >= first && page + npages <= end).toBe(true);
        expect(taken.subarray(page, page + npages).every((bit) => bit === 0)).toBe(true);
        taken.fill(1, page, page + npages);
        runs.push([page, npages]);
      };
      for (const step of ops) {
        if (step.op === 'alloc') {
          take(m.phys.vmPhysAllocContig(step.npages), step.npages, 2 ** Math.ceil(Math.log2(step.npages)));
        } else if (step.op === 'order') {
          take(m.phys.vmPhysAllocPages(step.order), 1 << step.order, 1 << step.order);
        } else if (runs.length > 0) {
          const [[page, npages]] = runs.splice(step.pick % runs.length, 1) as [[number, number]];
          const kept = step.op === 'part' ? step.pick % npages : 0;
          free(page + kept, npages - kept);
          if (kept > 0) runs.push([page, kept]);
        }
        const used = taken.reduce((sum, bit) => sum + bit, 0);
        expect(m.i32[(m.memory.sb(SB_VM) >>> 2) + VM_FREE_COUNT]).toBe(end - first - used);
        expect(counts().reduce((sum, count, order) => sum + (count << order), 0)).toBe(end - first - used);
      }
      for (const [page, npages] of runs) free(page, npages);
      expect(counts()).toEqual(before);
    }),
    { numRuns: 60 },
  );
});
