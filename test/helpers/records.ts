/** records.ts — whole records made by hand; rows of the model as a sweep would give them, but by a formula. */
import type { FreePolicy, StatsPolicy } from '../../src/base/policy.js';
import type { ModelRow } from '../../src/lab/model/row.js';
import type { RunRecord } from '../../src/report/record.js';

export const record = (rows: readonly object[], own: Partial<RunRecord> = {}): RunRecord => ({
  schema: 'smpalloc/1',
  environment: {
    smpalloc: '0.1.0', node: 'v20.20.2', v8: '11.3', os: 'Linux 6.1', arch: 'x64', cpu: 'A CPU', cores: 2,
    time: '2026-11-21T18:00:00.000Z', flavour: 'release', warnings: [],
  },
  config: { command: 'model larson --cpus 1,2,4', seed: 1, cpus: 4 },
  rows: rows as RunRecord['rows'], claims: [], complete: true, ...own,
});

const SECONDS: Readonly<Record<string, number>> = { critical: 0, unpadded: 0.02, atomic: 0.08, mutex: 0.6 };

/** A cell of the model; counts and times follow from its CPUs and policies. */
export function modelRow(own: Partial<ModelRow> = {}): ModelRow {
  const { cpus = 4, free = 'rchunks', stats = 'critical', signalDelay = 30, ops = 10_000 * cpus } = own;
  const others = cpus - 1;
  const sigma = SECONDS[stats] ?? 0;
  const opsPerUs = (40 * cpus) / (1 + sigma * others + sigma * 0.004 * cpus * others);
  const ns = (1000 * ops) / opsPerUs;
  const remoteFrees = others === 0 ? 0 : Math.round(ops * 0.4);
  const delay = typeof signalDelay === 'number' ? signalDelay : 10_000;
  const messages = free === 'ipi' ? remoteFrees : Math.round(remoteFrees / (1 + delay / 2));
  const perUpdate = stats === 'critical' ? 0 : stats === 'mutex' ? 1.8 : 0.9;
  const statsTransfers = Math.round(others > 0 ? ops * perUpdate : 0);
  const chunks = Math.round(remoteFrees * 1.1);
  const fifo = messages * 2;
  const line = (name: string, transfers: number, waitNs = 0) => (
    { line: name, transfers, invalidations: transfers, locked: transfers, queueNs: transfers * 20, waitNs }
  );
  const small = Array.from({ length: 11 }, (_, n) => (
    line(`SLGlobalData line ${n}`, Math.round((others * ops) / (200 * (n + 1))))
  ));
  const all = cpus * ns;
  const contended = Math.min(0.8, sigma * others * 0.05);
  return {
    suite: 'model', cell: 0, workload: 'larson', alloc: 'dragonfly', free, stats, costs: 'two-chiplet', signalDelay,
    cpus, ops, ns, opsPerUs,
    counts: {
      accesses: ops * 40, locked: ops * 2 + statsTransfers, upgrades: 10, invalidations: chunks, misses: 100,
      transfers: 2 * chunks + fifo + statsTransfers + small.reduce((sum, { transfers }) => sum + transfers, 0) + 500,
      remoteFrees, ipiMessages: messages, ipiInterrupts: Math.ceil(messages / 3), handlerRuns: Math.ceil(messages / 3),
      handled: messages, casTries: remoteFrees, casFails: Math.round(remoteFrees / 100), sleeps: 0,
    },
    time: {
      own: all * (1 - contended) * 0.6, locked: all * (1 - contended) * 0.15, memory: all * (1 - contended) * 0.05,
      transfer: all * (1 - contended) * 0.15, queue: all * contended * 0.3, ipi: all * (1 - contended) * 0.05,
      spin: all * contended * 0.4, sleep: all * contended * 0.2, idle: all * contended * 0.1,
    },
    lines: [
      line('chunk c_Next', chunks), line('SLZone z_RChunks z_RSignal z_RCount', chunks),
      line('malloc_type statistics', statsTransfers, statsTransfers * 90), line('lwkt_ipiq ring', fifo), ...small,
    ].filter(({ transfers }) => transfers > 0),
    ...(others > 0 && {
      remote: Array.from({ length: cpus }, (_, from) => Array.from({ length: cpus }, (_, to) => (
        from === to ? 0 : Math.round(remoteFrees / cpus / (1 + 4 * ((from - to + cpus) % cpus - 1)))
      ))),
    }),
    latency: {
      ns: Array.from({ length: 60 }, (_, n) => Math.round(4 * 1.2 ** n)),
      count: Array.from({ length: 61 }, (_, n) => (
        n < 6 ? 0 : Math.round(ops * 0.4 * (0.62 + sigma * 0.4) ** (n - 6))
      )),
    },
    zones: {
      ns: Array.from({ length: 80 }, (_, n) => Math.round((ns * n) / 79)),
      zones: Array.from({ length: 6 * cpus }, (_, n) => ({
        zone: `0x${(0x40000 + n * 0x20000).toString(16)}`, cpu: n % cpus, chunk: 16 << (n % 6),
        used: Array.from({ length: 80 }, (_, at) => Math.max(0, Math.round(50 + 50 * Math.sin(at / 9 + n) - n / cpus))),
      })),
    },
    audit: 'ok', ...own,
  };
}

export interface Sweep {
  readonly workloads?: readonly string[];
  readonly cpus?: readonly number[];
  readonly free?: readonly FreePolicy[];
  readonly stats?: readonly StatsPolicy[];
  readonly delays?: readonly ModelRow['signalDelay'][];
}

export function sweep({
  workloads = ['larson'], cpus = [1, 2, 4, 8, 16, 32, 64], free = ['rchunks'], stats = ['critical'], delays = [30],
}: Sweep = {}): ModelRow[] {
  return workloads.flatMap((workload) => free.flatMap((f) => stats.flatMap((s) => delays.flatMap((signalDelay) => (
    cpus.map((n) => modelRow({ workload, free: f, stats: s, signalDelay, cpus: n }))
  ))))).map((row, cell) => ({ ...row, cell }));
}
