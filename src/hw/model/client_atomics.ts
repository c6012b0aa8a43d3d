/** client_atomics.ts — hw/atomics.ts for the workload: what it publishes itself is counted apart from the allocator. */
export * from '../stepped/atomics.js';
export { load, store } from './client.js';
