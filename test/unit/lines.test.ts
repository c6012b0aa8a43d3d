/** Names of lines: of the kind of structure, so that counts can be summed over CPUs, zones and queues. */
import { describe, expect, test } from 'vitest';
import * as SLAB from '../../src/dragonfly/slaballoc.layout.js';
import * as U from '../../src/freebsd/uma_int.layout.js';
import * as SB from '../../src/hw/superblock.layout.js';
import * as GD from '../../src/kern/globaldata.layout.js';
import * as IPQ from '../../src/kern/lwkt_ipiq.layout.js';
import * as TYPE from '../../src/kern/malloc_type.layout.js';
import { lineNames } from '../../src/observe/lines.js';
import { umaZones } from '../../src/observe/uma_zones.js';
import { findSlab } from '../../src/observe/walk_uma.js';
import { ownerOfZoneAt } from '../../src/observe/walk_slab.js';
import { debugged } from '../helpers/ddb.js';
import type { Inside } from '../helpers/inside.js';
import { start } from '../helpers/remote.js';

const LINE = 64;

/** Name of the line a word is on. */
function namer(m: Inside) {
  const name = lineNames(m.memory);
  return (word: number) => name(Math.floor((word * 4) / LINE));
}

describe('lines of the image', () => {
  test.each(['dragonfly', 'freebsd'] as const)('of a %s machine all have a name, without a number', async (alloc) => {
    const [m] = await start({ alloc, stats: 'unpadded', ktr: 16, cpus: 3 });
    const name = lineNames(m.memory);
    const names = new Set<string>();
    for (let line = 0; line < (m.memory.sb(SB.SB_FIRST_PAGE) * 4096) / LINE; line++) names.add(name(line));
    expect([...names].filter((one) => !/^[A-Za-z_]+( [A-Za-z_.]+)*$/.test(one))).toEqual([]);
    expect(names.size).toBeGreaterThan(40);
  });

  test('are named by structure and field, the same for every CPU', async () => {
    const [m, type] = await start({ cpus: 3 });
    const of = namer(m);
    const { memory } = m;
    const queue = (pair: number) => (memory.sb(SB.SB_IPIQ) + pair * IPQ.ipiqBytes(memory.sb(SB.SB_IPIQ_FIFO))) >>> 2;
    for (const cpu of [0, 1, 2]) {
      const places: [word: number, name: string][] = [
        [memory.gd(cpu) + GD.GD_CRIT, 'globaldata gd_cpuid gd_crit gd_nesting ...'],
        [memory.gd(cpu) + GD.GD_NPOLL, 'globaldata gd_wchan gd_npoll gd_online ...'],
        [memory.gd(cpu) + GD.GD_IPIMASK, 'globaldata gd_ipimask'],
        [memory.slgd(cpu) + SLAB.SL_ZONEARY, 'SLGlobalData ZoneAry'],
        [memory.slgd(cpu) + SLAB.SLC_REMOTE, 'SLGlobalData counters'],
        [memory.slgd(cpu) + SLAB.SLC_GENALLOC, 'SLGlobalData counters'],
        [memory.slgd(cpu) + SLAB.SL_BATCH + 400, 'SLGlobalData batches'],
        [queue(cpu) + IPQ.IP_WINDEX, 'lwkt_ipiq ip_windex'],
        [queue(cpu) + IPQ.IP_XINDEX, 'lwkt_ipiq ip_rindex ip_xindex'],
        [queue(cpu) + IPQ.IP_INFO + 32, 'lwkt_ipiq slots'],
        [(type >>> 2) + TYPE.KS_MTX, 'malloc_type ks_mtx'],
        [(type >>> 2) + TYPE.KS_USE + cpu * TYPE.KU_WORDS, 'malloc_type ks_use'],
        [(type >>> 2) + TYPE.mtsOffset(3) * 2 + cpu * 16, 'malloc_type mti_stats'],
        [memory.sb(SB.SB_VM) >>> 2, 'vm free_mtx waiters'],
        [(memory.sb(SB.SB_PGA) >>> 2) + cpu * 100, 'vm_page'],
        [(memory.sb(SB.SB_KMU) >>> 2) + cpu * 100, 'kmemusage'],
      ];
      expect(places.map(([word]) => of(word))).toEqual(places.map(([, name]) => name));
    }
  });

  test('have the counters of the statistics policy', async () => {
    const line4 = async (stats: 'mutex' | 'atomic') => {
      const [m, type] = await start({ stats });
      return namer(m)((type >>> 2) + TYPE.KSA_MEMALLOCED);
    };
    expect(await line4('mutex')).toBe('malloc_type memuse inuse calls maxused');
    expect(await line4('atomic')).toBe('malloc_type memalloced memfreed numallocs numfrees');
  });
});

