/**
 * replay_row.ts — any trace, streamed through machines of every chosen policy at once: each window goes through each
 * machine before the next is read, so a trace larger than memory needs memory for one window.
 */
import { basename } from 'node:path';
import type { FreePolicy } from '../base/policy.js';
import { ReplayPlan } from '../host/replay_plan.js';
import { readTrace } from '../host/trace/read.js';
import type { TraceSummary } from '../host/trace/trace.js';
import { emptyPass, type Pass, Replayer, type TraceRow } from './replay.js';
import { auditText, bootOptions, type SuiteOptions, withMachines } from './suite.js';

export interface ReplayRow extends TraceRow {
  suite: 'replay';
  format: string;
}

export interface ReplayResult {
  /** null: interrupted before the trace's end */
  readonly summary: TraceSummary | null;
  readonly rows: ReplayRow[];
  /** CPU of each thread of the trace */
  readonly fold: ReadonlyMap<number, number>;
}

/**
 * @param path a trace file, or '-' for standard input
 * @param strict a bad line is an error
 */
export async function replaySuite(path: string, strict: boolean, o: SuiteOptions): Promise<ReplayResult> {
  const policies: readonly FreePolicy[] = o.free ?? ['rbatch'];
  const stats = o.stats?.[0] ?? 'critical';
  return withMachines(policies.map((free) => bootOptions(o, { free, stats })), async (machines) => {
    const replayers = machines.map((machine) => new Replayer(machine, o));
    const passes: Pass[] = machines.map(() => emptyPass());
    let events = 0;
    // type names of a kernel trace are complete only at its end: they are numbered until then
    const plan = new ReplayPlan(o.cpus, async (window) => {
      for (const [n, replayer] of replayers.entries()) {
        o.progress(0, 0, `${events.toLocaleString('en')} events, ${policies[n]}`);
        await replayer.window(window, [], passes[n]!);
      }
      events += window.allocations + window.frees;
    });
    const summary = await read(path, plan, strict, o);
    const rows: ReplayRow[] = [];
    for (const [n, machine] of machines.entries()) {
      const { text, audit } = await auditText(machine, o);
      const about = summary ?? { name: basename(path), format: 'unknown' };
      rows.push(row(machine.configuration.signalDelay, policies[n]!, stats, o.cpus, text, about, passes[n]!, {
        zonesPeak: machine.sysctl('kern.slab.zones_peak'), zonesEnd: audit.zones, stranded: audit.stranded,
      }));
    }
    return { summary, rows, fold: plan.fold };
  });
}

/** The whole trace through `plan`. @returns null when interrupted: what has been replayed by then stands */
async function read(path: string, plan: ReplayPlan, strict: boolean, o: SuiteOptions): Promise<TraceSummary | null> {
  try {
    const summary = await readTrace(path, plan, { strict, signal: o.signal });
    await plan.end();
    return summary;
  } catch (cause) {
    if (!o.signal.aborted) throw cause;
    return null;
  }
}

function row(
  signalDelay: number | 'tick', free: FreePolicy, stats: ReplayRow['stats'], cpus: number, audit: string,
  summary: Pick<TraceSummary, 'name'> & { format: string }, pass: Pass,
  zones: Pick<ReplayRow, 'zonesPeak' | 'zonesEnd' | 'stranded'>,
): ReplayRow {
  const { ms, cpuMs, ...counts } = pass;
  return {
    suite: 'replay', alloc: 'dragonfly', free, stats, cpus, audit, trace: summary.name, format: summary.format,
    ...counts,
    per1000: pass.remoteFrees === 0 ? 0 : (1000 * pass.ipiMessages) / pass.remoteFrees,
    ...zones,
    mops: ms === 0 ? 0 : (pass.allocations + pass.frees) / ms / 1000,
    cpuSeconds: cpuMs === null ? null : cpuMs / 1000,
    signalDelay,
  };
}
