/**
 * log.ts — what the operation under way has done, one log a CPU: all of its state between two accesses, as in
 * hw/stepped/log.ts. An operation that was left is run again over it.
 *
 *   0 ............ pos ............ length
 *   answered again │ still to be answered │ the next access really happens
 *
 * A word's index says which access it was; wide accesses are `WIDE - word`, what is no access to memory is above that.
 */
import { grown } from '../stepped/grown.js';
import { machine } from './costs.js';

export const V_TURN = -1;
export const V_POLL = -2;
export const V_TAKE = -3;
export const V_RAISE = -4;
export const V_HALT = -5;
export const V_PROBE = -6;
/** wide accesses are from here down */
export const WIDE = -16;

const FIRST_LENGTH = 512;
const logWord: Int32Array[] = [];
const logValue: Int32Array[] = [];
const logBig: BigInt64Array[] = [];
const logDouble: Float64Array[] = [];
let lengthOf = new Int32Array(0);

export let me = 0;
export let words: Int32Array = new Int32Array(0);
export let values: Int32Array = new Int32Array(0);
let bigs: BigInt64Array = new BigInt64Array(0);
let doubles: Float64Array = new Float64Array(0);
export let pos = 0;
export let length = 0;
/** where the current turn of the wait loop began, and the one before */
export let turnAt = 0;
export let turnBefore = 0;

export function makeLogs(): void {
  lengthOf = new Int32Array(machine.ncpu);
  for (let cpu = logWord.length; cpu < machine.ncpu; cpu++) {
    logWord.push(new Int32Array(FIRST_LENGTH));
    logValue.push(new Int32Array(FIRST_LENGTH));
    logBig.push(new BigInt64Array(FIRST_LENGTH));
    logDouble.push(new Float64Array(FIRST_LENGTH));
  }
}

/** CPU `cpu` goes on, from the start of its operation. */
export function openLog(cpu: number): void {
  me = cpu;
  attach();
  length = lengthOf[cpu];
  pos = 0;
  turnAt = 0;
  turnBefore = 0;
}

function attach(): void {
  words = logWord[me];
  values = logValue[me];
  bigs = logBig[me];
  doubles = logDouble[me];
}

/** The operation is left where it is. */
export function closeLog(): void {
  lengthOf[me] = length;
}

/** The operation has returned. */
export function clearLog(): void {
  if (pos < length) diverged();
  lengthOf[me] = 0;
  pos = 0;
  length = 0;
  turnAt = 0;
  turnBefore = 0;
}

/** Is CPU `cpu` in the middle of an operation? */
export function underWay(cpu: number): boolean {
  return lengthOf[cpu] > 0;
}

export function keep(word: number, value: number): void {
  if (pos === words.length) grow();
  words[pos] = word;
  values[pos] = value;
  length = ++pos;
}

export function keepBig(word: number, value: bigint): void {
  keep(WIDE - word, 0);
  bigs[pos - 1] = value;
}

export function keepDouble(word: number, value: number): void {
  keep(WIDE - word, 0);
  doubles[pos - 1] = value;
}

function grow(): void {
  const size = words.length * 2;
  logWord[me] = grown(words, size);
  logValue[me] = grown(values, size);
  logBig[me] = grown(bigs, size);
  logDouble[me] = grown(doubles, size);
  attach();
}

/** The access at `pos` is answered from the log. */
export function again(word: number): number {
  if (words[pos] !== word) diverged();
  return values[pos++];
}

export function againBig(word: number): bigint {
  if (words[pos] !== WIDE - word) diverged();
  return bigs[pos++];
}

export function againDouble(word: number): number {
  if (words[pos] !== WIDE - word) diverged();
  return doubles[pos++];
}

function diverged(): never {
  throw new Error(
    `the operation of cpu${me} was run again over its log, and access ${pos + 1} was another: it depends on more ` +
      'than the memory of the machine',
  );
}

/** A turn of a wait loop ends with the entry just kept or answered. */
export function turnEnds(): void {
  turnBefore = turnAt;
  turnAt = pos;
}

/** The turn that has just been made was like the one before: it is forgotten, and that one ends with `spins`. */
export function forgetTurn(spins: number): void {
  pos = turnAt;
  length = pos;
  values[pos - 1] = spins;
}
