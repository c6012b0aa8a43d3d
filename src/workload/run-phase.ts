/**
 * run-phase.ts — a phase function found, run and judged on one CPU.
 *
 * A panic is already in the machine's memory when it gets here. Any other exception becomes one: the CPU's siblings may
 * be waiting for it at a barrier, and only a panic wakes them.
 */
import { KernelPanic } from '../base/errors.js';
import type { PhaseCall, PhasePart, PhaseResult } from '../base/protocol.js';
import { SB_EXCEPTION_BYTES } from '../hw/superblock.layout.js';
import { panicException } from '../kern/panic.js';
import { phaseEnter, phaseLeave } from './phase.js';

export type PhaseFunction = (part: PhasePart, ...args: never[]) => unknown;

const BUILT_IN = 'smpalloc:workloads';

export async function runPhase(call: PhaseCall): Promise<PhaseResult> {
  try {
    const phase = await findPhase(call);
    phaseEnter();
    const value = await phase(call.part, ...(call.args as never[]));
    phaseLeave();
    return { ok: true, value, cpuMs: null };
  } catch (error) {
    return failed(error);
  }
}

async function findPhase(call: PhaseCall): Promise<PhaseFunction> {
  const url = call.module === BUILT_IN ? new URL('./workloads.js', import.meta.url).href : call.module;
  const exports = (await import(url)) as Record<string, unknown>;
  const phase = exports[call.name];
  if (typeof phase === 'function') return phase as PhaseFunction;
  const names = Object.keys(exports).join(', ');
  throw new TypeError(`${call.module} exports no function '${call.name}' (it has: ${names})`);
}

function failed(error: unknown): PhaseResult {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  // the phase's bundle has a KernelPanic class of its own
  if (name === 'KernelPanic') return { ok: false, kind: 'panic', message, stack: stack ?? '' };
  recordException(`${name}: ${message}`);
  return { ok: false, kind: 'error', message, stack: stack ?? '' };
}

function recordException(text: string): void {
  try {
    panicException(new TextEncoder().encode(text).subarray(0, SB_EXCEPTION_BYTES));
  } catch (stop) {
    if (!(stop instanceof KernelPanic)) throw stop;
  }
}
