import { beforeEach, describe, expect, test } from 'vitest';
import { IPIF_USER } from '../../src/base/ipif.js';
import { A_IPIQ_USED, P_IPIQ_NESTED, P_KKASSERT, P_WAIT_IPIQ } from '../../src/base/panics.js';
import { SB_PANIC_A } from '../../src/hw/superblock.layout.js';
import { INTR_TICK } from '../../src/hw/intr.layout.js';
import { GD_CRIT, GD_NESTING, GD_NPOLL } from '../../src/kern/globaldata.layout.js';
import { IP_RINDEX, IP_WINDEX, IP_XINDEX } from '../../src/kern/lwkt_ipiq.layout.js';
import { afterAccess, beforeAccess, type Inside, inside, panicCodeOf, whileWaiting } from '../helpers/inside.js';

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
const cursor = (source: number, target: number, word: number): number => m.i32[m.ipiq.ipiqFind(source, target) + word]!;
function preset(source: number, target: number, value: number): void {
  for (const word of [IP_WINDEX, IP_RINDEX, IP_XINDEX]) m.i32[m.ipiq.ipiqFind(source, target) + word] = value;
}
function fifo(): number {
  let sent = 0;
  while (sent < 1000 && m.ipiq.lwktSendIpiqNowait(1, USER, sent, 0) === 0) sent++;
  return sent;
}

describe('sending', () => {
  test('a message is executed by its target, with both arguments', () => {
    const calls: number[][] = [];
    m.ipiqRegister(OTHER, (a, b) => calls.push([m.engine.curcpu, a, b]));
    m.lwktSendIpiq(1, OTHER, 7, -8);
    m.splz();
    expect(calls).toEqual([]);
    serve(1);
    expect(calls).toEqual([[1, 7, -8]]);
  });

  test('messages of one CPU to another are executed in the order they were sent, passive ones among them', () => {
    for (let n = 0; n < 60; n += 3) {
      m.lwktSendIpiq(1, USER, n, 0);
      m.lwktSendIpiqPassive(1, USER, n + 1, 0);
      m.ipiq.lwktSendIpiqNowait(1, USER, n + 2, 0);
    }
    serve(1);
    expect(got).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });

  test('every CPU has a queue of its own to every other', async () => {
    await start({ cpus: 40 });
    for (let cpu = 1; cpu < 40; cpu++) m.on(cpu, () => m.lwktSendIpiq(0, USER, cpu, 0));
    serve(0);
    expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: 39 }, (_, n) => n + 1));
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
  });

  test('a message to oneself is executed at once, is not queued and needs no waiting', () => {
    expect(m.lwktSendIpiq(0, USER, 1, 0)).toBe(0);
    expect(m.lwktSendIpiqPassive(0, USER, 2, 0)).toBe(0);
    expect(m.ipiq.lwktSendIpiqNowait(0, USER, 3, 0)).toBe(0);
    expect(got).toEqual([1, 2, 3]);
    expect(m.sysctl('lwkt.ipiq_count')).toBe(0);
  });

  test('a passive message raises nothing and is served with the next interrupt', () => {
    m.lwktSendIpiqPassive(1, USER, 1, 0);
    expect(m.intr.intrPoll()).toBe(0);
    serve(1);
    expect(got).toEqual([]);
    m.lwktSendIpiq(1, USER, 2, 0);
    serve(1);
    expect(got).toEqual([1, 2]);
    expect([m.sysctl('lwkt.ipiq_passive'), m.sysctl('lwkt.ipiq_count')]).toEqual([1, 2]);
  });

  test('a passive message is served at the clock tick at the latest', () => {
    m.lwktSendIpiqPassive(1, USER, 1, 0);
    m.intr.intrRaise(1, INTR_TICK);
    serve(1);
    expect(got).toEqual([1]);
  });

  test('one interrupt announces any number of messages: the rest is avoided', () => {
    for (let n = 0; n < 10; n++) m.lwktSendIpiq(1, USER, n, 0);
    expect([m.sysctl('lwkt.ipiq_interrupts'), m.sysctl('lwkt.ipiq_avoided')]).toEqual([1, 9]);
    serve(1);
    m.lwktSendIpiq(1, USER, 10, 0);
    expect([m.sysctl('lwkt.ipiq_interrupts'), m.sysctl('lwkt.ipiq_avoided')]).toEqual([2, 9]);
    serve(1);
    expect(got).toHaveLength(11);
  });

  test('a message published just before the target lets go of npoll is served in the same run (R47)', () => {
    m.lwktSendIpiq(1, USER, 1, 0);
    const npoll = m.gd.globaldataFind(1) + GD_NPOLL;
    // the queue was found empty; the source still sees npoll = 1 when it publishes: it avoids the interrupt
    const late = () => m.on(0, () => m.lwktSendIpiq(1, USER, 2, 0));
    beforeAccess('store', npoll, late, () => serve(1));
    expect(got).toEqual([1, 2]);
    expect(m.sysctl('lwkt.ipiq_interrupts')).toBe(1);
    expect(m.i32[npoll]).toBe(0);
  });

  test('a message published right after npoll was let go raises its own interrupt', () => {
    m.lwktSendIpiq(1, USER, 1, 0);
    const late = () => m.on(0, () => m.lwktSendIpiq(1, USER, 2, 0));
    afterAccess('store', m.gd.globaldataFind(1) + GD_NPOLL, late, () => serve(1));
    expect(got).toEqual([1, 2]);
    expect(m.sysctl('lwkt.ipiq_interrupts')).toBe(2);
  });

  test('messages wait while the target is in a critical section', () => {
    m.on(1, () => {
      m.critEnter();
      m.on(0, () => m.lwktSendIpiq(1, USER, 1, 0));
      m.critEnter();
      m.critExit();
      expect(got).toEqual([]);
      m.critExit();
      expect(got).toEqual([1]);
    });
  });

  test('a handler runs in a critical section, one level of nesting deep', () => {
    let seen: number[] = [];
    m.ipiqRegister(OTHER, () => {
      const gd = m.gd.mycpu();
      seen = [m.i32[gd + GD_CRIT]!, m.i32[gd + GD_NESTING]!];
    });
    m.lwktSendIpiq(1, OTHER, 0, 0);
    serve(1);
    expect(seen).toEqual([1, 1]);
  });
});

