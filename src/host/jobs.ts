/** jobs.ts — the farm for experiments that share no machine (piscina): more of them than cores wait their turn. */
import { availableParallelism } from 'node:os';
import type { Piscina } from 'piscina';
import type { PreparedReplay } from './prepare_replay.js';
import { distUrl } from './root.js';

export class Jobs {
  #pool: Promise<Piscina> | null = null;

  /** Loaded when it is wanted: most commands want no farm, and it would be a seventh of their start. */
  async #start(): Promise<Piscina> {
    const { Piscina } = await import('piscina');
    return new Piscina({
      filename: distUrl('job.js').href,
      minThreads: 0,
      maxThreads: availableParallelism(),
      idleTimeout: 0,
    });
  }

  async prepareReplay(path: string, cpus: number, signal?: AbortSignal): Promise<PreparedReplay> {
    this.#pool ??= this.#start();
    const pool = await this.#pool;
    return pool.run({ path, cpus }, { name: 'prepareReplay', ...(signal && { signal }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#pool)?.destroy();
  }
}
