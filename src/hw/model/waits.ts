/**
 * waits.ts — wait loops in virtual time. A loop whose turn was like the turn before is not run in vain: its CPU is
 * parked, and when it goes on it is as if it had made the turns that fit into the time between.
 *
 * A loop that takes the number of its turns from cpuPause(spins, most) has no other state: the turns it did not make
 * need not be in its log either, so a wait costs the same however long it is. Others keep every turn they really make.
 */
import { live } from './access.js';
import { NOW, PARKED, since, stateOf, STOP, t, turnNs, waitLine, wakeAt } from './cpus.js';
import { cost, PAUSE } from './costs.js';
import { nextArrival } from './interrupts.js';
import { holds, order } from './lines.js';
import {
  again, forgetTurn, keep, length, me, pos, turnAt, turnBefore, turnEnds, V_TURN, values, WIDE, words,
} from './log.js';
import { addLineWait, SPIN_NS, spent } from './tally.js';
import { watchTurn } from './watches.js';

/** turns of wait loops outside of a measurement: nobody else runs there, so a wait is for ever */
const MOST_DIRECT_TURNS = 10000;
let directTurns = 0;
/** the CPU that runs has been parked at the access that comes next */
let resumed = false;

export function goOn(wasParked: boolean): void {
  resumed = wasParked;
}

/**
 * @param spins turns the loop has made
 * @param most turns after which the loop does something else; not given: the loop does not ask how many it has made
 * @returns turns it has made now
 */
export function waitTurn(spins: number, most?: number): number {
  if (pos < length) {
    const made = again(V_TURN);
    turnEnds();
    return made;
  }
  if (!live) return directTurn(spins);
  if (resumed) return unpark(spins, most);
  if (sameTurn() && watchTurn(me, holds)) park(spins, most ?? Number.POSITIVE_INFINITY);
  // what the loop waits for is others' doing: those who are earlier come first
  order();
  t[NOW] += cost[PAUSE];
  spent[SPIN_NS] += cost[PAUSE];
  since[me] = t[NOW];
  keep(V_TURN, spins + 1);
  turnEnds();
  return spins + 1;
}

function directTurn(spins: number): number {
  if (++directTurns > MOST_DIRECT_TURNS) throw new Error('a wait outside of the measured operations never ends');
  return spins + 1;
}

export function measurementBegins(): void {
  directTurns = 0;
}

/** Did this turn see and do what the one before did? A CPU's own counters do not count. */
function sameTurn(): boolean {
  const turn = pos - turnAt;
  if (turnAt === 0 || turn !== turnAt - 1 - turnBefore) return false;
  for (let n = 0; n < turn; n++) {
    const word = words[turnAt + n];
    if (word !== words[turnBefore + n]) return false;
    if (word > WIDE && values[turnAt + n] !== values[turnBefore + n]) return false;
  }
  return true;
}

/** Leaves the CPU where it is until something changes. */
function park(spins: number, most: number): void {
  const left = most - spins - 1;
  if (left <= 0) return;
  // asked before the pause: one that arrives during it has not been looked at
  const next = nextArrival(me);
  t[NOW] += cost[PAUSE];
  spent[SPIN_NS] += cost[PAUSE];
  const turn = t[NOW] - since[me];
  stateOf[me] = PARKED;
  turnNs[me] = turn;
  since[me] = t[NOW];
  waitLine[me] = words[turnAt] >= 0 ? words[turnAt] >>> 4 : 0;
  wakeAt[me] = Math.max(t[NOW], Math.min(t[NOW] + left * turn, next));
  throw STOP;
}

function unpark(spins: number, most: number | undefined): number {
  resumed = false;
  const waited = t[NOW] - since[me];
  spent[SPIN_NS] += waited;
  addLineWait(waitLine[me], waited);
  const turns = Math.min(Math.round(waited / turnNs[me]), (most ?? Number.POSITIVE_INFINITY) - spins - 1);
  since[me] = t[NOW];
  if (most === undefined) {
    keep(V_TURN, spins + 1);
    turnEnds();
    return spins + 1;
  }
  const made = spins + 1 + turns;
  forgetTurn(made);
  return made;
}
