/**
 * access.ts — an access to memory by a stepped CPU: the scheduler is asked inside it.
 *
 *   1  the operation is being run again: the access is answered from its log, nothing happens
 *   2  the access is a scheduling point: `decide` names the entity that goes next. It is this one: go on, in place.
 *      It is another: the operation is left by throwing STOP, and will be run again over its log
 *   3  the access happens, is logged, checked, and shown to whoever watches
 *
 * So code under test is ordinary code, and only a real context switch costs a re-run, of one operation. What it asks of
 * that code: an operation changes nothing but this memory. Each logged access is compared when it is run again, and the
 * first that differs is named (non-determinism).
 *
 * With `live` off (booting, setting up, auditing) accesses happen at once; writes are journalled all the same.
 */
import {
  ADD, AND, CAS, DRAIN, isAtomic, LD, LD64, LD8, LDF, LOAD, LOOK, MARK, MASK, OR, PAUSE, RACY, RACY64, ST, ST64, ST8,
  STF, STORE, UNMASK, WAIT, WAKE, XCHG, NOTIFY,
} from '../../base/access.js';
import { curcpu, switchCpu } from './curcpu.js';
import { f64, i32, i64, u8 } from '../heap.js';
import { KASAN_PAGE_FREE } from '../kasan.js';
import {
  ASLEEP, cpuOf, critWord, enabledMask, layout, masked, MAX_ENTITIES, opOf, pendKind, pendValue, pendWord, pinned, READY, sleepWord,
  SPINS, stateOf, watchCount, watchValues, watchWords,
} from './entity.js';
import { execution, fail, STOP } from './failure.js';
import { HEAP_WORDS, journal, journalCount } from './journal.js';
import {
  atomicAccess, checks, clientCheck, kasanChange, kasanCheck, noteGone, noteSharing, plainAccess, sharedBy,
} from './shadow.js';

/** What happens to memory and may want to be seen: traces, searches. Called after the access. */
export type Watcher = (entity: number, kind: number, word: number, result: number, old: number, now: number) => void;

export const hooks = {
  /** @returns entity that takes the next step; -1 ends the execution */
  decide: (_last: number): number => -1,
  watch: null as Watcher | null,
  /** checks a write against the layouts' rules: '' or what is wrong */
  rule: null as ((word: number, kind: number, cpu: number) => string) | null,
  /** the scenario's invariant, after every write: '' or what is broken */
  invariant: null as (() => string) | null,
};

export const options = {
  /** every access is a scheduling point, not only those at words that are shared */
  allPoints: false,
  /** only atomic accesses are: enough where nothing races, and small enough to be counted by hand */
  atomicPoints: false,
  /** more accesses than this in one execution: livelock */
  stepLimit: 20000,
  /** 64-bit counters are two 32-bit words, as on a 32-bit machine */
  torn: false,
};

// ---- the log of the operation under way, one an entity

const logWord: Int32Array[] = [];
const logKind: Uint8Array[] = [];
/** result of the access, and the word's value after it */
const logValue: Int32Array[] = [];
const logNow: Int32Array[] = [];
const logBig: BigInt64Array[] = [];
const logDouble: Float64Array[] = [];
for (let e = 0; e < MAX_ENTITIES; e++) makeLog(e, 256);
export const lengthOf = new Int32Array(MAX_ENTITIES);

let words = logWord[0];
let kinds = logKind[0];
let values = logValue[0];
let nows = logNow[0];
let pos = 0;
let length = 0;
let me = 0;
let live = false;
/** the next access is the one the scheduler has just chosen */
let chosen = false;
let stopping = false;
/** the next access is a caller's, to its block */
let asClient = false;
/** entity to go on with after STOP */
let next = -1;
/** per entity: where the current turn of its wait loop began, and the one before */
const turnAt = new Int32Array(MAX_ENTITIES);
const turnBefore = new Int32Array(MAX_ENTITIES);

