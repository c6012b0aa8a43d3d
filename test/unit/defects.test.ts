/** Each fix taken out: the fault it was made against is there. The same moment with the fix shows the difference. */
import { describe, expect, test } from 'vitest';
import { DEFECT_NAMES, DEFECTS_BY_NAME, defectBits } from '../../src/base/defects.js';
import { IPIF_CPUSYNC_REMOTE1, IPIF_USER } from '../../src/base/ipif.js';
import { A_ZONE_LIVE, P_BADFREE, P_CHUNK_FREE, P_FREE_MAGIC, P_KKASSERT } from '../../src/base/panics.js';
import { Z_CHUNKSIZE, Z_NFREE, Z_RCHUNKS, Z_RSIGNAL } from '../../src/dragonfly/slaballoc.layout.js';
import type { BootOptions } from '../../src/host/options.js';
import { SB_PANIC_A, SB_VM } from '../../src/hw/superblock.layout.js';
import { GD_CS_FUNC, GD_CS_WAITING, GD_NPOLL } from '../../src/kern/globaldata.layout.js';
import { KS_MTX, MTS_NUMFREES, mtsOffset } from '../../src/kern/malloc_type.layout.js';
import { VM_WAITERS } from '../../src/vm/vm_page.layout.js';
import { afterAccess, beforeAccess, type Inside, inside, panicCodeOf, whileWaiting } from '../helpers/inside.js';
import { freeOn1, signals, start, tick } from '../helpers/remote.js';

const USER = IPIF_USER;
const OTHER = IPIF_USER + 1;
const SIZE = 1000;

/** what happens with the fix, and without it */
const both = (name: string): [when: string, defects: string[]][] => [['without', []], ['with', [name]]];

/** A machine whose handlers of USER messages note their argument. */
async function noting(options: BootOptions): Promise<[m: Inside, got: number[]]> {
  const m = await inside(options);
  const got: number[] = [];
  m.ipiqRegister(USER, (arg) => got.push(arg));
  return [m, got];
}
const serve = (m: Inside, cpu: number): void => m.on(cpu, () => m.splz());

test('every defect has a bit of its own', () => {
  const bits = defectBits(DEFECT_NAMES).flatMap((word) => [...Array(32).keys()].filter((bit) => (word >>> bit) & 1));
  expect(bits).toHaveLength(DEFECT_NAMES.length);
  for (const name of DEFECT_NAMES) expect(DEFECTS_BY_NAME[name]!.what, name).toMatch(/\w/);
});

describe('statistics', () => {
  test.each(both('R1'))('%s R1 a CPU updates a record another has locked', async (when, defects) => {
    const [m, type] = await start({ stats: 'mutex', mutex: 'spin', defects });
    const mtx = (type >>> 2) + KS_MTX;
    m.on(1, () => m.mtxLock(mtx));
    let waits = 0;
    const other = () => {
      waits++;
      m.on(1, () => m.mtxUnlock(mtx));
    };
    whileWaiting(other, () => m.kmalloc(SIZE, type, m.M_WAITOK));
    expect(waits).toBe(when === 'with' ? 0 : 1);
  });

  test.each(both('R2'))('%s R2 an update is interrupted at any access', async (when, defects) => {
    const [m, type] = await start({ defects });
    const z = m.zoneOf(m.kmalloc(SIZE, type, m.M_WAITOK));
    let served = 0;
    m.ipiqRegister(USER, () => served++);
    m.on(1, () => m.lwktSendIpiq(0, USER, 0, 0));
    // the end of the section is where a message that came meanwhile is served
    m.stats.mallocTypeAllocated(type, ((z >>> 2) + Z_CHUNKSIZE) >>> 1);
    expect(served).toBe(when === 'with' ? 0 : 1);
  });

  test.each(both('R4'))('%s R4 a free that is seen before its allocation', async (when, defects) => {
    const [m, type] = await start({ defects });
    const other = m.mallocTypeCreate('other');
    const z = m.zoneOf(m.kmalloc(SIZE, type, m.M_WAITOK));
    m.stats.mallocTypeFreed(other, ((z >>> 2) + Z_CHUNKSIZE) >>> 1);
    const sums = [m.mallocTypeInuse(other), m.mallocTypeMemuse(other)];
    expect(sums).toEqual(when === 'with' ? [-1, -1024] : [0, 0]);
  });

  test.each(both('R39'))('%s R39 a remote free counts in a slot of', async (when, defects) => {
    const [m, type] = await start({ free: 'rtagged', defects });
    const chunk = m.kmalloc(SIZE, type, m.M_WAITOK);
    freeOn1(m, [chunk], type);
    const frees = [0, 1].map((cpu) => Number(m.i64[(type >>> 3) + mtsOffset(2) + cpu * 8 + MTS_NUMFREES]));
    expect(frees).toEqual(when === 'with' ? [1, 0] : [0, 1]);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
  });
});