describe('lines of a zone', () => {
  test('are its header, by fields, and its chunks, whoever owns it', async () => {
    const [m, type] = await start({ invariants: false });
    const of = namer(m);
    for (const cpu of [0, 1]) {
      const chunk = m.on(cpu, () => m.kmalloc(100, type, m.M_WAITOK));
      const z = m.zoneOf(chunk) >>> 2;
      expect([SLAB.Z_CPU, SLAB.Z_NFREE, SLAB.Z_RCHUNKS].map((field) => of(z + field))).toEqual([
        'SLZone z_Magic z_Cpu z_NMax ...', 'SLZone z_NFree z_LChunks z_UIndex ...',
        'SLZone z_RChunks z_RSignal z_RCount',
      ]);
      expect(of(chunk >>> 2)).toBe('chunk');
      expect(ownerOfZoneAt(m.memory, chunk)).toBe(cpu);
    }
  });

  test('are pages before and after it, and have no owner then', async () => {
    const [m, type] = await start({});
    const block = m.kmalloc(20_000, type, m.M_WAITOK);
    expect(namer(m)(block >>> 2)).toBe('page');
    expect(ownerOfZoneAt(m.memory, block)).toBe(-1);
    expect(ownerOfZoneAt(m.memory, 64)).toBe(-1);
  });
});

test('lines of UMA are its zones, their kegs and caches, buckets, slabs and items', async () => {
  const { m, blocks, types } = await debugged({ alloc: 'freebsd' });
  const { memory } = m;
  const of = namer(m);
  const zone = umaZones(memory).find(({ name }) => name === '64')!;
  const item = blocks.temp[0]!;
  const cache = (zone.address >>> 2) + U.UZ_CPU;
  const bucket = [0, 1].map((cpu) => memory.i32[cache + cpu * U.UC_WORDS + U.UC_ALLOCBUCKET]!).find((at) => at !== 0)!;
  const places: [word: number, name: string][] = [
    [(zone.keg >>> 2) + U.UK_LOCK, 'uma_keg uk_lock uk_full'],
    [(zone.keg >>> 2) + U.UK_PART_SLAB, 'uma_keg uk_part_slab uk_free_slab uk_full_slab ...'],
    [(zone.address >>> 2) + U.UZ_KEG, 'uma_zone uz_name uz_lock uz_keg ...'],
    [(zone.address >>> 2) + U.UZ_FULL_BUCKET, 'uma_zone uz_link uz_full_bucket uz_free_bucket ...'],
    [cache, 'uma_cache uc_freebucket uc_allocbucket uc_allocs ...'],
    [cache + U.UC_WORDS, 'uma_cache uc_freebucket uc_allocbucket uc_allocs ...'],
    [memory.i32[(types.temp >>> 2) + TYPE.KS_HANDLE]! >>> 2, 'malloc_type mti_stats'],
    [item >>> 2, 'item'],
    [blocks.large >>> 2, 'page'],
  ];
  expect(places.map(([word]) => of(word))).toEqual(places.map(([, name]) => name));
  // these need not begin with a line: what else is on it is said too
  expect(of(bucket >>> 2)).toMatch(/^(\w+, )*uma_bucket/);
  expect(of(findSlab(memory, item)!.slab >>> 2)).toMatch(/^(\w+, )*uma_slab/);
  expect(ownerOfZoneAt(memory, item)).toBe(-1);
});
