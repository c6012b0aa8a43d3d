/**
 * addresses.ts — addresses to ids, for the formats that record pointers
 *
 * Ids are dense, from 1, in order of birth. What a recorder misses shows up here: a live address that is
 * allocated again was freed unseen (bulk and RCU frees of Linux have no tracepoint), and an address freed but
 * never born is older than the trace.
 */

import { LiveTable, MAX_LIVE } from './live.js';
import { MAX_SIZE, type Tally } from './tally.js';

const HEX = /^(?:0x)?([0-9a-f]{1,16})$/i;
const NULLS = new Set(['(null)', '(nil)', 'NULL']);

export class AddressBook {
  readonly #tally: Tally;
  readonly #live = new LiveTable();
  #lastId = 0;
  // the address just parsed, as two 32-bit halves
  #hi = 0;
  #lo = 0;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** Object of `size` bytes born at `ptr` (hex text, as recorded). */
  birth(cpu: number, ptr: string, size: number, type: number): void {
    if (this.#canBear(ptr, size)) this.#tally.alloc(cpu, this.#bear(cpu), size, type);
  }

  /** Object at `ptr` dies. */
  death(cpu: number, ptr: string): void {
    const id = this.#die(ptr);
    if (id > 0) this.#tally.free(cpu, id);
  }

  /** Object at `oldPtr` dies and one is born at `ptr`: a realloc, or a birth if the old is unknown. */
  rebirth(cpu: number, oldPtr: string, ptr: string, size: number, type: number): void {
    const oldId = this.#die(oldPtr);
    if (oldId === 0) this.birth(cpu, ptr, size, type);
    else if (this.#canBear(ptr, size)) this.#tally.realloc(cpu, this.#bear(cpu), size, oldId, type);
    else this.#tally.free(cpu, oldId);
  }

  /** Parses `ptr`, and tells whether an object may be born there. */
  #canBear(ptr: string, size: number): boolean {
    if (!this.#parse(ptr)) return false;
    const ok = Number.isInteger(size) && size >= 0 && size <= MAX_SIZE;
    if (this.#isNull()) this.#tally.dropped.failedAllocs++;
    else if (ok) return true;
    else this.#tally.bad(`size ${size} is not an integer of 0..${MAX_SIZE}`);
    return false;
  }

  /** Gives the parsed address a new id. */
  #bear(cpu: number): number {
    const unseen = this.#live.remove(this.#hi, this.#lo);
    if (unseen > 0) {
      this.#tally.dropped.inferredFrees++;
      this.#tally.free(cpu, unseen);
    }
    if (!this.#live.add(this.#hi, this.#lo, ++this.#lastId)) {
      throw this.#tally.error(
        'ETRACE_LIVE',
        `more than ${MAX_LIVE} objects alive at once; cut the trace shorter`,
      );
    }
    return this.#lastId;
  }

  /** @returns the id that lived at `ptr`; 0 when the free is to be dropped */
  #die(ptr: string): number {
    if (!this.#parse(ptr)) return 0;
    if (this.#isNull()) {
      this.#tally.dropped.nullFrees++;
      return 0;
    }
    const id = this.#live.remove(this.#hi, this.#lo);
    if (id === 0) this.#tally.dropped.unknownFrees++;
    return id;
  }

  #parse(ptr: string): boolean {
    this.#hi = 0;
    this.#lo = 0;
    if (NULLS.has(ptr)) return true;
    const digits = HEX.exec(ptr)?.[1];
    if (digits === undefined) {
      this.#tally.bad('not an address of at most 16 hex digits', ptr);
      return false;
    }
    this.#lo = Number.parseInt(digits.slice(-8), 16) | 0;
    if (digits.length > 8) this.#hi = Number.parseInt(digits.slice(0, -8), 16) | 0;
    return true;
  }

  #isNull(): boolean {
    return (this.#hi | this.#lo) === 0;
  }
}
