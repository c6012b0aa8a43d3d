/**
 * panics.test.ts — every panic there is, provoked once; and every assertion.
 *
 * What only real workers can provoke stands in helpers/panics.ts and is test/smp's to provoke; malloc(9)'s and UMA's
 * are provoked in freebsd/panics.test.ts.
 */
import { describe, expect, test } from 'vitest';
import * as P from '../../src/base/panics.js';
import { FREEBSD_PANICS } from '../../src/base/panics_freebsd.js';
import { IPIF_KFREE_REMOTE, IPIF_MAX, IPIF_USER } from '../../src/base/ipif.js';
import {
  SL_FREEOVZONES, SL_FREEZONES, Z_CPU, Z_MAGIC, Z_UENDINDEX, Z_UINDEX, ZALLOC_OVSZ_MAGIC,
} from '../../src/dragonfly/slaballoc.layout.js';
import { WEIRD_ADDR } from '../../src/dragonfly/malloc.js';
import { SB_PANIC_A } from '../../src/hw/superblock.layout.js';
import type { BootOptions } from '../../src/host/options.js';
import { IP_WINDEX } from '../../src/kern/lwkt_ipiq.layout.js';
import { KS_USE, KU_WRITER } from '../../src/kern/malloc_type.layout.js';
import { panicRecord } from '../../src/observe/panic_report.js';
import { PG_ORDER } from '../../src/vm/vm_page.layout.js';
import { type Inside, inside, panicCodeOf } from '../helpers/inside.js';
import { ONLY_REAL_WORKERS } from '../helpers/panics.js';

interface Provocation {
  readonly code: number;
  readonly what: string;
  readonly options?: BootOptions;
  readonly act: (m: Inside, type: number) => void;
  /** the report's first line */
  readonly message: RegExp;
}

const WAITOK = 2;

