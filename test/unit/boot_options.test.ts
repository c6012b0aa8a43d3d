import { describe, expect, test } from 'vitest';
import { DEFECT_NAMES } from '../../src/base/defects.js';
import { SmpallocError } from '../../src/base/errors.js';
import { FREE_NAMES, MTX_NAMES, STATS_NAMES } from '../../src/base/policy.js';
import { format } from '../../src/host/format.js';
import { type Geometry, geometry } from '../../src/host/geometry.js';
import { type BootOptions, configure, parseMemory } from '../../src/host/options.js';
import * as SB from '../../src/hw/superblock.layout.js';
import { SLGLOBALDATA, ZINDEX_BYTES } from '../../src/dragonfly/slaballoc.layout.js';
import { zoneSizeFor } from '../../src/dragonfly/malloc.js';
import { INTR_WORDS } from '../../src/hw/intr.layout.js';
import { GD_WORDS } from '../../src/kern/globaldata.layout.js';
import { KTR_WORDS } from '../../src/kern/ktr.layout.js';
import { ipiqBytes } from '../../src/kern/lwkt_ipiq.layout.js';
import { KM_WORDS, MAXTYPES, mallocTypeBytes } from '../../src/kern/malloc_type.layout.js';
import { PG_WORDS, VM_WORDS } from '../../src/vm/vm_page.layout.js';
import { Memory } from '../../src/observe/memory.js';
import { inside } from '../helpers/inside.js';

const MIB = 1 << 20;

function refusal(options: BootOptions): string {
  try {
    configure(options);
  } catch (error) {
    if (!SmpallocError.is(error)) throw error;
    expect(error.code).toBe('ESMP_OPTION');
    return error.message;
  }
  return 'accepted';
}
/** what a caller without TypeScript may pass */
const any = (options: unknown): BootOptions => options as BootOptions;

describe('what may be asked for', () => {
  test('nothing: a machine of all cores, 256 MiB, the best policies', () => {
    expect(configure()).toMatchObject({
      memory: 256 * MIB, stats: 'critical', free: 'rbatch', mutex: 'adaptive', signalDelay: 0, attach: 0, ktr: 0,
      invariants: false, seed: 1,
    });
    expect(configure().cpus).toBeGreaterThanOrEqual(2);
  });

  test.each([
    [1048576, 1048576], ['64MiB', 64 * MIB], ['64 MB', 64 * MIB], ['64m', 64 * MIB], ['1g', 1024 * MIB],
    ['512 kb', 512 * 1024], ['1.5MiB', 1.5 * MIB], ['4097', 4096], ['2GiB', 2048 * MIB], [2 ** 31, 2048 * MIB],
    ['  8 M  ', 8 * MIB],
  ])('memory %j is %i bytes', (text, bytes) => {
    expect(parseMemory(text)).toBe(bytes);
  });

  test('a signal delay is what the policy had, unless it is given', () => {
    expect(FREE_NAMES.map((free) => configure({ free }).signalDelay)).toEqual(
      ['tick', 'tick', 'tick', 'tick', 'tick', 0, 0],
    );
    expect(configure({ free: 'rtagged', signalDelay: 'tick' }).signalDelay).toBe('tick');
    expect(configure({ free: 'ipi', signalDelay: 7 }).signalDelay).toBe(7);
  });

  test('defects, in the flavours that have them', () => {
    expect(configure({ defects: ['R47', 'R1', 'R47'], invariants: true }).defects).toEqual(['R47', 'R1']);
    expect(configure({ defects: ['R47'] }, { stepped: true }).defects).toEqual(['R47']);
    expect(configure({ defects: [] }).defects).toEqual([]);
  });

  test('mutex-up on one CPU', () => {
    expect(configure({ stats: 'mutex-up', cpus: 1 }).stats).toBe('mutex-up');
  });
});

