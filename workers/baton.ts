/** baton.ts — entry point of a worker that is one entity of an execution replayed on real threads. */
import { parentPort, workerData } from 'node:worker_threads';
import type { BatonMessage, BatonTask } from '../src/base/baton.js';
import { BatonTurns, OVER } from '../src/host/baton_turns.js';
import { type RealSetup, realEntity } from '../src/lab/farm/real_entity.js';

const port = parentPort;
if (!port) throw new Error('baton.js is a worker: replayReal() starts it');
const { control, heap, entity, setup } = workerData as BatonTask<RealSetup>;
const say = (message: BatonMessage): void => port.postMessage(message);

try {
  const turns = new BatonTurns(control, entity);
  const play = await realEntity(setup, heap, entity, turns);
  port.on('message', () => {
    let thrown: string | null = null;
    try {
      play();
    } catch (error) {
      if (error !== OVER) thrown = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
    turns.finished();
    say({ finished: true, thrown });
  });
  say({ ready: true });
} catch (error) {
  say({ error: error instanceof Error ? error.message : String(error) });
}
