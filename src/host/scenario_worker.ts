/** scenario_worker.ts — workers that play scenarios: started, and what one says next, unless it dies before. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { SmpallocError } from '../base/errors.js';
import { distUrl } from './root.js';

/** @param file of dist/ @param workerData what it is to play */
export function startWorker(file: string, name: string, workerData: object): Worker {
  const execArgv = process.execArgv.filter((arg) => !arg.startsWith('--input-type'));
  const worker = new Worker(distUrl(file), { name, execArgv, workerData });
  // whoever waits for its message is told
  worker.on('error', () => {});
  return worker;
}

/**
 * @param gone how a message about its death begins: 'litmus SB: actor 1 died'
 * @returns its next message
 * @throws SmpallocError ESMP_HALTED when it throws or ends; the reason of `signal`
 */
export async function workerMessage<T>(worker: Worker, gone: string, signal: AbortSignal): Promise<T> {
  const settled = new AbortController();
  const any = AbortSignal.any([signal, settled.signal]);
  try {
    return await Promise.race([
      once(worker, 'message', { signal: any }).then(([message]) => message as T),
      once(worker, 'exit', { signal: any }).then(([code]): never => {
        throw new SmpallocError('ESMP_HALTED', `${gone} with code ${code}`);
      }),
    ]);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (SmpallocError.is(cause)) throw cause;
    throw new SmpallocError('ESMP_HALTED', `${gone}: ${(cause as Error).message}`, { cause });
  } finally {
    settled.abort();
  }
}