describe('what is refused says its name, its value and what would be right', () => {
  test.each<[BootOptions, string]>([
    [{ cpus: 0 }, 'cpus: 0 is not usable; expected a whole number from 1 to 256'],
    [{ cpus: 257 }, 'cpus: 257 is not usable; expected a whole number from 1 to 256'],
    [{ cpus: 1.5 }, 'cpus: 1.5 is not usable; expected a whole number from 1 to 256'],
    [{ cpus: Number.NaN }, 'cpus: NaN is not usable; expected a whole number from 1 to 256'],
    [{ cpus: Number.POSITIVE_INFINITY }, 'cpus: Infinity is not usable; expected a whole number from 1 to 256'],
    [any({ cpus: '2' }), 'cpus: "2" is not usable; expected a whole number from 1 to 256'],
    [{ cpus: 250, attach: 7 }, 'attach: 7 is not usable; expected a whole number from 0 to 6'],
    [any({ free: 'best' }), `free: "best" is not usable; expected one of ${FREE_NAMES.join(', ')}`],
    [any({ stats: 3 }), `stats: 3 is not usable; expected one of ${STATS_NAMES.join(', ')}`],
    [any({ mutex: '' }), `mutex: "" is not usable; expected one of ${MTX_NAMES.join(', ')}`],
    [{ signalDelay: -1 }, 'signalDelay: -1 is not usable; expected a whole number from 0 to 1000000000'],
    [any({ signalDelay: 'tock' }), 'signalDelay: "tock" is not usable'],
    [{ seed: -1 }, 'seed: -1 is not usable; expected a whole number from 0 to 4294967295'],
    [{ ktr: 1 << 21 }, 'ktr: 2097152 is not usable; expected a whole number from 0 to 1048576'],
    [{ tunables: { 'kern.nothing': 1 } }, 'tunable: "kern.nothing" is not usable; expected one of kern.zone_cache'],
    [{ tunables: { 'kern.rbatch': 0 } }, 'kern.rbatch: 0 is not usable; expected a whole number from 1 to 4096'],
    [{ stats: 'mutex-up', cpus: 2 }, 'stats: "mutex-up" is not usable; expected another policy'],
    [{ memory: 'much' }, `memory: "much" is not usable; expected bytes, or a number with a unit such as '256MiB'`],
    [{ memory: '3GiB' }, 'memory: "3GiB" is not usable; expected 2GiB at the most'],
    [{ memory: 2 ** 31 + 4096 }, 'memory: 2147487744 is not usable; expected 2GiB at the most'],
    [{ memory: 0 }, 'memory: 0 is not usable; expected at least one megabyte'],
    [{ memory: -1 }, 'memory: -1 is not usable'],
    [{ memory: Number.NaN }, 'memory: NaN is not usable'],
    [{ fifo: 3 }, 'fifo: 3 is not usable; expected a power of two from 4 to 256'],
    [{ fifo: 2 }, 'fifo: 2 is not usable; expected a power of two from 4 to 256'],
    [{ fifo: 512 }, 'fifo: 512 is not usable; expected a power of two from 4 to 256'],
    [any({ fifo: '8' }), 'fifo: "8" is not usable; expected a power of two from 4 to 256'],
    [{ defects: ['R99'] }, `defects: "R99" is not usable; expected one of ${DEFECT_NAMES.join(', ')}`],
    [any({ defects: 'R47' }), `defects: "R47" is not usable; expected an array of names, such as ['R47']`],
    [{ defects: ['R47'] }, 'defects: ["R47"] is not usable; expected invariants: true beside it'],
    [{ cpus: 8, memory: '1MiB' }, 'memory: "1048576 bytes" is not usable; expected at least 2MiB for 8 CPUs'],
  ])('%j', (options, message) => {
    expect(refusal(options)).toContain(message);
  });

  test('too little memory: what the message asks for is enough', () => {
    for (const cpus of [1, 8, 64, 256]) {
      const message = refusal({ cpus, memory: '64KiB' });
      const mib = Number(/at least (\d+)MiB/.exec(message)?.[1]);
      expect(refusal({ cpus, memory: `${mib}MiB` }), `${cpus} CPUs: ${message}`).toBe('accepted');
    }
  });

  test('rings larger than the memory', () => {
    expect(refusal({ cpus: 2, ktr: 1 << 20, memory: '64MiB' })).toMatch(/^memory: .* expected at least \d+MiB/);
  });

  test.each([[64, 1 << 20], [128, 1 << 20], [256, 1 << 20], [100, 900000]])(
    'rings larger than any memory: %i CPUs with %i events each', (cpus, ktr) => {
      expect(refusal({ cpus, ktr, memory: '2GiB' })).toContain(
        `expected fewer CPUs or a smaller ktr: ${cpus} CPUs with ${ktr} events each need more than 2GiB`,
      );
    },
  );
});

describe('geometry', () => {
  function areas(ncpu: number, ktr: number, g: Geometry): [name: string, start: number, bytes: number][] {
    return [
      ['superblock', 0, SB.SB_WORDS * 4],
      ['intr', g.intr, ncpu * INTR_WORDS * 4],
      ['gd', g.gd, ncpu * GD_WORDS * 4],
      ['slgd', g.slgd, ncpu * SLGLOBALDATA.words * 4],
      ['vm', g.vm, VM_WORDS * 4],
      ['zindex', g.zindex, ZINDEX_BYTES],
      ['malloc', g.malloc, KM_WORDS * 4 + MAXTYPES * mallocTypeBytes(ncpu)],
      ['ipiq', g.ipiq, ncpu * ncpu * ipiqBytes(g.fifo)],
      ['ktr', g.ktr, ncpu * ktr * KTR_WORDS * 4],
      ['kmu', g.kmu, g.npages * 4],
      ['pga', g.pga, g.npages * PG_WORDS * 4],
      ['pages', g.firstPage * 4096, (g.npages - g.firstPage) * 4096],
    ];
  }

  test.each([
    [1, 4 * MIB, 0], [2, 16 * MIB, 0], [2, 16 * MIB, 7], [3, 17 * MIB, 100], [64, 512 * MIB, 1000],
    [256, 2048 * MIB, 0], [256, 2048 * MIB, 4096], [1, 2048 * MIB, 1 << 20],
  ])('%i CPUs, %i bytes, %i events: areas begin on cache lines and do not overlap', (ncpu, memory, ktr) => {
    const g = geometry(ncpu, memory, ktr);
    let end = 0;
    for (const [name, start, bytes] of areas(ncpu, ktr, g)) {
      expect(start % 64, name).toBe(0);
      expect(start, name).toBeGreaterThanOrEqual(end);
      end = start + bytes;
    }
    expect(end).toBe(memory);
    expect([g.fifo & (g.fifo - 1), g.fifo >= 16, g.fifo <= 256]).toEqual([0, true, true]);
  });

  test('FIFOs are small when there are many', () => {
    expect([1, 8, 64, 256].map((ncpu) => geometry(ncpu, 256 * MIB, 0).fifo)).toEqual([256, 256, 128, 16]);
  });

  test('a FIFO holds what was asked for, and less memory is enough then', () => {
    expect([4, 8, 256].map((fifo) => geometry(2, MIB, 0, fifo).fifo)).toEqual([4, 8, 256]);
    expect([2, 3, 4].map((cpus) => refusal({ cpus, fifo: 8, memory: '1MiB' }))).toEqual(Array(3).fill('accepted'));
  });

  test('zones are about a thousandth of memory, 32 to 128 KiB', () => {
    const sizes = [1, 16, 64, 65, 128, 129, 2048].map((mib) => zoneSizeFor(mib * MIB) / 1024);
    expect(sizes).toEqual([32, 32, 32, 64, 64, 128, 128]);
  });
});

