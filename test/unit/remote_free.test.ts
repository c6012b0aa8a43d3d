import { describe, expect, test } from 'vitest';
import { FREE_NAMES, STATS_NAMES } from '../../src/base/policy.js';
import {
  CHUNK_MASK, RB_COUNT, RB_ENTRIES, RB_WORDS, RB_ZONE, RSIGNAL_BIT, SL_BATCH, SL_NFREEZONES, Z_LISTED, Z_NFREE, Z_NMAX,
  Z_RCHUNKS, Z_RCOUNT, Z_RSIGNAL, Z_SIGNALED,
} from '../../src/dragonfly/slaballoc.layout.js';
import { type Inside, inside } from '../helpers/inside.js';
import { freeOn1, LINKED, signals, start, tick } from '../helpers/remote.js';

const FLAVOURS = [true, false];
const SIZE = 1000;

const freeZones = (m: Inside, cpu: number): number => m.i32[m.slab.slgdFind(cpu) + SL_NFREEZONES]!;

describe.each(FLAVOURS)('every policy, invariants %s:', (invariants) => {
  test.each(FREE_NAMES)('%s: a block freed by another CPU comes home when its owner is told', async (free) => {
    const [m, type] = await start({ free, invariants });
    freeOn1(m, [m.kmalloc(100, type, m.M_WAITOK)], type);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0, bytes: 0, stranded: 0 });
  });

  test.each(FREE_NAMES)('%s: all chunks of an exhausted zone can be freed elsewhere and used again', async (free) => {
    const [m, type] = await start({ free, invariants });
    const chunks = m.exhaust(SIZE, type);
    const z = m.zoneOf(chunks[0]!);
    for (let n = 0; n < 3; n++) {
      freeOn1(m, chunks, type);
      m.splz();
      const again = chunks.map(() => m.kmalloc(SIZE, type, m.M_WAITOK));
      expect(again.sort()).toEqual(chunks.sort());
      expect(m.word(z, Z_NFREE)).toBe(0);
    }
    freeOn1(m, chunks, type);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0, stranded: 0, zones: 1 });
  });

  test.each(FREE_NAMES)('%s: a zone freed whole by another CPU is released when its class has others', async (free) => {
    const [m, type] = await start({ free, invariants });
    const first = m.exhaust(SIZE, type);
    m.kmalloc(SIZE, type, m.M_WAITOK);
    freeOn1(m, first, type);
    m.splz();
    m.slabCleanup(false);
    expect(freeZones(m, 0)).toBe(1);
    expect(m.i32[m.ku.btokup(m.zoneOf(first[0]!))]).toBe(0);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 1, zones: 1 });
  });

  test.each(FREE_NAMES)('%s: three CPUs free one zone in turns with its owner', async (free) => {
    const [m, type] = await start({ free, invariants, cpus: 4 });
    const chunks = m.exhaust(64, type);
    for (const [n, chunk] of chunks.entries()) {
      m.on(n & 3, () => m.kfree(chunk, type));
      if (n % 50 === 0) for (let cpu = 0; cpu < 4; cpu++) m.on(cpu, () => tick(m));
    }
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0, stranded: 0 });
    const remote = chunks.filter((_, n) => (n & 3) !== 0).length;
    expect(m.sysctl('kern.slab.remote_frees')).toBe(free === 'locked' ? 0 : remote);
  });

  test.each(FREE_NAMES)('%s: an oversized block is freed by any CPU, without a message', async (free) => {
    const [m, type] = await start({ free, invariants });
    const block = m.kmalloc(50000, type, m.M_WAITOK);
    m.on(1, () => m.kfree(block, type));
    expect(m.sysctl('lwkt.ipiq_count')).toBe(0);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
  });
});

