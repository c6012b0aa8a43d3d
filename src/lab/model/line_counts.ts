/** line_counts.ts — counts of lines, summed by what the lines are: a `perf c2c` table whose addresses have names. */
import { lineNames } from '../../observe/lines.js';
import type { ModelledMachine } from './machine.js';
import type { LineCount } from './row.js';

/** lines of the workload's own: its tables, and what it does to the blocks it was given */
const WORKLOAD = 'workload';
/** waits for these are the workload's: the engine never waits for a chunk or a page */
const CLIENTS = new Set(['chunk', 'page']);

export function lineCounts({ engine: { tally: t }, memory }: ModelledMachine): LineCount[] {
  const nameOf = lineNames(memory);
  const sums = new Map<string, LineCount>();
  const of = (line: string): LineCount => {
    const sum = sums.get(line) ?? { line, transfers: 0, invalidations: 0, locked: 0, queueNs: 0, waitNs: 0 };
    sums.set(line, sum);
    return sum;
  };
  for (const line of t.lines) {
    const [transfers, locked, wait] = [t.lineTransfers[line]!, t.lineLocked[line]!, t.lineWait[line]!];
    const invalidations = t.lineInvalidations[line]!;
    const name = nameOf(line);
    const sum = of(name);
    sum.transfers += transfers;
    sum.invalidations += invalidations;
    sum.locked += locked;
    sum.queueNs += t.lineQueue[line]!;
    of(CLIENTS.has(name) ? WORKLOAD : name).waitNs += wait;
  }
  const workload = of(WORKLOAD);
  workload.transfers += t.tally[t.CLIENT_TRANSFERS]!;
  workload.invalidations += t.tally[t.CLIENT_INVALIDATIONS]!;
  workload.locked += t.tally[t.CLIENT_LOCKED]!;
  workload.queueNs += t.tally[t.CLIENT_QUEUE]!;
  return [...sums.values()]
    .filter((sum) => sum.transfers + sum.invalidations + sum.locked + sum.waitNs > 0)
    .sort((a, b) => b.transfers - a.transfers || b.locked - a.locked);
}