function makeLog(e: number, size: number): void {
  const copy = <T extends { set(from: T): void }>(to: T, from: T | undefined): T => {
    if (from) to.set(from);
    return to;
  };
  logWord[e] = copy(new Int32Array(size), logWord[e]);
  logKind[e] = copy(new Uint8Array(size), logKind[e]);
  logValue[e] = copy(new Int32Array(size), logValue[e]);
  logNow[e] = copy(new Int32Array(size), logNow[e]);
  logBig[e] = copy(new BigInt64Array(size), logBig[e]);
  logDouble[e] = copy(new Float64Array(size), logDouble[e]);
}

function attachLog(e: number): void {
  words = logWord[e];
  kinds = logKind[e];
  values = logValue[e];
  nows = logNow[e];
}

// ---- run.ts drives entities with these

export function goLive(on: boolean): void {
  live = on;
  pos = 0;
  length = 0;
}

/** Entity `e` goes on: its operation is run again, or begins. @param fresh its pending access has been chosen */
export function enter(e: number, fresh: boolean): void {
  me = e;
  switchCpu(cpuOf[e]);
  attachLog(e);
  pos = 0;
  length = lengthOf[e];
  chosen = fresh;
  stopping = false;
  asClient = false;
  next = -1;
  turnAt[e] = 0;
  turnBefore[e] = 0;
}

/** The operation was left by STOP. @returns who goes on, -1 when the execution is over */
export function leave(e: number): number {
  lengthOf[e] = length;
  return next;
}

/** The operation has returned; the next one begins with an empty log. */
export function finishOp(e: number): void {
  if (pos < length) diverged('it made fewer accesses than before');
  lengthOf[e] = 0;
  pos = 0;
  length = 0;
  turnAt[e] = 0;
  turnBefore[e] = 0;
}

/** The operation was left by STOP and returned all the same: it caught what was not its to catch. */
export function caughtStop(): boolean {
  return stopping;
}

/** Hash of the log of the operation under way, for state merging. */
export function logHash(e: number): number {
  const n = e === me && !stopping ? length : lengthOf[e];
  // begun with small numbers it would stay small, and small logs would look alike
  let h = Math.imul(n + 1, 0x9e3779b1);
  for (let x = 0; x < n; x++) {
    h = Math.imul(h ^ logValue[e][x], 0x01000193) ^ (h >>> 13);
    // what a failed compare-and-swap met: wait loops are told apart by it
    h = Math.imul(h ^ logNow[e][x], 0x85ebca6b) ^ (h >>> 15);
  }
  return h;
}

// ---- an access, before and after

function isPoint(kind: number, word: number): boolean {
  if (kind === LDF || kind === STF || kind === MARK) return false;
  if (options.allPoints) return true;
  if (isAtomic(kind) || kind === PAUSE || kind === LOOK) return true;
  if (options.atomicPoints) return false;
  if (kind === UNMASK || kind === MASK) return layout.shared;
  // the way into a critical section is always one, or a thread could be in it before it was ever chosen
  if (layout.shared && word === critWord[curcpu]) return !pinned(curcpu);
  const sharing = sharedBy(word);
  return sharing === 2 || (sharing === 1 && layout.shared && !pinned(curcpu));
}

/** Throws STOP when somebody else goes on. */
function before(kind: number, word: number, value: number): void {
  if (stopping) throw STOP;
  const e = me;
  pendKind[e] = kind;
  pendWord[e] = word;
  pendValue[e] = value;
  if (chosen) chosen = false;
  else if (isPoint(kind, word)) ask(e);
  if (++execution.steps > options.stepLimit) livelock();
}

function ask(e: number): void {
  for (;;) {
    const to = hooks.decide(e);
    if (to === e) return;
    if (to < layout.drain0) stop(to);
    drainOldest(to - layout.drain0);
  }
}

function stop(to: number): never {
  next = to;
  stopping = true;
  throw STOP;
}

/** The execution is over: its failure is recorded. */
export function stopHere(): never {
  return stop(-1);
}

function livelock(): never {
  fail({
    cls: 'livelock', message: `no end after ${options.stepLimit} accesses`, cpu: curcpu, step: execution.steps,
  });
  return stop(-1);
}

