/** smpalloc — public API of the main thread; a worker of yours becomes a CPU with 'smpalloc/vcpu'. */
export { KernelPanic, SmpallocError, type ErrorCode } from './base/errors.js';
export {
  ALLOC_NAMES, FREE_NAMES, MTX_NAMES, STATS_NAMES, type AllocName, type FreePolicy, type MutexForm, type StatsPolicy,
} from './base/policy.js';
export type { PhasePart } from './base/protocol.js';
export type { CpuTicket } from './hw/ticket.js';
export { type Core, type CoreHeader, openCore, readCore } from './host/core.js';
export type { MallocFailure } from './host/fail_malloc.js';
export { boot, Machine, MachinePanic, type RunOptions } from './host/machine.js';
export type { BootOptions, Configuration } from './host/options.js';
export { ddb as ddbCommand, type DdbState, ddbState } from './observe/ddb/ddb.js';
export { mallocProfile, type ProfileRow } from './observe/malloc_profile.js';
export { mallocTypes, type TypeUsage } from './observe/malloc_types.js';
export { Memory, sysctlNames } from './observe/memory.js';
export { kernelMessages } from './observe/msgbuf.js';
export { panicRecord, panicReport, type PanicRecord } from './observe/panic_report.js';
export { parseRecord, readRecord, RECORD_SCHEMA, type RunRecord } from './report/record.js';
export type { Audit } from './workload/audit.js';
