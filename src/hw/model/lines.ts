/**
 * lines.ts — who has which line: MESI without the rest of a cache. Caches are unbounded; what costs is other CPUs.
 *
 *   holder[line]   0        no CPU has it, memory does
 *                  c + 1    CPU c alone: exclusive or modified, it may write without telling anybody
 *                  -(c + 1) several, to read: the set in `sharers`; c had it alone last, and answers
 *   freeAt[line]   the time at which it has arrived where it is on its way to: whoever wants it waits until then, which
 *                  is how a hot line becomes a queue
 *
 *   read    mine or shared by me: a hit. Else a transfer from the holder, who keeps a copy; or a miss.
 *   write   mine: a hit. Else a transfer (an upgrade, if I have a copy already), and all other copies are lost.
 *
 * A plain store that misses does not stop its CPU: it waits in the store buffer, in order (TSO), some lines at a time.
 * A locked operation waits for all of them.
 *
 * Counts are those of reference implementations with unbounded caches (Zhao et al., VEE 2011): they depend on the
 * program, the line size and the interleaving alone.
 * Owner: the CPU that runs; one runs at a time.
 */
import { MAXCPU } from '../../base/param.js';
import { i32 } from '../heap.js';
import { HORIZON, NOW, PARKED, stateOf, STOP, t, wake } from './cpus.js';
import { ACCESS, between, cost, farthest, LOCKED, machine, MEMORY } from './costs.js';
import { me, pos } from './log.js';
import {
  ACCESSES, by, CLIENT_INVALIDATIONS, CLIENT_LOCKED, CLIENT_QUEUE, CLIENT_TRANSFERS, countAt, INVALIDATIONS,
  lineInvalidations, lineLocked, lineQueue, lineTransfers, LOCKED_NS, LOCKED_OPS, MEMORY_NS, MISSES, QUEUE_NS, spent,
  tally, TRANSFER_NS, TRANSFERS, UPGRADES,
} from './tally.js';
import { watches } from './watches.js';

const LINES = i32.length >>> 4;
/**
 * Nanoseconds a CPU may run ahead for each access of its operation: what is run again after a switch grows with them,
 * and so must the way between two switches, or a long operation would cost its square.
 */
const AHEAD = 0.25;

/** lines a CPU may wait for at once with its stores: the line fill buffers of Skylake and its kin are 10 to 12 */
const IN_FLIGHT = 10;

/** by CPU: when its last IN_FLIGHT stores that missed arrive, which of them is the oldest, when all have arrived */
const arrivals = new Float64Array(MAXCPU * IN_FLIGHT);
const nextStore = new Uint8Array(MAXCPU);
const drained = new Float64Array(MAXCPU);

const holder = new Int16Array(LINES);
const freeAt = new Float64Array(LINES);
let sharers = new Int32Array(0);

/** How large a set is depends on the number of CPUs. */
export function makeSharers(): void {
  sharers = new Int32Array(LINES * machine.maskWords);
}

/**
 * Waits for this CPU's turn, if what comes next concerns others. Throws STOP when it is somebody else's. Of two that
 * want something within half the time a line takes, whoever runs has it first: no hardware promises more, and it saves
 * most of the switches (docs/design/model.md has what it changes).
 */
export function order(): void {
  if (t[NOW] > t[HORIZON] + machine.window + pos * AHEAD) throw STOP;
}

/** Has this CPU a copy? */
export function holds(line: number): boolean {
  const h = holder[line];
  return h === me + 1 || (h < 0 && (sharers[line * machine.maskWords + (me >>> 5)] & (1 << (me & 31))) !== 0);
}

/** A read of the line by this CPU. */
export function readLine(line: number): void {
  if (!holds(line)) fetch(line);
  t[NOW] += cost[ACCESS];
  tally[ACCESSES]++;
}

/** A plain write: the CPU does not wait for the line, its store buffer does. */
export function writeLine(line: number): void {
  if (holder[line] !== me + 1) own(line, true);
  t[NOW] += cost[ACCESS];
  tally[ACCESSES]++;
}