function after(kind: number, word: number, result: number, old: number, now: number): void {
  if (pos === words.length) {
    makeLog(me, words.length * 2);
    attachLog(me);
  }
  words[pos] = word;
  kinds[pos] = kind;
  values[pos] = result;
  nows[pos] = now;
  length = ++pos;
  check(kind, word, now !== old);
  if (hooks.watch !== null) hooks.watch(me, kind, word, result, old, now);
  if (hooks.invariant !== null && now !== old) checkInvariant(hooks.invariant());
  if (execution.failure !== null) stop(-1);
}

function checkInvariant(broken: string): void {
  if (broken !== '') fail({ cls: 'invariant', message: broken, cpu: curcpu, step: execution.steps });
}

function check(kind: number, word: number, changed: boolean): void {
  const cpu = curcpu;
  if (kind < LOAD) {
    const write = kind === ST || kind === ST64 || kind === STF || kind === ST8;
    if (!options.allPoints) noteSharing(word, cpu, me, write);
    if (kind !== RACY && kind !== RACY64) {
      if (checks.races) plainAccess(word, cpu, write);
      if (write && hooks.rule !== null) checkRule(word, kind, cpu);
    }
    if (checks.kasan) kasanCheck(word, cpu);
    if (asClient) {
      asClient = false;
      clientCheck(word, cpu);
    }
  } else if (kind <= NOTIFY) {
    const read = kind !== STORE;
    const write = kind === CAS ? changed || values[pos - 1] === 1 : kind !== LOAD && kind !== WAIT && kind !== WAKE;
    // a word that others access atomically is shared for who reads it plainly
    if (!options.allPoints) noteSharing(word, cpu, me, write);
    if (checks.races) atomicAccess(word, cpu, read, write);
    if (write && kind !== NOTIFY && hooks.rule !== null) checkRule(word, kind, cpu);
    if (checks.kasan) kasanCheck(word, cpu);
  }
}

function checkRule(word: number, kind: number, cpu: number): void {
  const wrong = hooks.rule!(word, kind, cpu);
  if (wrong !== '') fail({ cls: 'rule-violation', message: wrong, cpu, step: execution.steps });
}

function replay(kind: number, word: number): number {
  if (words[pos] !== word || kinds[pos] !== kind) diverged('it made another access');
  return values[pos++];
}

function replayWrite(kind: number, word: number, value: number): void {
  if (words[pos] !== word || kinds[pos] !== kind || nows[pos] !== value) diverged('it wrote something else');
  pos++;
}

function diverged(what: string): never {
  fail({
    cls: 'nondeterminism',
    message: `operation ${opOf[me]} was run again over its log, and at access ${pos + 1} ${what}: it depends on more ` +
      'than the memory of the machine',
    cpu: curcpu,
    step: execution.steps,
  });
  return stop(-1);
}

// ---- store buffers (TSO): plain stores wait here, first in, first out; atomics wait until they are out

const BUFFER = 64;
const bufferWord: Int32Array[] = [];
const bufferValue: Int32Array[] = [];
export const bufferCount = new Int32Array(MAX_ENTITIES);
for (let cpu = 0; cpu < 8; cpu++) {
  bufferWord.push(new Int32Array(BUFFER));
  bufferValue.push(new Int32Array(BUFFER));
}

function buffered(word: number, value: number): void {
  const cpu = curcpu;
  if (bufferCount[cpu] === BUFFER) drainOldest(cpu);
  bufferWord[cpu][bufferCount[cpu]] = word;
  bufferValue[cpu][bufferCount[cpu]++] = value;
}

/** What this CPU sees in the word: its own youngest store, or memory. */
function seen(word: number): number {
  const cpu = curcpu;
  for (let n = bufferCount[cpu] - 1; n >= 0; n--) if (bufferWord[cpu][n] === word) return bufferValue[cpu][n];
  return i32[word];
}

