/** Names and rules of the words of a freebsd machine: UMA's areas in the image, and whatever stands on its pages. */
import { describe, expect, test } from 'vitest';
import * as KERN from '../../src/freebsd/kern_malloc.layout.js';
import * as U from '../../src/freebsd/uma_int.layout.js';
import * as SB from '../../src/hw/superblock.layout.js';
import { KS_HANDLE, MTS_NUMFREES } from '../../src/kern/malloc_type.layout.js';
import { MSG_CODE, MSG_ENTRY_WORDS, MSG_HEAD_WORDS } from '../../src/kern/msgbuf.layout.js';
import { MP_LARGEST, MP_WORDS } from '../../src/kern/malloc_profile.layout.js';
import { symbols } from '../../src/observe/symbols.js';
import { umaZones } from '../../src/observe/uma_zones.js';
import { findSlab } from '../../src/observe/walk_uma.js';
import { PG_OBJECT, PG_WORDS } from '../../src/vm/vm_page.layout.js';
import { debugged, hex } from '../helpers/ddb.js';

async function machine() {
  const d = await debugged({ alloc: 'freebsd' });
  const { memory } = d.m;
  const zone = umaZones(memory).find(({ name }) => name === '64')!;
  const { slab } = findSlab(memory, d.blocks.temp[0]!)!;
  return { ...d, memory, s: symbols(memory), zone: zone.address, keg: zone.keg, slab };
}

describe('the place of a word', () => {
  test('in the image is its structure and its field', async () => {
    const { s, memory } = await machine();
    const area = (sb: number) => memory.sb(sb) >>> 2;
    const places: [word: number, place: string][] = [
      [area(SB.SB_UMA) + U.UMA_MTX, 'uma.uma_mtx'],
      [area(SB.SB_UMA) + U.UMA_BUCKET_ZONES + 2, 'uma.uma_bucket_zones[2]'],
      [area(SB.SB_UMA) + U.KMEM_PAGES, 'uma.kmem_pages'],
      [area(SB.SB_UMA) + KERN.KERN_MALLOC + KERN.MF_RATE, 'kern_malloc.mf_rate'],
      [area(SB.SB_UMA) + KERN.KERN_MALLOC + KERN.KMZ_ZONES + 3, 'kern_malloc.kmz_zones[3]'],
      [area(SB.SB_MSGBUF), 'msgbuf.msg_windex'],
      [area(SB.SB_MSGBUF) + MSG_HEAD_WORDS + 2 * MSG_ENTRY_WORDS + MSG_CODE, 'msgbuf entry 2.msg_code'],
      [area(SB.SB_MPROF) + 4 * MP_WORDS + MP_LARGEST, 'mprof 64.mp_largest'],
    ];
    for (const [word, place] of places) expect(s.place(word)).toBe(place);
  });

  test('on a page is the item it lies in', async () => {
    const { s, memory, zone, keg, slab, blocks, types } = await machine();
    const item = blocks.temp[0]!;
    const bucket = [0, 1].map((cpu) => memory.i32[(zone >>> 2) + U.UZ_CPU + cpu * U.UC_WORDS + U.UC_ALLOCBUCKET]!)
      .find((address) => address !== 0)!;
    const places: [address: number, place: string][] = [
      [item, `item ${hex(item)} of zone "64"`],
      [item + 4, `item ${hex(item)} of zone "64" +4`],
      [zone + U.UZ_COUNT * 4, 'zone "64".uz_count'],
      [zone + (U.UZ_CPU + U.UC_WORDS + U.UC_ALLOCBUCKET) * 4, 'zone "64" uz_cpu[1].uc_allocbucket'],
      [keg + U.UK_FREE * 4, 'keg "64".uk_free'],
      [slab + U.US_FREECOUNT * 4, `slab ${hex(slab)} of keg "64".us_freecount`],
      [slab + U.US_FREELIST * 4 + 4, `slab ${hex(slab)} of keg "64".us_freelist[4]`],
      [bucket + U.UB_CNT * 4, `bucket ${hex(bucket)}.ub_cnt`],
      [bucket + (U.UB_BUCKET + 5) * 4, `bucket ${hex(bucket)}.ub_bucket[5]`],
      [memory.i32[(types.temp >>> 2) + KS_HANDLE]! + 64 + MTS_NUMFREES * 8, 'malloc_type temp mti_stats cpu1.numfrees'],
      [blocks.large + 4096, `page ${hex(blocks.large + 4096)} +0`],
    ];
    for (const [address, place] of places) expect(s.place(address >>> 2)).toBe(place);
  });

  test('is found for the first keg and zones too, which are in no slab', async () => {
    const { s, memory } = await machine();
    const uma = memory.sb(SB.SB_UMA) >>> 2;
    const zone = memory.i32[uma + U.UMA_KEGS_ZONE]!;
    const keg = memory.i32[(zone >>> 2) + U.UZ_KEG]!;
    expect(s.place((zone >>> 2) + U.UZ_KEG)).toBe('zone "UMA Kegs".uz_keg');
    expect(s.place((keg >>> 2) + U.UK_PAGES)).toBe('keg "UMA Kegs".uk_pages');
  });

  test('of every word of the pages has a name', async () => {
    const { s, memory } = await machine();
    const first = memory.sb(SB.SB_FIRST_PAGE) * 1024;
    for (let word = first; word < first + 64 * 1024; word += 3) {
      expect(s.place(word)).not.toMatch(/undefined|NaN|^$|\.$/);
    }
  });

  test('goes with the slab: pages that went back are pages', async () => {
    const { s, m, memory, blocks, types } = await machine();
    const large = blocks.devbuf[1]!;
    expect(s.place(large >>> 2)).toMatch(/^item .* of zone "256"$/);
    m.kfree(large, types.devbuf);
    for (let cpu = 0; cpu < 2; cpu++) m.on(cpu, () => m.reclaim());
    const object = memory.i32[(memory.sb(SB.SB_PGA) >>> 2) + (large >>> 12) * PG_WORDS + PG_OBJECT];
    expect(object === 0 ? 'page' : 'item').toBe(s.place(large >>> 2).split(' ')[0]);
  });
});

