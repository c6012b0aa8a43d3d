/** jobs.ts — the farm for experiments that share no machine (piscina): more of them than cores wait their turn. */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { PreparedReplay } from './prepare_replay.js';
import { distUrl } from './root.js';

export class Jobs {
  readonly #pool = new Piscina({
    filename: distUrl('job.js').href,
    minThreads: 0,
    maxThreads: availableParallelism(),
    idleTimeout: 0,
  });

  prepareReplay(path: string, cpus: number, signal?: AbortSignal): Promise<PreparedReplay> {
    return this.#pool.run({ path, cpus }, { name: 'prepareReplay', ...(signal && { signal }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}
