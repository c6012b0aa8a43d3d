/**
 * model_farm.ts — lanes for cells of the model (piscina): each a thread of its own, renewed after some cells, since an
 * engine that was loaded for one stays as long as its thread.
 */
import type { Piscina } from 'piscina';
import { type Answer, errorOf } from './plain_error.js';
import { distUrl } from './root.js';

/** Words a cell shares with its owner. */
export const CELL_STOP = 0;
/** operations done of what is under way, and how much of the whole cell that was, in thousandths */
export const CELL_DONE = 1;
export const CELL_PART = 2;
const CELL_WORDS = 4;

/** cells a thread does before it is renewed */
const RENEW_AFTER = 6;

/** What a farm has to know of a task; the rest is the job's. */
export interface ModelTask {
  /** how much work it is, beside the others */
  readonly weight: number;
}

export class ModelFarm {
  readonly #lanes: number;
  /** of each task under way, and how much it is */
  readonly #beats = new Map<Int32Array, number>();
  #finished = 0;

  constructor(lanes: number) {
    this.#lanes = lanes;
  }

  /** Weight of what is done, tasks under way counted by how far they are. */
  get done(): number {
    let sum = this.#finished;
    for (const [beat, weight] of this.#beats) sum += (weight * Atomics.load(beat, CELL_PART)) / 1000;
    return sum;
  }

  /**
   * Runs every task; those under way when `signal` aborts are ended, those not begun are not.
   * @param job name of the function of workers/job.ts
   * @throws what a task threw, after all others have been stopped
   */
  async run<T>(
    job: string, tasks: readonly ModelTask[], signal: AbortSignal, onDone: (value: T) => void,
  ): Promise<void> {
    const queue = [...tasks];
    const failed = new AbortController();
    const stop = AbortSignal.any([signal, failed.signal]);
    stop.addEventListener('abort', () => {
      for (const beat of this.#beats.keys()) Atomics.store(beat, CELL_STOP, 1);
    });
    const lane = async (): Promise<void> => {
      while (queue.length > 0 && !stop.aborted) await this.#shift<T>(job, queue, stop, onDone);
    };
    const lanes = Array.from({ length: Math.min(this.#lanes, tasks.length) }, lane);
    for (const one of lanes) one.catch((cause) => failed.abort(cause));
    await Promise.allSettled(lanes);
    await Promise.all(lanes);
  }

  /** A thread's life. */
  async #shift<T>(job: string, queue: ModelTask[], stop: AbortSignal, onDone: (value: T) => void): Promise<void> {
    const pool = await start();
    try {
      for (let n = 0; n < RENEW_AFTER && queue.length > 0 && !stop.aborted; n++) {
        const beat = new Int32Array(new SharedArrayBuffer(CELL_WORDS * 4));
        const { weight, ...task } = queue.shift()!;
        this.#beats.set(beat, weight);
        try {
          const answer: Answer<T> = await pool.run({ ...task, beat }, { name: job });
          if (answer.ok) {
            this.#finished += weight;
            onDone(answer.value);
          } else if (!stop.aborted) throw errorOf(answer.error);
        } finally {
          this.#beats.delete(beat);
        }
      }
    } finally {
      await pool.destroy();
    }
  }
}

async function start(): Promise<Piscina> {
  const { Piscina } = await import('piscina');
  return new Piscina({ filename: distUrl('job.js').href, minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 1 });
}
