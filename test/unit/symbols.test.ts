/** Names, rules and values of words, by a machine that has something in every place. */
import { describe, expect, test } from 'vitest';
import { IPIF_ACK } from '../../src/base/ipif.js';
import { FREE_NAMES, STATS_NAMES } from '../../src/base/policy.js';
import * as SLAB from '../../src/dragonfly/slaballoc.layout.js';
import { HWC_LOADS, INTR_PENDING, INTR_WORDS } from '../../src/hw/intr.layout.js';
import * as SB from '../../src/hw/superblock.layout.js';
import * as GD from '../../src/kern/globaldata.layout.js';
import * as IPQ from '../../src/kern/lwkt_ipiq.layout.js';
import * as TYPE from '../../src/kern/malloc_type.layout.js';
import { type Symbols, symbols } from '../../src/observe/symbols.js';
import { PG_ORDER, PG_WORDS, VM_FREE_COUNT, VM_FREE_QUEUES } from '../../src/vm/vm_page.layout.js';
import { type Inside, inside } from '../helpers/inside.js';
import { start } from '../helpers/remote.js';

const hex = (value: number) => `0x${value.toString(16)}`;
const area = (m: Inside, sb: number) => m.memory.sb(sb) >>> 2;
const queue = (m: Inside, source: number, target: number) =>
  area(m, SB.SB_IPIQ) + (source * m.ncpu + target) * (IPQ.ipiqBytes(m.memory.sb(SB.SB_IPIQ_FIFO)) >>> 2);

async function machine(options = {}): Promise<{ m: Inside; s: Symbols; type: number; z: number; chunk: number }> {
  const [m, type] = await start({ ktr: 16, ...options });
  const chunk = m.on(1, () => m.kmalloc(64, type, m.M_WAITOK));
  return { m, s: symbols(m.memory), type, z: m.zoneOf(chunk), chunk };
}

describe('the place of a word', () => {
  test('in the kernel image is its structure and its field', async () => {
    const { m, s, type } = await machine();
    const { memory } = m;
    const places: [word: number, place: string][] = [
      [SB.SB_STOP, 'sb.stop'],
      [SB.SB_WORDS + 48, 'scratch[3]'],
      [SB.SB_WORDS + 50, 'scratch[3] +8'],
      [area(m, SB.SB_INTR) + INTR_PENDING, 'intr cpu0.pending'],
      [area(m, SB.SB_INTR) + INTR_WORDS + HWC_LOADS, 'intr cpu1.hwc_loads'],
      [memory.gd(1) + GD.GD_NPOLL, 'gd cpu1.gd_npoll'],
      [memory.gd(0) + GD.GD_IPIMASK, 'gd cpu0.gd_ipimask[0]'],
      [memory.gd(0) + GD.GD_IPIQ_COUNT + 1, 'gd cpu0.gd_ipiq_count+4'],
      [memory.gd(0) + GD.GD_CSQ + 3, 'gd cpu0.gd_csq[1].arg'],
      [memory.slgd(0) + SLAB.SL_ZONEARY + 7, 'slgd cpu0.ZoneAry[7]'],
      [memory.slgd(1) + SLAB.SL_BATCH + 4 * 5 + SLAB.RB_TAIL, 'slgd cpu1.batch[5].tail'],
      [memory.slgd(0) + SLAB.SLC_REMOTE, 'slgd cpu0.slc_remote'],
      [area(m, SB.SB_VM) + VM_FREE_COUNT, 'vm.free_count'],
      [area(m, SB.SB_VM) + VM_FREE_QUEUES + 4, 'vm.free_queues[1].tail'],
      [area(m, SB.SB_ZINDEX) + 2, 'zindex[8]'],
      [area(m, SB.SB_MALLOC) + TYPE.KM_MTX, 'kmemstatistics.malloc_mtx'],
      [(type >>> 2) + TYPE.KS_LIMIT, 'malloc_type temp.ks_limit'],
      [(type >>> 2) + TYPE.KS_USE + TYPE.KU_WORDS, 'malloc_type temp ks_use cpu1.allowance'],
      [queue(m, 0, 1) + IPQ.IP_WINDEX, 'ipiq 0->1.ip_windex'],
      [queue(m, 0, 1) + IPQ.IP_INFO + 3 * IPQ.INFO_WORDS, 'ipiq 0->1 slot 3.func'],
      [area(m, SB.SB_KTR) + 17 * 8, 'ktr cpu1 entry 1.time'],
      [area(m, SB.SB_KMU) + 0x41, 'kmemusage 0x41000'],
      [area(m, SB.SB_PGA) + 65 * PG_WORDS + PG_ORDER, 'vm_page 65.order'],
      [memory.i32.length, 'interrupt mask cpu0'],
      [memory.i32.length + 1, 'interrupt mask cpu1'],
      [memory.i32.length + 32, 'wait loop'],
    ];
    for (const [word, place] of places) expect(s.place(word)).toBe(place);
  });

  test('in a page is what the page is at the moment', async () => {
    const { m, s, z, chunk, type } = await machine();
    const zw = z >>> 2;
    expect(s.place(zw + SLAB.Z_RCHUNKS)).toBe(`zone ${hex(z)}.z_RChunks`);
    expect(s.place(zw + SLAB.Z_CHUNKSIZE + 1)).toBe(`zone ${hex(z)}.z_ChunkSize+4`);
    expect(s.place(zw + SLAB.Z_BITMAP + 1)).toBe(`zone ${hex(z)}.z_Bitmap[1]`);
    expect(s.place(chunk >>> 2)).toBe(`chunk ${hex(chunk)} of zone ${hex(z)}.next`);
    expect(s.place((chunk >>> 2) + 1)).toBe(`chunk ${hex(chunk)} of zone ${hex(z)} +4`);
    const block = m.on(0, () => m.kmalloc(200_000, type, m.M_WAITOK));
    expect(s.place((block >>> 2) + 1028)).toBe(`page ${hex(block + 4096)} +16`);
    m.poke(z, SLAB.Z_MAGIC, SLAB.ZALLOC_FREE_MAGIC);
    expect(s.place(zw + SLAB.Z_NEXT)).toBe(`zone ${hex(z)}.z_Next`);
    expect(s.place(chunk >>> 2)).toMatch(/^page /);
  });

  test('of every word of the image has a name', async () => {
    const { m, s } = await machine({ memory: '2MiB' });
    const first = m.memory.sb(SB.SB_FIRST_PAGE) * 1024;
    for (let word = 0; word < first + 2048; word++) expect(s.place(word)).not.toMatch(/undefined|NaN|^$|\.$/);
  });

  test('without ktr is right, too', async () => {
    const { m, s } = await machine({ ktr: 0 });
    expect(s.place(area(m, SB.SB_KMU))).toBe('kmemusage 0x0');
  });
});

