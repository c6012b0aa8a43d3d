#!/usr/bin/env node
/**
 * convert-trace.mjs — what recorder.c wrote, as a trace smpalloc replays: gzipped text, format in traces/README.md.
 *
 *   node scripts/convert-trace.mjs RECORDING OUT.txt.gz [--name N] [--command C] [--note T] [--skip N] [--max N]
 *
 * Addresses become ids, dense and in order of birth; threads are numbered by first appearance. The header of a trace
 * says how much is in it, so the recording is read twice: once to count, once to write. Memory is needed for the
 * objects alive at one time, not for the trace.
 *
 *   recording              trace
 *   MALLOC CALLOC MEMALIGN m c a     an address that is alive already was freed unseen: an `f` goes before
 *   FREE                   f         of an address nobody saw allocated: dropped, and counted
 *   GIVE .. TAKE           r         the old object dies and the new one is born when realloc has returned
 *   GIVE .. TAKE 0         f         realloc(p, 0)
 *   GIVE .. KEEP           nothing   realloc failed, the old object lives on
 */
import { closeSync, createWriteStream, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';

const MAGIC = 'SMPREC01';
const HEADER_BYTES = 4096;
const RECORD_BYTES = 24;
const BATCH_RECORDS = 16384;
/** microseconds between two time marks, at the least */
const MARK_US = 1000;
const [MALLOC, CALLOC, MEMALIGN, FREE, GIVE, TAKE, KEEP] = [1, 2, 3, 4, 5, 6, 7];
const LETTERS = new Map([[MALLOC, 'm'], [CALLOC, 'c'], [MEMALIGN, 'a']]);

/**
 * @typedef {object} Recording
 * @property {number} fd
 * @property {number} from first record that counts
 * @property {number} records how many there are in the file
 * @property {number} capacity
 * @property {number} wanted places that were asked for: more than capacity when the file was too small
 * @property {string} program
 *
 * @typedef {object} Totals what the header of the trace says, and what was left out
 * @property {number} events
 * @property {number} allocs
 * @property {number} remoteFrees
 * @property {number} livePeak bytes
 * @property {number} liveEnd objects
 * @property {number} us microseconds from the first event to the last
 * @property {number} holes records of threads that were killed while they wrote
 * @property {number} unknownFrees frees of objects older than the recording
 * @property {number} missedFrees addresses that came back without a free
 * @property {Map<number, number>} threads thread as recorded -> thread of the trace
 */

/** @typedef {{ id: number, thread: number, size: number }} Live */

/** One pass over a recording, from records to lines; sums up what it saw. */
class Pass {
  /** @type {Totals} */
  totals = {
    events: 0, allocs: 0, remoteFrees: 0, livePeak: 0, liveEnd: 0, us: 0, holes: 0, unknownFrees: 0, missedFrees: 0,
    threads: new Map(),
  };
  /** @type {Map<number, Live>} by address */
  #live = new Map();
  /** @type {Map<number, { key: number, object: Live | undefined }>} reallocs under way, by thread */
  #given = new Map();
  /** @type {string[]} */
  #lines = [];
  #bytes = 0;
  #startNs = -1;
  #markUs = -MARK_US;
  #lastId = 0;

  /**
   * @param {Buffer} batch whole records
   * @param {number} max events after which to stop
   * @returns {string} the trace's lines
   */
  lines(batch, max) {
    this.#lines = [];
    for (let at = 0; at < batch.length && this.totals.events < max; at += RECORD_BYTES) this.#record(batch, at);
    this.totals.liveEnd = this.#live.size;
    return this.#lines.length === 0 ? '' : `${this.#lines.join('\n')}\n`;
  }

  /**
   * @param {Buffer} batch
   * @param {number} at
   */
  #record(batch, at) {
    const op = batch[at + 14] ?? 0;
    if (op < MALLOC || op > KEEP) {
      this.totals.holes++;
      return;
    }
    // addresses are multiples of 8, and the top byte may be a tag: 53 bits are left
    const high = batch.readUInt32LE(at + 4) & 0xffffff;
    const key = high * 2 ** 29 + (batch.readUInt32LE(at) >>> 3);
    const size = batch.readUInt32LE(at + 8);
    const thread = this.#thread(batch.readUInt16LE(at + 12));
    this.#mark(batch.readUInt32LE(at + 20) * 2 ** 32 + batch.readUInt32LE(at + 16));
    const letter = LETTERS.get(op);
    if (letter !== undefined) this.#birth(thread, letter, key, size);
    else if (op === FREE) this.#free(thread, key);
    else if (op === GIVE) this.#give(thread, key);
    else this.#realloced(thread, op, key, size);
  }

  /** @param {number} recorded */
  #thread(recorded) {
    const { threads } = this.totals;
    const known = threads.get(recorded);
    if (known !== undefined) return known;
    const thread = threads.size;
    threads.set(recorded, thread);
    return thread;
  }

  /** @param {number} ns */
  #mark(ns) {
    if (this.#startNs < 0) this.#startNs = ns;
    // places are handed out before clocks are read, so two records may be a moment out of order
    const us = Math.max(this.totals.us, Math.floor((ns - this.#startNs) / 1000));
    this.totals.us = us;
    if (us - this.#markUs < MARK_US) return;
    this.#markUs = us;
    this.#lines.push(`t ${us}`);
  }

  /**
   * @param {number} thread
   * @param {string} letter
   * @param {number} key
   * @param {number} size
   */
  #birth(thread, letter, key, size) {
    this.#missedFree(thread, key);
    const id = this.#bear(thread, key, size);
    this.#event(thread, `${letter} ${id} ${size}`);
  }

  /**
   * @param {number} thread
   * @param {number} key
   */
  #free(thread, key) {
    const object = this.#live.get(key);
    if (object === undefined) this.totals.unknownFrees++;
    else {
      this.#live.delete(key);
      this.#dead(thread, object);
      this.#event(thread, `f ${object.id}`);
    }
  }

  /**
   * From here on another thread may get the address.
   * @param {number} thread
   * @param {number} key
   */
  #give(thread, key) {
    this.#given.set(thread, { key, object: this.#live.get(key) });
    this.#live.delete(key);
  }

  /**
   * @param {number} thread
   * @param {number} op TAKE or KEEP
   * @param {number} key
   * @param {number} size
   */
  #realloced(thread, op, key, size) {
    const given = this.#given.get(thread);
    this.#given.delete(thread);
    const old = given?.object;
    if (op === KEEP) {
      if (given && old) this.#live.set(given.key, old);
    } else if (op === TAKE && key === 0) {
      if (!old) return;
      this.#dead(thread, old);
      this.#event(thread, `f ${old.id}`);
    } else if (!old) {
      this.#birth(thread, 'm', key, size);
    } else {
      this.#missedFree(thread, key);
      this.#dead(thread, old);
      const id = this.#bear(thread, key, size);
      this.#event(thread, `r ${id} ${size} ${old.id}`);
    }
  }

  /**
   * @param {number} thread
   * @param {number} key
   */
  #missedFree(thread, key) {
    if (!this.#live.has(key)) return;
    this.totals.missedFrees++;
    this.#free(thread, key);
  }

  /**
   * @param {number} thread
   * @param {number} key
   * @param {number} size
   * @returns {number} the new object's id
   */
  #bear(thread, key, size) {
    const id = ++this.#lastId;
    this.#live.set(key, { id, thread, size });
    this.totals.allocs++;
    this.#bytes += size;
    this.totals.livePeak = Math.max(this.totals.livePeak, this.#bytes);
    return id;
  }

  /**
   * @param {number} thread
   * @param {Live} object
   */
  #dead(thread, object) {
    this.#bytes -= object.size;
    if (object.thread !== thread) this.totals.remoteFrees++;
  }

  /**
   * @param {number} thread
   * @param {string} text
   */
  #event(thread, text) {
    this.#lines.push(`${++this.totals.events} ${thread} ${text}`);
  }
}

