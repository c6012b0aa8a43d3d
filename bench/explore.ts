/**
 * explore.ts — how many executions a second the explorer makes, on one core: raw words and the real slab allocator.
 *
 *   node dist/bench/explore.js
 */
import { findScenario } from '../src/lab/catalogue/index.js';
import { BoundedSearch } from '../src/lab/search/bounded.js';
import { prepareSubject, type SubjectOptions } from '../src/lab/subject.js';
import { short, table } from '../src/report/table.js';

const ROUNDS = 5;
const CASES: readonly { readonly name: string; readonly bound: number; readonly options: SubjectOptions }[] = [
  { name: 'free-list', bound: 3, options: { casFails: Number.POSITIVE_INFINITY } },
  ...(['rchunks', 'rcount', 'rsignal2', 'rtagged', 'rbatch', 'ipi'] as const).map((free) => ({
    name: 'remote-free', bound: 2, options: { machine: { free } },
  })),
];

interface Row {
  readonly what: string;
  readonly executions: number;
  readonly accesses: number;
  /** executions a second of CPU time, by round */
  readonly rates: number[];
}

const rows: Row[] = [];
for (const { name, bound, options } of CASES) {
  const subject = await prepareSubject(findScenario(name), options);
  const what = `${name}${options.machine?.free ? ` ${options.machine.free}` : ''}, k <= ${bound}`;
  const rates: number[] = [];
  let executions = 0;
  let accesses = 0;
  // round 0 warms up, and learns which words are shared
  for (let round = 0; round <= ROUNDS; round++) {
    const search = new BoundedSearch(subject, bound);
    const before = process.cpuUsage();
    accesses = 0;
    while (search.next()) accesses += subject.engine.failure.execution.steps;
    const { user, system } = process.cpuUsage(before);
    executions = search.executions;
    if (round > 0) rates.push(((executions + search.cut) / (user + system)) * 1e6);
  }
  rates.sort((a, b) => a - b);
  rows.push({ what, executions, accesses: accesses / executions, rates });
}
console.log(`Node ${process.version}; one core; races, rules and KASAN checked at every access`);
console.log(
  table<Row>(
    [
      { head: 'scenario', cell: (row) => row.what },
      { head: 'executions', cell: (row) => String(row.executions) },
      { head: 'accesses each', cell: (row) => short(row.accesses) },
      { head: 'executions/s, median', cell: (row) => short(row.rates[ROUNDS >> 1]!) },
      { head: 'best', cell: (row) => short(row.rates.at(-1)!) },
    ],
    rows,
  ),
);
