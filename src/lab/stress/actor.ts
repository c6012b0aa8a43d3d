/**
 * actor.ts — one CPU of a stress run, on its worker: sample after sample, in step with the others (base/stress.ts).
 */
import { FAILURE_CLASSES } from '../../base/failures.js';
import { seedOf, xorshift32 } from '../../base/prng.js';
import {
  LOG_ENTRIES, SC_CLS, SC_DONE, SC_HELD, SC_LOG, SC_PARKED, SC_TEXT, SR_DOUBLES, ST_CPU, ST_CPU_WORDS, ST_GO,
  ST_SLEEPERS, ST_STOP, type StressOrder, type StressPages, type StressReport, TEXT_BYTES, type Window,
} from '../../base/stress.js';
import type { Configuration } from '../../host/options.js';
import type * as StressRun from '../../hw/stress/run.js';
import { loadScenarios, type Reference } from '../farm/reference.js';
import { switchOn } from '../stepped.js';
import { prepareSubject, type Subject, type SubjectOptions } from '../subject.js';
import { Leader } from './leader.js';
import { writeResults } from './results.js';

/** What a worker has to know to have the same operations: plain data. */
export interface StressSetup {
  readonly reference: Reference;
  readonly options: Omit<SubjectOptions, 'on'>;
  readonly configuration: Configuration;
}

const CLASSES = Object.keys(FAILURE_CLASSES);
/** turns of a loop before a thread that waits for others gives its core away */
const SPINS = 5000;
const NAP_MS = 1;
/** a thread begins up to 2^n turns of an idle loop late, n drawn as well: short delays are as frequent as long ones */
const DELAY_BITS = 10;

/** Sets up; the memory has to be freshly formatted, and nobody else may use it now. */
export async function stressActor(
  { reference, options, configuration }: StressSetup, pages: StressPages, cpu: number,
): Promise<(order: StressOrder) => StressReport | null> {
  const [scenario] = await loadScenarios(reference);
  const on = await switchOn(configuration, pages.heap, 'stress', (engine) => {
    (engine.run as unknown as typeof StressRun).shareMarks(pages.marks);
    engine.shadow.kasanForget();
  });
  const subject = await prepareSubject(scenario!, { ...options, races: false, rules: false, on });
  const actor = new Actor(subject, pages, cpu, configuration.cpus);
  return (order) => actor.run(order);
}

class Actor {
  readonly #subject: Subject;
  readonly #pages: StressPages;
  readonly #control: Int32Array;
  readonly #results: Float64Array;
  readonly #text: Buffer;
  readonly #cpu: number;
  readonly #cpus: number;
  readonly #line: number;
  readonly #run: typeof StressRun;
  /** blocks that callers hold when a sample begins */
  readonly #held: number;
  /** threads of this CPU, in two orders */
  readonly #orders: readonly (readonly number[])[];
  #leader: Leader | null = null;

  constructor(subject: Subject, pages: StressPages, cpu: number, cpus: number) {
    this.#subject = subject;
    this.#pages = pages;
    this.#control = new Int32Array(pages.control);
    this.#results = new Float64Array(pages.results);
    this.#text = Buffer.from(pages.text, cpu * TEXT_BYTES, TEXT_BYTES);
    this.#cpu = cpu;
    this.#cpus = cpus;
    this.#line = ST_CPU + cpu * ST_CPU_WORDS;
    this.#run = subject.engine.run as unknown as typeof StressRun;
    this.#held = subject.engine.shadow.clients.count;
    const mine = subject.threads.flatMap((thread, e) => (thread.cpu === cpu ? [e] : []));
    this.#orders = [mine, [...mine].reverse()];
    this.#run.shareLog(new Int32Array(pages.log, cpu * LOG_ENTRIES * 4, LOG_ENTRIES));
    this.#run.meeting.join(pages.control, cpu, cpus);
  }

