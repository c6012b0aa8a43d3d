/**
 * modelled.ts — entry of the modelled form: the engine in virtual time, its programs, and the model's controls.
 *
 * One copy of this module is one machine, as with stepped.ts.
 */
export * as engine from './engine.js';
export * as access from './hw/model/access.js';
export * as costs from './hw/model/costs.js';
export * as run from './hw/model/run.js';
export { remote } from './hw/model/sdt.js';
export * as tally from './hw/model/tally.js';
export { sizeAt } from './workload/allocator.js';
export { auditDrain, auditMachine } from './workload/audit.js';
export { larsonFill } from './workload/larson.js';
export * as phases from './workload/phases.js';
export * as programs from './workload/programs.js';
export { XQ_LEFT } from './workload/xmalloc.js';
