/** Fixes of malloc(9) and UMA taken out: the fault is there. The same moment with the fix shows the difference. */
import { describe, expect, test } from 'vitest';
import { P_BAD_MALLOC_TYPE, P_FREE_UNALLOCATED, P_FREED_NOT_BELONG } from '../../src/base/panics_freebsd.js';
import { P_MTX_RECURSED, P_PHYS_FREE_ORDER } from '../../src/base/panics.js';
import { MF_FAILURE_COUNT, MF_NOWAIT_COUNT } from '../../src/freebsd/kern_malloc.layout.js';
import { UZ_FILLS } from '../../src/freebsd/uma_int.layout.js';
import { SB_MALLOC, SB_MPROF } from '../../src/hw/superblock.layout.js';
import { MP_REQUESTS, MP_WORDS } from '../../src/kern/malloc_profile.layout.js';
import { KM_MTX, KSA_MEMFREED } from '../../src/kern/malloc_type.layout.js';
import { type Freebsd, freebsd, Hooks, NOWAIT, WAITOK } from '../helpers/freebsd.js';
import { afterAccess, panicCodeOf, whileWaiting } from '../helpers/inside.js';

/** what happens with the fix, and without it */
const both = (name: string): [when: string, defects: string[]][] => [['without', []], ['with', [name]]];

const mallocMtx = (m: Freebsd): number => (m.memory.sb(SB_MALLOC) >>> 2) + KM_MTX;

describe('statistics', () => {
  test.each(both('R7'))('%s R7 a malloc that failed is counted', async (when, defects) => {
    const m = await freebsd({ defects });
    const type = m.mallocTypeCreate('temp');
    expect(m.f.malloc(1 << 28, type, NOWAIT)).toBe(0);
    expect([m.mallocTypeInuse(type), m.mallocTypeMemuse(type)]).toEqual([when === 'with' ? 1 : 0, 0]);
  });

  test.each(['critical', 'unpadded', 'atomic', 'mutex'] as const)('with R7 it is, by policy %s', async (stats) => {
    const m = await freebsd({ stats, defects: ['R7'] });
    const type = m.mallocTypeCreate('temp');
    m.f.malloc(1 << 28, type, NOWAIT);
    expect([m.mallocTypeInuse(type), m.mallocTypeMemuse(type), m.mallocTypeRequests(type)]).toEqual([1, 0, 1]);
  });

  test.each(both('R7'))('%s R7 one that was made to fail is not', async (_when, defects) => {
    const m = await freebsd({ defects, tunables: { 'debug.malloc.failure_rate': 1 } });
    const type = m.mallocTypeCreate('temp');
    expect([m.f.malloc(64, type, NOWAIT), m.mallocTypeInuse(type)]).toEqual([0, 0]);
  });

  test.each(both('R11'))('%s R11 a request is counted by a plain add', async (when, defects) => {
    const m = await freebsd({ defects, tunables: { 'debug.malloc.profile': 1 } });
    const type = m.mallocTypeCreate('temp');
    const row = (m.memory.sb(SB_MPROF) >>> 2) + 4 * MP_WORDS;
    const adds = () => afterAccess('add', row + MP_REQUESTS, () => {}, () => m.f.malloc(64, type, WAITOK));
    if (when === 'with') expect(adds).toThrow('no add of word');
    else adds();
    expect(m.i32[row + MP_REQUESTS]).toBe(1);
  });
});

test.each(both('R12'))('%s R12 the next of two mallocs comes between the count and the look at it', async (when, defects) => {
  const m = await freebsd({ defects, tunables: { 'debug.malloc.failure_rate': 2 } });
  const type = m.mallocTypeCreate('temp');
  const count = m.f.KMALLOC + MF_NOWAIT_COUNT;
  const failures = (): number => m.i32[m.f.KMALLOC + MF_FAILURE_COUNT]!;
  const another = () => m.on(1, () => m.f.malloc(64, type, NOWAIT));
  afterAccess('add', count, another, () => m.f.malloc(64, type, NOWAIT));
  expect(failures()).toBe(when === 'with' ? 2 : 1);
  m.i32[count] = 1;
  afterAccess('add', count, another, () => m.f.malloc(64, type, NOWAIT));
  expect(failures(), 'read past it').toBe(2);
});