describe('remote frees', () => {
  test.each(both('R34'))('%s R34 a stale write into a chunk under way reaches its type', async (when, defects) => {
    const [m, type] = await start({ free: 'ipi', defects });
    const chunk = m.kmalloc(SIZE, type, m.M_WAITOK);
    const other = m.kmalloc(64, type, m.M_WAITOK);
    freeOn1(m, [chunk], type);
    m.poke(chunk, 0, other);
    expect(panicCodeOf(() => m.splz())).toBe(when === 'with' ? P_FREE_MAGIC : 0);
  });

  test.each(both('R34'))('%s R34 a chunk sent home twice is found by', async (when, defects) => {
    const [m, type] = await start({ free: 'ipi', defects });
    const chunk = m.kmalloc(SIZE, type, m.M_WAITOK);
    freeOn1(m, [chunk, chunk], type);
    // its type was in its first word, which is a link by then
    expect(panicCodeOf(() => m.splz())).toBe(when === 'with' ? P_FREE_MAGIC : P_CHUNK_FREE);
  });

  /** CPU 1 has linked the last chunk; the owner takes it home and lets the zone go, if it may; the message comes. */
  async function releasedUnderMessage(options: BootOptions): Promise<[released: boolean, code: number]> {
    const [m, type] = await start({ tunables: { 'kern.zone_cache': 0 }, ...options });
    const chunks = m.exhaust(SIZE, type);
    const z = m.zoneOf(chunks[0]!);
    m.kmalloc(SIZE, type, m.M_WAITOK);
    let word = 0;
    const owner = () =>
      m.on(0, () => {
        for (const chunk of chunks.slice(1)) m.kfree(chunk, type);
        m.slabCleanup(true);
        word = m.i32[m.ku.btokup(z)]!;
      });
    afterAccess('compareExchange', (z >>> 2) + Z_RCHUNKS, owner, () => freeOn1(m, [chunks[0]!], type));
    expect(signals(m)).toBe(1);
    const code = panicCodeOf(() => m.splz());
    if (code === P_KKASSERT) expect(m.memory.sb(SB_PANIC_A)).toBe(A_ZONE_LIVE);
    else expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 1 });
    return [word === 0, code];
  }

  describe.each(['rcount', 'rsignal2'] as const)('%s', (free) => {
    test.each(both('R38'))('%s R38 the owner releases the zone a freer still looks at', async (when, defects) => {
      expect(await releasedUnderMessage({ free, defects })).toEqual([when === 'with', 0]);
    });
  });

  describe.each(['rcount', 'rsignal2', 'rtagged', 'rbatch'] as const)('%s', (free) => {
    test.each(both('R42'))('%s R42 a zone is gone when the message about it comes', async (when, defects) => {
      const released = when === 'with';
      expect(await releasedUnderMessage({ free, defects })).toEqual([released, released ? P_KKASSERT : 0]);
    });
  });

  test.each(both('R40'))('%s R40 rsignal2 strands a zone', async (when, defects) => {
    const [m, type] = await start({ free: 'rsignal2', defects });
    const first = m.kmalloc(SIZE, type, m.M_WAITOK);
    const z = m.zoneOf(first);
    while (m.word(z, Z_NFREE) > 1) m.kmalloc(SIZE, type, m.M_WAITOK);
    const owner = () => m.on(0, () => m.kmalloc(SIZE, type, m.M_WAITOK));
    const word = (z >>> 2) + (when === 'with' ? Z_RSIGNAL : Z_RCHUNKS);
    afterAccess('load', word, owner, () => freeOn1(m, [first], type));
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], stranded: when === 'with' ? 1 : 0 });
  });

  test.each(both('R52'))('%s R52 a type goes while frees of it are under way', async (when, defects) => {
    const [m, type] = await start({ free: 'ipi', defects });
    const block = m.kmalloc(SIZE, type, m.M_WAITOK);
    m.as(1);
    m.kfree(block, type);
    const leaked = whileWaiting(() => m.on(0, () => m.spl.splzWaiting()), () => m.mallocUninit(type));
    expect(leaked).toBe(when === 'with' ? 1024 : 0);
  });
});

