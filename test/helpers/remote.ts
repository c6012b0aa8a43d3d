/** remote.ts — chunks of CPU 0 freed by CPU 1. */
import { INTR_TICK } from '../../src/hw/intr.layout.js';
import type { BootOptions } from '../../src/host/options.js';
import { type Inside, inside } from './inside.js';

/** policies whose chunks wait in z_RChunks, and whose exhausted zones ask to be told */
export const LINKED = ['rchunks', 'rcount', 'rsignal2', 'rtagged', 'rbatch'] as const;

/** A machine whose signals interrupt, and a type of memory. */
export async function start(options: BootOptions): Promise<[m: Inside, type: number]> {
  const m = await inside({ signalDelay: 0, ...options });
  return [m, m.mallocTypeCreate('temp')];
}

/** messages about zones and chunks that were sent */
export const signals = (m: Inside): number => m.sysctl('kern.slab.signals');

/** The clock of this CPU ticks. */
export function tick(m: Inside): void {
  m.intr.intrRaise(m.engine.curcpu, INTR_TICK);
  m.splz();
}

/** CPU 1 frees, and sends its open batches. */
export function freeOn1(m: Inside, chunks: readonly number[], type: number): void {
  m.on(1, () => {
    for (const chunk of chunks) m.kfree(chunk, type);
    tick(m);
  });
}
