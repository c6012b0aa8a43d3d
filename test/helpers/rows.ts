/** rows.ts — rows of a record, with every field a suite would give them; and a record around them. */
import type { ModelRow } from '../../src/lab/model/row.js';
import { RECORD_SCHEMA, type RunRecord } from '../../src/report/record.js';
import type { IpiRow } from '../../src/suite/ipi.js';
import type { LoopRow } from '../../src/suite/loops.js';
import type { ReplayRow } from '../../src/suite/replay_row.js';
import type { StatsRow } from '../../src/suite/stats.js';
import type { SuiteOptions } from '../../src/suite/suite.js';

const traffic = { remoteFrom: 'zones', pagesPeak: 64, askedPeak: null, waste: 12.5, lockedPerOp: null } as const;
const base = { alloc: 'dragonfly', free: 'rbatch', stats: 'critical', cpus: 2, audit: 'ok' } as const;
const counts = {
  ...traffic, trace: 'redis-io3', allocations: 1000, frees: 900, remoteFrees: 500, ipiMessages: 500, ipiInterrupts: 20,
  ipiAvoided: 3, per1000: 1000, casTries: 0, casFails: 0, zonesPeak: 8, zonesEnd: 7, stranded: 0, mops: 12.5,
  wallSeconds: 0.125, cpuSeconds: 0.25, signalDelay: 'tick',
} as const;

export const ipiRow = (own: Partial<IpiRow> = {}): IpiRow => ({
  suite: 'ipi', ...base, ...counts, reduction: 1, passes: 3, samples: [12, 12.5, 14], ...own,
});

export const replayRow = (own: Partial<ReplayRow> = {}): ReplayRow => ({
  suite: 'replay', ...base, ...counts, format: 'perf', ...own,
});

export const statsRow = (own: Partial<StatsRow> = {}): StatsRow => ({
  suite: 'stats', ...base, where: 'update', mops: 300, samples: [290, 300, 310], ratioToCritical: 1, ratioLow: 1,
  ratioHigh: 1, lockedPerOp: 0, rounds: 3, wallSeconds: 0.5, cpuSeconds: 1, ...own,
});

export const loopRow = (own: Partial<LoopRow> = {}): LoopRow => ({
  suite: 'pair', ...base, ...traffic, nsPerPair: 10, nsMin: 9, nsMax: 12, samples: [12, 10, 9], mops: 100,
  remoteFrees: 0, ipiMessages: 0, ipiInterrupts: 0, zonesPeak: 1, rounds: 3, wallSeconds: 0.1, cpuSeconds: null, ...own,
});

const counted = {
  accesses: 10_000, locked: 40, transfers: 300, upgrades: 20, invalidations: 310, misses: 90, remoteFrees: 500,
  ipiMessages: 12, ipiInterrupts: 6, handlerRuns: 6, handled: 12, casTries: 30, casFails: 2, sleeps: 1,
};
const spent = { own: 800, locked: 10, memory: 60, transfer: 90, queue: 5, ipi: 15, spin: 2, sleep: 8, idle: 10 };

export const modelRow = (own: Partial<ModelRow> = {}): ModelRow => ({
  suite: 'model', cell: 0, workload: 'larson', ...base, costs: 'ccx', signalDelay: 'profile', ops: 1000, ns: 500,
  opsPerUs: 2000, counts: { ...counted }, time: { ...spent },
  lines: [{ line: 'SLZone z_RChunks', transfers: 200, invalidations: 210, locked: 30, queueNs: 5, waitNs: 0 }], ...own,
});

const environment = {
  smpalloc: '0.1.0', node: 'v20.20.2', v8: '11.3', os: 'Linux 6.18', arch: 'x64', cpu: 'a CPU', cores: 2,
  time: '2026-01-01T00:00:00.000Z', flavour: 'release', warnings: [] as string[],
} as const;

/** A record of these rows, in a place that is always the same. */
export const recordOf = (
  rows: readonly object[], own: { config?: object; complete?: boolean } = {}, where: object = {},
): RunRecord => ({
  schema: RECORD_SCHEMA, environment: { ...environment, ...where }, rows: rows as RunRecord['rows'], claims: [],
  complete: true, ...own, config: { command: 'bench', seed: 1, cpus: 2, ...own.config },
});

export const suiteOptions = (own: Partial<SuiteOptions> = {}): SuiteOptions => ({
  cpus: 2, cpusGiven: false, memory: '', alloc: null, free: null, stats: null, signalDelay: null, seed: 1, rounds: null,
  ops: null, roundMs: 40, invariants: false, tunables: {}, profile: false, fail: null, timeout: 1000, peers: false,
  signal: new AbortController().signal, progress: () => {}, ...own,
});
