/** probe.ts — entry point of a worker that is one of the two threads of a probe. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ProbeMessage } from '../src/host/probe.js';
import { measure, type ProbeTask, playAlong } from '../src/host/probe_loops.js';

const port = parentPort;
if (!port) throw new Error('probe.js is a worker: measureHost() starts it');
const say = (message: ProbeMessage): void => port.postMessage(message);

try {
  if ((workerData as ProbeTask).role === 'partner') {
    // stays until it is ended: only its death would be news
    playAlong();
    setInterval(() => {}, 60_000);
  } else say(measure());
} catch (error) {
  say({ error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
}