const PROVOCATIONS: Provocation[] = [
  {
    code: P.P_NULLFREE,
    what: 'NULL is freed',
    act: (m, type) => m.kfree(0, type),
    message: /^trying to free NULL pointer$/,
  },
  {
    code: P.P_FREE_MAGIC,
    what: 'a block is freed with an address that is no type',
    act: (m, type) => m.kfree(m.kmalloc(8, type, WAITOK), 4096 * 100),
    message: /^free: malloc type lacks magic$/,
  },
  {
    code: P.P_MALLOC_MAGIC,
    what: 'memory is asked for with an address that is no type',
    act: (m) => m.kmalloc(8, 4096 * 100, WAITOK),
    message: /^malloc: malloc type lacks magic$/,
  },
  {
    code: P.P_BADFREE,
    what: 'an address in the kernel image is freed',
    act: (m, type) => m.kfree(4096, type),
    message: /^BADFREE 0x1000$/,
  },
  {
    code: P.P_BADFREE,
    what: 'an address behind the end of memory is freed',
    act: (m, type) => m.kfree(m.ku.KVA_START + m.ku.KVA_BYTES, type),
    message: /^BADFREE/,
  },
  {
    code: P.P_BADFREE,
    what: 'an address that is not aligned is freed',
    act: (m, type) => m.kfree(m.kmalloc(64, type, WAITOK) + 4, type),
    message: /^BADFREE/,
  },
  {
    code: P.P_BADFREE,
    what: 'the header of a zone is freed',
    act: (m, type) => m.kfree(m.zoneOf(m.kmalloc(64, type, WAITOK)), type),
    message: /^BADFREE/,
  },
  {
    code: P.P_BADFREE,
    what: 'a page nobody allocated is freed',
    act: (m, type) => m.kfree(m.ku.KVA_START + m.ku.KVA_BYTES - 4096, type),
    message: /^BADFREE/,
  },
  {
    code: P.P_BADFREE,
    what: 'the middle of an oversized block is freed',
    act: (m, type) => m.kfree(m.kmalloc(40000, type, WAITOK) + 8, type),
    message: /^BADFREE/,
  },
  {
    code: P.P_BADFREE,
    what: 'the second page of an oversized block is freed',
    act: (m, type) => m.kfree(m.kmalloc(40000, type, WAITOK) + 4096, type),
    message: /^BADFREE/,
  },
  {
    code: P.P_BADFREE,
    what: 'an oversized block is freed twice',
    act: (m, type) => {
      const block = m.kmalloc(40000, type, WAITOK);
      m.kfree(block, type);
      m.kfree(block, type);
    },
    message: /^BADFREE/,
  },
  {
    code: P.P_BADFREE,
    what: 'a block that imitates a zone is freed at its middle',
    act: (m, type) => {
      const block = m.kmalloc(3 * m.slab.ZONE_SIZE, type, WAITOK);
      const z = m.zoneOf(block + m.slab.ZONE_SIZE);
      m.i32.set(m.i32.slice(m.zoneOf(m.kmalloc(64, type, WAITOK)) >>> 2).subarray(0, 48), z >>> 2);
      m.kfree(z + 1024, type);
    },
    message: /^BADFREE/,
  },
  {
    code: P.P_BADFREE2,
    what: 'a freed chunk was overwritten and its link points outside the zone',
    act: (m, type) => {
      const [a, b] = [m.kmalloc(64, type, WAITOK), m.kmalloc(64, type, WAITOK)];
      m.kfree(a, type);
      m.poke(a, 0, 0x12345678);
      m.kmalloc(64, type, WAITOK);
      m.kfree(b, type);
    },
    message: /^BADFREE2 0x12345678$/,
  },
  {
    code: P.P_CORRUPTED_ZONE,
    what: 'a zone counts a free chunk that it does not have',
    act: (m, type) => {
      const z = m.zoneOf(m.kmalloc(64, type, WAITOK));
      m.poke(z, Z_UENDINDEX, m.word(z, Z_UINDEX) + 1);
      m.kmalloc(64, type, WAITOK);
    },
    message: /^slaballoc: corrupted zone$/,
  },
  {
    code: P.P_MALLOC_LIMIT,
    what: 'a type allocates beyond its limit',
    act: (m, type) => {
      for (;;) m.kmalloc(40000, type, WAITOK);
    },
    message: /^temp: malloc limit exceeded$/,
  },
  {
    code: P.P_BIT_ILLEGAL,
    what: 'an address between two chunks is freed',
    act: (m, type) => m.kfree(m.kmalloc(100, type, WAITOK) + 16, type),
    message: /^memory chunk 0x[0-9a-f]+ bit index 0 is illegal$/,
  },
  {
    code: P.P_BIT_ILLEGAL,
    what: 'an address behind the last chunk is freed',
    act: (m, type) => m.kfree((m.kmalloc(1000, type, WAITOK) | ~m.slab.ZONE_MASK) - 7, type),
    message: /bit index \d+ is illegal$/,
  },
  {
    code: P.P_CHUNK_ALLOCATED,
    what: 'the list of free chunks leads to one that is allocated',
    act: (m, type) => {
      const [a, b] = [m.kmalloc(64, type, WAITOK), m.kmalloc(64, type, WAITOK)];
      m.kfree(a, type);
      m.poke(a, 0, b);
      m.i32.fill(WEIRD_ADDR, b >>> 2, (b >>> 2) + 16);
      m.kmalloc(64, type, WAITOK);
      m.kmalloc(64, type, WAITOK);
    },
    message: /^memory chunk 0x[0-9a-f]+ is already allocated!$/,
  },
  {
    code: P.P_CHUNK_FREE,
    what: 'a chunk is freed twice',
    act: (m, type) => {
      const block = m.kmalloc(64, type, WAITOK);
      m.kfree(block, type);
      m.kfree(block, type);
    },
    message: /^memory chunk 0x[0-9a-f]+ is already free!$/,
  },
  {
    code: P.P_MODIFIED,
    what: 'a freed chunk is written to',
    act: (m, type) => {
      const block = m.kmalloc(64, type, WAITOK);
      m.kfree(block, type);
      m.poke(block, 3, 0xbad);
      m.kmalloc(64, type, WAITOK);
    },
    message: /^memory chunk 0x[0-9a-f]+ was modified after free: 00000bad at offset 12$/,
  },
  {
    code: P.P_BYTE_COUNT,
    what: 'a class is asked for a size that has none',
    act: (m) => m.zindex.zoneindex(16384),
    message: /^Unexpected byte count 16384$/,
  },
  {
    code: P.P_SLAB_FLAGS,
    what: 'memory is used up and the flags say neither to wait nor not to',
    options: { stats: 'none' },
    act: (m, type) => {
      while (m.kmalloc(100000, type, 1) !== 0);
      m.kmalloc(100000, type, m.M_ZERO);
    },
    message: /^kmem_slab_alloc: bad flags 00000100 \(0\)$/,
  },
  {
    code: P.P_KERNEL_MAP,
    what: 'more than all memory is asked for, and must not fail',
    act: (m, type) => m.kmalloc(20 << 20, type, WAITOK),
    message: /^kmem_slab_alloc\(\): kernel_map ran out of space!$/,
  },
  {
    code: P.P_ALL_WAIT,
    what: 'every CPU waits for memory',
    options: { stats: 'none', memory: '8MiB' },
    act: (m, type) => {
      while (m.kmalloc(1 << 20, type, 1) !== 0);
      m.phaseEnter();
      m.kmalloc(1 << 20, type, WAITOK);
    },
    message: /^vm_wait: every CPU waits for memory \(1 waiting, \d+ pages free\)$/,
  },
  {
    code: P.P_IPIQ_NESTED,
    what: 'handlers send from within handlers, twenty deep',
    act: (m) => {
      m.ipiqRegister(IPIF_USER + 1, () => m.lwktSendIpiq(1, IPIF_USER, 0, 0));
      let depth = 0;
      m.ipiqRegister(IPIF_USER, () => {
        m.on(1, () => m.lwktSendIpiq(0, ++depth < 25 ? IPIF_USER : IPIF_USER + 1, 0, 0));
        m.ipiq.lwktProcessIpiq();
      });
      m.on(1, () => m.lwktSendIpiq(0, IPIF_USER, 0, 0));
      m.splz();
    },
    message: /^lwkt_send_ipiq: TOO HEAVILY NESTED!$/,
  },
  {
    code: P.P_WAIT_IPIQ,
    what: 'a CPU does not execute a message that is waited for',
    options: { tunables: { 'lwkt.ipiq_timeout': 1 } },
    act: (m) => {
      m.ipiqRegister(IPIF_USER, () => {});
      m.lwktWaitIpiq(1, m.lwktSendIpiq(1, IPIF_USER, 0, 0));
    },
    message: /^LWKT_WAIT_IPIQ$/,
  },
  {
    code: P.P_PHYS_FREE_ORDER,
    what: 'a page is freed that heads a free block',
    act: (m) => {
      const page = m.phys.vmPhysAllocPages(0);
      m.i32[m.phys.vmPage(page) + PG_ORDER] = 4;
      m.phys.vmPhysFreePages(page, 0, 0);
    },
    message: /^vm_phys_free_pages: page 0x[0-9a-f]+ has unexpected order 3$/,
  },
  {
    code: P.P_PHYS_SPLIT_ORDER,
    what: 'a block is split whose half claims to be free already',
    act: (m) => {
      const page = m.phys.vmPhysAllocPages(5);
      m.phys.vmPhysFreePages(page, 5, 0);
      for (let n = 1; n < 32; n++) m.i32[m.phys.vmPage(page + n) + PG_ORDER] = 3;
      while (m.phys.vmPhysAllocPages(0) !== 0);
    },
    message: /^vm_phys_split_pages: page 0x[0-9a-f]+ has unexpected order 2$/,
  },
  {
    code: P.P_PHYS_ORDER,
    what: 'pages are asked for in an order there is not',
    act: (m) => m.phys.vmPhysAllocPages(13),
    message: /^vm_phys_alloc_pages: order 13 is out of range$/,
  },
  {
    code: P.P_UNINIT_TYPE,
    what: 'a type is given up twice',
    options: { cpus: 1 },
    act: (m, type) => {
      m.mallocUninit(type);
      m.mallocUninit(type);
    },
    message: /^malloc_uninit on uninitialized type$/,
  },
  {
    code: P.P_MTX_RECURSED,
    what: 'a mutex is locked twice',
    act: (m) => {
      m.mtxLock(390);
      m.mtxLock(390);
    },
    message: /^_mtx_lock_sleep: recursed on non-recursive mutex 0x618$/,
  },
  {
    code: P.P_MTX_NOTOWNED,
    what: 'a mutex is unlocked by another CPU',
    act: (m) => {
      m.mtxLock(390);
      m.on(1, () => m.mtxUnlock(390));
    },
    message: /^mutex 0x618 not owned$/,
  },
  {
    code: P.P_CRIT_SLEEP,
    what: 'a CPU sleeps in a critical section',
    act: (m) => {
      m.critEnter();
      m.critEnter();
      m.tsleep(1);
    },
    message: /^tsleep: sleeping in a critical section \(2 deep\)$/,
  },
  {
    code: P.P_CRIT_UNBALANCED,
    what: 'a critical section is left that was not entered',
    act: (m) => m.critExit(),
    message: /^critical section count -1 where 0 was expected$/,
  },
  {
    code: P.P_SLOT_WRITER,
    what: "a CPU finds its statistics written by another",
    act: (m, type) => {
      m.kmalloc(8, type, WAITOK);
      m.poke(type, KS_USE + KU_WRITER, 2);
      m.kmalloc(8, type, WAITOK);
    },
    message: /^malloc_type_stats 0x[0-9a-f]+ of cpu0 written by cpu1$/,
  },
];

