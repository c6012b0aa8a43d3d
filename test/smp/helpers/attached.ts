/** attached.ts — workers of a user's own that became CPUs, asked over a message port what to do. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import type { CpuTicket, Machine } from '../../../src/index.js';

export interface Attached {
  readonly cpu: number;
  readonly worker: Worker;
  /** settles with the worker's exit code */
  readonly ended: Promise<number>;
  /** calls one of phases/attached.mjs in the worker */
  ask<T>(what: string, ...args: unknown[]): Promise<T>;
}

/** Starts a worker that attaches itself. @param ticket default: the machine's next */
export async function attached(m: Machine, ticket: CpuTicket = m.ticket()): Promise<Attached> {
  const worker = new Worker(new URL('../phases/attached.mjs', import.meta.url), { workerData: { smpalloc: ticket } });
  m.adopt(worker, ticket);
  onTestFinished(async () => void (await worker.terminate()));
  const ended = once(worker, 'exit').then(([code]) => code as number);
  await once(worker, 'message');
  return {
    cpu: ticket.cpu,
    worker,
    ended,
    async ask<T>(what: string, ...args: unknown[]) {
      worker.postMessage({ what, args });
      const [{ value, error }] = (await once(worker, 'message')) as [{ value: T; error?: string }];
      if (error) throw new Error(error);
      return value;
    },
  };
}