/** A locked operation: all stores before it have reached their lines. */
export function lockLine(line: number): void {
  if (drained[me] > t[NOW]) stall(drained[me]);
  if (holder[line] !== me + 1) own(line, false);
  t[NOW] += cost[ACCESS] + cost[LOCKED];
  freeAt[line] = t[NOW];
  tally[ACCESSES]++;
  tally[LOCKED_OPS]++;
  spent[LOCKED_NS] += cost[LOCKED];
  countAt(line, lineLocked, CLIENT_LOCKED);
}

function fetch(line: number): void {
  order();
  const h = holder[line];
  if (h === 0) return miss(line, false);
  const from = (h > 0 ? h : -h) - 1;
  transfer(line, between(me, from), false);
  const at = line * machine.maskWords;
  if (h > 0) {
    sharers.fill(0, at, at + machine.maskWords);
    sharers[at + (from >>> 5)] |= 1 << (from & 31);
    holder[line] = -h;
  }
  sharers[at + (me >>> 5)] |= 1 << (me & 31);
}

function own(line: number, buffered: boolean): void {
  order();
  const h = holder[line];
  if (h === 0) return miss(line, buffered);
  if (h > 0) {
    transfer(line, between(me, h - 1), buffered);
    lose(h - 1, line);
  } else {
    takeFromAll(line, buffered);
  }
  holder[line] = me + 1;
}

/** Every other copy of a shared line is lost. */
function takeFromAll(line: number, buffered: boolean): void {
  const at = line * machine.maskWords;
  const mine = at + (me >>> 5);
  const had = (sharers[mine] & (1 << (me & 31))) !== 0;
  sharers[mine] &= ~(1 << (me & 31));
  if (any(at)) {
    transfer(line, farthest(me, sharers, at), buffered);
    if (had) tally[UPGRADES]++;
    for (let w = 0; w < machine.maskWords; w++) {
      for (let left = sharers[at + w]; left !== 0; left &= left - 1) {
        lose((w << 5) + 31 - Math.clz32(left & -left), line);
      }
    }
  }
}

function any(at: number): boolean {
  for (let w = 0; w < machine.maskWords; w++) if (sharers[at + w] !== 0) return true;
  return false;
}

/** CPU `cpu` no longer has the line: a wait loop that reads it makes another turn. */
function lose(cpu: number, line: number): void {
  tally[INVALIDATIONS]++;
  countAt(line, lineInvalidations, CLIENT_INVALIDATIONS);
  if (stateOf[cpu] === PARKED && watches(cpu, line)) wake(cpu, t[NOW]);
}

function miss(line: number, buffered: boolean): void {
  holder[line] = me + 1;
  tally[MISSES]++;
  if (buffered) return buffer(line, cost[MEMORY]);
  spent[MEMORY_NS] += cost[MEMORY];
  t[NOW] += cost[MEMORY];
}

function transfer(line: number, ns: number, buffered: boolean): void {
  tally[TRANSFERS]++;
  countAt(line, lineTransfers, CLIENT_TRANSFERS);
  if (buffered) return buffer(line, ns);
  const queued = freeAt[line] - t[NOW];
  if (queued > 0) {
    t[NOW] += queued;
    spent[QUEUE_NS] += queued;
    if (by.client) tally[CLIENT_QUEUE] += queued;
    else lineQueue[line] += queued;
  }
  t[NOW] += ns;
  freeAt[line] = t[NOW];
  spent[TRANSFER_NS] += ns;
}

/** A store waits for its line, and this CPU for the store that has waited longest, when there are too many. */
function buffer(line: number, ns: number): void {
  const oldest = me * IN_FLIGHT + nextStore[me];
  if (arrivals[oldest] > t[NOW]) stall(arrivals[oldest]);
  const arrival = Math.max(t[NOW], freeAt[line]) + ns;
  freeAt[line] = arrival;
  // stores become visible in their order
  drained[me] = Math.max(drained[me], arrival);
  arrivals[oldest] = drained[me];
  nextStore[me] = (nextStore[me] + 1) % IN_FLIGHT;
}

function stall(until: number): void {
  spent[TRANSFER_NS] += until - t[NOW];
  t[NOW] = until;
}
