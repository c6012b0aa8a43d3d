/**
 * ipi.ts — the claim of DragonFly commit 5fee07e6: linking a freed chunk on its zone instead of sending it home saves a
 * hundred messages out of every hundred and one.
 *
 * Recorded traces, every policy on a machine of its own, passes taken in turn; pass 0 warms up and is not counted.
 */
import type { FreePolicy } from '../base/policy.js';
import { Jobs } from '../host/jobs.js';
import type { Machine } from '../host/machine.js';
import type { PreparedReplay } from '../host/prepare_replay.js';
import { tracePath } from '../host/trace/bundled.js';
import { profileSum, profileTotal, wastePercent } from '../observe/malloc_profile.js';
import { emptyPass, type Pass, Replayer, sampleTrace, type TraceRow } from './replay.js';
import {
  addKnown, auditText, type Contender, contenderName, contenderOptions, contenders, median, pagesPeak, rounds,
  type SuiteOptions, withMachines,
} from './suite.js';

export interface IpiRow extends TraceRow {
  suite: 'ipi';
  /** messages per remote free of policy `ipi`, over this policy's; a policy without messages counts as one */
  reduction: number;
  passes: number;
  /** mops of each pass, in order */
  samples: number[];
}

export const IPI_TRACES = ['redis-io3', 'kernel-net'];
export const IPI_POLICIES: readonly FreePolicy[] = ['ipi', 'rchunks', 'rbatch'];
const PASSES = 8;

export async function ipiSuite(o: SuiteOptions): Promise<IpiRow[]> {
  await using jobs = new Jobs();
  o.progress(0, 1, 'reading traces');
  const traces = await Promise.all(
    IPI_TRACES.map((name) => jobs.prepareReplay(tracePath(name), o.cpus, o.signal)),
  );
  const rows: IpiRow[] = [];
  for (const [index, trace] of traces.entries()) {
    if (!o.signal.aborted) rows.push(...(await oneTrace(o, trace, index / traces.length)));
  }
  return rows;
}

async function oneTrace(o: SuiteOptions, trace: PreparedReplay, done: number): Promise<IpiRow[]> {
  const field = contenders(o, o.free ?? IPI_POLICIES, [o.stats?.[0] ?? 'critical']);
  const options = field.map((contender) => contenderOptions(o, contender));
  const rows = await withMachines(options, (machines) => measured(o, trace, done, field, machines));
  for (const [n, row] of rows.entries()) {
    o.progress(done, 1, `${trace.summary.name}, ${contenderName(field[n]!)}, counting`);
    const sample = await sampleTrace(o, options[n]!, trace.windows[0]!);
    // a profile of the whole trace says more than a pass
    rows[n] = { ...row, ...sample, ...(row.profile && { waste: wastePercent(profileTotal(row.profile)) }) };
  }
  return withReduction(rows);
}

async function measured(
  o: SuiteOptions, trace: PreparedReplay, done: number, field: readonly Contender[], machines: readonly Machine[],
): Promise<IpiRow[]> {
  const passes = o.rounds ?? PASSES;
  const replayers = machines.map((machine) => new Replayer(machine, o));
  const results: Pass[][] = machines.map(() => []);
  await rounds(o, passes + 1, async (round) => {
    for (const [n, replayer] of replayers.entries()) {
      const part = (round * machines.length + n) / ((passes + 1) * machines.length);
      o.progress(done + part / IPI_TRACES.length, 1, `${trace.summary.name}, ${contenderName(field[n]!)}`);
      const pass = emptyPass();
      for (const window of trace.windows) await replayer.window(window, trace.summary.types, pass);
      await replayer.end(trace.windows.at(-1)!);
      replayer.checkFailures();
      if (round > 0) results[n]!.push(pass);
    }
  });
  const rows: IpiRow[] = [];
  for (const [n, machine] of machines.entries()) {
    if (results[n]!.length === 0) break;
    rows.push(await row(o, machine, field[n]!, trace, results[n]!));
  }
  return rows;
}

async function row(
  o: SuiteOptions, machine: Machine, { alloc, free, stats }: Contender, trace: PreparedReplay, passes: readonly Pass[],
): Promise<IpiRow> {
  const mid = (value: (pass: Pass) => number) => Math.round(median(passes.map(value)));
  const peak = pagesPeak(machine);
  const { text, audit } = await auditText(machine, o);
  const remoteFrees = mid((pass) => pass.remoteFrees);
  const ipiMessages = mid((pass) => pass.ipiMessages);
  const samples = passes.map((pass) => (pass.allocations + pass.frees) / pass.ms / 1000);
  const cpuMs = passes.reduce<number | null>((sum, pass) => addKnown(sum, pass.cpuMs), 0);
  return {
    suite: 'ipi', alloc, free, stats, cpus: o.cpus, audit: text, trace: trace.summary.name,
    allocations: passes[0]!.allocations,
    frees: passes[0]!.frees,
    remoteFrees,
    remoteFrom: alloc === 'dragonfly' ? 'zones' : 'trace',
    ipiMessages,
    ipiInterrupts: mid((pass) => pass.ipiInterrupts),
    ipiAvoided: mid((pass) => pass.ipiAvoided),
    per1000: remoteFrees === 0 ? 0 : (1000 * ipiMessages) / remoteFrees,
    reduction: 1,
    casTries: mid((pass) => pass.casTries),
    casFails: mid((pass) => pass.casFails),
    zonesPeak: machine.sysctl('kern.slab.zones_peak'),
    zonesEnd: audit.zones,
    stranded: audit.stranded,
    mops: median(samples),
    samples,
    wallSeconds: passes.reduce((sum, { ms }) => sum + ms, 0) / 1000,
    cpuSeconds: cpuMs === null ? null : cpuMs / 1000,
    passes: passes.length,
    signalDelay: machine.configuration.signalDelay,
    pagesPeak: peak,
    askedPeak: trace.windows.at(-1)!.askedPeak,
    waste: null,
    lockedPerOp: null,
    ...(o.fail && { failed: passes.reduce((sum, pass) => sum + pass.failed, 0) }),
    ...(o.profile && { profile: passes.map((pass) => pass.profile).reduce(profileSum) }),
  };
}

/** One message a remote free is what policy `ipi` sends, measured if it ran along. */
function withReduction(rows: readonly IpiRow[]): IpiRow[] {
  const base = rows.find(({ free }) => free === 'ipi');
  const per1000 = base ? base.per1000 : 1000;
  return rows.map((row) => ({
    ...row,
    reduction: row.remoteFrees === 0 ? 1 : per1000 / ((1000 * Math.max(1, row.ipiMessages)) / row.remoteFrees),
  }));
}