describe('a full queue', () => {
  test('nowait gives ENOENT when it is two thirds full, and never waits', () => {
    const most = Math.ceil((256 * 2) / 3);
    whileWaiting(() => expect.fail('it waited'), () => expect(fifo()).toBe(most));
    expect(m.ipiq.lwktSendIpiqNowait(1, USER, 0, 0)).toBe(m.ipiq.ENOENT);
    expect(m.sysctl('lwkt.ipiq_fifofull')).toBe(0);
    serve(1);
    expect(got).toHaveLength(most);
    expect(m.ipiq.lwktSendIpiqNowait(1, USER, 0, 0)).toBe(0);
  });

  test.each([0x7fffffff - 5, -6, 0x7fffffff - 200])('is recognised where the cursors wrap (%i)', (at) => {
    preset(0, 1, at);
    whileWaiting(() => expect.fail('it waited'), () => expect(fifo()).toBe(171));
    serve(1);
    expect(got).toEqual(Array.from({ length: 171 }, (_, n) => n));
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
  });

  test.each([0, 0x7fffffff - 5, 0x7fffffff - 128])('a sender waits until a quarter is left, and loses nothing (from %i)', (at) => {
    preset(0, 1, at);
    for (let n = 0; n <= 128; n++) m.lwktSendIpiq(1, USER, n, 0);
    expect(m.sysctl('lwkt.ipiq_fifofull')).toBe(0);
    let waits = 0;
    whileWaiting(() => {
      waits++;
      serve(1);
    }, () => m.lwktSendIpiq(1, USER, 129, 0));
    expect(waits).toBe(1);
    expect(m.sysctl('lwkt.ipiq_fifofull')).toBe(1);
    serve(1);
    expect(got).toEqual(Array.from({ length: 130 }, (_, n) => n));
  });

  test('of passive messages is announced by the sender that waits (R45)', () => {
    for (let n = 0; n <= 128; n++) m.lwktSendIpiqPassive(1, USER, n, 0);
    whileWaiting(() => serve(1), () => m.lwktSendIpiqPassive(1, USER, 129, 0));
    expect(got.slice(0, 129)).toEqual(Array.from({ length: 129 }, (_, n) => n));
  });

  test('does not stop a sender from serving its own queue (R46)', () => {
    for (let n = 0; n <= 128; n++) m.lwktSendIpiq(1, USER, n, 0);
    m.on(1, () => {
      for (let n = 0; n <= 128; n++) m.lwktSendIpiq(0, USER, 1000 + n, 0);
    });
    // both are full; CPU 1 runs only inside the wait of CPU 0, and waits itself
    whileWaiting(() => m.on(1, () => m.spl.splzWaiting()), () => m.lwktSendIpiq(1, USER, 129, 0));
    expect(got.filter((arg) => arg >= 1000)).toHaveLength(129);
    expect(got.filter((arg) => arg < 1000)).toHaveLength(129);
  });

  test('is not left alone by a handler that waits for room: it serves the queue it was called from (R46)', () => {
    // CPU 1 sent two messages; the first one's handler on CPU 0 has to wait, and whoever it waits for, for the second
    const order: string[] = [];
    m.ipiqRegister(OTHER, () => {
      order.push('first begins');
      m.ipiq.lwktProcessIpiq();
      order.push('first ends');
    });
    m.ipiqRegister(USER, () => order.push('second'));
    m.on(1, () => m.lwktSendIpiq(0, OTHER, 0, 0));
    m.on(1, () => m.lwktSendIpiq(0, USER, 0, 0));
    serve(0);
    expect(order).toEqual(['first begins', 'second', 'first ends']);
  });

  test('two CPUs whose handlers answer into full queues both get through (R46)', () => {
    const fill = (target: number) => {
      m.ipiq.lwktSendIpiqNowait(target, OTHER, target, 0);
      const plain = () => {
        for (let n = 0; n < 140; n++) m.ipiq.lwktSendIpiqNowait(target, USER, n, 0);
      };
      whileWaiting(() => expect.fail('nowait waited'), plain);
    };
    m.ipiqRegister(OTHER, (arg) => m.lwktSendIpiq(m.engine.curcpu ^ 1, USER, 1000 + arg, 0));
    fill(1);
    m.on(1, () => fill(0));
    let nested = false;
    // CPU 1 runs in the waits of CPU 0, and CPU 0 again in those of CPU 1, inside the wait it is in
    const other = () => {
      if (nested) return m.on(0, () => m.ipiq.lwktProcessIpiq());
      nested = true;
      m.on(1, () => m.spl.splzWaiting());
      nested = false;
    };
    whileWaiting(other, () => serve(0));
    serve(0);
    serve(1);
    expect(got).toHaveLength(282);
    expect(m.sysctl('lwkt.ipiq_fifofull')).toBe(1);
    expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
  });

  test('beyond its last slot is a panic', () => {
    m.i32[m.ipiq.ipiqFind(0, 1) + IP_WINDEX] = 255;
    expect(panicCodeOf(() => m.lwktSendIpiq(1, USER, 0, 0))).toBe(P_KKASSERT);
    expect(m.memory.sb(SB_PANIC_A)).toBe(A_IPIQ_USED);
  });
});

