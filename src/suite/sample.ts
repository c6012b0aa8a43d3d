/**
 * sample.ts — what is counted, not timed: locked operations, and bytes given against bytes asked for.
 *
 * Each count has a machine of its own, and a pass: the invariants flavour counts locked operations
 * (its debug layers are off: what is left is the allocator's), MALLOC_PROFILE counts requests and takes the slow path.
 * No malloc is made to fail there, and nobody watches.
 */
import type { Machine } from '../host/machine.js';
import type { BootOptions } from '../host/options.js';
import { mallocProfile, profileSince, profileTotal, wastePercent } from '../observe/malloc_profile.js';
import { type SuiteOptions, type Traffic, withMachines } from './suite.js';

export interface Count {
  /** locked operations of all CPUs, and what they were for */
  readonly locked: number;
  readonly ops: number;
}

/** Sets a machine up, and warms it up where that matters. @returns the run that is counted */
export type Counting = (machine: Machine) => Promise<() => Promise<Count>>;

export type Sample = Pick<Traffic, 'lockedPerOp' | 'waste'>;

const PLAIN = { 'debug.malloc.failure_rate': 0, 'debug.malloc.profile': 0 } as const;

/** The flavour that counts locked operations, without its checks of memory. */
export function countingOptions({ listen: _, ktr: _ktr, console: _console, ...options }: BootOptions): BootOptions {
  const tunables = { ...options.tunables, ...PLAIN, 'debug.trash': 0, 'debug.uma_dbg': 0 };
  return { ...options, invariants: true, tunables };
}

export function profilingOptions({ listen: _, ktr: _ktr, console: _console, ...options }: BootOptions): BootOptions {
  return { ...options, tunables: { ...options.tunables, ...PLAIN, 'debug.malloc.profile': 1 } };
}

/** @returns nulls when interrupted */
export async function sample(o: SuiteOptions, options: BootOptions, counting: Counting): Promise<Sample> {
  if (o.signal.aborted) return { lockedPerOp: null, waste: null };
  try {
    const lockedPerOp = await withMachines([countingOptions(options)], async ([machine]) => {
      const run = await counting(machine!);
      const { locked, ops } = await run();
      return perOp(locked, ops);
    });
    const waste = await withMachines([profilingOptions(options)], async ([machine]) => {
      const run = await counting(machine!);
      const before = mallocProfile(machine!.memory);
      await run();
      return wastePercent(profileTotal(profileSince(mallocProfile(machine!.memory), before)));
    });
    return { lockedPerOp, waste };
  } catch (cause) {
    if (!o.signal.aborted) throw cause;
    return { lockedPerOp: null, waste: null };
  }
}

/** In hundredths: the few of barriers, clock ticks and a zone's beginning are not an operation's. */
export function perOp(locked: number, ops: number): number {
  return ops === 0 ? 0 : Math.round((100 * locked) / ops) / 100;
}
