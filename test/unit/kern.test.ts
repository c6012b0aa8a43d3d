import { beforeEach, describe, expect, test } from 'vitest';
import {
  A_ZONE_MAGIC, P_BADFREE, P_CRIT_SLEEP, P_CRIT_UNBALANCED, P_KKASSERT, P_MALLOC_LIMIT, P_MTX_NOTOWNED, P_MTX_RECURSED,
  P_NULLFREE, PANIC_CODES, panicText,
} from '../../src/base/panics.js';
import { IPIF_USER } from '../../src/base/ipif.js';
import { MTX_NAMES } from '../../src/base/policy.js';
import { SmpallocError } from '../../src/base/errors.js';
import { INTR_STOP, INTR_TICK } from '../../src/hw/intr.layout.js';
import { SB_KTR, SB_PANIC, SB_PANIC_CPU, SB_STOP } from '../../src/hw/superblock.layout.js';
import { GD_CRIT, GD_KTR, GD_TICKS, GD_WCHAN } from '../../src/kern/globaldata.layout.js';
import { KTR_FORMATS, KTR_USER, KTR_WORDS } from '../../src/kern/ktr.layout.js';
import { TUNABLES } from '../../src/kern/sysctl.js';
import { sysctlNames } from '../../src/observe/memory.js';
import { ktrTail, panicRecord, panicReport } from '../../src/observe/panic_report.js';
import { type Inside, inside, panicCodeOf, whileWaiting } from '../helpers/inside.js';

let m: Inside;
beforeEach(async () => void (m = await inside()));

describe('critical sections', () => {
  test('nest, and only the outermost exit serves interrupts', () => {
    let served = 0;
    m.ipiqRegister(IPIF_USER, () => served++);
    m.critEnter();
    m.critEnter();
    m.on(1, () => m.lwktSendIpiq(0, IPIF_USER, 0, 0));
    m.critExit();
    expect([served, m.i32[m.gd.mycpu() + GD_CRIT]]).toEqual([0, 1]);
    m.critExit();
    expect([served, m.i32[m.gd.mycpu() + GD_CRIT]]).toEqual([1, 0]);
  });

  test('a hard one inside a counted one serves nothing', () => {
    let served = 0;
    m.ipiqRegister(IPIF_USER, () => served++);
    m.critEnter();
    m.on(1, () => m.lwktSendIpiq(0, IPIF_USER, 0, 0));
    m.crit.intrDisable();
    m.crit.intrRestore();
    expect(served).toBe(0);
    m.crit.critExitQuick();
    expect(served).toBe(0);
    m.crit.intrDisable();
    m.crit.intrRestore();
    expect(served).toBe(1);
  });

  test('one exit too many is a panic', () => {
    expect(panicCodeOf(() => m.critExit())).toBe(P_CRIT_UNBALANCED);
  });

  test('are per CPU', () => {
    m.critEnter();
    expect(m.on(1, () => m.i32[m.gd.mycpu() + GD_CRIT])).toBe(0);
  });

  test('left open at the end of a phase are a panic', () => {
    m.phaseEnter();
    m.critEnter();
    expect(panicCodeOf(() => m.phaseLeave())).toBe(P_CRIT_UNBALANCED);
  });

  test('the clock tick counts and calls what was registered', () => {
    const ticks: number[] = [];
    m.spl.hardclockRegister((tick) => ticks.push(tick));
    for (let n = 0; n < 3; n++) {
      m.intr.intrRaise(0, INTR_TICK);
      m.splz();
    }
    expect(ticks).toEqual([1, 2, 3]);
    expect(m.i32[m.gd.mycpu() + GD_TICKS]).toBe(3);
  });
});

