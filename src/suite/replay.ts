/**
 * replay.ts — a trace through one machine: programs in, counts and times out.
 */
import type { Machine } from '../host/machine.js';
import type { BootOptions } from '../host/options.js';
import type { Window } from '../host/replay_plan.js';
import { mallocProfile, type ProfileRow, profileSince, profileSum } from '../observe/malloc_profile.js';
import type { Lap } from '../workload/phases.js';
import { narrowFailures, noSuchType } from './failures.js';
import { type Sample, sample } from './sample.js';
import { addKnown, phase, type RowBase, type SuiteOptions, type Traffic, WORKLOADS } from './suite.js';

/** Counts of one pass over a trace. */
export interface PassCounts {
  remoteFrees: number;
  ipiMessages: number;
  ipiInterrupts: number;
  /** messages that found an interrupt already requested */
  ipiAvoided: number;
  casTries: number;
  casFails: number;
}

export interface Pass extends PassCounts {
  allocations: number;
  frees: number;
  /** wall and CPU milliseconds of the timed part */
  ms: number;
  cpuMs: number | null;
  /** locked operations (invariants flavour) */
  locked: number;
  /** mallocs that were made to fail */
  failed: number;
  /** with --profile */
  profile: ProfileRow[];
}

/** What every row about a trace says: ipi and replay. */
export interface TraceRow extends RowBase, PassCounts, Traffic {
  trace: string;
  allocations: number;
  frees: number;
  /** messages per 1000 remote frees */
  per1000: number;
  zonesPeak: number;
  zonesEnd: number;
  /** zones whose freed chunks nobody will be told of (R40) */
  stranded: number;
  /** allocations and frees per microsecond */
  mops: number;
  /** time of all passes, and CPU seconds the threads really got in them */
  wallSeconds: number;
  cpuSeconds: number | null;
  signalDelay: number | 'tick';
}

const COUNTERS: Record<keyof PassCounts, string> = {
  remoteFrees: 'kern.slab.remote_frees',
  ipiMessages: 'lwkt.ipiq_count',
  ipiInterrupts: 'lwkt.ipiq_interrupts',
  ipiAvoided: 'lwkt.ipiq_avoided',
  casTries: 'kern.slab.cas_tries',
  casFails: 'kern.slab.cas_fails',
};

export class Replayer {
  readonly #machine: Machine;
  readonly #options: SuiteOptions;
  /** who frees a chunk of another CPU is known to zones only; elsewhere the trace says it */
  readonly #zones: boolean;
  #types: number[] = [];
  #table = 0;
  #slots = 0;
  #tableType = 0;
  #failing = false;

  constructor(machine: Machine, options: SuiteOptions) {
    this.#machine = machine;
    this.#options = options;
    this.#zones = machine.configuration.alloc === 'dragonfly';
  }

  /** Runs one window and adds to `pass`. */
  async window(window: Window, typeNames: readonly string[], pass: Pass): Promise<void> {
    await this.prepare(window, typeNames);
    const { profile } = this.#options;
    const requests = profile ? mallocProfile(this.#machine.memory) : [];
    const failures = this.#machine.mallocFailures;
    const before = this.#counts();
    const { values, cpuMs } = await this.#machine.measure(
      WORKLOADS,
      'replay',
      [window.programs, window.events, this.#table, this.#types],
      { timeout: this.#options.timeout, signal: this.#options.signal },
    );
    const after = this.#counts();
    if (!this.#zones) after.remoteFrees += window.crossFrees;
    for (const name of Object.keys(COUNTERS) as (keyof PassCounts)[]) pass[name] += after[name] - before[name];
    const laps = values as Lap[];
    pass.allocations += window.allocations;
    pass.frees += window.frees;
    pass.ms += Math.max(...laps.map((lap) => lap.ms));
    pass.cpuMs = addKnown(pass.cpuMs, cpuMs);
    pass.locked += laps.reduce((sum, lap) => sum + lap.locked, 0);
    pass.failed += this.#machine.mallocFailures - failures;
    if (!profile) return;
    pass.profile = profileSum(pass.profile, profileSince(mallocProfile(this.#machine.memory), requests));
  }

  /** Frees what the trace left alive, so that another pass can begin. */
  async end(last: Window): Promise<void> {
    await phase(this.#machine, this.#options, 'replayEnd', this.#table, last.slots, this.#types, last.typeOf);
  }

  /** @throws SmpallocError when mallocs of a type were to fail that the trace does not have */
  checkFailures(): void {
    if (this.#types.length > 0 && !this.#failing) throw noSuchType(this.#options, this.#machine);
  }

  /** Types and pointer table, as large as this window needs them. */
  async prepare(window: Window, typeNames: readonly string[]): Promise<void> {
    if (this.#tableType === 0) {
      const [types] = await phase<number[]>(this.#machine, this.#options, 'defineTypes', ['replay table']);
      this.#tableType = types![0]!;
    }
    if (this.#types.length <= window.types) {
      const names = Array.from({ length: window.types + 1 }, (_, n) => typeNames[n] ?? `type ${n}`);
      const [types] = await phase<number[]>(this.#machine, this.#options, 'defineTypes', names);
      this.#types = types!;
      this.#failing = narrowFailures(this.#options, this.#machine);
    }
    if (this.#slots < window.slots) await this.#grow(window.slots);
  }

  async #grow(slots: number): Promise<void> {
    const only = { cpus: [0], timeout: this.#options.timeout, signal: this.#options.signal };
    const area = [Math.max(4096, slots * 4), this.#tableType];
    const [larger] = (await this.#machine.run(WORKLOADS, 'allocateArea', area, only)) as number[];
    if (this.#table !== 0) {
      await this.#machine.run(WORKLOADS, 'replayGrow', [this.#table, this.#slots, larger], only);
      await this.#machine.run(WORKLOADS, 'freeArea', [this.#table, this.#tableType], only);
    }
    this.#table = larger!;
    this.#slots = slots;
  }

  #counts(): PassCounts {
    const counts = {} as PassCounts;
    for (const [name, sysctl] of Object.entries(COUNTERS)) {
      counts[name as keyof PassCounts] = this.#machine.sysctl(sysctl);
    }
    return counts;
  }
}

export function emptyPass(): Pass {
  return {
    remoteFrees: 0, ipiMessages: 0, ipiInterrupts: 0, ipiAvoided: 0, casTries: 0, casFails: 0, allocations: 0, frees: 0,
    ms: 0, cpuMs: 0, locked: 0, failed: 0, profile: [],
  };
}

/** Locked operations and waste of a trace's first window, on machines of their own. */
export function sampleTrace(o: SuiteOptions, options: BootOptions, window: Window): Promise<Sample> {
  const plain = { ...o, profile: false, fail: null };
  return sample(o, options, async (machine) => {
    const replayer = new Replayer(machine, plain);
    // types and table are not the trace's
    await replayer.prepare(window, []);
    return async () => {
      const pass = emptyPass();
      await replayer.window(window, [], pass);
      return { locked: pass.locked, ops: pass.allocations + pass.frees };
    };
  });
}
