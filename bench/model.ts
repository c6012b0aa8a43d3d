/**
 * model.ts — how fast is the model? Accesses a second with the cost model on, by workload, policies and CPUs; what 64
 * CPUs with 100,000 operations each would take; and whether memory is flat in the number of steps.
 *
 *     node dist/bench/model.js [CPUS [OPS]]
 */
import type { FreePolicy, StatsPolicy } from '../src/base/policy.js';
import { runCell } from '../src/lab/model/cell.js';
import { profileByName } from '../src/lab/model/profiles.js';
import type { ModelRow } from '../src/lab/model/row.js';
import { integer, short, table } from '../src/report/table.js';

const cpus = Number(process.argv[2] ?? 64);
const ops = process.argv[3] === undefined ? null : Number(process.argv[3]);

const CELLS: readonly [string, FreePolicy, StatsPolicy][] = [
  ['stats-update', 'rbatch', 'critical'], ['stats-update', 'rbatch', 'atomic'], ['stats-update', 'rbatch', 'mutex'],
  ['pair', 'rbatch', 'critical'], ['local', 'rbatch', 'critical'], ['larson', 'rbatch', 'critical'],
  ['larson', 'rchunks', 'critical'], ['xmalloc', 'rbatch', 'critical'], ['xmalloc', 'ipi', 'critical'],
  ['ring', 'rbatch', 'critical'], ['ring', 'ipi', 'critical'],
];

interface Measured extends ModelRow {
  readonly seconds: number;
  readonly rss: number;
}

const rows: Measured[] = [];
for (const [workload, free, stats] of CELLS) {
  const times = new Map<string, number>();
  const row = await runCell(
    {
      cell: 0, workload, alloc: 'dragonfly', free, stats, cpus, signalDelay: free === 'ipi' ? 'tick' : 'profile',
      profile: profileByName('one-socket'), seed: 1, ops, memory: '', tunables: {},
    },
    { goesOn: () => true, begins: (what) => void times.set(what, performance.now()) },
  );
  const seconds = (times.get('audit')! - times.get('measurement')!) / 1000;
  rows.push({ ...row, seconds, rss: process.memoryUsage().rss / 2 ** 20 });
}

process.stdout.write(`${table<Measured>([
  { head: 'workload', cell: (row) => row.workload, left: true },
  { head: 'free', cell: (row) => row.free, left: true },
  { head: 'stats', cell: (row) => row.stats, left: true },
  { head: 'CPUs', cell: (row) => String(row.cpus) },
  { head: 'ops', cell: (row) => integer(row.ops) },
  { head: 'accesses', cell: (row) => integer(row.counts.accesses) },
  { head: 'transfers', cell: (row) => integer(row.counts.transfers) },
  { head: 's', cell: (row) => short(row.seconds) },
  { head: 'M accesses/s', cell: (row) => short(row.counts.accesses / row.seconds / 1e6) },
  { head: 's for 64 x 100,000', cell: (row) => short((row.seconds * 6.4e6) / row.ops) },
  { head: 'RSS MiB', cell: (row) => integer(row.rss) },
], rows)}\n`);
