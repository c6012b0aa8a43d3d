/**
 * link.ts — a comlink channel to a worker that may die.
 *
 * Comlink alone would leave a call to a dead worker pending for ever. Every call is raced against the worker's end, so
 * it settles in any case.
 */
import type { Worker } from 'node:worker_threads';
import { type Remote, releaseProxy, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

export interface WorkerEnd {
  readonly exitCode: number;
  readonly error: Error | null;
}

export interface Link<T> {
  readonly remote: Remote<T>;
  /** resolves when the worker has ended, whyever */
  readonly ended: Promise<WorkerEnd>;
  /** the call's result, or null when the worker ends first */
  race<R>(call: Promise<R>): Promise<R | null>;
  /** ends the worker; may be called again */
  close(): Promise<void>;
}

export function link<T>(worker: Worker): Link<T> {
  let error: Error | null = null;
  const remote = wrap<T>(nodeEndpoint(worker));
  const ended = new Promise<WorkerEnd>((resolve) => {
    worker.on('error', (cause) => {
      error = cause;
    });
    worker.once('exit', (exitCode) => resolve({ exitCode, error }));
  });
  const gone = ended.then(() => null);
  let closing: Promise<unknown> | undefined;
  const end = () => {
    remote[releaseProxy]();
    return worker.terminate();
  };
  return {
    remote,
    ended,
    race: (call) => Promise.race([call, gone]),
    close: async () => {
      // a released proxy refuses even to be released
      closing ??= end();
      await closing;
    },
  };
}