describe('kmemusage', () => {
  /** CPU 0 takes the pages between the moment CPU 1 gave them back and the end of its free. */
  async function reused(defects: string[], bytes: number, give: (m: Inside, type: number, block: number) => void) {
    const [m, type] = await start({ free: 'rtagged', tunables: { 'kern.zone_cache': 0 }, defects });
    const block = m.on(1, () => m.kmalloc(bytes, type, m.M_WAITOK));
    let again = 0;
    const other = () => m.on(0, () => {
      again = m.kmalloc(bytes, type, m.M_WAITOK);
    });
    const waiters = (m.memory.sb(SB_VM) >>> 2) + VM_WAITERS;
    afterAccess('load', waiters, other, () => m.on(1, () => give(m, type, block)));
    expect(again >>> 15, 'the same pages').toBe(block >>> 15);
    return panicCodeOf(() => m.kfree(again, type));
  }

  test.each(both('R43'))('%s R43 an oversized block wipes the next one\'s entry', async (when, defects) => {
    const code = await reused(defects, 40000, (m, type, block) => m.kfree(block, type));
    expect(code).toBe(when === 'with' ? P_BADFREE : 0);
  });

  test.each(both('R43'))('%s R43 a zone wipes the next owner\'s entry', async (when, defects) => {
    const code = await reused(defects, SIZE, (m, type, block) => {
      m.kfree(block, type);
      m.slabCleanup(true);
    });
    expect(code).toBe(when === 'with' ? P_BADFREE : 0);
  });

  test('with R43 a spare zone that is used again, or not, is in order', async () => {
    const [m, type] = await start({ defects: ['R43'] });
    const chunks = m.exhaust(SIZE, type);
    m.kmalloc(SIZE, type, m.M_WAITOK);
    for (const chunk of chunks) m.kfree(chunk, type);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [], blocks: 1 });
    const again = m.exhaust(64, type);
    expect(m.zoneOf(again[0]!)).toBe(m.zoneOf(chunks[0]!));
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
  });
});

