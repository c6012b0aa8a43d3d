/**
 * targets.ts — is it as fast as it has to be? The allocator against malloc in C, in the same rounds.
 *
 *   npm run bench            pair, local, larson, xmalloc beside glibc, mimalloc, jemalloc, tcmalloc
 *
 * Ratios are of one run; a machine that does other work moves both sides. Exit code 1 when a target is missed.
 */
import { availableParallelism } from 'node:os';
import { absentPeers, buildPeers } from '../src/host/peers.js';
import { short, table } from '../src/report/table.js';
import { loopSuite } from '../src/suite/loop_suite.js';
import type { LoopName } from '../src/suite/loops.js';
import type { SuiteOptions } from '../src/suite/suite.js';

const TARGETS: readonly LoopName[] = ['pair', 'local', 'larson', 'xmalloc'];

const options: SuiteOptions = {
  cpus: Math.max(2, availableParallelism() & ~1), cpusGiven: false, memory: '', alloc: null, free: ['rbatch'],
  stats: null, signalDelay: null, seed: 1, rounds: 15, ops: null, roundMs: 60, invariants: false, tunables: {},
  profile: false, fail: null, timeout: 120_000, peers: true, signal: new AbortController().signal, progress: () => {},
};

await buildPeers();
const rows = [];
for (const suite of TARGETS) rows.push(...(await loopSuite(suite, options)));
const names = Object.keys(rows[0]!.peers!);
const lines = rows.map((row) => ({ row, ratio: row.nsPerPair / row.peers!.glibc! }));
console.log(`Node ${process.version}; ns an operation of one CPU, medians of ${options.rounds} rounds in turn`);
console.log(
  table(
    [
      { head: 'workload', cell: ({ row }) => row.suite, left: true },
      { head: 'CPUs', cell: ({ row }) => String(row.cpus) },
      { head: 'smpalloc', cell: ({ row }) => short(row.nsPerPair) },
      ...names.map((name) => ({ head: name, cell: ({ row }: (typeof lines)[number]) => short(row.peers![name]) })),
      { head: 'smpalloc/glibc', cell: ({ ratio }) => ratio.toFixed(2) },
      { head: 'target', cell: ({ ratio }) => (ratio <= 1 ? 'PASS' : 'FAIL'), left: true },
    ],
    lines,
  ),
);
if (absentPeers().length > 0) console.log(`not installed, skipped: ${absentPeers().join(', ')}`);
process.exitCode = lines.every(({ ratio }) => ratio <= 1) ? 0 : 1;