describe('mutexes', () => {
  /** a word nobody uses */
  const MTX = 390;

  test('are owned by the CPU that locked them', () => {
    m.mtxLock(MTX);
    expect(m.mutex.mtxOwned(MTX)).toBe(true);
    expect(m.on(1, () => m.mutex.mtxOwned(MTX))).toBe(false);
    expect(m.on(1, () => m.mtxTrylock(MTX))).toBe(false);
    m.mtxUnlock(MTX);
    expect(m.on(1, () => m.mtxTrylock(MTX))).toBe(true);
  });

  test('do not recurse', () => {
    m.mtxLock(MTX);
    expect(m.mtxTrylock(MTX)).toBe(false);
    expect(panicCodeOf(() => m.mtxLock(MTX))).toBe(P_MTX_RECURSED);
  });

  test('unlocked by another CPU are a panic', () => {
    m.mtxLock(MTX);
    expect(panicCodeOf(() => m.on(1, () => m.mtxUnlock(MTX)))).toBe(P_MTX_NOTOWNED);
  });

  test('unlocked when free are a panic', () => {
    expect(panicCodeOf(() => m.mtxUnlock(MTX))).toBe(P_MTX_NOTOWNED);
  });

  test.each(MTX_NAMES)('%s: a waiter gets the lock when its owner lets go', async (mutex) => {
    m = await inside({ mutex });
    m.on(1, () => m.mtxLock(MTX));
    let waits = 0;
    whileWaiting(
      () => {
        if (++waits === 5) m.on(1, () => m.mtxUnlock(MTX));
      },
      () => m.mtxLock(MTX),
    );
    expect(waits).toBeGreaterThanOrEqual(5);
    expect(m.mutex.mtxOwned(MTX)).toBe(true);
    m.mtxUnlock(MTX);
    expect(m.i32[MTX]).toBe(0);
    expect(m.i32[m.gd.mycpu() + GD_WCHAN]).toBe(0);
  });

  test.each(['adaptive', 'futex'] as const)('%s: a sleeper is woken by the unlock', async (mutex) => {
    m = await inside({ mutex });
    m.on(1, () => m.mtxLock(MTX));
    let slept = false;
    whileWaiting(
      () => {
        slept ||= m.i32[m.gd.mycpu() + GD_WCHAN] === MTX << 2;
        if (slept && m.on(1, () => m.mutex.mtxOwned(MTX))) m.on(1, () => m.mtxUnlock(MTX));
      },
      () => m.mtxLock(MTX),
    );
    expect(slept).toBe(true);
    // others may sleep behind it: it took the lock marked, so that its unlock wakes one
    expect(m.i32[MTX]).toBe(0x10000 | 1);
  });

  test.each(MTX_NAMES)('%s: a waiter goes on serving its messages', async (mutex) => {
    m = await inside({ mutex });
    m.on(1, () => m.mtxLock(MTX));
    m.ipiqRegister(IPIF_USER, () => m.on(1, () => m.mtxUnlock(MTX)));
    m.on(1, () => m.lwktSendIpiq(0, IPIF_USER, 0, 0));
    m.mtxLock(MTX);
    expect(m.mutex.mtxOwned(MTX)).toBe(true);
  });

  test('in a critical section a waiter spins and serves nothing', async () => {
    m = await inside({ mutex: 'futex' });
    m.on(1, () => m.mtxLock(MTX));
    let served = 0;
    m.ipiqRegister(IPIF_USER, () => served++);
    m.on(1, () => m.lwktSendIpiq(0, IPIF_USER, 0, 0));
    m.critEnter();
    whileWaiting(() => m.on(1, () => m.mtxUnlock(MTX)), () => m.mtxLock(MTX));
    expect(served).toBe(0);
    m.critExit();
    expect(served).toBe(1);
  });
});

describe('tsleep', () => {
  const CHANNEL = 0x1230;

  test('in a critical section is a panic', () => {
    m.tsleepInterlock(CHANNEL);
    m.critEnter();
    expect(panicCodeOf(() => m.tsleep(1))).toBe(P_CRIT_SLEEP);
  });

  test('returns true at once when the wake-up came before', () => {
    m.tsleepInterlock(CHANNEL);
    m.on(1, () => m.wakeup(CHANNEL));
    expect(m.tsleep(60000)).toBe(true);
  });

  test('is not ended by another channel', () => {
    m.tsleepInterlock(CHANNEL);
    m.on(1, () => m.wakeup(CHANNEL + 4));
    expect(m.tsleep(1)).toBe(false);
    expect(m.i32[m.gd.mycpu() + GD_WCHAN]).toBe(0);
  });

  test('wakeup wakes all, wakeup_one the lowest', async () => {
    m = await inside({ cpus: 4 });
    const asleep = () => [1, 2, 3].filter((cpu) => m.i32[m.gd.globaldataFind(cpu) + GD_WCHAN] === CHANNEL);
    for (const cpu of [1, 2, 3]) m.on(cpu, () => m.tsleepInterlock(CHANNEL));
    m.wakeupOne(CHANNEL);
    expect(asleep()).toEqual([2, 3]);
    m.wakeup(CHANNEL);
    expect(asleep()).toEqual([]);
  });

  test('a sleeper goes on serving its messages', () => {
    m.ipiqRegister(IPIF_USER, () => m.on(1, () => m.wakeup(CHANNEL)));
    m.tsleepInterlock(CHANNEL);
    m.on(1, () => m.lwktSendIpiq(0, IPIF_USER, 0, 0));
    expect(m.tsleep(60000)).toBe(true);
  });
});

