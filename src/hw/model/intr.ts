/**
 * intr.ts — hw/intr.ts for modelled CPUs: an interrupt line is hardware, not memory that others look at. The sender
 * pays, the signal takes its time, the target pays again when it takes it; a CPU looks at its own line for nothing more
 * than an access.
 */
import { curcpu } from '../stepped/curcpu.js';
import { i32 } from '../heap.js';
import { INTR_IPIQ, INTR_TICK, INTR_URGENT, INTR_WORDS } from '../intr.layout.js';
import { SB_INTR } from '../superblock.layout.js';
import { live } from './access.js';
import { ASLEEP, NOW, since, stateOf, STOP, t, wakeAt } from './cpus.js';
import { ACCESS, cost, FUTEX_NOTIFY, FUTEX_WAIT, IPI_ENTRY, IPI_SEND } from './costs.js';
import { arrived, nextArrival, pendingWord, send, take } from './interrupts.js';
import { order } from './lines.js';
import { again, keep, length, me, pos, V_HALT, V_POLL, V_RAISE, V_TAKE } from './log.js';
import { sleepsFrom } from './sleeps.js';
import { ACCESSES, IPI_NS, SLEEP_NS, SLEEPS, spent, tally } from './tally.js';

const INTR = i32[SB_INTR] >>> 2;
/** bits whose service is a handler */
const HANDLED = INTR_IPIQ | INTR_URGENT | INTR_TICK;

export function intrLine(cpu: number): number {
  return INTR + cpu * INTR_WORDS;
}

export function intrRaise(cpu: number, bits: number): void {
  if (pos < length) {
    again(V_RAISE);
    return;
  }
  if (!live) {
    i32[pendingWord(cpu)] |= bits;
    return;
  }
  order();
  const asleep = stateOf[cpu] === ASLEEP;
  t[NOW] += cost[IPI_SEND] + (asleep ? cost[FUTEX_NOTIFY] : 0);
  spent[IPI_NS] += cost[IPI_SEND];
  if (asleep) spent[SLEEP_NS] += cost[FUTEX_NOTIFY];
  send(cpu, bits, t[NOW]);
  keep(V_RAISE, 0);
}

export function intrPoll(): number {
  if (pos < length) return again(V_POLL);
  if (!live) return i32[pendingWord(curcpu)];
  t[NOW] += cost[ACCESS];
  tally[ACCESSES]++;
  const bits = arrived(me);
  keep(V_POLL, bits);
  return bits;
}

export const intrPending = intrPoll;

export function intrTake(bits: number): number {
  if (pos < length) return again(V_TAKE);
  if (!live) {
    const word = pendingWord(curcpu);
    const taken = i32[word] & bits;
    i32[word] &= ~bits;
    return taken;
  }
  const taken = take(me, bits);
  if ((taken & HANDLED) !== 0) {
    t[NOW] += cost[IPI_ENTRY];
    spent[IPI_NS] += cost[IPI_ENTRY];
  }
  keep(V_TAKE, taken);
  return taken;
}

/** Sleeps until an interrupt has arrived. Nothing else wakes: a virtual clock has no time-outs. */
export function intrHalt(_ms: number): void {
  if (pos < length) {
    again(V_HALT);
    return;
  }
  if (!live) return;
  // one that is up already is not slept over, and one on its way is slept for
  if (arrived(me) !== 0) {
    keep(V_HALT, 0);
    return;
  }
  order();
  t[NOW] += cost[FUTEX_WAIT];
  spent[SLEEP_NS] += cost[FUTEX_WAIT];
  tally[SLEEPS]++;
  since[me] = t[NOW];
  sleepsFrom(me);
  stateOf[me] = ASLEEP;
  // one may have arrived on the way in: the halt ends as it begins
  wakeAt[me] = arrived(me) === 0 ? nextArrival(me) : t[NOW];
  // what is left is the way out of the halt
  keep(V_HALT, 0);
  throw STOP;
}