describe('cursors', () => {
  test('sequence numbers count the messages to a target', () => {
    expect(m.lwktSendIpiq(1, USER, 0, 0)).toBe(1);
    expect(m.lwktSendIpiqPassive(1, USER, 0, 0)).toBe(2);
    expect([1, 2].map((seq) => m.ipiq.lwktTestIpiq(1, seq))).toEqual([false, false]);
    m.intr.intrRaise(1, INTR_TICK);
    serve(1);
    expect([1, 2].map((seq) => m.ipiq.lwktTestIpiq(1, seq))).toEqual([true, true]);
  });

  test.each([0x7ffffffe, 0x7fffffff, -1])('messages go through while the cursors wrap from %i', (at) => {
    preset(0, 1, at);
    for (let n = 0; n < 20; n++) {
      const seq = m.lwktSendIpiq(1, USER, n, 0);
      expect(m.ipiq.lwktTestIpiq(1, seq)).toBe(false);
      if (n % 3 === 2) {
        serve(1);
        expect(m.ipiq.lwktTestIpiq(1, seq)).toBe(true);
      }
    }
    serve(1);
    expect(got).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(cursor(0, 1, IP_XINDEX)).toBe((at + 20) | 0);
  });

  test('rindex moves before a handler runs, xindex after it returned (R49)', () => {
    let during: number[] = [];
    m.ipiqRegister(OTHER, () => (during = [cursor(0, 1, IP_RINDEX), cursor(0, 1, IP_XINDEX)]));
    m.lwktSendIpiq(1, OTHER, 0, 0);
    serve(1);
    expect(during).toEqual([1, 0]);
    expect(cursor(0, 1, IP_XINDEX)).toBe(1);
  });

  test('xindex stays until the outermost handler of the queue has returned', () => {
    const during: number[] = [];
    m.ipiqRegister(USER, () => during.push(cursor(1, 0, IP_XINDEX)));
    m.ipiqRegister(OTHER, () => {
      m.on(1, () => m.lwktSendIpiq(0, USER, 0, 0));
      m.ipiq.lwktProcessIpiq();
      during.push(cursor(1, 0, IP_XINDEX));
    });
    m.on(1, () => m.lwktSendIpiq(0, OTHER, 0, 0));
    serve(0);
    expect(during).toEqual([0, 0]);
    expect(cursor(1, 0, IP_XINDEX)).toBe(2);
  });
});

