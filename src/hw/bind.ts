/**
 * bind.ts — which machine this isolate is a CPU of: the one place below host/ that knows about workers.
 *
 * The views in heap.ts are module-level constants, which is what lets V8 fold them; so the heap has to be known when
 * they are evaluated. It comes from `workerData.smpalloc` (a worker started as a CPU) or from a global set just before
 * the engine is imported (attach, tests).
 */
import { workerData } from 'node:worker_threads';
import { SmpallocError } from '../base/errors.js';
import { BINDING, type CpuTicket } from './ticket.js';

function findTicket(): CpuTicket {
  const ticket = (globalThis as { [BINDING]?: CpuTicket })[BINDING] ?? workerData?.smpalloc;
  if (ticket?.heap instanceof SharedArrayBuffer && Number.isInteger(ticket.cpu)) return ticket;
  throw new SmpallocError(
    'ESMP_UNBOUND',
    'no machine is bound here: start the worker with workerData { smpalloc: machine.ticket() } or await attach(ticket)',
  );
}

export const ticket: CpuTicket = findTicket();