  /** Samples until the leader, which is CPU 0, says that it is enough. @returns the leader's report */
  run(order: StressOrder): StressReport | null {
    const control = this.#control;
    if (this.#cpu === 0) this.#leader ??= new Leader(this.#subject, this.#pages, this.#cpus, this.#held);
    const leader = this.#leader;
    leader?.begin(order);
    this.#run.meeting.crowded = order.crowded;
    let x = seedOf(order.seed, this.#cpu);
    const window = order.windows.filter(({ cpu }) => cpu === this.#cpu);
    for (let n = order.first; ; n++) {
      if (leader) leader.go(n);
      else this.#awaitGo(n, order);
      if (Atomics.load(control, ST_STOP) !== 0) break;
      x = xorshift32(x);
      this.#sample(n, order, x, window);
      if (leader) this.#awaitAll(SC_PARKED, n, order);
      leader?.judge(n);
    }
    return leader?.report() ?? null;
  }

  #sample(n: number, order: StressOrder, x: number, windows: readonly Window[]): void {
    const { engine } = this.#subject;
    const { execution } = engine.failure;
    this.#run.emptyLog();
    execution.failure = null;
    engine.shadow.clients.count = 0;
    this.#widen(windows, order, x);
    this.#run.meeting.idle((x >>> 8) & ((1 << ((x >>> 3) % DELAY_BITS)) - 1));
    this.#run.play(this.#cpu, this.#orders[(x >>> 2) & 1]!);
    Atomics.store(this.#control, this.#line + SC_DONE, n);
    this.#awaitAll(SC_DONE, n, order, true);
    this.#run.goLive(false);
    this.#publish();
    Atomics.store(this.#control, this.#line + SC_PARKED, n);
  }

  /** At one of the windows, and now and then at none. */
  #widen(windows: readonly Window[], { hold }: StressOrder, x: number): void {
    const { window } = this.#run;
    const one = windows[(x >>> 5) % (windows.length + 1)];
    window.thread = one?.thread ?? -1;
    window.operation = one?.operation ?? -1;
    window.access = one?.access ?? 0;
    window.hold = (x >>> 9) % (hold + 1);
  }

  #publish(): void {
    const control = this.#control;
    const line = this.#line;
    const { failure } = this.#subject.engine.failure.execution;
    control[line + SC_LOG] = this.#run.logLength();
    control[line + SC_HELD] = this.#subject.engine.shadow.clients.count;
    control[line + SC_CLS] = failure ? CLASSES.indexOf(failure.cls) + 1 : 0;
    if (failure) control[line + SC_TEXT] = this.#text.write(failure.message);
    writeResults(this.#results, this.#cpu * SR_DOUBLES, this.#orders[0]!.map((e) => this.#subject.results[e]!));
  }

  #awaitGo(n: number, { crowded }: StressOrder): void {
    const control = this.#control;
    for (let spins = crowded ? SPINS : 0; Atomics.load(control, ST_GO) < n; spins++) {
      if (spins < SPINS) continue;
      Atomics.add(control, ST_SLEEPERS, 1);
      Atomics.wait(control, ST_GO, n - 1, NAP_MS * 50);
      Atomics.sub(control, ST_SLEEPERS, 1);
    }
  }

  /** @param serving looks for interrupts meanwhile: others may wait for that */
  #awaitAll(word: number, n: number, { crowded }: StressOrder, serving = false): void {
    const control = this.#control;
    for (let spins = 0; ; spins++) {
      let all = true;
      for (let cpu = 0; cpu < this.#cpus; cpu++) {
        if (Atomics.load(control, ST_CPU + cpu * ST_CPU_WORDS + word) < n) all = false;
      }
      if (serving) {
        this.#run.service(this.#cpu);
        this.#run.meeting.look();
      }
      if (all) return;
      if (spins <= (crowded ? 20 : SPINS)) continue;
      Atomics.wait(control, this.#line + SC_PARKED, n - 1, 0.05);
      // somebody is gone, and will not come
      if (Atomics.load(control, ST_STOP) === 2) throw new Error('the run was ended');
    }
  }
}