describe('messages:', () => {
  test('ipi sends one for every chunk', async () => {
    const [m, type] = await start({ free: 'ipi' });
    const chunks = m.exhaust(SIZE, type).slice(0, 20);
    freeOn1(m, chunks, type);
    expect(signals(m)).toBe(20);
    expect(m.sysctl('lwkt.ipiq_count')).toBe(20);
  });

  test('locked sends none', async () => {
    const [m, type] = await start({ free: 'locked' });
    freeOn1(m, m.exhaust(SIZE, type), type);
    expect(m.sysctl('lwkt.ipiq_count')).toBe(0);
  });

  test.each(LINKED)('%s sends one at the most when a free of its owner brought the zone back', async (free) => {
    const [m, type] = await start({ free });
    const chunks = m.exhaust(SIZE, type);
    m.kfree(chunks.pop()!, type);
    freeOn1(m, chunks, type);
    // the signal is still out: nobody takes it back
    expect(signals(m)).toBe(1);
  });

  test.each(LINKED)('%s sends none for a zone that was never exhausted', async (free) => {
    const [m, type] = await start({ free });
    const chunks = Array.from({ length: 10 }, () => m.kmalloc(SIZE, type, m.M_WAITOK));
    freeOn1(m, chunks, type);
    expect(signals(m)).toBe(0);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 0 });
  });

  test.each(LINKED)('%s sends one for the first chunk of an exhausted zone, none for the next', async (free) => {
    const [m, type] = await start({ free });
    const chunks = m.exhaust(SIZE, type);
    freeOn1(m, chunks.slice(0, 1), type);
    expect(signals(m)).toBe(1);
    freeOn1(m, chunks.slice(1, 12), type);
    expect(signals(m)).toBe(1);
    expect(m.sysctl('lwkt.ipiq_count')).toBe(1);
  });

  test.each(LINKED)('%s sends another when the zone was served and exhausted again', async (free) => {
    const [m, type] = await start({ free });
    let chunks = m.exhaust(SIZE, type);
    for (let n = 1; n <= 3; n++) {
      freeOn1(m, chunks.slice(0, 5), type);
      expect(signals(m)).toBe(n);
      m.splz();
      chunks = [...chunks.slice(5), ...chunks.slice(0, 5).map(() => m.kmalloc(SIZE, type, m.M_WAITOK))];
    }
  });

  test.each(['rchunks', 'rcount', 'rsignal2'] as const)('%s: signals are passive by default, as they were', async (free) => {
    const m = await inside({ free });
    const type = m.mallocTypeCreate('temp');
    m.on(1, () => m.kfree(m.on(0, () => m.exhaust(SIZE, type))[0]!, type));
    expect(m.sysctl('lwkt.ipiq_passive')).toBe(1);
    expect(m.sysctl('lwkt.ipiq_interrupts')).toBe(0);
    m.splz();
    expect(m.sysctl('lwkt.ipiq_done')).toBe(0);
    tick(m);
    expect(m.sysctl('lwkt.ipiq_done')).toBe(1);
  });

  test.each(['rtagged', 'rbatch'] as const)('%s: signals interrupt by default', async (free) => {
    const m = await inside({ free });
    const type = m.mallocTypeCreate('temp');
    const chunks = m.exhaust(SIZE, type);
    freeOn1(m, chunks.slice(0, 1), type);
    expect(m.sysctl('lwkt.ipiq_interrupts')).toBe(1);
    m.splz();
    expect(m.sysctl('lwkt.ipiq_done')).toBe(1);
  });
});