export function drainOldest(cpu: number): void {
  const word = bufferWord[cpu][0];
  const value = bufferValue[cpu][0];
  bufferWord[cpu].copyWithin(0, 1, bufferCount[cpu]);
  bufferValue[cpu].copyWithin(0, 1, bufferCount[cpu]);
  bufferCount[cpu]--;
  const old = i32[word];
  journal(word, value);
  i32[word] = value;
  if (hooks.watch !== null) hooks.watch(layout.drain0 + cpu, DRAIN, word, value, old, value);
}

/** Word of the store that reaches memory next. */
export function oldestStore(cpu: number): number {
  return bufferWord[cpu][0];
}

/** Hash of a store buffer, for state merging. */
export function bufferHash(cpu: number): number {
  let h = bufferCount[cpu];
  for (let n = 0; n < bufferCount[cpu]; n++) {
    h = Math.imul(h ^ bufferWord[cpu][n], 0x01000193) ^ (h >>> 15);
    h = Math.imul(h ^ bufferValue[cpu][n], 0x85ebca6b) ^ (h >>> 13);
  }
  return h;
}

function drainAll(): void {
  if (layout.tso) while (bufferCount[curcpu] > 0) drainOldest(curcpu);
}

export function enabled(): number {
  return enabledMask(bufferCount);
}

// ---- plain accesses

export function ld32(word: number): number {
  if (pos < length) return replay(LD, word);
  if (!live) return i32[word];
  before(LD, word, 0);
  const value = layout.tso ? seen(word) : i32[word];
  after(LD, word, value, value, value);
  return value;
}

export function st32(word: number, to: number): number {
  const value = to | 0;
  if (pos < length) replayWrite(ST, word, value);
  else if (!live) setWord(word, value);
  else {
    before(ST, word, value);
    const old = i32[word];
    // who may interrupt is asked of memory: the critical count is its CPU's own, and need not wait
    if (layout.tso && word !== critWord[curcpu]) buffered(word, value);
    else setWord(word, value);
    after(ST, word, value, old, value);
  }
  return to;
}

function setWord(word: number, value: number): void {
  journal(word, value);
  i32[word] = value;
}

export function pre32(word: number, delta: number): number {
  return st32(word, ld32(word) + delta);
}

export function post32(word: number, delta: number): number {
  const old = ld32(word);
  st32(word, old + delta);
  return old;
}

export function ld8(byte: number): number {
  if (pos < length) return replay(LD8, byte >>> 2);
  if (!live) return u8[byte];
  before(LD8, byte >>> 2, 0);
  const value = layout.tso ? (seen(byte >>> 2) >>> ((byte & 3) << 3)) & 0xff : u8[byte];
  after(LD8, byte >>> 2, value, value, value);
  return value;
}

export function st8(byte: number, to: number): number {
  const word = byte >>> 2;
  const shift = (byte & 3) << 3;
  if (pos < length) {
    pos++;
    return to;
  }
  if (live) before(ST8, word, to);
  const old = live && layout.tso ? seen(word) : i32[word];
  const value = (old & ~(0xff << shift)) | ((to & 0xff) << shift);
  if (!live) setWord(word, value);
  else {
    if (layout.tso) buffered(word, value);
    else setWord(word, value);
    after(ST8, word, to & 0xff, old, value);
  }
  return to;
}

export function pre8(byte: number, delta: number): number {
  return st8(byte, ld8(byte) + delta);
}

export function post8(byte: number, delta: number): number {
  const old = ld8(byte);
  st8(byte, old + delta);
  return old;
}

// 64-bit counters: one access, or two halves where the machine has 32 bits (torn)

function halves(word: number, low: number, high: number): bigint {
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}

export function ld64(dword: number): bigint {
  return read64(LD64, LD, dword);
}

function read64(kind: number, half: number, dword: number): bigint {
  const word = dword << 1;
  if (options.torn || layout.tso) {
    if (live) return half === LD ? halves(word, ld32(word), ld32(word + 1)) : halves(word, racy32(word), racy32(word + 1));
  }
  if (pos < length) {
    replay(kind, word);
    return logBig[me][pos - 1];
  }
  if (!live) return i64[dword];
  before(kind, word, 0);
  const value = i64[dword];
  after(kind, word, i32[word], i32[word], i32[word]);
  logBig[me][pos - 1] = value;
  return value;
}

