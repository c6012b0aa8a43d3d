/**
 * leader.ts — between two samples: what came out, counted; the memory put back. All other CPUs are parked.
 *
 * What a sample ended in is judged once: many end in the same memory with the same results, known by their hash. The
 * memory is put back by the CPUs' logs, word by word; after a sample that wrote more than a log holds, all of it.
 */
import { FAILURE_CLASSES, type FailureClass } from '../../base/failures.js';
import { mix, spread } from '../../base/hash.js';
import {
  LOG_COUNT, LOG_ENTRIES, LOG_MARK, LOG_PAGE_MARK, LOG_WHERE, LOG_WORD, SC_CLS, SC_HELD, SC_LOG, SC_TEXT,
  SR_DOUBLES, ST_CPU, ST_CPU_WORDS, ST_ENOUGH, ST_FORBIDDEN, ST_GO, ST_SAMPLES, ST_SLEEPERS, ST_STOP, type StressOrder,
  type StressPages, type StressReport, TEXT_BYTES,
} from '../../base/stress.js';
import type * as StressRun from '../../hw/stress/run.js';
import type { Subject } from '../subject.js';
import { readResults } from './results.js';

/** samples between two looks at the clock */
const STRIDE = 32;
/** ends remembered at most */
const REMEMBERED = 500_000;
const CLASSES = Object.keys(FAILURE_CLASSES) as FailureClass[];

const HANGS: ReadonlySet<string> = new Set(['deadlock', 'lost-wakeup']);

interface Count {
  readonly result: string;
  readonly forbidden: boolean;
  readonly message: string;
  samples: number;
}

export class Leader {
  readonly #subject: Subject;
  readonly #cpus: number;
  readonly #held: number;
  readonly #control: Int32Array;
  readonly #results: Float64Array;
  readonly #resultWords: Int32Array;
  readonly #text: StressPages['text'];
  readonly #i32: Int32Array;
  readonly #image: Int32Array;
  readonly #marks: Uint8Array;
  readonly #markImage: Uint8Array;
  readonly #logs: readonly Int32Array[];
  /** number of the sample in which a word was hashed */
  readonly #stamps: Int32Array;
  readonly #run: typeof StressRun;
  #known = new Map<number, Count>();
  #counts = new Map<string, Count>();
  #time = 0;
  #start = 0;
  #samples = 0;

  constructor(subject: Subject, pages: StressPages, cpus: number, held: number) {
    this.#subject = subject;
    this.#cpus = cpus;
    this.#held = held;
    this.#control = new Int32Array(pages.control);
    this.#results = new Float64Array(pages.results);
    this.#resultWords = new Int32Array(pages.results);
    this.#text = pages.text;
    this.#i32 = new Int32Array(pages.heap);
    this.#image = this.#i32.slice();
    this.#marks = new Uint8Array(pages.marks);
    this.#markImage = this.#marks.slice();
    const log = (cpu: number) => new Int32Array(pages.log, cpu * LOG_ENTRIES * 4, LOG_ENTRIES);
    this.#logs = Array.from({ length: cpus }, (_, cpu) => log(cpu));
    this.#stamps = new Int32Array(this.#i32.length);
    this.#run = subject.engine.run as unknown as typeof StressRun;
  }

  begin(order: StressOrder): void {
    this.#time = order.time;
    this.#counts = new Map();
    this.#known = new Map();
    this.#samples = 0;
    this.#start = performance.now();
  }

  /** Everybody begins sample `n`, or ends. */
  go(n: number): void {
    const control = this.#control;
    const late = this.#samples % STRIDE === 0 && performance.now() - this.#start > this.#time;
    if (late || Atomics.load(control, ST_ENOUGH) !== 0) Atomics.store(control, ST_STOP, 1);
    Atomics.store(control, ST_GO, n);
    if (Atomics.load(control, ST_SLEEPERS) > 0) Atomics.notify(control, ST_GO);
  }

