/**
 * model.ts — how fast is the model? Accesses a second with the cost model on, by workload and CPUs; and whether memory is
 * flat in the number of steps.
 *
 *     node dist/bench/model.js [CPUS [OPS]]
 */
import { runCell } from '../src/lab/model/cell.js';
import { profileByName } from '../src/lab/model/profiles.js';
import { MODEL_WORKLOADS } from '../src/lab/model/workloads.js';
import { integer, short, table } from '../src/report/table.js';

const cpus = Number(process.argv[2] ?? 64);
const ops = (process.argv[3] ?? '-') === '-' ? null : Number(process.argv[3]);
const only = process.argv[4]?.split(',') ?? MODEL_WORKLOADS;
const stats = (process.argv[5] ?? 'critical') as 'critical';
const free = (process.argv[6] ?? 'rbatch') as 'rbatch';

const rows = [];
for (const workload of only) {
  const times = new Map<string, number>();
  const row = await runCell(
    {
      cell: 0, workload, alloc: 'dragonfly', free, stats, cpus, signalDelay: 'profile',
      profile: profileByName('one-socket'), seed: 1, ops, memory: '', tunables: {},
    },
    { goesOn: () => true, begins: (what) => void times.set(what, performance.now()) },
  );
  const seconds = (times.get('audit')! - times.get('measurement')!) / 1000;
  rows.push({ ...row, seconds, rss: process.memoryUsage().rss / 2 ** 20 });
}
type Measured = (typeof rows)[number];
process.stdout.write(`${table<Measured>([
  { head: 'workload', cell: (row) => row.workload, left: true },
  { head: 'CPUs', cell: (row) => String(row.cpus) },
  { head: 'ops', cell: (row) => integer(row.ops) },
  { head: 'ops/us', cell: (row) => short(row.opsPerUs) },
  { head: 'accesses', cell: (row) => integer(row.counts.accesses) },
  { head: 'transfers', cell: (row) => integer(row.counts.transfers) },
  { head: 's', cell: (row) => short(row.seconds) },
  { head: 'accesses/us', cell: (row) => short(row.counts.accesses / row.seconds / 1e6) },
  { head: 'RSS MiB', cell: (row) => integer(row.rss) },
  { head: 'audit', cell: (row) => row.audit, left: true },
  { head: 'time', cell: (row) => JSON.stringify(row.time, (_, v) => typeof v === 'number' ? Math.round(100*v/(row.cpus*row.ns)) : v), left: true },
], rows)}\n`);