export function st64(dword: number, to: bigint): bigint {
  const word = dword << 1;
  const value = BigInt.asIntN(64, to);
  if (live && (options.torn || layout.tso)) {
    st32(word, Number(BigInt.asIntN(32, value)));
    st32(word + 1, Number(BigInt.asIntN(32, value >> 32n)));
  } else if (pos < length) {
    if (logBig[me][pos] !== value) diverged('it wrote something else');
    replay(ST64, word);
  } else if (!live) set64(dword, value);
  else {
    before(ST64, word, Number(BigInt.asIntN(32, value)));
    const old = i32[word];
    set64(dword, value);
    after(ST64, word, i32[word], old, i32[word]);
    logBig[me][pos - 1] = value;
  }
  return to;
}

function set64(dword: number, value: bigint): void {
  journal(dword << 1, Number(BigInt.asIntN(32, value)));
  journal((dword << 1) + 1, Number(BigInt.asIntN(32, value >> 32n)));
  i64[dword] = value;
}

export function pre64(dword: number, delta: number): bigint {
  return st64(dword, ld64(dword) + BigInt(delta));
}

export function post64(dword: number, delta: number): bigint {
  const old = ld64(dword);
  st64(dword, old + BigInt(delta));
  return old;
}

// doubles count events of their CPU: never a scheduling point

export function ldf(dword: number): number {
  if (pos < length) {
    replay(LDF, dword << 1);
    return logDouble[me][pos - 1];
  }
  if (!live) return f64[dword];
  before(LDF, dword << 1, 0);
  const value = f64[dword];
  after(LDF, dword << 1, 0, 0, 0);
  logDouble[me][pos - 1] = value;
  return value;
}

export function stf(dword: number, value: number): number {
  if (pos < length) {
    replay(STF, dword << 1);
    return value;
  }
  if (live) before(STF, dword << 1, 0);
  journalCount(dword << 1);
  journalCount((dword << 1) + 1);
  f64[dword] = value;
  if (live) after(STF, dword << 1, 0, 0, 0);
  return value;
}

export function pref(dword: number, delta: number): number {
  return stf(dword, ldf(dword) + delta);
}

export function postf(dword: number, delta: number): number {
  const old = ldf(dword);
  stf(dword, old + delta);
  return old;
}

// ---- what hw/ offers above plain accesses (atomics.ts, cpufunc.ts, kasan.ts of this folder)

export function racy32(word: number): number {
  if (pos < length) return replay(RACY, word);
  if (!live) return i32[word];
  before(RACY, word, 0);
  const value = layout.tso ? seen(word) : i32[word];
  after(RACY, word, value, value, value);
  return value;
}

export function racyBig(dword: number): bigint {
  return read64(RACY64, RACY, dword);
}

export function atomicLoad(word: number): number {
  if (pos < length) return replay(LOAD, word);
  if (!live) return i32[word];
  before(LOAD, word, 0);
  // a load does not wait for the store buffer, and sees what is in it
  const value = layout.tso ? seen(word) : i32[word];
  after(LOAD, word, value, value, value);
  return value;
}

export function atomicStore(word: number, to: number): void {
  const value = to | 0;
  if (pos < length) return replayWrite(STORE, word, value);
  if (!live) return setWord(word, value);
  before(STORE, word, value);
  drainAll();
  const old = i32[word];
  setWord(word, value);
  after(STORE, word, value, old, value);
}

/** Failed compare-and-swaps of the operation under way: of one word more often than this, and the execution is cut. */
export const casBudget = { fails: Number.POSITIVE_INFINITY, cut: false };

export function atomicCas(word: number, expected: number, to: number): boolean {
  if (pos < length) return replay(CAS, word) === 1;
  if (!live) {
    if (i32[word] !== expected) return false;
    setWord(word, to | 0);
    return true;
  }
  before(CAS, word, expected);
  drainAll();
  const old = i32[word];
  const ok = old === expected;
  if (ok) setWord(word, to | 0);
  else if (casBudget.fails !== Number.POSITIVE_INFINITY && retries(me, word, pos) >= casBudget.fails) {
    casBudget.cut = true;
    stop(-1);
  }
  after(CAS, word, ok ? 1 : 0, old, ok ? to | 0 : old);
  return ok;
}