describe('ktr', () => {
  test('is off by default', () => {
    expect(m.ktrace.KTR).toBe(false);
    expect(ktrTail(m.memory, 0, 10)).toEqual([]);
  });

  test.each([8, 7])('a ring of %i entries keeps the last events, oldest first', async (entries) => {
    m = await inside({ ktr: entries });
    for (let n = 0; n < 20; n++) m.ktrace.ktr(KTR_USER, n, n * 2, -n);
    const lines = ktrTail(m.memory, 0, 100);
    expect(lines[1]).toBe('ktr cpu0 (20 events)');
    expect(lines.slice(2).map((line) => line.replace(/.*µs {2}/, ''))).toEqual(
      Array.from({ length: entries }, (_, n) => 20 - entries + n).map((n) => `user ${n} ${n * 2} ${-n + 0}`),
    );
    expect(ktrTail(m.memory, 0, 3)).toHaveLength(5);
  });

  test('every CPU has its own ring', async () => {
    m = await inside({ ktr: 4 });
    m.ktrace.ktr(KTR_USER, 1, 0, 0);
    m.on(1, () => m.ktrace.ktr(KTR_USER, 2, 0, 0));
    expect(ktrTail(m.memory, 0, 9)[2]).toMatch(/user 1 0 0$/);
    expect(ktrTail(m.memory, 1, 9)[2]).toMatch(/user 2 0 0$/);
  });

  test.each([0x7fffffff, -1])('the event count wraps without leaving the ring (from %i)', async (index) => {
    m = await inside({ ktr: 8 });
    const ring = m.memory.sb(SB_KTR) >>> 2;
    const before = m.i32.slice(ring - 64, ring);
    m.i32[m.gd.mycpu() + GD_KTR] = index;
    for (let n = 0; n < 5; n++) m.ktrace.ktr(KTR_USER, 77, n, 0);
    expect(m.i32.slice(ring - 64, ring)).toEqual(before);
    const written = m.i32.slice(ring, ring + 8 * KTR_WORDS).filter((word) => word === 77);
    expect(written).toHaveLength(5);
    expect(ktrTail(m.memory, 0, 3).at(-1)).toMatch(/user 77 4 0$/);
  });

  test('every event has a format, and kmalloc and kfree are told', async () => {
    m = await inside({ ktr: 64 });
    const type = m.mallocTypeCreate('temp');
    const block = m.kmalloc(100, type, m.M_WAITOK);
    m.on(1, () => m.kfree(block, type));
    const text = [...ktrTail(m.memory, 0, 64), ...ktrTail(m.memory, 1, 64)].join('\n');
    expect(text).toContain(`malloc 0x${block.toString(16)} type 0x${type.toString(16)} size 104`);
    expect(text).toContain(`free 0x${block.toString(16)}`);
    expect(text).toContain(`free remote 0x${block.toString(16)} zone 0x${m.zoneOf(block).toString(16)} owner cpu0`);
    expect(Object.keys(KTR_FORMATS)).toHaveLength(11);
  });
});

describe('variables by name', () => {
  test('tunables have their first values, or those of the boot', async () => {
    for (const [name, { initial, invariants = initial }] of Object.entries(TUNABLES)) {
      expect(m.sysctl(name)).toBe(invariants);
    }
    m = await inside({ tunables: { 'kern.rbatch': 5 } });
    expect(m.sysctl('kern.rbatch')).toBe(5);
  });

  test('every name answers with a number, a counter per CPU too', () => {
    for (const name of sysctlNames()) {
      expect(m.sysctl(name), name).toBeGreaterThanOrEqual(0);
      expect(m.sysctl(name, 1), name).toBeGreaterThanOrEqual(0);
    }
    expect(sysctlNames()).toContain('lwkt.ipiq_count');
    expect(sysctlNames()).toContain('kern.zone_cache');
  });

  test('a counter is the sum over CPUs', () => {
    m.ipiqRegister(IPIF_USER, () => {});
    m.lwktSendIpiq(1, IPIF_USER, 0, 0);
    m.on(1, () => [0, 0].map(() => m.lwktSendIpiq(0, IPIF_USER, 0, 0)));
    expect([0, 1, undefined].map((cpu) => m.sysctl('lwkt.ipiq_count', cpu))).toEqual([1, 2, 3]);
  });

  test('a name that is none is told those there are', () => {
    expect(() => m.sysctl('kern.nothing')).toThrow(/no variable 'kern.nothing'; there are .*kern.zone_cache/);
    try {
      m.sysctl('x');
    } catch (error) {
      expect(SmpallocError.is(error) && error.code).toBe('ESMP_OPTION');
    }
  });
});

