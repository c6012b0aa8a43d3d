/**
 * fields.ts — the blank-separated fields of one line, read from its bytes
 *
 * A field that was read leaves the cursor behind the one space that ends it, or at end + 1 after the last.
 * One that is not what was asked for gives BAD_FIELD and leaves the cursor where it was.
 */

const SPACE = 32;
const ZERO = 48;

export const BAD_FIELD = -1;

export class Fields {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  set(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** A decimal integer of 0..2^53 - 1. */
  int(): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    let value = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const none = at === this.#at;
    if (none || value > Number.MAX_SAFE_INTEGER || (at < end && bytes[at] !== SPACE)) return BAD_FIELD;
    this.#at = at + 1;
    return value;
  }

  /** A field of one character: its code. */
  letter(): number {
    const next = this.#at + 1;
    if (next > this.#end || (next < this.#end && this.#bytes[next] !== SPACE)) return BAD_FIELD;
    this.#at = next + 1;
    return this.#bytes[next - 1]!;
  }

  /** Steps over a character inside a field, if it is `code`. */
  skip(code: number): boolean {
    const there = this.#at < this.#end && this.#bytes[this.#at] === code;
    if (there) this.#at++;
    return there;
  }

  /** Has every field been read? */
  finished(): boolean {
    return this.#at === this.#end + 1;
  }
}
