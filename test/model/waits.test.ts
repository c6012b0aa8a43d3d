/** waits.test.ts — waiting in virtual time: locks, sleep, interrupts; and that nothing waits for ever. */
import { describe, expect, it } from 'vitest';
import { IPIF_ACK } from '../../src/base/ipif.js';
import { boot, busy, play, scratch, SIMPLE, type Step } from './machine.js';

describe('waiting in virtual time', () => {
  it('lets a lock go to its waiter when it is let go, not before', async () => {
    const m = await boot(2, { mutex: 'spin' });
    const { mtxLock, mtxUnlock } = m.engine.engine;
    const mtx = scratch(1);
    const seen: number[] = [];
    const hold = [() => mtxLock(mtx), ...busy(m, scratch(2), 5000), () => mtxUnlock(mtx)];
    const ns = play(m, [hold, [...busy(m, scratch(3), 300), () => {
      mtxLock(mtx);
      seen.push(m.memory.i32[mtx]!);
      mtxUnlock(mtx);
    }]]);
    expect(seen).toEqual([2]);
    expect(ns).toBeGreaterThan(5000);
    expect(ns).toBeLessThan(6000);
    const { tally } = m.engine;
    expect(tally.spent[tally.SPIN_NS]).toBeGreaterThan(3000);
    // what it waited for is the line of the lock
    expect(tally.lineWait[mtx >>> 4]).toBeGreaterThan(3000);
  });

  it('sleeps an adaptive waiter after its turns, and wakes it at a price', async () => {
    const m = await boot(2);
    const { mtxLock, mtxUnlock } = m.engine.engine;
    const mtx = scratch(1);
    const hold = [() => mtxLock(mtx), ...busy(m, scratch(2), 50_000), () => mtxUnlock(mtx)];
    const ns = play(m, [hold, [...busy(m, scratch(3), 300), () => {
      mtxLock(mtx);
      mtxUnlock(mtx);
    }]]);
    const { tally } = m.engine;
    expect(tally.tally[tally.SLEEPS]).toBe(1);
    expect(ns).toBeGreaterThan(50_000 + SIMPLE.ns.futexWake);
    expect(tally.spent[tally.SLEEP_NS]).toBeGreaterThan(40_000);
  });

  it('loses no wake-up, whenever it comes', async () => {
    // falling asleep takes longer than the bell: it may ring on the way
    const m = await boot(2, {}, { ...SIMPLE, ns: { ...SIMPLE.ns, futexWait: 900, ipiDeliver: 50 } });
    const { tsleep, tsleepInterlock, wakeup } = m.engine.engine;
    const { atomicStore, ld32 } = m.engine.access;
    const [condition, channel] = [scratch(30), scratch(31) * 4];
    for (let delay = 0; delay < 1000; delay++) {
      m.memory.i32[condition] = 0;
      // announce, look at the condition, sleep; and the other way round: kern/sleep.ts
      const sleeper: Step = () => {
        tsleepInterlock(channel);
        if (ld32(condition) === 0) tsleep(1000);
      };
      const waker: Step = () => {
        atomicStore(condition, 1);
        wakeup(channel);
      };
      const ns = play(m, [[...busy(m, scratch(2), delay), waker], [...busy(m, scratch(3), 300), sleeper]]);
      // the clock, which ticks after 10 ms, would hide it
      expect(ns, `waker ${delay} later`).toBeLessThan(20_000);
    }
  });

  it('delivers an interrupt no sooner than the profile says, to a CPU that works', async () => {
    const m = await boot(2);
    const { lwktSendIpiq } = m.engine.engine;
    const { ld32 } = m.engine.access;
    const done = () => m.memory.sysctl('lwkt.ipiq_done', 1);
    const when: number[] = [];
    const watch = (n: number): Step => () => {
      if (when.length === 0 && done() > 0) when.push(n);
      ld32(scratch(2));
    };
    const send: Step = () => void lwktSendIpiq(1, IPIF_ACK, 0, 0);
    play(m, [[send], [...busy(m, scratch(2), 10), ...Array.from({ length: 3000 }, (_, n) => watch(n))]]);
    expect(done()).toBe(1);
    expect(when[0]).toBeGreaterThanOrEqual(SIMPLE.ns.ipiSend + SIMPLE.ns.ipiDeliver - 110);
    expect(when[0]).toBeLessThan(3000);
  });

  it('says who waits when nobody gets anywhere', async () => {
    const m = await boot(2, { mutex: 'spin' });
    const { mtxLock } = m.engine.engine;
    const mtx = scratch(1);
    const never: Step = () => mtxLock(mtx);
    m.memory.i32[mtx] = 17;
    expect(() => play(m, [[], [never]])).toThrow(/nobody gets anywhere: cpu0 done, cpu1 in a wait loop/);
  });

  it('names an operation that depends on more than memory', async () => {
    const m = await boot(2);
    const { atomicAdd, ld32 } = m.engine.access;
    let runs = 0;
    const fickle: Step = () => {
      runs++;
      ld32(scratch(5 + (runs & 1)));
      for (let n = 0; n < 50; n++) atomicAdd(scratch(1), 1);
    };
    const rival: Step = () => void atomicAdd(scratch(1), 1);
    const rivals = Array.from({ length: 200 }, () => rival);
    expect(() => play(m, [[fickle], rivals])).toThrow(/depends on more than the memory/);
  });

  it('ends when it is told to', async () => {
    const m = await boot(1);
    const { ld32 } = m.engine.access;
    m.engine.run.hooks.goesOn = () => false;
    const forever = {
      step(): number {
        ld32(scratch(1));
        return 1;
      },
    };
    // a CPU alone is never asked by others: it has to ask itself
    expect(() => m.engine.run.run([forever])).toThrow(/interrupted/);
  });
});