describe('statistics', () => {
  test.each(STATS_NAMES)('under %s belong to whom the policy says', async (stats) => {
    const m = await inside({ stats, cpus: stats === 'mutex-up' ? 1 : 2 });
    const type = m.mallocTypeCreate('temp');
    const s = symbols(m.memory);
    const policy = STATS_NAMES.indexOf(stats);
    for (let cpu = 0; cpu < m.ncpu; cpu++) {
      const slot = (type >>> 2) + (TYPE.mtsOffset(m.ncpu) + cpu * TYPE.mtsStride(policy)) * 2;
      expect(s.place(slot + TYPE.MTS_NUMALLOCS * 2)).toBe(`malloc_type temp mti_stats cpu${cpu}.numallocs`);
      expect(s.place(slot + TYPE.MTS_NUMALLOCS * 2 + 1)).toBe(`malloc_type temp mti_stats cpu${cpu}.numallocs+4`);
      expect(s.rule(slot)).toMatchObject({ rule: 'owner', owner: cpu, struct: 'malloc_type', field: 'memalloced' });
    }
    const shared = s.rule((type >>> 2) + TYPE.KSA_NUMALLOCS);
    expect(shared).toMatchObject({ owner: -1, rule: stats === 'atomic' ? 'atomic' : 'lock ks_mtx' });
    if (stats === 'atomic') expect(shared.field).toBe('numallocs');
    if (stats === 'mutex') expect(shared.field).toBe('calls');
  });
});

