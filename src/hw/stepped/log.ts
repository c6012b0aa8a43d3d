/**
 * log.ts — what the operation under way has done: all there is of a CPU's state between two of its accesses.
 *
 *   0 ............ pos ............ length
 *   answered again │ still to be answered │ the next access really happens
 *
 * One log an entity, of the operation it is in; the ones below are of the entity that runs now.
 */
import { CAS, LOAD } from '../../base/access.js';
import { MAX_ENTITIES, pendKind, pendWord } from './entity.js';
import { grown } from './grown.js';
import { casBudget } from './hooks.js';

const FIRST_LENGTH = 256;
const logWord: Int32Array[] = [];
const logKind: Uint8Array[] = [];
/** result of the access, and the word's value after it */
const logValue: Int32Array[] = [];
const logNow: Int32Array[] = [];
export const logBig: BigInt64Array[] = [];
export const logDouble: Float64Array[] = [];
for (let e = 0; e < MAX_ENTITIES; e++) {
  logWord[e] = new Int32Array(FIRST_LENGTH);
  logKind[e] = new Uint8Array(FIRST_LENGTH);
  logValue[e] = new Int32Array(FIRST_LENGTH);
  logNow[e] = new Int32Array(FIRST_LENGTH);
  logBig[e] = new BigInt64Array(FIRST_LENGTH);
  logDouble[e] = new Float64Array(FIRST_LENGTH);
}
export const lengthOf = new Int32Array(MAX_ENTITIES);
/** per entity: where the current turn of its wait loop began, and the one before */
export const turnAt = new Int32Array(MAX_ENTITIES);
export const turnBefore = new Int32Array(MAX_ENTITIES);

/** the entity that runs */
export let me = 0;
export let words = logWord[0];
export let kinds = logKind[0];
export let values = logValue[0];
export let nows = logNow[0];
export let pos = 0;
export let length = 0;

function growLog(e: number): void {
  const size = logWord[e].length * 2;
  logWord[e] = grown(logWord[e], size);
  logKind[e] = grown(logKind[e], size);
  logValue[e] = grown(logValue[e], size);
  logNow[e] = grown(logNow[e], size);
  logBig[e] = grown(logBig[e], size);
  logDouble[e] = grown(logDouble[e], size);
}

function attachLog(e: number): void {
  words = logWord[e];
  kinds = logKind[e];
  values = logValue[e];
  nows = logNow[e];
}

/** Entity `e` begins or goes on: from the start of its log. */
export function openLog(e: number): void {
  me = e;
  attachLog(e);
  pos = 0;
  length = lengthOf[e];
  turnAt[e] = 0;
  turnBefore[e] = 0;
}

/** Nothing is answered from a log now: an operation has ended, or none runs. */
export function rewind(): void {
  pos = 0;
  length = 0;
}

export function append(kind: number, word: number, result: number, now: number): void {
  if (pos === words.length) {
    growLog(me);
    attachLog(me);
  }
  words[pos] = word;
  kinds[pos] = kind;
  values[pos] = result;
  nows[pos] = now;
  length = ++pos;
}

/** The access at `pos` is answered: its result. */
export function answer(): number {
  return values[pos++];
}

/** The operation is left where it is. */
export function closeLog(e: number): void {
  lengthOf[e] = length;
}

/** Length of the log of an entity, whether it runs or not. @param running the entity that runs is not being left */
function logged(e: number, running: boolean): number {
  return e === me && running ? length : lengthOf[e];
}

/** Hash of the log of the operation under way, for state merging. */
export function hashOfLog(e: number, running: boolean): number {
  const n = logged(e, running);
  // begun with small numbers it would stay small, and small logs would look alike
  let h = Math.imul(n + 1, 0x9e3779b1);
  for (let x = 0; x < n; x++) {
    h = Math.imul(h ^ logValue[e][x], 0x01000193) ^ (h >>> 13);
    // what a failed compare-and-swap met: wait loops are told apart by it
    h = Math.imul(h ^ logNow[e][x], 0x85ebca6b) ^ (h >>> 15);
  }
  return h;
}

/**
 * How often the operation failed to swap the word, and looked at it again to try once more. An interlock that is tried
 * and left (npoll) is no retry loop, however often an operation meets it.
 */
export function retries(e: number, word: number, end: number): number {
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
export function lastChance(e: number, running: boolean): boolean {
  if (casBudget.fails === Number.POSITIVE_INFINITY || pendKind[e] !== CAS) return false;
  return retries(e, pendWord[e], logged(e, running)) >= casBudget.fails;
}
