/** waits.ts — sleeping on a word, waiting in a loop, masking interrupts: what makes an entity not enabled. */
import {
  LDF, LOAD, LOOK, MASK, NOTIFY, PAUSE, RACY, RACY64, STF, WAIT, WAKE,
} from '../../base/access.js';
import { curcpu } from './curcpu.js';
import { i32 } from '../heap.js';
import {
  ASLEEP, layout, masked, READY, sleepWord, SPINS, stateOf, watchCount, watchValues, watchWords,
} from './entity.js';
import { HEAP_WORDS } from './journal.js';
import { kinds, length, me, nows, pos, turnAt, turnBefore, values, words } from './log.js';
import { ld32 } from './plain.js';
import { after, before, live, replay } from './step.js';
import { drainAll } from './storebuffer.js';

/** behind the masks of the CPUs: stands for the turn of a wait loop */
const TURN = HEAP_WORDS + 32;
/** Sleeps while the word holds `expected`, until its bell is rung. Time does not pass: there is no time-out. */
export function futexWait(word: number, expected: number): void {
  if (pos < length) replay(WAIT, word);
  else {
    if (!live) return;
    before(WAIT, word, expected);
    drainAll();
    const value = i32[word];
    if (value === expected) {
      stateOf[me] = ASLEEP;
      sleepWord[me] = word;
    }
    after(WAIT, word, value === expected ? 1 : 0, value, value);
  }
  if (values[pos - 1] === 0) return;
  if (pos < length) replay(WAKE, word);
  else {
    before(WAKE, word, 0);
    after(WAKE, word, 0, i32[word], i32[word]);
  }
}

export function futexNotify(word: number): void {
  if (pos < length) {
    replay(NOTIFY, word);
    return;
  }
  if (!live) return;
  before(NOTIFY, word, 0);
  drainAll();
  for (let e = 0; e < layout.drain0; e++) if (stateOf[e] === ASLEEP && sleepWord[e] === word) stateOf[e] = READY;
  after(NOTIFY, word, 0, i32[word], i32[word]);
}

/** turns of wait loops outside of the explored operations */
const MOST_DIRECT_TURNS = 10000;
let directTurns = 0;

/**
 * One turn of a wait loop. When the turn read and wrote just what the one before did, the next would too: the entity
 * is not enabled until a word the turn read has another value than it read.
 */
export function waitTurn(): void {
  if (pos < length) replay(PAUSE, TURN);
  else {
    if (!live) {
      if (++directTurns > MOST_DIRECT_TURNS) throw new Error('a wait outside of the explored operations never ends');
      return;
    }
    if (sameTurn() && watchTurn()) {
      stateOf[me] = SPINS;
      before(PAUSE, TURN, 0);
      stateOf[me] = READY;
    }
    after(PAUSE, TURN, 0, 0, 0);
  }
  turnBefore[me] = turnAt[me];
  turnAt[me] = pos;
}

export function resetDirectTurns(): void {
  directTurns = 0;
}

/**
 * Did this turn see and do what the turn before it did? Only what others may meet counts: a CPU's own words may count
 * turns, which is no progress.
 */
function sameTurn(): boolean {
  const from = turnAt[me];
  let then = from - 2;
  for (let now = pos - 1; now >= from; now--) {
    if (!meetsOthers(kinds[now])) continue;
    while (then >= turnBefore[me] && !meetsOthers(kinds[then])) then--;
    if (then < turnBefore[me] || words[now] !== words[then] || kinds[now] !== kinds[then]) return false;
    if (values[now] !== values[then] || nows[now] !== nows[then]) return false;
    then--;
  }
  return from > 0;
}

function meetsOthers(kind: number): boolean {
  return kind === RACY || kind === RACY64 || (kind >= LOAD && kind <= NOTIFY);
}

/**
 * Remembers every word the turn touched, with the value it had when the turn touched it last.
 * @returns false when they are too many
 */
function watchTurn(): boolean {
  const w = watchWords[me];
  const v = watchValues[me];
  let count = 0;
  for (let n = pos - 1; n >= turnAt[me]; n--) {
    if (kinds[n] === LDF || kinds[n] === STF || kinds[n] >= PAUSE) continue;
    let known = 0;
    while (known < count && w[known] !== words[n]) known++;
    if (known < count) continue;
    if (count === w.length) return false;
    w[count] = words[n];
    v[count++] = nows[n];
  }
  watchCount[me] = count;
  return true;
}

export function maskChange(kind: number): void {
  if (pos < length) {
    replay(kind, HEAP_WORDS + curcpu);
    return;
  }
  if (!live) return;
  const word = before(kind, HEAP_WORDS + curcpu, kind === MASK ? 1 : 0);
  const cpu = curcpu;
  if (kind === MASK) masked[cpu]++;
  else masked[cpu]--;
  after(kind, word, masked[cpu], masked[cpu], masked[cpu]);
}

/** The look an interrupt takes at the mask and the critical count before it begins: what orders it among them. */
export function interruptLook(critical: number): void {
  const word = HEAP_WORDS + curcpu;
  if (pos < length) replay(LOOK, word);
  else {
    before(LOOK, word, 0);
    after(LOOK, word, 0, 0, 0);
  }
  ld32(critical);
}
