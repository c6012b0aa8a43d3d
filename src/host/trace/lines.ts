/**
 * lines.ts — chunks of bytes to lines
 *
 * A line is handed on as a range of the chunk it came in, so nothing is copied but the lines that straddle
 * two chunks. A line longer than `maxLine` is never held: its bytes are dropped as they come.
 */

const LF = 10;
const CR = 13;

export class LineSplitter {
  readonly #maxLine: number;
  readonly #onLine: (bytes: Buffer, start: number, end: number) => void;
  readonly #onLong: () => void;
  /** Start of a line whose end has not come yet. */
  #carry: Buffer[] = [];
  #carried = 0;

  /**
   * @param maxLine bytes, the line's end not counted
   * @param onLine a line, without LF or CR LF
   * @param onLong a line over `maxLine`, once its end has come
   */
  constructor(
    maxLine: number,
    onLine: (bytes: Buffer, start: number, end: number) => void,
    onLong: () => void,
  ) {
    this.#maxLine = maxLine;
    this.#onLine = onLine;
    this.#onLong = onLong;
  }

  push(chunk: Buffer): void {
    let start = 0;
    let at = chunk.indexOf(LF);
    if (at >= 0 && this.#carried > 0) {
      this.#keep(chunk.subarray(0, at));
      this.#flush();
      start = at + 1;
      at = chunk.indexOf(LF, start);
    }
    while (at >= 0) {
      this.#emit(chunk, start, at);
      start = at + 1;
      at = chunk.indexOf(LF, start);
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** @param cut the input ended early: an unfinished last line is half a line, and dropped */
  end(cut: boolean): void {
    if (this.#carried > 0 && !cut) this.#flush();
    this.#carry = [];
    this.#carried = 0;
  }

  #keep(part: Buffer): void {
    this.#carried += part.length;
    if (this.#carried > this.#maxLine + 1) this.#carry = [];
    else this.#carry.push(part);
  }

  #flush(): void {
    const line = Buffer.concat(this.#carry);
    const whole = line.length === this.#carried;
    this.#carry = [];
    this.#carried = 0;
    if (whole) this.#emit(line, 0, line.length);
    else this.#onLong();
  }

  #emit(bytes: Buffer, start: number, lf: number): void {
    const end = lf > start && bytes[lf - 1] === CR ? lf - 1 : lf;
    if (end - start > this.#maxLine) this.#onLong();
    else this.#onLine(bytes, start, end);
  }
}
