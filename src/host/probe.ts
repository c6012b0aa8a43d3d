/**
 * probe.ts — what events cost on the user's machine: measured by two worker threads in a few seconds.
 *
 * Plain accesses and Atomics as V8 makes them, lines that go from core to core, sleeping and waking. What the costs of
 * the model come to from that is for lab/model/host_profile.ts to say.
 */
import { availableParallelism } from 'node:os';
import { SmpallocError } from '../base/errors.js';
import type { ProbeResult, ProbeTask, SampleName } from './probe_loops.js';
import { startWorker, workerMessage } from './scenario_worker.js';
import { sharedPages } from './shared_pages.js';

export type { SampleName } from './probe_loops.js';

/** a multiple of what most last-level caches hold for one core */
const HEAP_BYTES = 64 << 20;
const PATIENCE_MS = 30_000;

/** Longer than this, and a thread had no core meanwhile: such batches are left out. Nanoseconds. */
const BUSY: Readonly<Partial<Record<SampleName, number>>> = {
  passed: 5000, seen: 5000, sleep: 200_000, notify: 200_000, wake: 200_000,
};

/** Nanoseconds of one event, over batches. */
export interface Sample {
  readonly n: number;
  /** batches left out, as a thread had no core */
  readonly busy: number;
  readonly min: number;
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

export interface Probe {
  /** cores this process may use; with one nothing is measured that takes two */
  readonly cores: number;
  readonly samples: Readonly<Partial<Record<SampleName, Sample>>>;
  readonly seconds: number;
}

export interface ProbeOptions {
  readonly signal?: AbortSignal;
  /** default: those there are */
  readonly cores?: number;
  /** longest it may take, milliseconds */
  readonly patience?: number;
}

export type ProbeMessage = ProbeResult | { error: string };

/**
 * @throws SmpallocError ESMP_HALTED when a worker dies, ESMP_TIMEOUT when they hang; what `signal` says
 */
export async function measureHost(options: ProbeOptions = {}): Promise<Probe> {
  const { signal, cores = availableParallelism(), patience = PATIENCE_MS } = options;
  signal?.throwIfAborted();
  const start = performance.now();
  const heap = sharedPages(HEAP_BYTES);
  const paired = cores > 1;
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(new SmpallocError('ESMP_TIMEOUT', `probe: not done within ${patience} ms`));
  }, patience);
  const any = AbortSignal.any([limit.signal, ...(signal ? [signal] : [])]);
  const roles: ProbeTask['role'][] = paired ? ['measures', 'partner'] : ['measures'];
  const workers = roles.map((role) => startWorker('probe.js', `probe ${role}`, { heap, role, paired }));
  try {
    // the partner says nothing: it can only die
    const ends = workers.map((worker, n) => workerMessage<ProbeMessage>(worker, `probe: ${roles[n]} died`, any));
    const message = await Promise.race(ends);
    if ('error' in message) throw new SmpallocError('ESMP_HALTED', `probe: ${message.error}`);
    const entries = Object.entries(message) as [SampleName, number[]][];
    const samples = Object.fromEntries(entries.map(([name, ns]) => [name, sample(ns, BUSY[name])]));
    return { cores, samples, seconds: (performance.now() - start) / 1000 };
  } finally {
    clearTimeout(timer);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function sample(all: readonly number[], busy = Number.POSITIVE_INFINITY): Sample {
  const kept = all.filter((ns) => ns <= busy);
  // a machine so busy that there is none: the quickest is nearest
  const sorted = kept.length > 0 ? kept.sort((a, b) => a - b) : [Math.min(...all)];
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return {
    n: sorted.length, busy: all.length - sorted.length, min: sorted[0]!, median: at(0.5), p10: at(0.1), p90: at(0.9),
  };
}