describe('an exhausted zone', () => {
  test.each(LINKED)('%s: has left ZoneAry and asks to be told', async (free) => {
    const [m, type] = await start({ free });
    const z = m.zoneOf(m.exhaust(SIZE, type)[0]!);
    expect(m.word(z, Z_LISTED)).toBe(0);
    const asked = free === 'rtagged' || free === 'rbatch' ? m.word(z, Z_RCHUNKS) & RSIGNAL_BIT : m.word(z, Z_RSIGNAL);
    expect(asked).toBe(1);
  });

  test.each(LINKED)('%s: is listed again when its owner was told, and asks no more', async (free) => {
    const [m, type] = await start({ free });
    const chunks = m.exhaust(SIZE, type);
    const z = m.zoneOf(chunks[0]!);
    freeOn1(m, chunks.slice(0, 3), type);
    m.splz();
    expect(m.word(z, Z_LISTED)).toBe(1);
    expect(m.word(z, Z_NFREE)).toBe(3);
    expect([Z_RCHUNKS, Z_RSIGNAL, Z_RCOUNT, Z_SIGNALED].map((word) => m.word(z, word))).toEqual([0, 0, 0, 0]);
  });

  test.each(LINKED)('%s: takes its chunks home by itself when it runs out, without a message', async (free) => {
    const [m, type] = await start({ free });
    const first = m.kmalloc(SIZE, type, m.M_WAITOK);
    freeOn1(m, [first], type);
    const z = m.zoneOf(first);
    const chunks = Array.from({ length: m.word(z, Z_NMAX) }, () => m.kmalloc(SIZE, type, m.M_WAITOK));
    expect(chunks).toContain(first);
    expect(chunks.every((chunk) => m.zoneOf(chunk) === z)).toBe(true);
    expect(signals(m)).toBe(0);
    expect(m.sysctl('kern.slab.drained')).toBe(1);
  });

  test.each(['rcount', 'rsignal2', 'rtagged', 'rbatch'] as const)(
    '%s: is pinned while a signal is under way, and released afterwards',
    async (free) => {
      const [m, type] = await start({ free });
      const chunks = m.exhaust(SIZE, type);
      const z = m.zoneOf(chunks[0]!);
      m.kmalloc(SIZE, type, m.M_WAITOK);
      freeOn1(m, chunks.slice(0, 1), type);
      // its owner frees the rest and takes the one home before it looks at its messages
      m.crit.critEnter();
      for (const chunk of chunks.slice(1)) m.kfree(chunk, type);
      m.slabCleanup(true);
      expect(m.word(z, Z_NFREE)).toBe(m.word(z, Z_NMAX));
      expect(m.i32[m.ku.btokup(z)]).toBe(-1);
      m.crit.critExit();
      expect(m.i32[m.ku.btokup(z)]).toBe(0);
      expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 1, zones: 1 });
    },
  );

  test('rchunks: is not pinned; the late message finds no zone there and is dropped (R42)', async () => {
    const [m, type] = await start({ free: 'rchunks' });
    const chunks = m.exhaust(SIZE, type);
    const z = m.zoneOf(chunks[0]!);
    m.kmalloc(SIZE, type, m.M_WAITOK);
    freeOn1(m, chunks.slice(0, 1), type);
    m.crit.critEnter();
    for (const chunk of chunks.slice(1)) m.kfree(chunk, type);
    m.slabCleanup(false);
    expect(m.i32[m.ku.btokup(z)]).toBe(0);
    m.crit.critExit();
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 1 });
  });

  test.each(['rtagged', 'rbatch'] as const)('%s: takes back the signal nobody answered, and is released', async (free) => {
    const [m, type] = await start({ free });
    const chunks = m.exhaust(SIZE, type);
    const z = m.zoneOf(chunks[0]!);
    m.kmalloc(SIZE, type, m.M_WAITOK);
    expect(m.word(z, Z_SIGNALED)).toBe(1);
    for (const chunk of chunks) m.kfree(chunk, type);
    expect(m.i32[m.ku.btokup(z)]).toBe(0);
    expect(freeZones(m, 0)).toBe(1);
  });

  test.each(['rcount', 'rsignal2'] as const)('%s: RCount counts the messages under way', async (free) => {
    const [m, type] = await start({ free });
    const chunks = m.exhaust(SIZE, type);
    const z = m.zoneOf(chunks[0]!);
    freeOn1(m, chunks.slice(0, 1), type);
    expect(m.word(z, Z_RCOUNT)).toBe(1);
    freeOn1(m, chunks.slice(1, 5), type);
    expect(m.word(z, Z_RCOUNT)).toBe(1);
    m.splz();
    expect(m.word(z, Z_RCOUNT)).toBe(0);
  });
});

