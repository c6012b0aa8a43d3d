/**
 * engine.ts — the machine from the inside, for code that runs on a CPU: phases of yours, and attach().
 *
 * Importing this binds the isolate to its machine, which must be known by then (workerData.smpalloc).
 */
export {
  M_INTNOWAIT, M_INTWAIT, M_NOWAIT, M_NULLOK, M_PASSIVE_ZERO, M_POWEROF2, M_RNOWAIT, M_WAITOK, M_ZERO,
  ZERO_LENGTH_PTR,
} from './kern/malloc.js';
export { slabCleanup } from './dragonfly/slab_cleanup.js';
export * as uma from './freebsd/uma_api.js';
export { curcpu } from './hw/curcpu.js';
export { f64, i32, i64, u8 } from './hw/heap.js';
export { critEnter, critExit } from './kern/critical.js';
export { gangBarrier } from './kern/gang.js';
export { lwktCpusyncDeinterlock, lwktCpusyncInterlock, lwktCpusyncSimple } from './kern/lwkt_cpusync.js';
export { NCPU } from './kern/globaldata.js';
export { mtxLock, mtxTrylock, mtxUnlock } from './kern/kern_mutex.js';
export { mallocTypeInuse, mallocTypeMemuse, mallocTypeRequests } from './kern/malloc_stats.js';
export { mallocTypeFind } from './kern/malloc_type.js';
export {
  ENOENT, ipiqRegister, lwktSendIpiq, lwktSendIpiqNowait, lwktSendIpiqPassive, lwktSynchronizeIpiqs, lwktWaitIpiq,
} from './kern/lwkt_ipiq.js';
export { splz } from './kern/splz.js';
export { tsleep, tsleepInterlock, wakeup, wakeupOne } from './kern/sleep.js';
export {
  kfree, kmalloc, kmallocRaiseLimit, kmallocUsable, krealloc, kstrdup, mallocTypeCreate, mallocUninit, reclaim,
} from './workload/allocator.js';
export { idleLoop } from './workload/idle.js';
export { cpuOffline, cpuStartup } from './workload/mi_startup.js';
export { phaseEnter, phaseLeave } from './workload/phase.js';
