/** protocol.ts — what host and virtual CPU say to each other, at the pace of phases. */

/** One phase on one CPU. */
export interface PhaseCall {
  /** file URL of a module, or the name of one that is built in: 'smpalloc:workloads' */
  readonly module: string;
  /** the function it exports */
  readonly name: string;
  /** structured-clonable arguments, after the CPU's part */
  readonly args: readonly unknown[];
  readonly part: PhasePart;
}

/** The CPU's part in a phase; the first argument of every phase function. */
export interface PhasePart {
  readonly cpu: number;
  /** rank among the CPUs of the phase, 0.. */
  readonly rank: number;
  /** how many take part */
  readonly parties: number;
}

/** How a phase ended on one CPU. Errors cross threads as data: the class would not survive. */
export type PhaseResult =
  | { readonly ok: true; readonly value: unknown; readonly cpuMs: number | null }
  | { readonly ok: false; readonly kind: 'panic' | 'error'; readonly message: string; readonly stack: string };

export interface CpuApi {
  run(call: PhaseCall): Promise<PhaseResult>;
}
