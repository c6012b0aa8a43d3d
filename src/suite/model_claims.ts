/** model_claims.ts — what the commits promise of many CPUs, judged on the model's rows. */
import type { ModelRow } from '../lab/model/row.js';
import type { Claim } from './claims.js';

const LINEAR = 0.95;
const COLLAPSE = 10;
const FALL = 100;

/** The claims these rows can decide, at their largest number of CPUs. */
export function judgeModel(rows: readonly ModelRow[]): Claim[] {
  return [...groups(rows).flatMap((group) => [...statsClaims(group), ...messageClaims(group)]), ...auditClaims(rows)];
}

function groups(rows: readonly ModelRow[]): ModelRow[][] {
  const result = new Map<string, ModelRow[]>();
  for (const row of rows) {
    const key = [row.workload, row.alloc, row.costs].join();
    result.set(key, [...(result.get(key) ?? []), row]);
  }
  return [...result.values()];
}

const name = ({ workload, alloc, costs }: ModelRow): string =>
  `${workload}${alloc === 'dragonfly' ? '' : `, ${alloc}`}${costs === 'one-socket' ? '' : `, ${costs}`}`;

function statsClaims(group: readonly ModelRow[]): Claim[] {
  const most = Math.max(...group.map(({ cpus }) => cpus));
  const least = Math.min(...group.map(({ cpus }) => cpus));
  if (!group[0]!.workload.startsWith('stats-') || least !== 1 || most < 2) return [];
  const find = (stats: string, cpus: number) => group.find((row) => row.stats === stats && row.cpus === cpus);
  const claims: Claim[] = [];
  const [one, many] = [find('critical', 1), find('critical', most)];
  if (one && many) {
    const scaling = many.opsPerUs / one.opsPerUs / most;
    const perOp = many.counts.transfers / many.ops;
    claims.push({
      id: `C4 ${name(one)}`, source: 'FreeBSD malloc stats 2005',
      text: `critical-section statistics scale to within 5 % of linear at ${most} CPUs on ${name(one)}`,
      pass: scaling >= LINEAR,
      measured: `${(100 * scaling).toFixed(1)} % of linear, ${perOp.toFixed(3)} transfers an operation`,
    });
  }
  const [mutexOne, mutex] = [find('mutex', 1), find('mutex', most)];
  if (mutexOne && mutex && many) {
    claims.push({
      id: `C3 ${name(mutex)}`, source: 'FreeBSD malloc stats 2005',
      text: `mutex statistics collapse at ${most} CPUs on ${name(mutex)}: less than on one CPU, ` +
        `${COLLAPSE}x or more below critical sections`,
      pass: mutex.opsPerUs < mutexOne.opsPerUs && many.opsPerUs / mutex.opsPerUs >= COLLAPSE,
      measured: `${short(mutexOne.opsPerUs)} op/us on one CPU, ${short(mutex.opsPerUs)} on ${most}; critical ` +
        `${short(many.opsPerUs)}, ${Math.round(many.opsPerUs / mutex.opsPerUs)}x`,
    });
  }
  return claims;
}

/** Messages of `ipi` against those of `rchunks`, with passive messages as in the kernel. */
function messageClaims(group: readonly ModelRow[]): Claim[] {
  const passive = group.filter(({ signalDelay, counts }) => signalDelay === 'tick' && counts.remoteFrees > 0);
  const most = Math.max(0, ...passive.map(({ cpus }) => cpus));
  const find = (free: string) => passive.find((row) => row.free === free && row.cpus === most);
  const [ipi, rchunks] = [find('ipi'), find('rchunks')];
  if (!ipi || !rchunks) return [];
  const before = ipi.counts.ipiMessages / ipi.counts.remoteFrees;
  const after = rchunks.counts.ipiMessages / rchunks.counts.remoteFrees;
  const fall = before / Math.max(after, 1 / rchunks.counts.remoteFrees);
  return [{
    id: `S2.3 ${name(ipi)}`, source: 'DragonFly 5fee07e6',
    text: `z_RChunks: IPI messages fall ${FALL}x or more at ${most} CPUs on ${name(ipi)}`,
    pass: fall >= FALL,
    measured: `${Math.floor(fall)}x (${rchunks.counts.ipiMessages} messages for ${rchunks.counts.remoteFrees} ` +
      'remote frees)',
  }];
}

function auditClaims(rows: readonly ModelRow[]): Claim[] {
  if (rows.length === 0) return [];
  const good = rows.filter(({ audit }) => audit === 'ok').length;
  return [{
    id: 'audit', source: 'ours', text: 'every cell ends with its identities intact', pass: good === rows.length,
    measured: `${good} of ${rows.length} cells`,
  }];
}

function short(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}