  judge(n: number): void {
    const count = this.#verdict(n);
    count.samples++;
    this.#restore();
    const control = this.#control;
    Atomics.store(control, ST_SAMPLES, ++this.#samples);
    if (count.forbidden) Atomics.add(control, ST_FORBIDDEN, 1);
  }

  report(): StressReport {
    const seconds = (performance.now() - this.#start) / 1000;
    const counts = [...this.#counts.values()].sort((a, b) => b.samples - a.samples);
    return { samples: this.#samples, seconds, counts };
  }

  // ---- what came out

  #verdict(n: number): Count {
    const failed = this.#failed();
    if (failed >= 0) return this.#count(CLASSES[this.#line(failed, SC_CLS) - 1]!, true, this.#message(failed));
    if (this.#overflown()) return this.#judged();
    const key = this.#hash(n);
    const known = this.#known.get(key);
    if (known) return known;
    const count = this.#judged();
    if (this.#known.size < REMEMBERED) this.#known.set(key, count);
    return count;
  }

  /** CPU whose failure it is, -1: none. Who fails serves nobody any more, and others wait for it in vain. */
  #failed(): number {
    let hangs = -1;
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      const cls = CLASSES[this.#line(cpu, SC_CLS) - 1];
      if (cls !== undefined && !HANGS.has(cls)) return cpu;
      if (cls !== undefined && hangs < 0) hangs = cpu;
    }
    return hangs;
  }

  #judged(): Count {
    const { engine, threads, results } = this.#subject;
    let held = this.#held;
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      held += this.#line(cpu, SC_HELD);
      const lists = threads.flatMap((thread, e) => (thread.cpu === cpu ? [results[e] as unknown[]] : []));
      if (cpu > 0) readResults(this.#results, cpu * SR_DOUBLES, lists);
    }
    engine.shadow.clients.count = held;
    this.#run.settle();
    const broken = engine.access.hooks.invariant?.() ?? '';
    if (broken !== '') return this.#count('invariant', true, broken);
    const { failure, outcome } = this.#subject.judge(null);
    if (!failure) return this.#count(outcome === '' ? 'ok' : outcome, false, '');
    return this.#count(failure.cls === 'outcome' ? outcome : failure.cls, true, failure.message);
  }

  #count(result: string, forbidden: boolean, message: string): Count {
    const key = `${forbidden ? '!' : ''}${result}`;
    const count = this.#counts.get(key) ?? { result, forbidden, message, samples: 0 };
    this.#counts.set(key, count);
    return count;
  }

  #message(cpu: number): string {
    return Buffer.from(this.#text, cpu * TEXT_BYTES, this.#line(cpu, SC_TEXT)).toString();
  }

  #line(cpu: number, word: number): number {
    return this.#control[ST_CPU + cpu * ST_CPU_WORDS + word]!;
  }

  // ---- the memory

  #overflown(): boolean {
    for (let cpu = 0; cpu < this.#cpus; cpu++) if (this.#line(cpu, SC_LOG) > LOG_ENTRIES) return true;
    return false;
  }

  /** Of the words that are not as before, of what the operations returned, and of what callers hold. */
  #hash(n: number): number {
    let low = 0;
    let high = 0;
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      const log = this.#logs[cpu]!;
      for (let at = this.#line(cpu, SC_LOG) - 1; at >= 0; at--) {
        const word = log[at]!;
        if (word > LOG_WHERE || this.#stamps[word] === n) continue;
        this.#stamps[word] = n;
        const value = this.#i32[word]!;
        if (value === this.#image[word]) continue;
        const h = mix(word, value);
        low ^= h;
        high ^= spread(h);
      }
      low = (Math.imul(low, 31) + this.#line(cpu, SC_HELD)) | 0;
      high = (Math.imul(high, 33) + this.#hashResults(cpu)) | 0;
    }
    return (high & 0xfffff) * 0x100000000 + (low >>> 0);
  }

  /** All bits of what it wrote: two numbers that differ in the upper ones only are two outcomes. */
  #hashResults(cpu: number): number {
    const from = cpu * SR_DOUBLES;
    let h = 0;
    for (let at = 2 * from + 2 * this.#results[from]! + 1; at > 2 * from + 1; at--) h = mix(h, this.#resultWords[at]!);
    return h;
  }

  /** The leader's own log holds what judging wrote as well. */
  #restore(): void {
    const lengths = this.#logs.map((_, cpu) => (cpu === 0 ? this.#run.logLength() : this.#line(cpu, SC_LOG)));
    if (lengths.some((length) => length > LOG_ENTRIES)) {
      this.#i32.set(this.#image);
      this.#marks.set(this.#markImage);
      return;
    }
    for (const [cpu, log] of this.#logs.entries()) {
      for (let at = lengths[cpu]! - 1; at >= 0; at--) this.#putBack(log[at]!);
    }
  }

  #putBack(entry: number): void {
    const where = entry & LOG_WHERE;
    switch (entry & ~LOG_WHERE) {
      case LOG_WORD:
      case LOG_COUNT:
        this.#i32[where] = this.#image[where]!;
        break;
      case LOG_MARK:
        this.#marks[where] = this.#markImage[where]!;
        break;
      case LOG_PAGE_MARK:
        this.#marks[this.#i32.length + where] = this.#markImage[this.#i32.length + where]!;
    }
  }
}