describe('a formatted memory', () => {
  test('is a machine with its options in the superblock', () => {
    const c = configure({
      cpus: 3, attach: 2, memory: '32MiB', stats: 'atomic', free: 'rcount', mutex: 'futex', signalDelay: 9,
      seed: 0xfffffffe, invariants: true, ktr: 10, fifo: 32,
      defects: ['R1', 'R4', 'R34'], tunables: { 'kern.zone_cache': 3 },
    });
    const memory = new Memory(format(c));
    expect(memory.ncpu).toBe(5);
    expect([
      SB.SB_NHOSTCPU, SB.SB_NPAGES, SB.SB_STATS, SB.SB_FREE, SB.SB_MUTEX, SB.SB_SIGNAL, SB.SB_SEED, SB.SB_INVARIANTS,
      SB.SB_KTR_ENTRIES, SB.SB_IPIQ_FIFO, SB.SB_DEFECTS, SB.SB_DEFECTS + 1, SB.SB_ZONE_CACHE, SB.SB_RBATCH, SB.SB_PANIC,
      SB.SB_BOOTED,
    ].map((word) => memory.sb(word))).toEqual([3, 8192, 2, 2, 2, 9, -2, 1, 10, 32, 18, 4, 3, 32, 0, 0]);
    expect(memory.heap.byteLength).toBe(32 * MIB);
  });

  test('the delay tick is a number of its own', () => {
    expect(new Memory(format(configure({ memory: '8MiB', cpus: 1, signalDelay: 'tick' }))).sb(SB.SB_SIGNAL)).toBe(-1);
  });

  test('other bytes are no machine', () => {
    const refused = (heap: ArrayBuffer): string => {
      try {
        new Memory(heap);
      } catch (error) {
        return SmpallocError.is(error) ? `${error.code} ${error.message}` : String(error);
      }
      return 'accepted';
    };
    expect(refused(new ArrayBuffer(4096))).toContain('ESMP_INPUT this is not the memory of a machine');
    const old = new Int32Array(1024);
    old[SB.SB_MAGIC] = SB.SUPERBLOCK_MAGIC;
    old[SB.SB_NCPU] = 1;
    old[SB.SB_VERSION] = 99;
    expect(refused(old.buffer)).toContain('ESMP_INPUT machine memory of version 99');
  });
});

test('a machine of 2 GiB works up to its last page', async () => {
  const m = await inside({ memory: '2GiB' });
  const type = m.mallocTypeCreate('temp');
  m.kmallocRaiseLimit(type, 0);
  const large = m.kmalloc(1536 * MIB, type, m.M_NOWAIT);
  expect(large).toBeGreaterThan(0);
  const blocks: number[] = [];
  for (let block; (block = m.kmalloc(16 * MIB, type, m.M_NOWAIT)) !== 0; ) blocks.push(block);
  expect(Math.max(large + 1536 * MIB, ...blocks.map((block) => block + 16 * MIB))).toBe(2 ** 31);
  for (const block of [large, ...blocks]) m.kfree(block, type);
  expect(m.mallocTypeMemuse(type)).toBe(0);
  expect(m.page.vmFreeCount()).toBe(m.ku.KVA_BYTES / 4096);
});

test('the smallest machine that is accepted boots and allocates', async () => {
  const mib = Number(/at least (\d+)MiB/.exec(refusal({ cpus: 4, memory: '64KiB' }))?.[1]);
  const m = await inside({ cpus: 4, memory: `${mib}MiB` });
  const type = m.mallocTypeCreate('temp');
  for (let cpu = 0; cpu < 4; cpu++) m.on(cpu, () => expect(m.kmalloc(100, type, m.M_NOWAIT)).not.toBe(0));
  expect(m.quiesceAndAudit()).toMatchObject({ violations: [], zones: 4 });
});
