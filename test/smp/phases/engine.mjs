/** engine.mjs — the engine for the allocator and in the flavour of the machine this isolate is a CPU of. */
import { workerData } from 'node:worker_threads';

const SB_INVARIANTS = 9;
const SB_ALLOC = 15;
const superblock = new Int32Array(workerData.smpalloc.heap);
const flavour = superblock[SB_INVARIANTS] !== 0 ? 'invariants' : 'release';
const allocator = ['dragonfly', 'freebsd'][superblock[SB_ALLOC]];

/** @type {typeof import('../../../src/engine.js')} */
export const engine = await import(`../../../dist/${allocator}/${flavour}/engine.js`);
