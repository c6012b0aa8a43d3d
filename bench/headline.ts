/**
 * headline.ts — what does a remote free cost? The bundled traces in the model, as recorded: IPI messages, line
 * transfers and locked operations of the allocator, for each block that was freed by another CPU than its zone's owner.
 *
 *     node dist/bench/headline.js [TRACE ...]
 */
import { availableParallelism } from 'node:os';
import type { FreePolicy } from '../src/base/policy.js';
import { bundledTraces } from '../src/host/trace/bundled.js';
import { profileByName } from '../src/lab/model/profiles.js';
import type { ModelRow } from '../src/lab/model/row.js';
import { type Column, integer, short, table } from '../src/report/table.js';
import { modelCells, modelSuite } from '../src/suite/model.js';

const POLICIES = ['ipi', 'rchunks', 'rbatch', 'locked'] as const satisfies readonly FreePolicy[];
const names = process.argv.length > 2 ? process.argv.slice(2) : bundledTraces();

const options = {
  workloads: names.map((name) => `trace:${name}`), cpus: [], alloc: null, free: POLICIES,
  stats: ['critical' as const], signalDelays: null, profiles: [profileByName('one-socket')], seed: 1, ops: null,
  memory: '', tunables: {}, shard: null, jobs: availableParallelism(), signal: new AbortController().signal,
  progress: () => {},
};
const rows = await modelSuite(options, modelCells(options));

interface Line {
  /** '' below the first of its trace */
  readonly trace: string;
  readonly row: ModelRow;
  /** blocks freed by another CPU: policy `locked` has no such case, and does not count them */
  readonly remote: number;
}

const lines: Line[] = names.flatMap((name) => {
  const own = rows.filter((row) => row.workload === `trace:${name}`);
  const remote = own[0]!.counts.remoteFrees;
  return own.map((row, n) => ({ trace: n === 0 ? name : '', row, remote }));
});

/** Of the allocator alone: what the replay itself does with its table is the same under every policy. */
function own(row: ModelRow, what: 'transfers' | 'locked' | 'invalidations'): number {
  return row.counts[what] - (row.lines.find(({ line }) => line === 'workload')?.[what] ?? 0);
}

const each = (what: 'transfers' | 'locked' | 'invalidations') => ({ row, remote }: Line) =>
  remote === 0 ? '-' : short(own(row, what) / remote);

const columns: Column<Line>[] = [
  { head: 'trace', cell: ({ trace }) => trace, left: true },
  { head: 'CPUs', cell: ({ trace, row }) => (trace === '' ? '' : String(row.cpus)) },
  { head: 'remote frees', cell: ({ trace, remote }) => (trace === '' ? '' : integer(remote)) },
  { head: 'free', cell: ({ row }) => row.free, left: true },
  { head: 'messages', cell: ({ row }) => integer(row.counts.ipiMessages) },
  {
    head: 'per 1000',
    cell: ({ row, remote }) => (remote === 0 ? '-' : short((1000 * row.counts.ipiMessages) / remote)),
  },
  { head: 'transfers', cell: each('transfers') },
  { head: 'invalidations', cell: each('invalidations') },
  { head: 'locked', cell: each('locked') },
];
process.stdout.write(`${table(columns, lines)}\n`);
const bad = rows.filter(({ audit }) => audit !== 'ok');
for (const row of bad) process.stdout.write(`AUDIT FAILED  ${row.workload} ${row.free}: ${row.audit}\n`);
if (bad.length > 0) process.exitCode = 1;
