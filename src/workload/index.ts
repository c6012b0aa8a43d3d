/** index.ts — the built-in phases, module 'smpalloc:workloads' of Machine.run. */
export * from './phases.js';
