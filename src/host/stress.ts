/**
 * stress.ts — the workers of a stress run, one a CPU: started, told to sample, watched, stopped (base/stress.ts).
 *
 * Nothing here waits for ever: setting up has a time limit, a run whose samples do not get on is ended, a worker that
 * dies ends all.
 */
import type { Worker } from 'node:worker_threads';
import { SmpallocError } from '../base/errors.js';
import {
  ST_ENOUGH, ST_FORBIDDEN, ST_GO, ST_SAMPLES, ST_STOP, type StressMessage, type StressOrder, type StressPages,
  type StressReport, type StressTask, stressPages,
} from '../base/stress.js';
import { startWorker, workerMessage } from './scenario_worker.js';

const SETUP_MS = 20_000;
const LOOK_MS = 100;
/** without a further sample for so long the run is ended; samples that hang take less than a second */
const STUCK_MS = 20_000;
const GRACE_MS = 3000;

export interface StressPulse {
  readonly samples: number;
  readonly forbidden: number;
}

export class StressGang<Setup> {
  readonly #pages: StressPages;
  readonly #control: Int32Array;
  readonly #workers: Worker[] = [];

  constructor(heap: SharedArrayBuffer, cpus: number) {
    this.#pages = stressPages(heap, cpus);
    this.#control = new Int32Array(this.#pages.control);
  }

  /**
   * One worker a CPU. Setting up writes to the memory, so it is one at a time.
   * @param before brings the memory to its beginning
   */
  async start(cpus: number, setup: Setup, before: () => void, signal?: AbortSignal): Promise<void> {
    for (let cpu = 0; cpu < cpus; cpu++) {
      before();
      const task: StressTask<Setup> = { pages: this.#pages, cpu, setup };
      const worker = startWorker('stress.js', `stress${cpu}`, task);
      this.#workers.push(worker);
      await this.#message(worker, AbortSignal.timeout(SETUP_MS), 'setting up takes too long', signal);
    }
  }

  /** @param onPulse told now and then how far it is @throws SmpallocError ESMP_TIMEOUT, ESMP_HALTED, ESMP_INPUT */
  async run(
    order: Omit<StressOrder, 'first'>, onPulse: (pulse: StressPulse) => void = () => {}, signal?: AbortSignal,
  ): Promise<StressReport> {
    const control = this.#control;
    for (const word of [ST_STOP, ST_SAMPLES, ST_FORBIDDEN, ST_ENOUGH]) control[word] = 0;
    const late = new AbortController();
    const watch = this.#watch(onPulse, late, signal);
    const ends = this.#workers.map((worker) => this.#message(worker, late.signal, 'a sample does not end'));
    const first = Atomics.load(control, ST_GO) + 1;
    for (const worker of this.#workers) worker.postMessage({ ...order, first } satisfies StressOrder);
    try {
      const [leader] = await Promise.all(ends);
      if (leader && 'finished' in leader && leader.report) return leader.report;
      throw new SmpallocError('ESMP_HALTED', 'stress: the leader ended without a report');
    } catch (cause) {
      this.#end();
      throw cause;
    } finally {
      clearInterval(watch);
      await Promise.allSettled(late.signal.aborted ? [] : ends.map((end) => Promise.race([end, pause(GRACE_MS)])));
    }
  }

  async stop(): Promise<void> {
    Atomics.store(this.#control, ST_STOP, 2);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    this.#workers.length = 0;
  }

  #watch(onPulse: (pulse: StressPulse) => void, late: AbortController, signal?: AbortSignal): NodeJS.Timeout {
    const control = this.#control;
    let seen = -1;
    let since = performance.now();
    return setInterval(() => {
      const samples = Atomics.load(control, ST_SAMPLES);
      const now = performance.now();
      onPulse({ samples, forbidden: Atomics.load(control, ST_FORBIDDEN) });
      if (signal?.aborted) Atomics.store(control, ST_ENOUGH, 1);
      if (samples !== seen) {
        seen = samples;
        since = now;
      } else if (now - since > STUCK_MS + GRACE_MS) late.abort();
      else if (now - since > STUCK_MS) this.#end();
    }, LOOK_MS);
  }

  /** Who naps leaves; who sleeps until the next sample wakes. */
  #end(): void {
    Atomics.store(this.#control, ST_STOP, 2);
    Atomics.notify(this.#control, ST_GO);
  }

  async #message(worker: Worker, late: AbortSignal, what: string, signal?: AbortSignal): Promise<StressMessage> {
    const any = AbortSignal.any([...(signal ? [signal] : []), late]);
    try {
      const message = await workerMessage<StressMessage>(worker, 'stress: a worker ended', any);
      if ('error' in message) throw new SmpallocError('ESMP_INPUT', `stress: ${message.error}`);
      return message;
    } catch (cause) {
      if (cause !== late.reason) throw cause;
      throw new SmpallocError('ESMP_TIMEOUT', `stress: ${what}`);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