/**
 * @param {string} path
 * @param {number} skip
 * @returns {Recording}
 */
function openRecording(path, skip) {
  const fd = openSync(path, 'r');
  const header = Buffer.alloc(HEADER_BYTES);
  readSync(fd, header, 0, HEADER_BYTES, 0);
  if (header.toString('latin1', 0, 8) !== MAGIC) {
    throw new Error(`${path}: not a recording of recorder.c (it does not begin with ${MAGIC})`);
  }
  const capacity = Number(header.readBigUInt64LE(8));
  const wanted = Number(header.readBigUInt64LE(16));
  const inFile = Math.floor((fstatSync(fd).size - HEADER_BYTES) / RECORD_BYTES);
  const records = Math.min(capacity, wanted, inFile);
  const comm = header.toString('latin1', 48, 80);
  return { fd, from: Math.min(skip, records), records, capacity, wanted, program: comm.slice(0, comm.indexOf('\0')) };
}

/**
 * @param {Recording} recording
 * @returns {Generator<Buffer>} whole records
 */
function* batches({ fd, from, records }) {
  for (let n = from; n < records; n += BATCH_RECORDS) {
    const batch = Buffer.alloc(Math.min(BATCH_RECORDS, records - n) * RECORD_BYTES);
    const got = readSync(fd, batch, 0, batch.length, HEADER_BYTES + n * RECORD_BYTES);
    yield batch.subarray(0, got - (got % RECORD_BYTES));
  }
}

