/**
 * vcpu.ts — 'smpalloc/vcpu': a worker of yours becomes a virtual CPU of a machine.
 *
 *     // main thread                                  // worker
 *     const machine = await boot({ attach: 2 });      const vcpu = await attach();
 *     const ticket = machine.ticket();                 const p = vcpu.kmalloc(64, vcpu.mallocType('node'), M_WAITOK);
 *     new Worker(url, { workerData: { smpalloc: ticket } });
 */
import { workerData } from 'node:worker_threads';
import { SmpallocError } from './base/errors.js';
import type * as Engine from './engine.js';
import { engineUrl } from './host/root.js';
import { BINDING, type CpuTicket } from './hw/ticket.js';
import { SB_MAGIC, SUPERBLOCK_MAGIC } from './hw/superblock.layout.js';

export { M_NOWAIT, M_NULLOK, M_POWEROF2, M_WAITOK, M_ZERO, ZERO_LENGTH_PTR } from './kern/malloc.js';
export type { CpuTicket } from './hw/ticket.js';

export interface Vcpu {
  readonly cpu: number;
  /** the machine's memory as 32-bit words (index: address >>> 2), bytes, and 64-bit floats (address >>> 3) */
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly f64: Float64Array;
  /** @see Engine.kmalloc */
  readonly kmalloc: typeof Engine.kmalloc;
  readonly kfree: typeof Engine.kfree;
  readonly krealloc: typeof Engine.krealloc;
  readonly kstrdup: typeof Engine.kstrdup;
  /** bytes one may use of a block: its size rounded up to its class */
  readonly usable: typeof Engine.kmallocUsable;
  /** finds or defines a malloc type by name (31 characters); 0 when the machine has no room for another */
  mallocType(name: string): number;
  /** a typed view on a block */
  int32(ptr: number, length: number): Int32Array;
  bytes(ptr: number, length: number): Uint8Array;
  float64(ptr: number, length: number): Float64Array;
  /** serves pending interrupts: call it now and then in long stretches without kmalloc and kfree */
  poll(): void;
  /** everything else, for the curious */
  readonly engine: typeof Engine;
  /** stops being a CPU: its reserves go back, its messages are served to the end */
  detach(): void;
}

/** an isolate has one engine, and that one machine */
let bound = false;

/**
 * Makes the calling worker a CPU.
 * @param ticket from Machine.ticket(); default: workerData.smpalloc
 * @throws SmpallocError ESMP_UNBOUND without a usable ticket, ESMP_OPTION when the worker is a CPU already
 */
export async function attach(ticket: CpuTicket | undefined = workerData?.smpalloc): Promise<Vcpu> {
  if (!(ticket?.heap instanceof SharedArrayBuffer) || new Int32Array(ticket.heap)[SB_MAGIC] !== SUPERBLOCK_MAGIC) {
    throw new SmpallocError(
      'ESMP_UNBOUND',
      'attach: no ticket. Start the worker with workerData: { smpalloc: machine.ticket() }, or pass attach(ticket)',
    );
  }
  if (bound) throw new SmpallocError('ESMP_OPTION', 'attach: this worker is a CPU already, that one for life');
  bound = true;
  (globalThis as { [BINDING]?: CpuTicket })[BINDING] = ticket;
  const engine = (await import(engineUrl(ticket.heap, 'engine.js').href)) as typeof Engine;
  engine.cpuStartup();
  engine.phaseEnter();
  let attached = true;
  void engine.idleLoop(() => {});
  return {
    cpu: ticket.cpu,
    i32: engine.i32,
    u8: engine.u8,
    f64: engine.f64,
    kmalloc: engine.kmalloc,
    kfree: engine.kfree,
    krealloc: engine.krealloc,
    kstrdup: engine.kstrdup,
    usable: engine.kmallocUsable,
    mallocType: engine.mallocTypeCreate,
    int32: (ptr, length) => new Int32Array(ticket.heap, ptr, length),
    bytes: (ptr, length) => new Uint8Array(ticket.heap, ptr, length),
    float64: (ptr, length) => new Float64Array(ticket.heap, ptr, length),
    poll: engine.splz,
    engine,
    detach: () => {
      if (!attached) return;
      attached = false;
      engine.cpuOffline();
      engine.phaseLeave();
    },
  };
}
