/**
 * trace.ts — a recorded trace on a modelled machine: its threads folded onto the CPUs as in a native replay, each CPU
 * its events in their order, from a cold start.
 */
import { type PreparedReplay, prepareReplay } from '../../host/prepare_replay.js';
import { MAXCPU } from '../../base/param.js';
import { tracePath } from '../../host/trace/bundled.js';
import type { ModelledMachine } from './machine.js';
import { bootCell, type Cell, type CellWatcher, measure } from './measure.js';
import type { ModelRow } from './row.js';
import type { Program } from './workloads.js';

/** how a trace is named among the workloads */
export const TRACE = 'trace:';

/** the last trace that was read, since the cells of a sweep come in the order of their traces */
let last: { key: string; trace: PreparedReplay } | null = null;

async function read(path: string, cpus: number): Promise<PreparedReplay> {
  const key = `${path} ${cpus}`;
  if (last?.key !== key) last = { key, trace: await prepareReplay({ path, cpus }) };
  return last.trace;
}

/** CPUs a trace needs to have one for each thread. */
export async function threadsOf(name: string): Promise<number> {
  return (await read(tracePath(name), MAXCPU)).fold.length;
}

export async function runTrace(cell: Cell, watcher: CellWatcher): Promise<ModelRow> {
  const name = cell.workload.slice(TRACE.length);
  const cpus = cell.cpus ?? Math.max(1, await threadsOf(name));
  const trace = await read(tracePath(name), cpus);
  const machine = await bootCell(cell, cpus);
  const { table, types } = setUp(machine, trace);
  const parts = trace.windows.map((window) => (): Program[] =>
    window.programs.map((program, cpu) =>
      new machine.engine.programs.ReplayProgram(new Int32Array(program), window.events[cpu]!, table, types)));
  return measure(cell, watcher, { machine, warmUp: () => null, parts, zones: cell.alloc === 'dragonfly' });
}

/** Types by the names of the trace, and a table of pointers that is large enough to its end. */
function setUp({ engine, as }: ModelledMachine, { windows, summary }: PreparedReplay) {
  const part = { cpu: 0, rank: 0, parties: 1 };
  const slots = Math.max(1024, ...windows.map((window) => window.slots));
  const kinds = Math.max(0, ...windows.map((window) => window.types)) + 1;
  const names = Array.from({ length: kinds }, (_, n) => summary.types[n] ?? `type ${n}`);
  return as(0, () => {
    const [own] = engine.phases.defineTypes(part, ['replay table']);
    const table = engine.phases.allocateArea(part, slots * 4, own!) >>> 2;
    return { table, types: engine.phases.defineTypes(part, names) };
  });
}
