/** interrupts.test.ts — when an interrupt is served, and what holds a CPU: signal delay, lines, rendezvous. */
import { beforeEach, describe, expect, test } from 'vitest';
import { IPIF_CPUSYNC_REMOTE1, IPIF_USER } from '../../src/base/ipif.js';
import { A_CS_NESTED, P_KKASSERT } from '../../src/base/panics.js';
import { SB_PANIC_A } from '../../src/hw/superblock.layout.js';
import { INTR_IPIQ, INTR_TICK, INTR_WAKE } from '../../src/hw/intr.layout.js';
import { GD_CRIT, GD_CS_DATA, GD_CS_FUNC, GD_CS_WAITING, GD_CSCOUNT } from '../../src/kern/globaldata.layout.js';
import { type Inside, inside, panicCodeOf, whileWaiting } from '../helpers/inside.js';

const USER = IPIF_USER;
const OTHER = IPIF_USER + 1;

let m: Inside;
let got: number[];

async function start(options: Parameters<typeof inside>[0] = {}): Promise<void> {
  m = await inside(options);
  got = [];
  m.ipiqRegister(USER, (arg) => got.push(arg));
}
beforeEach(() => start());

const serve = (cpu: number): void => m.on(cpu, () => m.splz());

describe('signal delay', () => {
  /** polls until a message just sent is served, -1: not within 50 */
  function pollsUntilServed(): number {
    m.lwktSendIpiq(1, USER, 0, 0);
    const before = got.length;
    for (let poll = 1; poll <= 50; poll++) {
      serve(1);
      if (got.length > before) return poll;
    }
    return -1;
  }

  test.each([0, 1, 2, 10])('of %i: so many polls pass before a signal is recognised, each time', async (signalDelay) => {
    await start({ signalDelay });
    for (let n = 0; n < 3; n++) expect(pollsUntilServed()).toBe(signalDelay + 1);
  });

  test('is counted anew after another interrupt took the messages along', async () => {
    await start({ signalDelay: 5 });
    m.lwktSendIpiq(1, USER, 0, 0);
    serve(1);
    serve(1);
    m.intr.intrRaise(1, INTR_TICK);
    serve(1);
    expect(got).toHaveLength(1);
    expect(pollsUntilServed()).toBe(6);
  });

  test('is counted anew after a CPU waited for something', async () => {
    await start({ signalDelay: 5 });
    m.on(1, () => m.spl.splzWaiting());
    expect(pollsUntilServed()).toBe(6);
  });

  test('does not count while a CPU waits', async () => {
    await start({ signalDelay: 1000 });
    m.lwktSendIpiq(1, USER, 0, 0);
    m.on(1, () => m.spl.splzWaiting());
    expect(got).toHaveLength(1);
  });

  test('does not hold up a sender that waits for room', async () => {
    await start({ signalDelay: 1000000 });
    for (let n = 0; n <= 128; n++) m.lwktSendIpiq(1, USER, n, 0);
    whileWaiting(() => serve(1), () => m.lwktSendIpiq(1, USER, 129, 0));
    expect(got.length).toBeGreaterThan(128);
  });
});

describe('interrupt lines', () => {
  test('raised bits stay until they are taken, each at its CPU', () => {
    m.intr.intrRaise(1, INTR_WAKE | INTR_IPIQ);
    expect(m.intr.intrPending()).toBe(0);
    m.on(1, () => {
      expect(m.intr.intrPending()).toBe(INTR_WAKE | INTR_IPIQ);
      expect(m.intr.intrTake(INTR_WAKE | INTR_TICK)).toBe(INTR_WAKE);
      expect(m.intr.intrPoll()).toBe(INTR_IPIQ);
    });
  });

  test('a halt returns at once when a bit is up', () => {
    m.intr.intrRaise(0, INTR_WAKE);
    const began = performance.now();
    m.intr.intrHalt(10000);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('cpusync', () => {
  test('a CPU that is held calls the function when it is let go, and only then', () => {
    // CPU 0 leads by hand: what a leader does, with CPU 1 looking on in its hold loop
    const log: string[] = [];
    m.ipiqRegister(OTHER, (arg) => log.push(`cpu${m.engine.curcpu} calls ${arg}`));
    let looks = 0;
    const gd = m.gd.globaldataFind(0);
    m.lwktSendIpiq(1, IPIF_CPUSYNC_REMOTE1, 0, 0);
    m.i32[gd + GD_CS_WAITING] = 1;
    whileWaiting(
      () => {
        log.push('held');
        if (++looks === 3) {
          m.i32[gd + GD_CS_WAITING] = 1;
          m.i32[gd + GD_CS_DATA] = 9;
          m.i32[gd + GD_CS_FUNC] = OTHER;
        }
      },
      () => serve(1),
    );
    expect(log).toEqual(['held', 'held', 'held', 'cpu1 calls 9']);
    expect(m.i32[gd + GD_CS_WAITING]).toBe(0);
  });

  test('a leader is alone between interlock and deinterlock', () => {
    // CPU 1 answers in the waits of CPU 0; it cannot be held in a loop here, so its hold ends by leading, as R50 allows
    const log: string[] = [];
    m.ipiqRegister(OTHER, (arg) => log.push(`cpu${m.engine.curcpu} calls ${arg}`));
    m.i32[m.gd.globaldataFind(1) + GD_CSCOUNT] = 1;
    const other = () => m.on(1, () => m.ipiq.lwktProcessIpiq());
    whileWaiting(other, () => {
      m.cpusync.lwktCpusyncInterlock();
      log.push('alone');
      m.cpusync.lwktCpusyncDeinterlock(OTHER, 9);
    });
    expect(log).toEqual(['alone', 'cpu1 calls 9']);
    expect(m.i32[m.gd.globaldataFind(0) + GD_CRIT]).toBe(0);
  });

  test('a rendezvous of one CPU is a call', async () => {
    await start({ cpus: 1 });
    m.cpusync.lwktCpusyncSimple(USER, 3);
    expect(got).toEqual([3]);
    expect(m.sysctl('lwkt.ipiq_cscount')).toBe(1);
    expect(m.i32[m.gd.mycpu() + GD_CRIT]).toBe(0);
  });

  test('does not nest', async () => {
    await start({ cpus: 1 });
    m.cpusync.lwktCpusyncInterlock();
    expect(panicCodeOf(() => m.cpusync.lwktCpusyncInterlock())).toBe(P_KKASSERT);
    expect(m.memory.sb(SB_PANIC_A)).toBe(A_CS_NESTED);
  });
});
