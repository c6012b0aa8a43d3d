/**
 * replay_row.ts — any trace, streamed through machines of every chosen policy at once: each window goes through each
 * machine before the next is read, so a trace larger than memory needs memory for one window.
 */
import { basename } from 'node:path';
import type { Machine } from '../host/machine.js';
import { ReplayPlan, type Window } from '../host/replay_plan.js';
import { readTrace } from '../host/trace/read.js';
import type { TraceSummary } from '../host/trace/trace.js';
import { profileTotal, wastePercent } from '../observe/malloc_profile.js';
import { emptyPass, type Pass, Replayer, sampleTrace, type TraceRow } from './replay.js';
import {
  auditText, type Contender, contenderName, contenderOptions, contenders, pagesPeak, type SuiteOptions, withMachines,
} from './suite.js';

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
  const field = contenders(o, o.free ?? ['rbatch'], [o.stats?.[0] ?? 'critical']);
  const options = field.map((contender) => contenderOptions(o, contender));
  const { result, window } = await withMachines(options, (machines) => streamed(path, strict, o, field, machines));
  if (window === null) return result;
  for (const [n, row] of result.rows.entries()) {
    o.progress(0, 0, `${contenderName(field[n]!)}, counting`);
    const sample = await sampleTrace(o, options[n]!, window);
    // a profile of the whole trace says more than its first window
    result.rows[n] = { ...row, ...sample, ...(row.profile && { waste: wastePercent(profileTotal(row.profile)) }) };
  }
  return result;
}

async function streamed(
  path: string, strict: boolean, o: SuiteOptions, field: readonly Contender[], machines: readonly Machine[],
): Promise<{ result: ReplayResult; window: Window | null }> {
  const replayers = machines.map((machine) => new Replayer(machine, o));
  const passes: Pass[] = machines.map(() => emptyPass());
  let events = 0;
  let askedPeak = 0;
  let first: Window | null = null;
  // type names of a kernel trace are complete only at its end: they are numbered until then
  const plan = new ReplayPlan(o.cpus, async (window) => {
    for (const [n, replayer] of replayers.entries()) {
      o.progress(0, 0, `${events.toLocaleString('en')} events, ${contenderName(field[n]!)}`);
      await replayer.window(window, [], passes[n]!);
    }
    events += window.allocations + window.frees;
    askedPeak = window.askedPeak;
    first ??= window;
  });
  const summary = await read(path, plan, strict, o);
  if (summary) for (const replayer of replayers) replayer.checkFailures();
  const about = summary ?? { name: basename(path), format: 'unknown' };
  const rows: ReplayRow[] = [];
  for (const [n, machine] of machines.entries()) {
    rows.push({ ...(await row(o, machine, field[n]!, about, passes[n]!)), askedPeak });
  }
  return { result: { summary, rows, fold: plan.fold }, window: first };
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

async function row(
  o: SuiteOptions, machine: Machine, { alloc, free, stats }: Contender, about: { name: string; format: string },
  pass: Pass,
): Promise<ReplayRow> {
  const { ms, cpuMs, locked: _, failed, profile, ...counts } = pass;
  const peak = pagesPeak(machine);
  const { text, audit } = await auditText(machine, o);
  return {
    suite: 'replay', alloc, free, stats, cpus: o.cpus, audit: text, trace: about.name, format: about.format,
    ...counts,
    remoteFrom: alloc === 'dragonfly' ? 'zones' : 'trace',
    per1000: pass.remoteFrees === 0 ? 0 : (1000 * pass.ipiMessages) / pass.remoteFrees,
    zonesPeak: machine.sysctl('kern.slab.zones_peak'), zonesEnd: audit.zones, stranded: audit.stranded,
    mops: ms === 0 ? 0 : (pass.allocations + pass.frees) / ms / 1000,
    wallSeconds: ms / 1000,
    cpuSeconds: cpuMs === null ? null : cpuMs / 1000,
    signalDelay: machine.configuration.signalDelay,
    pagesPeak: peak, askedPeak: null, waste: null, lockedPerOp: null,
    ...(o.fail && { failed }), ...(o.profile && { profile }),
  };
}
