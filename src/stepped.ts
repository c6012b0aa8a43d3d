/**
 * stepped.ts — entry of the stepped flavour: the engine, and the controls of its scheduler.
 *
 * One copy of this module is one machine: its memory is bound when it is loaded (hw/bind.ts), its policies are
 * constants from then on. The explorer (lab/) loads a copy for each configuration.
 */
export * as engine from './engine.js';
export * as access from './hw/stepped/access.js';
export * as entity from './hw/stepped/entity.js';
export * as failure from './hw/stepped/failure.js';
export * as journal from './hw/stepped/journal.js';
export * as shadow from './hw/stepped/shadow.js';
export * as run from './hw/stepped/run.js';
export { curcpu } from './hw/curcpu.js';
export * as atomics from './hw/atomics.js';
export * as cpufunc from './hw/cpufunc.js';
export * as intr from './hw/intr.js';
export * as gd from './kern/globaldata.js';
export * as ipif from './base/ipif.js';
export * as mtx from './kern/kern_mutex.js';
export * as ipiq from './kern/lwkt_ipiq.js';
export * as stats from './kern/malloc_stats.js';
export * as sleep from './kern/sleep.js';
export * as pause from './kern/pause.js';
export { intrDisable, intrRestore } from './kern/critical.js';
export * as uma from './freebsd/uma_api.js';
export * as vm from './vm/vm_page.js';
export { zoneOf } from './dragonfly/slglobaldata.js';
export { auditDrain, auditMachine } from './workload/audit.js';
export * as phases from './workload/phases.js';
