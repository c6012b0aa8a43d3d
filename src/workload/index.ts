/** index.ts — the built-in phases, module 'smpalloc:workloads' of Machine.run. */
import './mi_startup.js';

export * from './phases.js';
