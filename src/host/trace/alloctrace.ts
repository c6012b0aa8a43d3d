/**
 * alloctrace.ts — our own text format, version 1 (traces/README.md)
 *
 *   SEQ CPU m|c|a|k ID SIZE [ALLOC @TYPE]      birth; @TYPE numbers call sites after m, slab caches after k
 *   SEQ CPU r ID SIZE OLDID                    OLDID dies, ID is born
 *   SEQ CPU f|g ID                             death; g was inferred by the recorder
 *   t US                                       time mark
 *   # KEY VALUE                                header
 *
 * Rules; a line that breaks one is bad, and skipped unless it is I3
 *   I1  ids rise in order of birth, so an id not above the last one was born before.
 *   I2  a death names a live id.
 *   I3  SEQ rises by one. A gap is counted, its event is used: the events beside it are lost, not this one.
 *
 * Hot: bytes are parsed in place, one pass; strings are made for headers and for what is wrong.
 */

import { Fields } from './fields.js';
import { LiveTable, MAX_LIVE } from './live.js';
import { MAX_CPU, MAX_SIZE, type Tally } from './tally.js';
import type { FormatReader } from './trace.js';

const HASH = 35; // #
const AT = 64; // @
const [A, C, F, G, K, M, R, T] = [97, 99, 102, 103, 107, 109, 114, 116];

const MAX_TYPE = 65535;
const NO_TYPE = -1;
const BAD_SIZE = `SIZE must be an integer of 0..${MAX_SIZE}`;

export class AllocTraceReader implements FormatReader {
  readonly #tally: Tally;
  readonly #live = new LiveTable();
  /** Numbers of `# type` and `# cache` headers to indices of the tally's one table. */
  readonly #sites: number[] = [];
  readonly #caches: number[] = [];
  readonly #fields = new Fields();
  #lastSeq = 0;
  #lastId = 0;
  /** The last event line was bad: its SEQ may have been, too, so the next is taken as it is. */
  #resync = false;
  #eventsSaid = 0;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  line(bytes: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.#fields.set(bytes, start, end);
    const first = bytes[start];
    let wrong = '';
    if (first === HASH) wrong = this.#header(bytes.toString('utf8', start, end));
    else wrong = first === T ? this.#mark() : this.#event();
    if (wrong === '') return;
    this.#resync = true;
    this.#tally.bad(wrong, bytes.toString('latin1', start, Math.min(end, start + 80)));
  }

  skipped(): void {
    this.#resync = true;
  }

  end(): void {
    if (this.#lastSeq < this.#eventsSaid) this.#tally.truncated = true;
  }

  // ---- events: each returns what is wrong with the line, '' when nothing is

  #event(): string {
    const fields = this.#fields;
    const seq = fields.int();
    const cpu = fields.int();
    const op = fields.letter();
    const id = fields.int();
    if (seq < 1) return 'SEQ must be a positive integer';
    if (cpu < 0 || cpu > MAX_CPU) return `CPU must be an integer of 0..${MAX_CPU}`;
    if (id < 1) return 'ID must be a positive integer';
    this.#sequence(seq);
    if (op === M || op === K || op === C || op === A) return this.#birth(cpu, op, id);
    if (op === F || op === G) return this.#death(cpu, op, id);
    if (op === R) return this.#rebirth(cpu, id);
    return 'the operation must be one of a c f g k m r';
  }

  #birth(cpu: number, op: number, id: number): string {
    const size = this.#fields.int();
    if (size < 0 || size > MAX_SIZE) return BAD_SIZE;
    let type = NO_TYPE;
    if (!this.#fields.finished()) {
      if (this.#fields.int() < 0) return 'an allocation is SEQ CPU m ID SIZE [ALLOC @TYPE]';
      type = this.#fields.skip(AT) ? this.#fields.int() : NO_TYPE;
      if (type < 0 || type > MAX_TYPE) return `a type must be @ and an integer of 0..${MAX_TYPE}`;
      if (!this.#fields.finished()) return 'an allocation is SEQ CPU m ID SIZE [ALLOC @TYPE]';
    }
    if (id <= this.#lastId) return this.#bornTwice(id);
    this.#bear(id);
    this.#tally.alloc(cpu, id, size, this.#type(op, type));
    return '';
  }

  #death(cpu: number, op: number, id: number): string {
    if (!this.#fields.finished()) return 'a free is SEQ CPU f ID';
    if (this.#remove(id) === 0) return `id ${id} is not alive`;
    if (op === G) this.#tally.dropped.inferredFrees++;
    this.#tally.free(cpu, id);
    return '';
  }

  #rebirth(cpu: number, id: number): string {
    const size = this.#fields.int();
    if (size < 0 || size > MAX_SIZE) return BAD_SIZE;
    const oldId = this.#fields.int();
    if (oldId < 1 || !this.#fields.finished()) return 'a realloc is SEQ CPU r ID SIZE OLDID';
    if (id <= this.#lastId) return this.#bornTwice(id);
    if (this.#remove(oldId) === 0) return `id ${oldId} is not alive`;
    this.#bear(id);
    this.#tally.realloc(cpu, id, size, oldId, this.#type(M, NO_TYPE));
    return '';
  }

  #mark(): string {
    const ok = this.#fields.letter() === T && this.#fields.int() >= 0 && this.#fields.finished();
    return ok ? '' : 'a time mark is t US';
  }

  #sequence(seq: number): void {
    if (!this.#resync && seq !== this.#lastSeq + 1) {
      this.#tally.bad(`SEQ ${seq} follows ${this.#lastSeq}: events are missing or out of order`);
    }
    this.#resync = false;
    this.#lastSeq = seq;
  }

  // ---- ids: the live table's key is the id

  #bornTwice(id: number): string {
    return `id ${id} is born twice, or out of order: the last one born is ${this.#lastId}`;
  }

  #bear(id: number): void {
    this.#lastId = id;
    if (this.#live.add(Math.floor(id / 2 ** 32), id | 0, id)) return;
    throw this.#tally.error(
      'ETRACE_LIVE',
      `more than ${MAX_LIVE} objects alive at once; cut the trace shorter`,
    );
  }

  #remove(id: number): number {
    return this.#live.remove(Math.floor(id / 2 ** 32), id | 0);
  }

  /** @param number after the @, or NO_TYPE */
  #type(op: number, number: number): number {
    if (number < 0 && !this.#tally.kernel) return 0;
    return (op === K ? this.#caches : this.#sites)[number] ?? this.#tally.types.intern('unknown');
  }

  // ---- headers

  #header(text: string): string {
    const [, key, value = '', ...rest] = text.split(' ');
    if (key === 'alloctrace') {
      if (value !== '1') throw this.#tally.error('ETRACE_FORMAT', `alloctrace version ${value}; 1 is known`);
      this.#tally.kernel = rest[0] === 'kernel';
    } else if (key === 'name' && value !== '') this.#tally.name = [value, ...rest].join(' ').slice(0, 80);
    else if (key === 'events') this.#eventsSaid = Number(value) || 0;
    else if (key === 'type') return this.#declare(this.#sites, value, rest[0]);
    else if (key === 'cache') return this.#declare(this.#caches, value, rest[0]);
    return '';
  }

  #declare(table: number[], number: string, name: string | undefined): string {
    const index = Number(number);
    const ok = Number.isInteger(index) && index >= 0 && index <= MAX_TYPE && name;
    if (!ok) return `a type header is "# type I NAME", I of 0..${MAX_TYPE}`;
    table[index] = this.#tally.types.intern(name);
    return '';
  }
}
