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
import { emptyPass, type Pass, Replayer, type TraceRow } from './replay.js';
import { auditText, bootOptions, median, rounds, type SuiteOptions, withMachines } from './suite.js';

export interface IpiRow extends TraceRow {
  suite: 'ipi';
  /** messages per remote free of policy `ipi`, over this policy's; a policy without messages counts as one */
  reduction: number;
  passes: number;
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
  const policies = o.free ?? IPI_POLICIES;
  const passes = o.rounds ?? PASSES;
  const stats = o.stats?.[0] ?? 'critical';
  return withMachines(
    policies.map((free) => bootOptions(o, { free, stats })),
    async (machines) => {
      const replayers = machines.map((machine) => new Replayer(machine, o));
      const results: Pass[][] = machines.map(() => []);
      await rounds(o, passes + 1, async (round) => {
        for (const [n, replayer] of replayers.entries()) {
          const part = (round * machines.length + n) / ((passes + 1) * machines.length);
          o.progress(done + part / IPI_TRACES.length, 1, `${trace.summary.name}, ${policies[n]}`);
          const pass = emptyPass();
          for (const window of trace.windows) await replayer.window(window, trace.summary.types, pass);
          await replayer.end(trace.windows.at(-1)!);
          if (round > 0) results[n]!.push(pass);
        }
      });
      const rows: IpiRow[] = [];
      for (const [n, machine] of machines.entries()) {
        if (results[n]!.length > 0) rows.push(await row(o, machine, trace.summary.name, results[n]!));
      }
      return withReduction(rows);
    },
  );
}

async function row(o: SuiteOptions, machine: Machine, trace: string, passes: readonly Pass[]): Promise<IpiRow> {
  const mid = (value: (pass: Pass) => number) => Math.round(median(passes.map(value)));
  const { text, audit } = await auditText(machine, o);
  const { free, stats, signalDelay } = machine.configuration;
  const remoteFrees = mid((pass) => pass.remoteFrees);
  const ipiMessages = mid((pass) => pass.ipiMessages);
  return {
    suite: 'ipi', alloc: 'dragonfly', free, stats, cpus: o.cpus, audit: text, trace,
    allocations: passes[0]!.allocations,
    frees: passes[0]!.frees,
    remoteFrees,
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
    mops: median(passes.map((pass) => (pass.allocations + pass.frees) / pass.ms / 1000)),
    cpuSeconds: passes.some((pass) => pass.cpuMs === null)
      ? null
      : passes.reduce((sum, pass) => sum + pass.cpuMs!, 0) / 1000,
    passes: passes.length,
    signalDelay,
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
