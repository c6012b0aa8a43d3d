/** job.ts — entry point of a piscina worker: independent experiments that share no machine. */
export { prepareReplay } from '../src/host/prepare_replay.js';
export { modelJob } from '../src/lab/model/job.js';
export { raceJob } from '../src/lab/farm/job.js';
