/**
 * phase_engine.ts — 'smpalloc/engine': the engine for phases of yours, in the flavour the machine runs.
 *
 *     // phase.js, run with machine.run(new URL('./phase.js', import.meta.url), 'work', [...])
 *     import { kmalloc, kfree, M_WAITOK } from 'smpalloc/engine';
 *     export function work(part, type) { ... }
 *
 * Only in a worker that is a CPU: the machine must be known when this is imported.
 */
import type * as Engine from './engine.js';
import { engineUrl } from './host/root.js';
import { ticket } from './hw/bind.js';

const engine = (await import(engineUrl(ticket.heap, 'engine.js').href)) as typeof Engine;

export const {
  kmalloc, kfree, krealloc, kstrdup, kmallocUsable, kmallocRaiseLimit, mallocUninit, reclaim, slabCleanup, uma,
  M_INTNOWAIT, M_INTWAIT, M_NOWAIT, M_NULLOK, M_PASSIVE_ZERO, M_POWEROF2, M_RNOWAIT, M_WAITOK, M_ZERO, ZERO_LENGTH_PTR,
  curcpu, NCPU, f64, i32, i64, u8,
  critEnter, critExit, gangBarrier, mtxLock, mtxTrylock, mtxUnlock, splz,
  tsleep, tsleepInterlock, wakeup, wakeupOne,
  mallocTypeCreate, mallocTypeFind, mallocTypeInuse, mallocTypeMemuse, mallocTypeRequests,
  ENOENT, ipiqRegister, lwktSendIpiq, lwktSendIpiqNowait, lwktSendIpiqPassive, lwktSynchronizeIpiqs, lwktWaitIpiq,
  lwktCpusyncSimple, lwktCpusyncInterlock, lwktCpusyncDeinterlock,
} = engine;