/**
 * @param {Recording} recording
 * @param {number} max
 */
function* body(recording, max) {
  const pass = new Pass();
  for (const batch of batches(recording)) {
    const text = pass.lines(batch, max);
    if (text !== '') yield text;
    if (pass.totals.events >= max) return;
  }
}

/**
 * @param {Recording} recording
 * @param {number} max
 * @returns {Totals}
 */
function count(recording, max) {
  const pass = new Pass();
  for (const batch of batches(recording)) {
    pass.lines(batch, max);
    if (pass.totals.events >= max) break;
  }
  return pass.totals;
}

/**
 * @param {Recording} recording
 * @param {Totals} totals
 * @param {{ name: string, command?: string | undefined, note?: string | undefined }} words
 */
function head({ program }, totals, { name, command, note }) {
  const lines = [
    'alloctrace 1',
    `name ${name}`,
    `program ${program}`,
    ...(command === undefined ? [] : [`command ${command}`]),
    `threads ${totals.threads.size}`,
    `events ${totals.events}`,
    `allocs ${totals.allocs}`,
    `seconds ${(totals.us / 1e6).toFixed(3)}`,
    `live_peak_bytes ${totals.livePeak}`,
    `remote_frees ${totals.remoteFrees}`,
    ...(note === undefined ? [] : [`note ${note}`]),
  ];
  // one line each: what a user types may hold anything
  return lines.map((line) => `# ${line.replace(/\s+/g, ' ').trim()}\n`).join('');
}

/** @param {Recording} recording @param {Totals} totals */
function remarks({ capacity, wanted }, totals) {
  const { holes, unknownFrees, missedFrees } = totals;
  const what = [];
  if (wanted > capacity) what.push('the recording is full: more was allocated than SMPALLOC_TRACE_MAX let in');
  if (unknownFrees > 0) what.push(`dropped: ${unknownFrees} frees of objects older than the recording`);
  if (missedFrees > 0) what.push(`inferred: ${missedFrees} frees nobody recorded`);
  if (holes > 0) what.push(`dropped: ${holes} records that were never finished`);
  return what;
}

/**
 * @param {string} flag
 * @param {string | undefined} value
 * @param {number} otherwise
 */
function whole(flag, value, otherwise) {
  if (value === undefined) return otherwise;
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new Error(`${flag}: '${value}' is not a whole number`);
}

const USAGE = 'usage: convert-trace.mjs RECORDING OUT.txt.gz [--name N] [--command C] [--note T] [--skip N] [--max N]';

async function main() {
  const text = { type: /** @type {const} */ ('string') };
  const { values, positionals } = parseArgs({
    allowPositionals: true, options: { name: text, command: text, note: text, skip: text, max: text },
  });
  const [input, output, ...rest] = positionals;
  if (!input || !output || rest.length > 0) throw new Error(USAGE);
  const recording = openRecording(input, whole('--skip', values.skip, 0));
  const max = whole('--max', values.max, Number.POSITIVE_INFINITY);
  const totals = count(recording, max);
  if (totals.events === 0) throw new Error(`${input}: nothing in it`);
  const name = values.name ?? basename(output).replace(/(\.txt)?(\.gz)?$/, '');
  const trace = function* () {
    yield head(recording, totals, { name, command: values.command, note: values.note });
    yield* body(recording, max);
  };
  await pipeline(Readable.from(trace(), { objectMode: false }), createGzip({ level: 9 }), createWriteStream(output));
  closeSync(recording.fd);
  const { events, allocs, threads, remoteFrees, livePeak, liveEnd } = totals;
  process.stdout.write(
    `${output}: ${events} events, ${allocs} allocations, ${threads.size} threads, ${remoteFrees} remote frees, ` +
      `peak ${livePeak} bytes, ${liveEnd} objects alive at the end\n`,
  );
  for (const remark of remarks(recording, totals)) process.stderr.write(`${remark}\n`);
}

await main().catch((/** @type {Error} */ error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
});
