/**
 * boot.ts — how long a machine takes to come up, and what memory nobody touched costs.
 *
 *   node dist/bench/boot.js
 */
import { boot } from '../src/host/machine.js';
import { short, table } from '../src/report/table.js';

const SIZES = ['64MiB', '256MiB', '1GiB', '2GiB'];
const ROUNDS = 7;

const rows: { memory: string; ms: number[]; rssMiB: number }[] = [];
for (const memory of SIZES) {
  const row = { memory, ms: [] as number[], rssMiB: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const rss = process.memoryUsage.rss();
    const start = performance.now();
    const machine = await boot({ cpus: 2, memory });
    row.ms.push(performance.now() - start);
    row.rssMiB = Math.max(row.rssMiB, (process.memoryUsage.rss() - rss) / 1024 ** 2);
    await machine.stop();
  }
  row.ms.sort((a, b) => a - b);
  rows.push(row);
}
console.log(`Node ${process.version}; 2 CPUs; RSS growth includes two workers`);
console.log(
  table(
    [
      { head: 'memory', cell: (row) => row.memory },
      { head: 'boot ms, median', cell: (row) => short(row.ms[ROUNDS >> 1]) },
      { head: 'worst', cell: (row) => short(row.ms.at(-1)) },
      { head: 'RSS MiB', cell: (row) => short(row.rssMiB) },
    ],
    rows,
  ),
);