interface Assertion {
  readonly number: number;
  readonly what: string;
  readonly options?: BootOptions;
  readonly act: (m: Inside, type: number) => void;
}

const ASSERTIONS: Assertion[] = [
  {
    number: P.A_ZONE_MAGIC,
    what: 'a spare zone is no spare zone',
    act: (m, type) => {
      const zones = [m.exhaust(1000, type), m.exhaust(1000, type)];
      for (const block of zones.flat()) m.kfree(block, type);
      m.poke(m.i32[m.slab.slgdFind(0) + SL_FREEZONES]!, Z_MAGIC, 77);
      m.kmalloc(64, type, WAITOK);
    },
  },
  {
    number: P.A_ZONE_CPU,
    what: 'rchunks: the zone a freer looks at after its link belongs to nobody (R38)',
    options: { free: 'rchunks' },
    act: (m, type) => {
      const [chunk] = m.exhaust(1000, type);
      m.poke(m.zoneOf(chunk!), Z_CPU, 999);
      m.on(1, () => m.kfree(chunk!, type));
    },
  },
  {
    number: P.A_OVSZ_MAGIC,
    what: 'a block that waits on FreeOvZones is none',
    act: (m, type) => {
      const block = m.kmalloc(40000, type, WAITOK);
      m.ipiqRegister(IPIF_USER, () => m.kfree(block, type));
      m.on(1, () => m.lwktSendIpiq(0, IPIF_USER, 0, 0));
      m.splz();
      m.poke(m.i32[m.slab.slgdFind(0) + SL_FREEOVZONES]!, Z_MAGIC, ZALLOC_OVSZ_MAGIC + 1);
      m.kmalloc(40000, type, WAITOK);
    },
  },
  ...(['rcount', 'rsignal2'] as const).map((free) => ({
    number: P.A_RCOUNT,
    what: `${free}: a message about a zone that nobody pinned`,
    options: { free, signalDelay: 0 },
    act: (m: Inside, type: number) => {
      const z = m.zoneOf(m.kmalloc(64, type, WAITOK));
      m.on(1, () => m.lwktSendIpiq(0, IPIF_KFREE_REMOTE, z, 0));
      m.splz();
    },
  })),
  ...(['rcount', 'rsignal2', 'rtagged', 'rbatch'] as const).map((free) => ({
    number: P.A_ZONE_LIVE,
    what: `${free}: a message about a zone that is gone`,
    options: { free, signalDelay: 0 },
    act: (m: Inside) => {
      m.on(1, () => m.lwktSendIpiq(0, IPIF_KFREE_REMOTE, 8 << 20, 0));
      m.splz();
    },
  })),
  {
    number: P.A_IPIQ_USED,
    what: 'a queue is filled to its last slot',
    act: (m) => {
      m.i32[m.ipiq.ipiqFind(0, 1) + IP_WINDEX] = 255;
      m.lwktSendIpiq(1, IPIF_USER, 0, 0);
    },
  },
  {
    number: P.A_CS_NESTED,
    what: 'a rendezvous within a rendezvous',
    options: { cpus: 1 },
    act: (m) => {
      m.cpusync.lwktCpusyncInterlock();
      m.cpusync.lwktCpusyncInterlock();
    },
  },
  {
    number: P.A_REALLOC_ZERO,
    what: 'krealloc with M_ZERO',
    act: (m, type) => m.krealloc(0, 8, type, WAITOK | m.M_ZERO),
  },
  {
    number: P.A_IPIF_BOUND,
    what: 'a message names a function nobody bound',
    act: (m) => {
      m.on(1, () => m.lwktSendIpiq(0, IPIF_MAX - 1, 0, 0));
      m.splz();
    },
  },
];