describe('queues', () => {
  /** A FIFO of 4 is full of passive messages, of which its target was never told. */
  async function full(defects: string[]): Promise<[m: Inside, got: number[]]> {
    const [m, got] = await noting({ fifo: 4, defects });
    for (let n = 0; n < 3; n++) m.lwktSendIpiqPassive(1, USER, n, 0);
    return [m, got];
  }

  test('without R45 a sender that waits for room tells its target', async () => {
    const [m, got] = await full([]);
    whileWaiting(() => serve(m, 1), () => m.lwktSendIpiq(1, USER, 3, 0));
    serve(m, 1);
    expect(got).toEqual([0, 1, 2, 3]);
  });

  test('with R45 nobody tells it, and the sender waits for ever', async () => {
    const [m, got] = await full(['R45']);
    expect(() => whileWaiting(() => serve(m, 1), () => m.lwktSendIpiq(1, USER, 3, 0))).toThrow('nobody ends them');
    expect(got).toEqual([]);
  });

  test.each(both('R46'))('%s R46 a sender that waits serves its own queues', async (when, defects) => {
    const [m, got] = await full(defects);
    m.on(1, () => m.lwktSendIpiq(0, USER, 100, 0));
    let first: number[] | undefined;
    const other = () => {
      first ??= [...got];
      serve(m, 1);
    };
    whileWaiting(other, () => m.lwktSendIpiq(1, USER, 3, 0));
    expect(first).toEqual(when === 'with' ? [] : [100]);
  });

  test.each(both('R47'))('%s R47 a message sleeps', async (when, defects) => {
    const [m, got] = await noting({ defects });
    m.lwktSendIpiq(1, USER, 1, 0);
    // the queue was found empty; the source still sees npoll = 1 when it publishes, and raises nothing
    const late = () => m.on(0, () => m.lwktSendIpiq(1, USER, 2, 0));
    beforeAccess('store', m.gd.globaldataFind(1) + GD_NPOLL, late, () => serve(m, 1));
    serve(m, 1);
    expect(got).toEqual(when === 'with' ? [1] : [1, 2]);
  });

  test('with R48 npoll is released, but not by an atomic store', async () => {
    const [m, got] = await noting({ defects: ['R48'] });
    const npoll = m.gd.globaldataFind(1) + GD_NPOLL;
    m.lwktSendIpiq(1, USER, 1, 0);
    expect(() => afterAccess('store', npoll, () => {}, () => serve(m, 1))).toThrow('no store of word');
    expect([got, m.i32[npoll]]).toEqual([[1], 0]);
  });

  test.each(both('R49'))('%s R49 a message counts as executed while its function runs', async (when, defects) => {
    const [m] = await noting({ defects });
    let during: boolean | undefined;
    m.ipiqRegister(OTHER, () => (during = m.on(0, () => m.ipiq.lwktTestIpiq(1, 1))));
    m.lwktSendIpiq(1, OTHER, 0, 0);
    serve(m, 1);
    expect(during).toBe(when === 'with');
    expect(m.ipiq.lwktTestIpiq(1, 1)).toBe(true);
  });

  test.each(both('R50'))('%s R50 a CPU that is held serves messages', async (when, defects) => {
    // CPU 0 leads by hand: what a leader does, with CPU 1 looking on in its hold loop
    const [m, got] = await noting({ defects });
    const gd = m.gd.globaldataFind(0);
    m.i32[gd + GD_CS_WAITING] = 1;
    m.lwktSendIpiq(1, IPIF_CPUSYNC_REMOTE1, 0, 0);
    let held: number[] = [];
    const leader = (look: number) => m.on(0, () => {
      if (look === 1) m.lwktSendIpiq(1, USER, 7, 0);
      if (look !== 3) return;
      held = [...got];
      m.i32[gd + GD_CS_WAITING] = 1;
      m.i32[gd + GD_CS_FUNC] = USER;
    });
    whileWaiting(leader, () => serve(m, 1));
    expect(held).toEqual(when === 'with' ? [] : [7]);
    expect([m.i32[gd + GD_CS_WAITING], got.length]).toEqual([0, 2]);
    tick(m);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
  });
});

test.each([4, 8, 16])('a queue of %i messages waits, refuses and wraps by the same rules', async (fifo) => {
  const [m, got] = await noting({ fifo });
  let sent = 0;
  while (m.ipiq.lwktSendIpiqNowait(1, USER, sent, 0) === 0) sent++;
  expect(sent).toBe(Math.ceil((fifo * 2) / 3));
  whileWaiting(() => serve(m, 1), () => {
    for (; sent < 10 * fifo; sent++) m.lwktSendIpiq(1, USER, sent, 0);
    for (; sent < 20 * fifo; sent++) m.lwktSendIpiqPassive(1, USER, sent, 0);
  });
  expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
  expect(got).toEqual(Array.from({ length: 20 * fifo }, (_, n) => n));
});
