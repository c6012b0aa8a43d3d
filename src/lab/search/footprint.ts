/**
 * footprint.ts — what one event touched: the words, and whether it changed them. Two events depend on each other when
 * they touch a word in common and one of them changed it.
 *
 * An event is a scheduling point and everything its entity does until its next one. Beside words there are keys for
 *
 *   each page     written when it changes hands as a whole, read by every access to it: who frees it meets who uses it
 *   each CPU      written by every event of its entities where it has several: only one of them runs at a time
 *
 * Events that depend on each other keep their order within a class of schedules (dpor.ts); the smaller the footprints,
 * the larger the classes.
 */
import {
  CAS, LD64, LDF, LOAD, LOOK, MARK, PAUSE, RACY64, ST, ST64, ST8, STF, WAIT, WAKE,
} from '../../base/access.js';
import { PAGE_SHIFT } from '../../base/param.js';
import type { Watcher } from '../../hw/stepped/access.js';
import { SB_FIRST_PAGE, SB_NPAGES } from '../../hw/superblock.layout.js';
import type { Subject } from '../subject.js';

/** Each key once: key << 1, the lowest bit set if it was written; the word's value before the event and after it. */
export interface Footprint {
  readonly keys: number[];
  readonly olds: number[];
  readonly nows: number[];
}

const WORD_SHIFT = PAGE_SHIFT - 2;
const PAGE_MASK = (1 << PAGE_SHIFT) - 1;
/** of a chunk that changes hands, so many words are marked (hw/stepped/shadow.ts) */
const MARKED_WORDS = 16;
/** more than there are keys */
const STRIDE = 2 ** 22;

export class Footprints {
  /** number of all keys */
  readonly keys: number;
  /** stores the event has put into its CPU's store buffer */
  buffered = 0;
  readonly watch: Watcher;
  readonly #firstWord: number;
  readonly #heapWords: number;
  readonly #pageKeys: number;
  readonly #cpuKeys: number;
  readonly #tso: boolean;
  /** they bypass the store buffers */
  readonly #critWords: readonly number[];
  /** where a key stands in the footprint that is being made, by stamp * STRIDE + place */
  readonly #place: Float64Array;
  readonly #marks: Int32Array;
  #stamp = 0;
  #mark = 0;
  #now: Footprint = { keys: [], olds: [], nows: [] };

  constructor({ engine, machine }: Subject) {
    this.#heapWords = engine.journal.HEAP_WORDS;
    const words = this.#heapWords + engine.journal.VIRTUAL_WORDS;
    this.#pageKeys = words;
    this.#cpuKeys = words + machine.memory.sb(SB_NPAGES);
    this.keys = this.#cpuKeys + engine.entity.layout.ncpu;
    this.#firstWord = machine.memory.sb(SB_FIRST_PAGE) << WORD_SHIFT;
    this.#tso = engine.entity.layout.tso;
    this.#critWords = machine.critWords;
    this.#place = new Float64Array(this.keys);
    this.#marks = new Int32Array(this.keys);
    this.watch = (_entity, kind, word, result, old, now) => this.#access(kind, word, result, old, now);
  }

  cpuKey(cpu: number): number {
    return this.#cpuKeys + cpu;
  }

  /** A new, empty footprint, filled by `watch` and `touch` until the next one is begun. */
  begin(): Footprint {
    this.#stamp++;
    this.buffered = 0;
    this.#now = { keys: [], olds: [], nows: [] };
    return this.#now;
  }

  touch(key: number, write: boolean, old = 0, now = 0): void {
    const { keys, olds, nows } = this.#now;
    const place = this.#place[key]! - this.#stamp * STRIDE;
    if (place >= 0) {
      if (!write) return;
      if ((keys[place]! & 1) === 0) olds[place] = old;
      keys[place]! |= 1;
      nows[place] = now;
      return;
    }
    this.#place[key] = this.#stamp * STRIDE + keys.length;
    keys.push((key << 1) | (write ? 1 : 0));
    olds.push(old);
    nows.push(now);
  }

  #access(kind: number, word: number, result: number, old: number, now: number): void {
    if (kind === PAUSE) return;
    if (kind === MARK) return this.#handOver(word, old);
    let write = kind > LOAD && kind !== WAIT && kind !== WAKE && kind !== LOOK;
    if (kind === CAS) write = result === 1;
    else if (kind <= LOAD) {
      write = kind === ST || kind === ST8 || kind === ST64 || kind === STF;
      if (write && this.#tso && kind !== STF && !this.#critWords.includes(word)) {
        // the store is in the buffer, where nobody meets it; a byte's neighbours were read
        this.buffered++;
        if (kind !== ST8) return;
        write = false;
      }
    }
    this.touch(word, write, old, now);
    if (kind === LD64 || kind === ST64 || kind === RACY64 || kind === LDF || kind === STF) this.touch(word + 1, write);
    if (word >= this.#firstWord && word < this.#heapWords) this.touch(this.#pageKeys + (word >>> WORD_SHIFT), false);
  }

  /** Memory changes hands: whole pages, or a chunk's words. */
  #handOver(word: number, bytes: number): void {
    const end = word + Math.min(bytes >>> 2, MARKED_WORDS);
    for (let w = word; w < end; w++) this.touch(w, true, 0, 0);
    if (((word << 2) & PAGE_MASK) !== 0 || (bytes & PAGE_MASK) !== 0) return;
    const pages = bytes >>> PAGE_SHIFT;
    for (let page = word >>> WORD_SHIFT, n = 0; n < pages; n++) this.touch(this.#pageKeys + page + n, true);
  }

  /** The footprint `meets` compares with from now on. */
  compareWith({ keys }: Footprint): void {
    this.#mark++;
    for (const key of keys) this.#marks[key >>> 1] = (this.#mark << 1) | (key & 1);
  }

  /** Does an event with this footprint depend on the one of `compareWith`? */
  meets({ keys }: Footprint): boolean {
    for (const key of keys) {
      const mark = this.#marks[key >>> 1]!;
      if (mark >>> 1 === this.#mark && ((mark | key) & 1) !== 0) return true;
    }
    return false;
  }
}

/** Value of `word` before the event, and after it, if the footprint has a write of it. */
export function writeOf({ keys, olds, nows }: Footprint, word: number): { old: number; now: number } | null {
  const at = keys.indexOf((word << 1) | 1);
  return at < 0 ? null : { old: olds[at]!, now: nows[at]! };
}
