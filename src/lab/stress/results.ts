/** results.ts — what operations returned, between threads: a count, then a tag and a number each. */
import { SR_DOUBLES } from '../../base/stress.js';

const UNDEFINED = 0;
const NUMBER = 1;
const BOOLEAN = 2;
const BIGINT = 3;
/** anything else: an oracle that wants it cannot have it */
const OTHER = 4;

/**
 * Results of all threads of a CPU, one list behind the other; what there is no room for is forgotten.
 * @param from the CPU's first double
 */
export function writeResults(doubles: Float64Array, from: number, lists: readonly (readonly unknown[])[]): void {
  let at = from + 1;
  const end = from + SR_DOUBLES - 1;
  for (const list of lists) {
    doubles[at++] = -1;
    doubles[at++] = list.length;
    for (const value of list) {
      if (at >= end) break;
      doubles[at++] = tagOf(value);
      doubles[at++] = typeof value === 'bigint' || typeof value === 'number' || value === true ? Number(value) : 0;
    }
  }
  doubles[from] = at - from - 1;
}

function tagOf(value: unknown): number {
  switch (typeof value) {
    case 'undefined': return UNDEFINED;
    case 'number': return NUMBER;
    case 'boolean': return BOOLEAN;
    case 'bigint': return BIGINT;
    default: return OTHER;
  }
}

/** @param lists emptied, and filled as they were written */
export function readResults(doubles: Float64Array, from: number, lists: readonly unknown[][]): void {
  const end = from + 1 + doubles[from]!;
  let list = -1;
  for (let at = from + 1; at < end; at += 2) {
    const tag = doubles[at]!;
    const value = doubles[at + 1]!;
    if (tag === -1) {
      list++;
      lists[list]!.length = 0;
    } else lists[list]!.push(decoded(tag, value));
  }
}

function decoded(tag: number, value: number): unknown {
  switch (tag) {
    case UNDEFINED: return undefined;
    case BOOLEAN: return value === 1;
    case BIGINT: return BigInt(value);
    case OTHER: return null;
    default: return value;
  }
}