describe('the rule of a word', () => {
  test('is its line\'s, and an owner line names the CPU', async () => {
    const { m, s, z, chunk, type } = await machine();
    const zw = z >>> 2;
    const rules: [word: number, rule: string, owner: number][] = [
      [SB.SB_STOP, 'atomic', -1], [SB.SB_NCPU, 'const', -1], [SB.SB_WORDS, 'none', -1],
      [m.memory.gd(1) + GD.GD_CRIT, 'owner', 1], [m.memory.gd(1) + GD.GD_NPOLL, 'atomic', -1],
      [m.memory.gd(1) + GD.GD_CSQ + 100, 'owner', 1],
      [area(m, SB.SB_INTR) + INTR_WORDS + HWC_LOADS, 'owner', 1],
      [m.memory.slgd(1) + SLAB.SL_FREEZONES, 'owner', 1], [m.memory.slgd(1) + SLAB.SL_MTX, 'atomic', -1],
      [queue(m, 0, 1) + IPQ.IP_WINDEX, 'atomic', -1], [queue(m, 0, 1) + IPQ.IP_DEPTH, 'owner', 1],
      [queue(m, 0, 1) + IPQ.IP_INFO, 'owner', 0],
      [area(m, SB.SB_KTR) + 17 * 8, 'owner', 1], [area(m, SB.SB_KMU) + 3, 'none', -1],
      [area(m, SB.SB_PGA) + 6, 'lock vm_page_queue_free_mtx', -1],
      [(type >>> 2) + TYPE.KS_LIMIT, 'lock malloc_mtx', -1], [(type >>> 2) + TYPE.KS_USE, 'owner', 0],
      [zw + SLAB.Z_CPU, 'const', -1], [zw + SLAB.Z_NFREE, 'owner', 1], [zw + SLAB.Z_BITMAP, 'owner', 1],
      [zw + SLAB.Z_RCHUNKS, 'atomic', -1], [chunk >>> 2, 'none', -1], [m.memory.i32.length, 'none', -1],
    ];
    for (const [word, rule, owner] of rules) expect([s.place(word), s.rule(word)]).toMatchObject([{}, { rule, owner }]);
  });

  test('of a zone follows its owner, and ends with its service', async () => {
    const { m, s, z } = await machine();
    const word = (z >>> 2) + SLAB.Z_NFREE;
    expect(s.rule(word)).toEqual({ rule: 'owner', owner: 1, struct: 'SLZone', field: 'z_NFree' });
    m.poke(z, SLAB.Z_CPU, 0);
    expect(s.rule(word).owner).toBe(0);
    m.poke(z, SLAB.Z_MAGIC, SLAB.ZALLOC_FREE_MAGIC);
    expect(s.rule(word)).toEqual({ rule: 'none', owner: -1, struct: 'SLZone', field: 'z_NFree' });
  });

  test.each(FREE_NAMES)('under %s: slab data are their CPU\'s, or under its mutex', async (free) => {
    const { m, s, z } = await machine({ free });
    const rule = free === 'locked' ? { rule: 'lock sl_mtx', owner: -1 } : { rule: 'owner', owner: 1 };
    expect(s.rule(m.memory.slgd(1) + SLAB.SL_ZONEARY)).toMatchObject(rule);
    expect(s.rule((z >>> 2) + SLAB.Z_NFREE)).toMatchObject(rule);
    expect(s.rule((z >>> 2) + SLAB.Z_MAGIC).rule).toBe('const');
  });
});

test('a value is written as what it is', async () => {
  const { m, s, z, chunk, type } = await machine();
  const zw = z >>> 2;
  const slot = queue(m, 0, 1) + IPQ.IP_INFO;
  expect(s.value(zw + SLAB.Z_RCHUNKS, chunk | 1)).toBe(hex(chunk | 1));
  expect(s.value(zw + SLAB.Z_RCHUNKS, 0)).toBe('0');
  expect(s.value(zw + SLAB.Z_MAGIC, -1)).toBe('-1');
  expect(s.value(zw + SLAB.Z_NFREE, 70000)).toBe('70000');
  expect(s.value(m.memory.slgd(0) + SLAB.SL_ZONEARY + 3, z)).toBe(hex(z));
  expect(s.value(area(m, SB.SB_KMU) + 65, -2)).toBe('-2');
  expect(s.value(slot, IPIF_ACK)).toBe('1');
  expect(s.value(slot + IPQ.INFO_ARG2, type)).toBe('temp');
  expect(s.value(chunk >>> 2, 0xdeadc0de | 0)).toBe('0xdeadc0de');
  expect(s.value((chunk >>> 2) + 1, 12)).toBe('12');
  expect(s.value(m.memory.gd(0) + GD.GD_IPIMASK, 2)).toBe('0x2');
});

test('the structure around a word is dumped field by field', async () => {
  const { m, s, z, chunk, type } = await machine();
  const zone = s.structAt(chunk >>> 2)!;
  expect(zone).toMatchObject({ name: 'SLZone', address: z });
  expect(zone.lines[0]).toBe(`SLZone ${hex(z)}`);
  expect(zone.lines).toContainEqual(expect.stringMatching(/^ {2}Z_CPU +1 /));
  expect(s.structAt(m.memory.gd(1) + GD.GD_NPOLL)).toMatchObject({ name: 'globaldata', address: m.memory.gd(1) * 4 });
  expect(s.structAt((type >>> 2) + TYPE.KS_USE)).toMatchObject({ name: 'malloc_type', address: type });
  expect(s.structAt(queue(m, 1, 0) + IPQ.IP_INFO)).toMatchObject({ name: 'lwkt_ipiq', address: queue(m, 1, 0) * 4 });
  expect(s.structAt(m.memory.i32.length)).toBeNull();
  expect(s.structAt(SB.SB_WORDS)).toBeNull();
});
