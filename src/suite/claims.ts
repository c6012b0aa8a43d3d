/**
 * claims.ts — the sentences of the commits, as checks on a record's rows: PASS or FAIL, with the number.
 */
import { ALLOC_NAMES, type AllocName } from '../base/policy.js';
import type { IpiRow } from './ipi.js';
import type { LoopRow } from './loops.js';
import type { ReplayRow } from './replay_row.js';
import type { StatsRow } from './stats.js';
import { NOT_AUDITED } from './suite.js';

export type Row = IpiRow | StatsRow | LoopRow | ReplayRow;

export interface Claim {
  readonly id: string;
  readonly source: string;
  readonly text: string;
  readonly pass: boolean;
  /** what was measured, in words with the number */
  readonly measured: string;
}

const FALL = 100;
const UPDATE_GAIN = 5;
const MALLOC_GAIN = 1.3;
const PAIR_RATIO = 1.3;

/** The claims these rows can decide; none when they decide none. */
export function judge(rows: readonly Row[]): Claim[] {
  return [
    ...ipiClaims(rows),
    ...ALLOC_NAMES.flatMap((alloc) => statsClaims(rows, alloc)),
    ...comparisonClaims(rows),
    ...auditClaims(rows),
  ];
}

function ipiClaims(rows: readonly Row[]): Claim[] {
  const claims: Claim[] = [];
  const ipi = rows.filter((row): row is IpiRow => row.suite === 'ipi');
  for (const row of ipi) {
    if (row.free !== 'rchunks' || !ipi.some(({ free, trace }) => free === 'ipi' && trace === row.trace)) continue;
    // on one CPU nothing is remote, and nothing is decided
    if (row.remoteFrees === 0) continue;
    claims.push({
      id: `S2.3 ${row.trace}`,
      source: 'DragonFly 5fee07e6',
      text: `z_RChunks: IPI messages fall ${FALL}x or more on ${row.trace}`,
      pass: row.reduction >= FALL,
      measured: `${Math.floor(row.reduction)}x (${row.ipiMessages} messages for ${row.remoteFrees} remote frees)`,
    });
  }
  return claims;
}

function statsClaims(rows: readonly Row[], alloc: AllocName): Claim[] {
  const stats = rows.filter((row): row is StatsRow => row.suite === 'stats' && row.alloc === alloc);
  const find = (policy: string, where: string, cpus: number) =>
    stats.find((row) => row.stats === policy && row.where === where && row.cpus === cpus);
  const claims: Claim[] = [];
  const most = Math.max(0, ...stats.map(({ cpus }) => cpus));
  // the slab allocator's claims were here first, and their ids stand in records
  const own = alloc === 'dragonfly' ? '' : ` ${alloc}`;
  const on = alloc === 'dragonfly' ? '' : ` (${alloc})`;
  const gain = (id: string, policy: string, where: 'update' | 'malloc', cpus: number, least: number) => {
    const row = find(policy, where, cpus);
    if (!row || !find('critical', where, cpus)) return;
    const at = `${cpus} CPU${cpus > 1 ? 's' : ''}`;
    const what = where === 'update' ? 'the update alone' : 'malloc + free';
    const least1 = least === 1;
    const by = least1 ? 'by any amount' : `${least}x or more`;
    claims.push({
      id: `${id}${own}${cpus > 1 ? ', SMP' : ''}`, source: 'FreeBSD 63a7e0a3',
      text: `critical sections beat ${policy} ${by} on ${what} at ${at}${on}`,
      pass: least1 ? row.ratioLow > 1 : row.ratioToCritical >= least,
      measured: `${row.ratioToCritical.toFixed(2)}x (95 %: ${row.ratioLow.toFixed(2)} to ${row.ratioHigh.toFixed(2)})`,
    });
  };
  gain('S0.19 update', 'mutex', 'update', 1, UPDATE_GAIN);
  if (most > 1) gain('S0.19 update', 'mutex', 'update', most, UPDATE_GAIN);
  // where the commit was measured, one CPU was enough to see it
  if (alloc === 'freebsd') gain('S0.19 malloc', 'mutex', 'malloc', 1, MALLOC_GAIN);
  if (most > 1) gain('S0.19 malloc', 'mutex', 'malloc', most, MALLOC_GAIN);
  // malloc(9) finds its slot through ks_handle, about what two plain stores cost: the margin is decided by noise
  if (alloc === 'dragonfly') gain('S0.20 UP', 'mutex-up', 'update', 1, 1);
  const critical = find('critical', 'malloc', 1);
  if (critical) {
    claims.push({
      id: `S0.11 locked${own}`, source: 'FreeBSD 63a7e0a3',
      text: `a local malloc and free with critical statistics make no locked operation${on}`,
      pass: critical.lockedPerOp === 0,
      measured: `${critical.lockedPerOp} locked operations a pair`,
    });
  }
  return claims;
}

/** Two allocators in one run, on work that stays on its CPU. Failures and profiling are not what is compared. */
function comparisonClaims(rows: readonly Row[]): Claim[] {
  const claims: Claim[] = [];
  for (const row of rows) {
    if (row.suite !== 'pair' && row.suite !== 'local') continue;
    if (row.alloc !== 'freebsd' || row.stats !== 'critical' || row.failed !== undefined) continue;
    const { suite, ratioToDragonfly, ratioLow, ratioHigh, lockedPerOp } = row;
    if (ratioToDragonfly !== undefined && row.profile === undefined) {
      claims.push({
        id: `${suite} freebsd`, source: 'smpalloc',
        text: `${suite} takes ${PAIR_RATIO}x the time of dragonfly or less under freebsd`,
        pass: ratioToDragonfly <= PAIR_RATIO,
        measured: `${ratioToDragonfly.toFixed(2)}x (95 %: ${ratioLow?.toFixed(2)} to ${ratioHigh?.toFixed(2)})`,
      });
    }
    if (suite === 'pair' && lockedPerOp !== null) {
      claims.push({
        id: 'pair freebsd locked', source: 'FreeBSD sys/vm/uma_core.c',
        text: 'a bucket hit makes no locked operation',
        pass: lockedPerOp === 0,
        measured: `${lockedPerOp} locked operations a malloc and free`,
      });
    }
  }
  return claims;
}

function auditClaims(rows: readonly Row[]): Claim[] {
  const audited = rows.filter(({ audit }) => audit !== NOT_AUDITED);
  if (audited.length === 0) return [];
  const bad = audited.filter(({ audit }) => audit !== 'ok');
  return [
    {
      id: 'audit', source: 'smpalloc',
      text: 'every run ends with its identities intact: chunks, pages, queues, statistics',
      pass: bad.length === 0,
      measured: bad.length === 0 ? `${audited.length} of ${audited.length} rows` : `${bad[0]!.suite}: ${bad[0]!.audit}`,
    },
  ];
}
