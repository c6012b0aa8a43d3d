/** litmus.ts — entry point of a worker that is one thread of a litmus test. */
import { parentPort, workerData } from 'node:worker_threads';
import type { LitmusMessage, LitmusTask } from '../src/base/litmus.js';
import { playActor } from '../src/lab/litmus/actor.js';

const port = parentPort;
if (!port) throw new Error('litmus.js is a worker: runLitmus() starts it');
const say = (message: LitmusMessage): void => port.postMessage(message);

try {
  say({ finished: true, tally: playActor(workerData as LitmusTask) });
} catch (error) {
  say({ error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
}