describe('rbatch', () => {
  const batches = (m: Inside, cpu: number): [zone: number, count: number][] => {
    const open: [number, number][] = [];
    const sl = m.slab.slgdFind(cpu);
    for (let rb = sl + SL_BATCH; rb < sl + SL_BATCH + RB_ENTRIES * RB_WORDS; rb += RB_WORDS) {
      if (m.i32[rb + RB_ZONE] !== 0) open.push([m.i32[rb + RB_ZONE]!, m.i32[rb + RB_COUNT]!]);
    }
    return open;
  };

  test.each([1, 2, 5, 32])('sends a batch when it has kern.rbatch = %i chunks', async (batch) => {
    const [m, type] = await start({ free: 'rbatch', tunables: { 'kern.rbatch': batch } });
    const chunks = m.exhaust(500, type);
    const z = m.zoneOf(chunks[0]!);
    m.as(1);
    for (let n = 0; n < batch - 1; n++) m.kfree(chunks[n]!, type);
    expect(batches(m, 1)).toEqual(batch === 1 ? [] : [[z, batch - 1]]);
    expect(m.word(z, Z_RCHUNKS) & CHUNK_MASK).toBe(0);
    m.kfree(chunks[batch - 1]!, type);
    expect(batches(m, 1)).toEqual([]);
    expect(m.word(z, Z_RCHUNKS)).toBe(chunks[batch - 1]);
    expect(m.sysctl('kern.slab.cas_tries')).toBe(1);
    m.splz();
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: chunks.length - batch });
  });

  test('sends its open batches at the clock tick', async () => {
    const [m, type] = await start({ free: 'rbatch' });
    const chunks = m.exhaust(SIZE, type);
    m.as(1);
    m.kfree(chunks[0]!, type);
    m.kfree(chunks[1]!, type);
    expect(signals(m)).toBe(0);
    tick(m);
    expect(batches(m, 1)).toEqual([]);
    expect(signals(m)).toBe(1);
  });

  test('sends a batch when another zone needs its place', async () => {
    const [m, type] = await start({ free: 'rbatch' });
    m.kmallocRaiseLimit(type, 0);
    const zones = new Map<number, number[]>();
    for (let n = 0; n < RB_ENTRIES + 2; n++) {
      const chunks = m.exhaust(4000, type);
      zones.set(m.zoneOf(chunks[0]!), chunks);
    }
    const a = Math.min(...zones.keys());
    const b = a + RB_ENTRIES * m.slab.ZONE_SIZE;
    expect(zones.has(b)).toBe(true);
    m.as(1);
    m.kfree(zones.get(a)![0]!, type);
    expect(batches(m, 1)).toEqual([[a, 1]]);
    m.kfree(zones.get(b)![0]!, type);
    expect(batches(m, 1)).toEqual([[b, 1]]);
    expect(m.word(a, Z_RCHUNKS)).toBe(zones.get(a)![0]);
  });

  test('keeps a zone alive as long as one of its chunks is in a batch', async () => {
    const [m, type] = await start({ free: 'rbatch' });
    const chunks = m.exhaust(SIZE, type);
    const z = m.zoneOf(chunks[0]!);
    m.kmalloc(SIZE, type, m.M_WAITOK);
    m.on(1, () => m.kfree(chunks[0]!, type));
    for (const chunk of chunks.slice(1)) m.kfree(chunk, type);
    m.slabCleanup(true);
    expect(m.i32[m.ku.btokup(z)]).toBe(-1);
    m.on(1, () => tick(m));
    m.splz();
    m.slabCleanup(false);
    expect(m.i32[m.ku.btokup(z)]).toBe(0);
  });

  test('sends its batches when any CPU is short of memory', async () => {
    const [m, type] = await start({ free: 'rbatch', memory: '8MiB' });
    m.kmallocRaiseLimit(type, 0);
    const blocks: number[] = [];
    for (let block; (block = m.kmalloc(1000, type, m.M_NOWAIT)) !== 0; ) blocks.push(block);
    m.on(1, () => m.splz());
    m.on(1, () => m.kfree(blocks[0]!, type));
    expect(batches(m, 1)).toHaveLength(1);
    expect(m.kmalloc(1000, type, m.M_NOWAIT)).toBe(0);
    m.on(1, () => m.splz());
    expect(batches(m, 1)).toEqual([]);
    m.splz();
    expect(m.kmalloc(1000, type, m.M_NOWAIT)).toBe(blocks[0]);
  });

  test('sends its batches when the CPU goes offline', async () => {
    const [m, type] = await start({ free: 'rbatch' });
    const chunk = m.kmalloc(SIZE, type, m.M_WAITOK);
    m.as(1);
    m.kfree(chunk, type);
    m.cpuOffline();
    expect(batches(m, 1)).toEqual([]);
    expect(m.word(m.zoneOf(chunk), Z_RCHUNKS)).toBe(chunk);
  });
});

test.each(STATS_NAMES.filter((name) => name !== 'mutex-up'))('%s: the audit agrees after remote frees', async (stats) => {
  const [m, type] = await start({ free: 'rtagged', stats });
  const chunks = m.exhaust(SIZE, type);
  freeOn1(m, chunks.slice(3), type);
  expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 3 });
});
