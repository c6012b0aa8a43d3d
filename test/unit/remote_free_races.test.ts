import { describe, expect, test } from 'vitest';
import { IPIF_KFREE_REMOTE } from '../../src/base/ipif.js';
import { P_CHUNK_FREE } from '../../src/base/panics.js';
import type { FreePolicy } from '../../src/base/policy.js';
import { Z_LISTED, Z_NFREE, Z_RCHUNKS, Z_RSIGNAL } from '../../src/dragonfly/slaballoc.layout.js';
import { SB_PANIC_A } from '../../src/hw/superblock.layout.js';
import { afterAccess, panicCodeOf } from '../helpers/inside.js';
import { freeOn1, LINKED, signals, start, tick } from '../helpers/remote.js';

const SIZE = 1000;

describe('interleavings, driven by hand', () => {
  /** CPU 1 has read the zone's signal; now its owner takes the last chunk and leaves; then CPU 1 links. */
  async function missedSignal(free: FreePolicy) {
    const [m, type] = await start({ free });
    const first = m.kmalloc(SIZE, type, m.M_WAITOK);
    const z = m.zoneOf(first);
    while (m.word(z, Z_NFREE) > 1) m.kmalloc(SIZE, type, m.M_WAITOK);
    const word = (z >>> 2) + (free === 'rtagged' || free === 'rbatch' ? Z_RCHUNKS : Z_RSIGNAL);
    const owner = () => m.on(0, () => m.kmalloc(SIZE, type, m.M_WAITOK));
    afterAccess('load', word, owner, () => freeOn1(m, [first], type));
    return m.quiesceAndAudit();
  }

  test.each(['rchunks', 'rcount'] as const)('%s: a freer that read the signal too early strands the zone (R40)', async (free) => {
    expect(await missedSignal(free)).toMatchObject({ violations: [], stranded: 1 });
  });

  test.each(['rtagged', 'rbatch'] as const)('%s: the same moment strands nothing', async (free) => {
    expect(await missedSignal(free)).toMatchObject({ violations: [], stranded: 0 });
  });

  test('rsignal2: the signal is read after the link, so the owner that left before is told', async () => {
    const [m, type] = await start({ free: 'rsignal2' });
    const first = m.kmalloc(SIZE, type, m.M_WAITOK);
    const z = m.zoneOf(first);
    while (m.word(z, Z_NFREE) > 1) m.kmalloc(SIZE, type, m.M_WAITOK);
    // between the look at RChunks and the link: RChunks was empty, the owner leaves
    afterAccess(
      'load', (z >>> 2) + Z_RCHUNKS, () => m.on(0, () => m.kmalloc(SIZE, type, m.M_WAITOK)),
      () => freeOn1(m, [first], type),
    );
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], stranded: 0 });
  });

  test.each(['rchunks', 'rcount'] as const)('%s: a stranded zone is found by a free of its owner', async (free) => {
    const [m, type] = await start({ free });
    const chunks = [m.kmalloc(SIZE, type, m.M_WAITOK)];
    const z = m.zoneOf(chunks[0]!);
    while (m.word(z, Z_NFREE) > 1) chunks.push(m.kmalloc(SIZE, type, m.M_WAITOK));
    const owner = () => void m.on(0, () => chunks.push(m.kmalloc(SIZE, type, m.M_WAITOK)));
    afterAccess('load', (z >>> 2) + Z_RSIGNAL, owner, () => freeOn1(m, [chunks[0]!], type));
    freeOn1(m, chunks.slice(1, 4), type);
    expect(signals(m), 'later frees see a list that is not empty').toBe(0);
    m.kfree(chunks[5]!, type);
    m.slabCleanup(false);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], stranded: 0 });
  });

  test.each(LINKED)('%s: two freers that read the same head both get their chunk in', async (free) => {
    const [m, type] = await start({ free, cpus: 3 });
    const [a, b] = m.exhaust(SIZE, type);
    const z = m.zoneOf(a!);
    const second = () => m.on(2, () => {
      m.kfree(b!, type);
      tick(m);
    });
    afterAccess('load', (z >>> 2) + Z_RCHUNKS, second, () => freeOn1(m, [a!], type));
    expect(m.sysctl('kern.slab.cas_fails')).toBe(1);
    expect(signals(m)).toBe(1);
    m.splz();
    expect(m.word(z, Z_NFREE)).toBe(2);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], stranded: 0 });
  });

  test.each(['rtagged', 'rbatch'] as const)('%s: a chunk that comes while the owner arms the signal is taken home', async (free) => {
    const [m, type] = await start({ free });
    const first = m.kmalloc(SIZE, type, m.M_WAITOK);
    const z = m.zoneOf(first);
    while (m.word(z, Z_NFREE) > 1) m.kmalloc(SIZE, type, m.M_WAITOK);
    afterAccess(
      'load', (z >>> 2) + Z_RCHUNKS, () => freeOn1(m, [first], type),
      () => m.kmalloc(SIZE, type, m.M_WAITOK),
    );
    expect(m.word(z, Z_LISTED)).toBe(1);
    expect(signals(m)).toBe(0);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], stranded: 0 });
  });

  test('rcount: the owner that takes everything home cannot release the zone before the message (R38)', async () => {
    const [m, type] = await start({ free: 'rcount' });
    const chunks = m.exhaust(SIZE, type);
    const z = m.zoneOf(chunks[0]!);
    m.kmalloc(SIZE, type, m.M_WAITOK);
    const owner = () =>
      m.on(0, () => {
        for (const chunk of chunks.slice(1)) m.kfree(chunk, type);
        m.slabCleanup(true);
      });
    afterAccess('compareExchange', (z >>> 2) + Z_RCHUNKS, owner, () => freeOn1(m, [chunks[0]!], type));
    expect(m.i32[m.ku.btokup(z)]).toBe(-1);
    m.splz();
    expect(m.i32[m.ku.btokup(z)]).toBe(0);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 1 });
  });

  test('rchunks: the owner can release the zone while the freer still looks at it (R38)', async () => {
    const [m, type] = await start({ free: 'rchunks', tunables: { 'kern.zone_cache': 0 } });
    const chunks = m.exhaust(SIZE, type);
    const z = m.zoneOf(chunks[0]!);
    m.kmalloc(SIZE, type, m.M_WAITOK);
    let released = 1;
    const owner = () =>
      m.on(0, () => {
        for (const chunk of chunks.slice(1)) m.kfree(chunk, type);
        m.slabCleanup(true);
        released = m.i32[m.ku.btokup(z)]!;
      });
    afterAccess('compareExchange', (z >>> 2) + Z_RCHUNKS, owner, () => freeOn1(m, [chunks[0]!], type));
    expect(released, 'pages given back before z_Cpu was read').toBe(0);
    expect(signals(m)).toBe(1);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
  });

  test('rchunks: a message of a former zone meets a new one at the same place and does no harm (R42)', async () => {
    const [m, type] = await start({ free: 'rchunks' });
    const chunk = m.kmalloc(SIZE, type, m.M_WAITOK);
    m.on(1, () => m.lwktSendIpiq(0, IPIF_KFREE_REMOTE, m.zoneOf(chunk), 0));
    m.splz();
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 1 });
  });
});

describe('mistakes', () => {
  test.each(LINKED)('%s: a chunk freed twice by another CPU is found when it comes home (R44)', async (free) => {
    const [m, type] = await start({ free });
    const chunks = m.exhaust(SIZE, type);
    const act = () => {
      freeOn1(m, [chunks[0]!, chunks[0]!], type);
      m.splz();
    };
    expect(panicCodeOf(act)).toBe(P_CHUNK_FREE);
    expect(m.memory.sb(SB_PANIC_A)).toBe(chunks[0]);
  });

  test.each([[[0, 0]], [[0, 1, 0]], [[0, 1, 2, 1]], [[0, 1, 2, 2]]])(
    'rbatch: a chunk that is twice in one batch is found when the batch is sent: %j',
    async (order) => {
      const [m, type] = await start({ free: 'rbatch' });
      const chunks = m.exhaust(SIZE, type);
      expect(panicCodeOf(() => freeOn1(m, order.map((n) => chunks[n]!), type))).toBe(P_CHUNK_FREE);
    },
  );
});