describe('a panic when', () => {
  test.each(PROVOCATIONS.map((p) => [p.what, p] as const))('%s', async (_, { code, options, act, message }) => {
    const m = await inside(options);
    const type = m.mallocTypeCreate('temp');
    expect(panicCodeOf(() => act(m, type))).toBe(code);
    const record = panicRecord(m.memory);
    expect(record?.code).toBe(code);
    expect(record?.message).toMatch(message);
  });
});

describe('an assertion fails when', () => {
  test.each(ASSERTIONS.map((a) => [a.what, a] as const))('%s', async (_, { number, options, act }) => {
    const m = await inside(options);
    const type = m.mallocTypeCreate('temp');
    expect(panicCodeOf(() => act(m, type))).toBe(P.P_KKASSERT);
    expect(m.memory.sb(SB_PANIC_A)).toBe(number);
    expect(panicRecord(m.memory)?.message).toMatch(/^assertion: .+ \(0x[0-9a-f]+\)$/);
    expect(panicRecord(m.memory)?.message).not.toMatch(/assertion: \d/);
  });
});

test("every panic code is provoked here, or listed as one that needs real workers, or malloc(9)'s", () => {
  const freebsd = Object.keys(FREEBSD_PANICS).map(Number);
  const here = [...PROVOCATIONS.map(({ code }) => code), P.P_KKASSERT, ...ONLY_REAL_WORKERS, ...freebsd];
  expect([...new Set(here)].sort((a, b) => a - b)).toEqual([...P.PANIC_CODES].sort((a, b) => a - b));
});

