/** engine.mjs — the engine in the flavour of the machine this isolate is a CPU of. */
import { workerData } from 'node:worker_threads';

const SB_INVARIANTS = 9;
const flavour = new Int32Array(workerData.smpalloc.heap)[SB_INVARIANTS] !== 0 ? 'invariants' : 'release';

/** @type {typeof import('../../../src/engine.js')} */
export const engine = await import(`../../../dist/${flavour}/engine.js`);
