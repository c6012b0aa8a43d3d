/**
 * baton.ts — real workers, one an entity, that make the accesses of an execution in their order on one shared memory.
 *
 *   start   one worker after the other sets the scenario up on the shared memory, and so has its operations
 *   run     memory and order are written, all begin, each waits for its turn; over when every worker has said so
 *
 * Nothing here waits for ever: a run has a time limit and may be aborted, a worker that dies or hangs ends all.
 */
import type { Worker } from 'node:worker_threads';
import {
  BATON_RUNNING, type BatonMessage, type BatonStep, type BatonTask, BT_DIFFERS, BT_ENTITY, BT_KIND, BT_LENGTH, BT_ORDER,
  BT_POSITION, BT_RESULT, BT_STATE, BT_STEP_WORDS, BT_WORD,
} from '../base/baton.js';
import { SmpallocError } from '../base/errors.js';
import { endBaton } from './baton_turns.js';
import { startWorker, workerMessage } from './scenario_worker.js';

const SETUP_MS = 20_000;
const RUN_MS = 10_000;
/** after the end of a run: how long a worker may take to notice */
const GRACE_MS = 2000;

export interface BatonRun {
  /** the first access that was not as expected */
  readonly differs: { readonly step: number; readonly entity: number; readonly kind: number; readonly word: number;
    readonly result: number } | null;
  /** exceptions, by entity */
  readonly thrown: ReadonlyMap<number, string>;
}

export class Baton<Setup> {
  readonly #heap: SharedArrayBuffer;
  readonly #control: Int32Array;
  readonly #steps: readonly BatonStep[];
  readonly #workers = new Map<number, Worker>();

  constructor(heap: SharedArrayBuffer, steps: readonly BatonStep[]) {
    this.#heap = heap;
    this.#steps = steps;
    this.#control = new Int32Array(new SharedArrayBuffer((BT_ORDER + steps.length * BT_STEP_WORDS) * 4));
    steps.forEach((step, n) => {
      this.#control.set([step.entity, step.kind, step.word, step.result], BT_ORDER + n * BT_STEP_WORDS);
    });
  }

  /**
   * Starts a worker for each entity of the order. Setting up writes to the memory, so it is one at a time.
   * @param before done before each: brings the memory to its beginning
   */
  async start(setup: Setup, before: () => void, signal?: AbortSignal): Promise<void> {
    const control = this.#control.buffer as SharedArrayBuffer;
    for (const entity of new Set(this.#steps.map((step) => step.entity))) {
      before();
      const task: BatonTask<Setup> = { control, heap: this.#heap, entity, setup };
      const worker = startWorker('baton.js', `baton${entity}`, task);
      this.#workers.set(entity, worker);
      const message = await this.#message(worker, SETUP_MS, 'to set up', signal);
      if ('error' in message) throw new SmpallocError('ESMP_INPUT', `replay on workers: ${message.error}`);
    }
  }

  /** One run. @throws SmpallocError ESMP_TIMEOUT, ESMP_HALTED when a worker hangs or dies; what `signal` says */
  async run(signal?: AbortSignal): Promise<BatonRun> {
    const control = this.#control;
    control.fill(0, BT_STATE, BT_ORDER);
    control[BT_LENGTH] = this.#steps.length;
    control[BT_POSITION] = 0;
    Atomics.store(control, BT_STATE, BATON_RUNNING);
    const thrown = new Map<number, string>();
    const ends = [...this.#workers].map(async ([entity, worker]) => {
      const message = await this.#message(worker, RUN_MS, 'for a run', signal);
      if ('finished' in message && message.thrown !== null) thrown.set(entity, message.thrown);
    });
    for (const worker of this.#workers.values()) worker.postMessage('run');
    try {
      await Promise.all(ends);
    } catch (cause) {
      endBaton(control);
      await Promise.race([Promise.allSettled(ends), new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref())]);
      throw cause;
    }
    const step = Atomics.load(control, BT_DIFFERS);
    const differs = step === 0 ? null : {
      step, entity: control[BT_ENTITY]!, kind: control[BT_KIND]!, word: control[BT_WORD]!, result: control[BT_RESULT]!,
    };
    return { differs, thrown };
  }

  async stop(): Promise<void> {
    endBaton(this.#control);
    await Promise.all([...this.#workers.values()].map((worker) => worker.terminate()));
    this.#workers.clear();
  }

  async #message(worker: Worker, ms: number, what: string, signal?: AbortSignal): Promise<BatonMessage> {
    const late = AbortSignal.timeout(ms);
    const any = AbortSignal.any([...(signal ? [signal] : []), late]);
    try {
      return await workerMessage<BatonMessage>(worker, 'replay on workers: a worker ended', any);
    } catch (cause) {
      if (cause !== late.reason) throw cause;
      throw new SmpallocError('ESMP_TIMEOUT', `replay on workers: not done after ${ms} ms ${what}`);
    }
  }
}
