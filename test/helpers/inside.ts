/**
 * inside.ts — a machine in the test's own thread: the engine from source, with all checks, one thread for all CPUs.
 *
 * The engine's views and boot constants belong to a module graph, so every machine gets a fresh one. `as(cpu)` makes the
 * thread that CPU from then on; interrupts are served where a CPU would serve them (critical section exits, splz).
 */
import { vi } from 'vitest';
import { format } from '../../src/host/format.js';
import { type BootOptions, configure } from '../../src/host/options.js';
import { BINDING } from '../../src/hw/ticket.js';
import { Memory } from '../../src/observe/memory.js';

export async function inside(options: BootOptions = {}) {
  const configuration = configure({ cpus: 2, memory: '16MiB', invariants: true, ...options });
  const heap = format(configuration);
  (globalThis as Record<symbol, unknown>)[BINDING] = { heap, cpu: 0 };
  vi.resetModules();
  const curcpu = await import('../../src/hw/curcpu.switch.js');
  const engine = await import('../../src/engine.js');
  const audit = await import('../../src/workload/audit.js');
  const as = (cpu: number): void => curcpu.switchCpu(cpu);
  const ncpu = configuration.cpus + configuration.attach;
  for (let cpu = 0; cpu < ncpu; cpu++) {
    as(cpu);
    engine.cpuStartup();
  }
  as(0);
  return {
    ...engine,
    /** live bindings of a module graph must be read through it */
    engine,
    configuration,
    memory: new Memory(heap),
    as,
    /** serves every CPU's interrupts and the passive messages, `rounds` times, then audits */
    quiesceAndAudit(rounds = 3) {
      for (let round = 0; round < rounds; round++) {
        for (let cpu = 0; cpu < ncpu; cpu++) {
          as(cpu);
          audit.auditDrain();
        }
      }
      as(0);
      return audit.auditMachine();
    },
  };
}

export type Inside = Awaited<ReturnType<typeof inside>>;

/** Code of the panic that `act` provokes, 0 when it provokes none. */
export function panicCodeOf(act: () => unknown): number {
  try {
    act();
    return 0;
  } catch (error) {
    const code = (error as { panicCode?: number }).panicCode;
    if (code === undefined) throw error;
    return code;
  }
}
