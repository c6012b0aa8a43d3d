/**
 * queues.test.ts — messages arrive once each and in order, whatever is sent and whenever it is served; a ring keeps
 * the last events.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IPIF_USER } from '../../src/base/ipif.js';
import { INTR_TICK } from '../../src/hw/intr.layout.js';
import { IP_RINDEX, IP_WINDEX, IP_XINDEX } from '../../src/kern/lwkt_ipiq.layout.js';
import { KTR_USER } from '../../src/kern/ktr.layout.js';
import { ktrTail } from '../../src/observe/panic_report.js';
import { inside } from '../helpers/inside.js';

const CPUS = 3;
const cpu = fc.nat(CPUS - 1);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constantFrom('send' as const, 'passive' as const, 'nowait' as const), from: cpu, to: cpu,
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('poll' as const, 'tick' as const), from: cpu, to: cpu }) },
);

test('messages of a pair of CPUs are executed once each, in order, where the cursors wrap too', async () => {
  const m = await inside({ cpus: CPUS });
  await fc.assert(
    fc.property(
      fc.array(step, { maxLength: 500, size: 'max' }), fc.constantFrom(0, 0x7fffff80, -100), fc.nat(40),
      (steps, start, nested) => {
        const sent = new Map<string, number>();
        const got = new Map<string, number>();
        for (let from = 0; from < CPUS; from++) {
          for (let to = 0; to < CPUS; to++) {
            for (const word of [IP_WINDEX, IP_RINDEX, IP_XINDEX]) m.i32[m.ipiq.ipiqFind(from, to) + word] = start;
          }
        }
        let handled = 0;
        m.ipiqRegister(IPIF_USER, (from, number) => {
          const pair = `${from} ${m.engine.curcpu}`;
          expect(number, pair).toBe((got.get(pair) ?? 0) + 1);
          got.set(pair, number);
          // now and then a handler serves its CPU's queues itself
          if (++handled % (nested + 2) === 0) m.ipiq.lwktProcessIpiq();
        });
        for (const { op, from, to } of steps) {
          m.as(from);
          if (op === 'tick') m.intr.intrRaise(from, INTR_TICK);
          if (op === 'tick' || op === 'poll') {
            m.splz();
            continue;
          }
          const pair = `${from} ${to}`;
          const number = (sent.get(pair) ?? 0) + 1;
          const send = { send: m.lwktSendIpiq, passive: m.lwktSendIpiqPassive, nowait: m.ipiq.lwktSendIpiqNowait }[op];
          // a half full queue would make the sender wait: its target serves first
          if (number - (got.get(pair) ?? 0) > 120) m.on(to, () => m.ipiq.lwktProcessIpiq());
          const result = send(to, IPIF_USER, from, number);
          if (op !== 'nowait' || result === 0) sent.set(pair, number);
        }
        expect(m.quiesceAndAudit()).toMatchObject({ violations: [] });
        expect([...got].sort()).toEqual([...sent].sort());
      },
    ),
    { numRuns: 60 },
  );
});

test('a ktr ring shows the last events of its CPU, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }), fc.array(cpu, { maxLength: 120, size: 'max' }), fc.nat(60),
      async (entries, events, tail) => {
        const m = await inside({ cpus: CPUS, ktr: entries, memory: '4MiB' });
        for (const [n, on] of events.entries()) m.on(on, () => m.ktrace.ktr(KTR_USER, n, on, -n));
        for (let on = 0; on < CPUS; on++) {
          const mine = events.flatMap((at, n) => (at === on ? [`user ${n} ${on} ${-n | 0}`] : []));
          const shown = ktrTail(m.memory, on, tail).slice(2).map((line) => line.replace(/.*µs {2}/, ''));
          const most = Math.min(tail, entries);
          expect(shown).toEqual(most === 0 ? [] : mine.slice(-most));
        }
      },
    ),
    { numRuns: 40 },
  );
});