describe('waiting', () => {
  test('wait_ipiq returns when the message has been executed', () => {
    const seq = m.lwktSendIpiq(1, USER, 5, 0);
    whileWaiting(() => serve(1), () => m.lwktWaitIpiq(1, seq));
    expect(got).toEqual([5]);
  });

  test('wait_ipiq announces a passive message', () => {
    const seq = m.lwktSendIpiqPassive(1, USER, 5, 0);
    whileWaiting(() => serve(1), () => m.lwktWaitIpiq(1, seq));
    expect(got).toEqual([5]);
  });

  test('wait_ipiq panics after lwkt.ipiq_timeout', async () => {
    await start({ tunables: { 'lwkt.ipiq_timeout': 1 } });
    const seq = m.lwktSendIpiq(1, USER, 5, 0);
    expect(panicCodeOf(() => m.lwktWaitIpiq(1, seq))).toBe(P_WAIT_IPIQ);
  });

  test('synchronize waits for all that was sent to every CPU that is there', async () => {
    await start({ cpus: 3 });
    m.lwktSendIpiqPassive(1, USER, 1, 0);
    m.lwktSendIpiqPassive(2, USER, 2, 0);
    whileWaiting(() => [1, 2].map(serve), () => m.lwktSynchronizeIpiqs());
    expect(got.sort()).toEqual([1, 2]);
  });

  test('synchronize does not wait for a CPU that went offline', () => {
    m.on(1, () => m.cpuOffline());
    whileWaiting(() => expect.fail('it waited'), () => m.lwktSynchronizeIpiqs());
    expect(m.sysctl('lwkt.ipiq_count')).toBe(0);
  });
});

describe('nesting', () => {
  test('handlers that send deeper and deeper are a panic', () => {
    m.ipiqRegister(OTHER, (depth) => {
      m.on(1, () => m.lwktSendIpiq(0, depth < 30 ? OTHER : USER, depth + 1, 0));
      m.ipiq.lwktProcessIpiq();
      m.lwktSendIpiq(1, USER, depth, 0);
    });
    m.on(1, () => m.lwktSendIpiq(0, OTHER, 0, 0));
    expect(panicCodeOf(() => serve(0))).toBe(P_IPIQ_NESTED);
  });

  test('a handler may send', () => {
    m.ipiqRegister(OTHER, (arg) => m.lwktSendIpiq(0, USER, arg, 0));
    m.lwktSendIpiq(1, OTHER, 4, 0);
    serve(1);
    serve(0);
    expect(got).toEqual([4]);
    expect(m.i32[m.gd.globaldataFind(1) + GD_NESTING]).toBe(0);
  });
});