describe('panic', () => {
  test('the first one is recorded, the second is not', () => {
    expect(panicRecord(m.memory)).toBeNull();
    expect(panicCodeOf(() => m.on(1, () => m.panics.panic(P_BADFREE, 0x1234)))).toBe(P_BADFREE);
    expect(panicCodeOf(() => m.panics.panic(P_NULLFREE))).toBe(P_NULLFREE);
    const args = [0x1234, 0, 0, 0];
    expect(panicRecord(m.memory)).toEqual({ code: P_BADFREE, cpu: 1, args, message: 'BADFREE 0x1234' });
  });

  test('stops every CPU: each leaves at its next look, with the first panic', () => {
    panicCodeOf(() => m.panics.panic(P_BADFREE));
    expect([m.memory.sb(SB_STOP), m.memory.sb(SB_PANIC), m.memory.sb(SB_PANIC_CPU)]).toEqual([1, P_BADFREE, 0]);
    m.as(1);
    expect(m.intr.intrPending() & INTR_STOP).toBe(INTR_STOP);
    expect(panicCodeOf(() => m.splz())).toBe(P_BADFREE);
    expect(panicCodeOf(() => m.panics.checkStop())).toBe(P_BADFREE);
  });

  test('a machine stopped without a panic is left too', () => {
    m.panics.stopCpus();
    expect(() => m.panics.checkStop()).toThrow('panic 0');
    expect(panicRecord(m.memory)).toBeNull();
    expect(panicReport(m.memory)).toEqual(['no panic']);
  });

  test('the report has the message, the CPU, the zone it is about and the last events', async () => {
    m = await inside({ ktr: 16 });
    const type = m.mallocTypeCreate('temp');
    const block = m.kmalloc(100, type, m.M_WAITOK);
    panicCodeOf(() => m.kfree(block + 8, type));
    const report = panicReport(m.memory).join('\n');
    expect(report).toMatch(/^panic: memory chunk 0x[0-9a-f]+ bit index 0 is illegal\ncpuid = 0\n/);
    expect(report).toContain(`SLZone 0x${m.zoneOf(block).toString(16)}`);
    expect(report).toContain('Z_CHUNKSIZE');
    expect(report).toContain('ktr cpu0');
  });

  test('a report about an address that is no zone prints no structure', () => {
    panicCodeOf(() => m.kfree(0x8, m.mallocTypeCreate('temp')));
    expect(panicReport(m.memory)).toEqual(['panic: BADFREE 0x8', 'cpuid = 0']);
  });
});

describe('panic texts', () => {
  const names = { type: (address: number) => `type@${address}`, zone: () => '', exception: () => 'Error: oh' };

  test.each(PANIC_CODES.map((code) => [code]))('code %i has one, with every argument filled in', (code) => {
    const text = panicText(code, [1, 2, 3], names);
    expect(text).not.toMatch(/%|undefined|NaN/);
    expect(text).not.toBe(`panic ${code}`);
    expect(text.length).toBeGreaterThan(5);
  });

  test('arguments are printed by kind', () => {
    expect(panicText(P_BADFREE, [-8], names)).toBe('BADFREE 0xfffffff8');
    expect(panicText(P_MALLOC_LIMIT, [64], names)).toBe('type@64: malloc limit exceeded');
    expect(panicText(P_KKASSERT, [A_ZONE_MAGIC, 4096], names)).toBe(
      'assertion: z->z_Magic == ZALLOC_SLAB_MAGIC (0x1000)',
    );
    expect(panicText(11, [0x400, 3], names)).toBe('kmem_slab_alloc: bad flags 00000400 (3)');
    expect(panicText(26, [2, 9], names)).toBe('cpu2 died (exit code 9): Error: oh');
    expect(panicText(28, [16, 255, 4], names)).toBe('memory chunk 0x10 was modified after free: 000000ff at offset 4');
  });

  test('a code from another version has its number', () => {
    expect(panicText(999, [], names)).toBe('panic 999');
  });
});