test('every assertion is provoked here', () => {
  const all = Object.entries(P).flatMap(([name, value]) => (name.startsWith('A_') ? [value as number] : []));
  const here = ASSERTIONS.map(({ number }) => number);
  expect([...new Set(here)].sort((a, b) => a - b)).toEqual(all.sort((a, b) => a - b));
});

test('what the client wrote into a block is never taken for a zone', async () => {
  const m = await inside();
  const type = m.mallocTypeCreate('temp');
  const block = m.kmalloc(100000, type, WAITOK);
  m.i32.fill(0x736c6162, block >>> 2, (block >>> 2) + 25000);
  const inner = m.zoneOf(block + m.slab.ZONE_SIZE);
  expect(panicCodeOf(() => m.kfree(inner + 4096 - 8, type))).toBe(P.P_BADFREE);
});

test('ipi: a chunk freed twice by another CPU is found when its owner frees it again', async () => {
  const m = await inside({ free: 'ipi', signalDelay: 0 });
  const type = m.mallocTypeCreate('temp');
  const block = m.kmalloc(64, type, WAITOK);
  m.on(1, () => [block, block].map((chunk) => m.kfree(chunk, type)));
  expect(panicCodeOf(() => m.splz())).toBe(P.P_CHUNK_FREE);
});

test('an expected failure is no panic', async () => {
  const m = await inside();
  const type = m.mallocTypeCreate('temp');
  expect(m.kmalloc(1 << 27, type, m.M_NOWAIT)).toBe(0);
  expect(panicRecord(m.memory)).toBeNull();
});
