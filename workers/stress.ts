/** stress.ts — entry point of a worker that is one CPU of a stress run. */
import { parentPort, workerData } from 'node:worker_threads';
import type { StressMessage, StressOrder, StressTask } from '../src/base/stress.js';
import { type StressSetup, stressActor } from '../src/lab/stress/actor.js';

const port = parentPort;
if (!port) throw new Error('stress.js is a worker: StressGang starts it');
// whatever a scenario prints goes to stderr: stdout is data
for (const name of ['log', 'info', 'debug'] as const) console[name] = console.error;
const { pages, cpu, setup } = workerData as StressTask<StressSetup>;
const say = (message: StressMessage): void => port.postMessage(message);
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

try {
  const run = await stressActor(setup, pages, cpu);
  port.on('message', (order: StressOrder) => {
    try {
      say({ finished: true, report: run(order) });
    } catch (error) {
      say({ error: textOf(error) });
    }
  });
  say({ ready: true });
} catch (error) {
  say({ error: textOf(error) });
}
