/**
 * mtrace.ts — glibc's mtrace(3)
 *
 * Follows   glibc malloc/mtrace-impl.c. A line is `@ CALLER OP`, the caller missing where it is unknown:
 *             + PTR SIZE     malloc, calloc, memalign, realloc(NULL)
 *             - PTR          free, realloc(PTR, 0)
 *             < OLD          realloc, first half; the lock is held, so the second half is the next line
 *             > NEW SIZE     realloc, second half
 *             ! PTR SIZE     realloc that failed: PTR lives on
 *           and `= Start`, `= End`. Threads are not recorded: all is thread 0.
 */

import { AddressBook } from './addresses.js';
import type { Tally } from './tally.js';
import type { FormatReader } from './trace.js';

// the caller may hold blanks (it is a file name), so the line is matched by its tail
const LINE = /(?:^|\s)([-+<>!]) (0x[0-9a-f]{1,16}|\(nil\)|0)(?: (-?(?:0x[0-9a-f]{1,17}|\d{1,20})))?$/;
const CPU = 0;
const NO_TYPE = 0;

/** Is this a line that only mtrace writes? */
export function isMtrace(text: string): boolean {
  return text === '= Start' || (text.startsWith('@ ') && LINE.test(text));
}

export class MtraceReader implements FormatReader {
  readonly #tally: Tally;
  readonly #book: AddressBook;
  /** Address of a `<` whose `>` is due. */
  #old = '';

  constructor(tally: Tally) {
    this.#tally = tally;
    this.#book = new AddressBook(tally);
  }

  line(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('latin1', start, end);
    const [, op, ptr = '', size] = LINE.exec(text) ?? [];
    const old = this.#takeOld(op);
    if (op === '-' && size === undefined) this.#book.death(CPU, ptr);
    else if (op === '<' && size === undefined) this.#old = ptr;
    else if (op === '+' && size !== undefined) this.#book.birth(CPU, ptr, Number(size), NO_TYPE);
    else if (op === '>' && size !== undefined && old !== '') {
      this.#book.rebirth(CPU, old, ptr, Number(size), NO_TYPE);
    } else if (op === '!') this.#tally.dropped.failedAllocs++;
    else if (text !== '' && !text.startsWith('= ')) this.#tally.bad('not a line of mtrace', text);
  }

  end(): void {
    this.#takeOld(undefined);
  }

  /** The pending first half; if no second half follows, the old object is gone all the same. */
  #takeOld(op: string | undefined): string {
    const old = this.#old;
    this.#old = '';
    if (old === '' || op === '>') return old;
    this.#tally.bad('a realloc (<) has no second half (>)', old);
    this.#book.death(CPU, old);
    return '';
  }
}