test('a CPU owns its line of a zone, nobody else has one there', async () => {
  const { s, m, zone, keg, slab, blocks, types } = await machine();
  const word = (address: number, offset: number) => (address >>> 2) + offset;
  const rules: [word: number, rule: string, owner: number][] = [
    [word(zone, U.UZ_CPU), 'owner', 0], [word(zone, U.UZ_CPU + U.UC_WORDS + 3), 'owner', 1],
    [word(zone, U.UZ_NAME), 'const', -1], [word(zone, U.UZ_COUNT), 'lock uk_lock', -1],
    [word(keg, U.UK_LOCK), 'atomic', -1], [word(keg, U.UK_SIZE), 'const', -1],
    [word(keg, U.UK_FREE), 'lock uk_lock', -1], [word(types.temp, KS_HANDLE), 'const', -1],
    [word(m.word(types.temp, KS_HANDLE), 16), 'owner', 1],
    [word(slab, U.US_KEG), 'none', -1], [word(blocks.temp[0]!, 0), 'none', -1],
  ];
  for (const [at, rule, owner] of rules) expect([s.place(at), s.rule(at)]).toMatchObject([{}, { rule, owner }]);
});

test('the structure around a word is dumped, and its values are written as what they are', async () => {
  const { s, zone, keg, slab, types } = await machine();
  expect(s.structAt((zone >>> 2) + U.UZ_CPU + 2)).toMatchObject({ name: 'uma_zone', address: zone });
  expect(s.structAt((keg >>> 2) + U.UK_FREE)).toMatchObject({ name: 'uma_keg', address: keg });
  expect(s.structAt((slab >>> 2) + U.US_DATA)).toMatchObject({ name: 'uma_slab', address: slab });
  expect(s.value((slab >>> 2) + U.US_KEG, keg)).toBe(hex(keg));
  expect(s.value((zone >>> 2) + U.UZ_COUNT, 70000)).toBe('70000');
  expect(s.value((zone >>> 2) + U.UZ_CPU + U.UC_ALLOCBUCKET, slab)).toBe(hex(slab));
  expect(s.value(types.temp >>> 2, types.temp)).toBe('temp');
});
