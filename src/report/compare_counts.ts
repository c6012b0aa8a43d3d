/**
 * compare_counts.ts — counts of two rows of the same experiment, exactly.
 *
 * Exact: the same work on the same code counts the same, every time: all of the model; of native runs what the trace
 * says, and what one CPU does by itself. The rest depends on who came first, and is told, not judged.
 */
import type { Row } from './compare.js';

export interface CountDifference {
  readonly name: string;
  readonly a: number | null;
  readonly b: number | null;
  /** the same work on the same code would have counted the same */
  readonly exact: boolean;
  /** exact, more of it is worse, and B has more than may be */
  readonly regression: boolean;
}

interface Count {
  readonly name: string;
  readonly value: number | null | undefined;
  readonly exact: boolean;
  /** more of it is worse. Parts of what is judged as a whole are not judged again */
  readonly cost: boolean;
}

const MODEL_COSTS: readonly string[] = [
  'locked', 'transfers', 'invalidations', 'misses', 'ipiMessages', 'ipiInterrupts', 'sleeps',
];

/** @param percent by which exact counts may rise */
export function countDifferences(a: Row, b: Row, percent: number): CountDifference[] {
  const theirs = new Map(countsOf(b).map((count) => [count.name, count]));
  const ours = new Map(countsOf(a).map((count) => [count.name, count]));
  const names = [...new Set([...ours.keys(), ...theirs.keys()])];
  return names.flatMap((name) => {
    const [before, after] = [ours.get(name), theirs.get(name)];
    // a line nothing happened to is left out of a row; a figure of later records is not known of an older one
    const missing = a.suite === 'model' ? 0 : null;
    const [from, to] = [before?.value ?? missing, after?.value ?? missing];
    const known = a.suite === 'model' || (before?.value !== undefined && after?.value !== undefined);
    if (from === to || !known) return [];
    const { exact, cost } = (before ?? after)!;
    const rose = from !== null && to !== null && to > from * (1 + percent / 100);
    return [{ name, a: from, b: to, exact, regression: exact && cost && rose }];
  });
}

function countsOf(row: Row): Count[] {
  const exact = (name: string, value: Count['value'], cost = false): Count => ({ name, value, exact: true, cost });
  const varying = (name: string, value: Count['value']): Count => ({ name, value, exact: false, cost: false });
  if (row.suite === 'model') {
    const counts = Object.entries(row.counts) as [string, number][];
    return [
      exact('ops', row.ops),
      ...counts.map(([name, value]) => exact(name, value, MODEL_COSTS.includes(name))),
      ...row.lines.map(({ line, transfers }) => exact(`transfers of ${line}`, transfers)),
    ];
  }
  // clock ticks of one CPU are too few to be seen in hundredths
  const alone = row.suite === 'stats' || row.cpus === 1;
  const locked: Count = { name: 'lockedPerOp', value: row.lockedPerOp, exact: alone, cost: true };
  if (row.suite === 'stats') return [locked];
  const shared = [locked, exact('askedPeak', row.askedPeak), varying('pagesPeak', row.pagesPeak)];
  if (row.suite !== 'ipi' && row.suite !== 'replay') {
    // sums of as many rounds, but not of as many operations
    const { remoteFrees, ipiMessages } = row;
    const per1000 = remoteFrees > 0 ? (1000 * ipiMessages) / remoteFrees : null;
    return [...shared, varying('messages per 1000 remote frees', per1000), varying('zonesPeak', row.zonesPeak)];
  }
  const said = row.remoteFrom === 'trace';
  return [
    exact('allocations', row.allocations), exact('frees', row.frees), ...shared,
    { name: 'remoteFrees', value: row.remoteFrees, exact: said, cost: false },
    varying('ipiMessages', row.ipiMessages), varying('ipiInterrupts', row.ipiInterrupts),
    varying('casTries', row.casTries), varying('casFails', row.casFails), varying('zonesPeak', row.zonesPeak),
    varying('stranded', row.stranded),
  ];
}