describe('types', () => {
  test.each(both('R8'))('%s R8 a type there is already leaves malloc_mtx locked', async (when, defects) => {
    const m = await freebsd({ mutex: 'futex', defects });
    const type = m.mallocTypeCreate('twin');
    expect(m.on(1, () => m.mallocTypeCreate('twin'))).toBe(type);
    expect(m.i32[mallocMtx(m)]).toBe(when === 'with' ? 2 : 0);
    const next = () => whileWaiting(() => {}, () => m.mallocTypeCreate('other'));
    if (when === 'with') expect(next).toThrow('nobody ends them');
    else next();
  });

  test('with R8 the CPU itself panics when it comes again', async () => {
    const m = await freebsd({ defects: ['R8'] });
    m.mallocTypeCreate('twin');
    m.mallocTypeCreate('twin');
    expect(panicCodeOf(() => m.mallocTypeCreate('other'))).toBe(P_MTX_RECURSED);
  });

  test.each(both('R10'))('%s R10 a type that was undefined is another\'s statistics', async (when, defects) => {
    const m = await freebsd({ defects, tunables: { 'debug.trash': 0, 'debug.uma_dbg': 0 } });
    m.mallocUninit(m.mallocTypeCreate('module'));
    // its memory is the first of these, and the statistics of the one for which there are none in the alloc bucket
    const types = Array.from({ length: 40 }, (_, n) => m.mallocTypeCreate(`another ${n}`));
    const code = panicCodeOf(() => types.map((type) => m.f.malloc(64, type, WAITOK)));
    expect(code).toBe(when === 'with' ? P_BAD_MALLOC_TYPE : 0);
  });

  test('with R10, uma_dbg asks whose item it is', async () => {
    const m = await freebsd({ defects: ['R10'] });
    const type = m.mallocTypeCreate('module');
    expect(panicCodeOf(() => m.mallocUninit(type))).toBe(P_FREED_NOT_BELONG);
  });
});

describe('buckets', () => {
  /** While CPU 0 fills a bucket, every other CPU is filling one too; and a thread of CPU 0 comes by. */
  test.each(both('R15'))('%s R15 more fills are under way than there are CPUs', async (when, defects) => {
    const m = await freebsd({ defects });
    const hooks = new Hooks();
    const init = hooks.bind(m);
    let most = 0;
    const z = m.f.umaZcreate({ name: 'filled', size: 256, flags: 0, init });
    hooks.refuse = () => {
      most = Math.max(most, m.word(z, UZ_FILLS));
      return false;
    };
    m.poke(z, UZ_FILLS, m.ncpu);
    m.take(z, 1);
    m.poke(z, UZ_FILLS, m.word(z, UZ_FILLS) - m.ncpu);
    expect(most).toBe(m.ncpu + (when === 'with' ? 1 : 0));
    expect(m.cache(z).alloc === null).toBe(when !== 'with');
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
  });
});

describe('R13 a large block is freed by two CPUs, which have both found its slab header', () => {
  /** @returns what the second free panics with, and then that of the block somebody was given in between */
  async function freedTwice(taken: boolean): Promise<number[]> {
    const m = await freebsd({ stats: 'atomic' });
    const type = m.mallocTypeCreate('temp');
    const block = m.f.malloc(8192, type, WAITOK);
    let again = 0;
    const other = () => m.on(1, () => {
      m.f.free(block, type);
      if (taken) again = m.f.malloc(8192, type, WAITOK);
    });
    const second = () => afterAccess('add', (type >>> 2) + KSA_MEMFREED, other, () => m.f.free(block, type));
    const code = panicCodeOf(second);
    expect(again).toBe(taken ? block : 0);
    return taken ? [code, panicCodeOf(() => m.f.free(again, type))] : [code];
  }

  test('the pages are given back twice, and the page allocator notices', async () => {
    expect(await freedTwice(false)).toEqual([P_PHYS_FREE_ORDER]);
  });

  test('when they were taken in between it does not, and somebody loses what he was just given', async () => {
    expect(await freedTwice(true)).toEqual([0, P_FREE_UNALLOCATED]);
  });
});