/**
 * How often the operation failed to swap the word, and looked at it again to try once more. An interlock that is tried
 * and left (npoll) is no retry loop, however often an operation meets it.
 */
function retries(e: number, word: number, end: number): number {
  const kind = logKind[e];
  const where = logWord[e];
  const value = logValue[e];
  let count = 0;
  let failed = false;
  for (let n = 0; n < end; n++) {
    if (where[n] !== word) continue;
    if (kind[n] === CAS) failed = value[n] === 0;
    else if (kind[n] === LOAD && failed) {
      count++;
      failed = false;
    }
  }
  return count;
}

/** Is the entity's next access a compare-and-swap that ends the execution if it fails? */
export function isLastChance(e: number): boolean {
  if (casBudget.fails === Number.POSITIVE_INFINITY || pendKind[e] !== CAS) return false;
  return retries(e, pendWord[e], e === me && !stopping ? length : lengthOf[e]) >= casBudget.fails;
}

function readModifyWrite(kind: number, word: number, operand: number): number {
  if (pos < length) return replay(kind, word);
  if (live) {
    before(kind, word, operand);
    drainAll();
  }
  const old = i32[word];
  const value = modified(kind, old, operand);
  setWord(word, value);
  if (live) after(kind, word, old, old, value);
  return old;
}

function modified(kind: number, old: number, operand: number): number {
  if (kind === XCHG) return operand | 0;
  if (kind === ADD) return (old + operand) | 0;
  return kind === OR ? old | operand : old & operand;
}

export function atomicXchg(word: number, value: number): number {
  return readModifyWrite(XCHG, word, value);
}

export function atomicAdd(word: number, delta: number): number {
  return readModifyWrite(ADD, word, delta);
}

export function atomicOr(word: number, bits: number): number {
  return readModifyWrite(OR, word, bits);
}

export function atomicAnd(word: number, bits: number): number {
  return readModifyWrite(AND, word, bits);
}

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

const MOST_DIRECT_TURNS = 10000;
let directTurns = 0;

/**
 * One turn of a wait loop. When the turn read and wrote just what the one before did, the next would too: the entity
 * is not enabled until a word the turn read has another value than it read.
 */
export function waitTurn(): void {
  const word = HEAP_WORDS + 32;
  if (pos < length) replay(PAUSE, word);
  else {
    if (!live) {
      if (++directTurns > MOST_DIRECT_TURNS) throw new Error('a wait outside of the explored operations never ends');
      return;
    }
    if (sameTurn() && watchTurn()) {
      stateOf[me] = SPINS;
      before(PAUSE, word, 0);
      stateOf[me] = READY;
    }
    after(PAUSE, word, 0, 0, 0);
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

/** Remembers every word the turn touched, with the value it had when the turn touched it last. @returns true if it can */
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
  const cpu = curcpu;
  const word = HEAP_WORDS + cpu;
  if (pos < length) {
    replay(kind, word);
    return;
  }
  if (!live) return;
  if (kind === MASK) {
    before(kind, word, 1);
    masked[cpu]++;
  } else {
    before(kind, word, 0);
    masked[cpu]--;
  }
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

export function mark(address: number, bytes: number, code: number): void {
  if (pos < length) {
    replay(MARK, address >>> 2);
    return;
  }
  if (live) before(MARK, address >>> 2, code);
  if (checks.kasan) kasanChange(address, bytes, code, curcpu);
  if (live && code === KASAN_PAGE_FREE) noteGone(address, bytes, curcpu, me);
  // who watches learns the size from the old value
  if (live) after(MARK, address >>> 2, code, bytes, code);
}

/** The access that follows is a caller's own, to a block it was given (scenarios): checked when it happens. */
export function clientAccess(): void {
  asClient = pos >= length && live && checks.kasan;
}
