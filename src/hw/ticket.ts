/** ticket.ts — how an isolate is told which CPU of which machine it is, before any engine code is evaluated. */

/** What makes an isolate a CPU of a machine; made by Machine.ticket(). */
export interface CpuTicket {
  readonly heap: SharedArrayBuffer;
  readonly cpu: number;
}

export const BINDING = Symbol.for('smpalloc.binding');
