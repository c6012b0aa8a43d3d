/**
 * observer.ts — what does being watched cost? The pair loop with all statistics read 1,000 times a second, and without.
 *
 *   node dist/bench/observer.js        exit code 1 when it costs 2 % or more
 *
 * A reading is everything vmstat asks for: both streams, kern.malloc and every variable, in the host's thread. Three
 * kinds of rounds take turns, and ratios are of one turn, so that a drifting host drifts under all of them: alone;
 * watched; and beside a decoy, the same readings of another machine, which is idle. Watched over decoy is what reading
 * costs the CPUs, in CPU time of their own threads: cache lines taken away. That has the target, where a core is left
 * for the reader. Watched over alone, and the wall clock, have in them what any busy thread costs that shares cores
 * with the CPUs, and the host's other work. Wants a quiet machine.
 */
import { availableParallelism } from 'node:os';
import type { AllocName } from '../src/base/policy.js';
import { boot, type Machine } from '../src/host/machine.js';
import { sysctlNames } from '../src/observe/memory.js';
import { observe } from '../src/observe/sysctl.js';
import { short, table } from '../src/report/table.js';
import { calibrate, median, pairedRatio, type Ratio, WORKLOADS } from '../src/suite/suite.js';
import type { Lap } from '../src/workload/phases.js';

const ROUNDS = 151;
const ROUND_MS = 16;
/** a little more than one: what is due when a round ends is not read any more */
const WANTED_READS_A_MS = 1.15;
const MOST_COST = 0.02;
const TYPES = 16;
const NAMES = ['kern.malloc_stats', 'vm.zone_stats', 'kern.malloc', ...sysctlNames()];

/** Reads at the wanted rate until it is told to end. A timer that comes late is made up for. */
function watch({ memory }: Machine): () => { reads: number; ms: number; busyMs: number } {
  const start = performance.now();
  let reads = 0;
  let busyMs = 0;
  const timer = setInterval(() => {
    const due = Math.floor((performance.now() - start) * WANTED_READS_A_MS);
    const begin = performance.now();
    for (; reads < due; reads++) for (const name of NAMES) observe(memory, name);
    busyMs += performance.now() - begin;
  }, 1);
  return () => {
    clearInterval(timer);
    return { reads, ms: performance.now() - start, busyMs };
  };
}

/** Milliseconds of a round: of the wall, and of one CPU's thread (where the host cannot tell: the same). */
interface Times {
  readonly wall: number;
  readonly cpu: number;
}

async function pair(machine: Machine, type: number, ops: number): Promise<Times> {
  const { values, cpuMs } = await machine.measure(WORKLOADS, 'pair', [type, 64, ops]);
  const wall = Math.max(...(values as Lap[]).map(({ ms }) => ms));
  return { wall, cpu: cpuMs === null ? wall : cpuMs / values.length };
}

interface Row {
  alloc: AllocName;
  cpus: number;
  ns: number;
  cost: Ratio;
  reading: Ratio;
  wall: Ratio;
  readsPerSecond: number;
  readUs: number;
}

const KINDS = ['alone', 'watched', 'decoy'] as const;

async function measure(alloc: AllocName, cpus: number): Promise<Row> {
  await using machine = await boot({ alloc, cpus, memory: '64MiB' });
  await using decoy = await boot({ alloc, cpus, memory: '64MiB' });
  const [type] = await defineTypes(machine);
  await defineTypes(decoy);
  const times: Record<(typeof KINDS)[number], Times[]> = { alone: [], watched: [], decoy: [] };
  for (let warm = 0; warm < 8; warm++) await pair(machine, type!, 200_000);
  const ops = calibrate(200_000, (await pair(machine, type!, 200_000)).cpu, ROUND_MS);
  const total = { reads: 0, ms: 0, busyMs: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < KINDS.length; turn++) {
      const kind = KINDS[(round + turn) % KINDS.length]!;
      const end = kind === 'alone' ? null : watch(kind === 'watched' ? machine : decoy);
      times[kind].push(await pair(machine, type!, ops));
      const { reads, ms, busyMs } = end?.() ?? { reads: 0, ms: 0, busyMs: 0 };
      total.reads += reads;
      total.ms += ms;
      total.busyMs += busyMs;
    }
  }
  const of = (kind: keyof typeof times, clock: keyof Times) => times[kind].map((one) => one[clock]);
  return {
    alloc, cpus, ns: (median(of('alone', 'cpu')) * 1e6) / ops,
    cost: pairedRatio(of('watched', 'cpu'), of('alone', 'cpu')),
    reading: pairedRatio(of('watched', 'cpu'), of('decoy', 'cpu')),
    wall: pairedRatio(of('watched', 'wall'), of('alone', 'wall')),
    readsPerSecond: (total.reads / total.ms) * 1000, readUs: (total.busyMs / total.reads) * 1000,
  };
}

async function defineTypes(machine: Machine): Promise<number[]> {
  const names = ['temp', ...Array.from({ length: TYPES - 1 }, (_, n) => `type ${n}`)];
  const [types] = (await machine.run(WORKLOADS, 'defineTypes', [names])) as number[][];
  return types!;
}

const cores = availableParallelism();
const rows: Row[] = [];
for (const cpus of new Set([Math.max(1, cores - 1), cores])) {
  for (const alloc of ['dragonfly', 'freebsd'] as const) rows.push(await measure(alloc, cpus));
}

const percent = (ratio: number) => `${((ratio - 1) * 100).toFixed(2)} %`;
const passes = ({ reading }: Row) => reading.ratio - 1 < MOST_COST;
const judged = ({ cpus }: Row) => cpus < cores;
const verdict = (row: Row) => (judged(row) ? (passes(row) ? 'PASS' : 'FAIL') : '-');
const rounds = `${ROUNDS} rounds of ${ROUND_MS} ms in turn`;
console.log(`Node ${process.version}, ${cores} cores; pair, ${TYPES} types; ${rounds}`);
console.log(
  table<Row>(
    [
      { head: 'allocator', cell: ({ alloc }) => alloc, left: true },
      { head: 'CPUs', cell: ({ cpus }) => String(cpus) },
      { head: 'ns a pair', cell: ({ ns }) => short(ns) },
      { head: 'readings/s', cell: ({ readsPerSecond }) => short(readsPerSecond) },
      { head: 'µs a reading', cell: ({ readUs }) => short(readUs) },
      { head: 'cost of reading', cell: ({ reading }) => percent(reading.ratio) },
      { head: '95 %', cell: ({ reading }) => `${percent(reading.low)} .. ${percent(reading.high)}` },
      { head: `below ${MOST_COST * 100} %`, cell: verdict, left: true },
      { head: 'over alone', cell: ({ cost }) => percent(cost.ratio) },
      { head: 'wall clock', cell: ({ wall }) => percent(wall.ratio) },
    ],
    rows,
  ),
);
process.exitCode = rows.every((row) => !judged(row) || passes(row)) ? 0 : 1;
