/** cell.ts — one cell of the model's grid: a workload, warmed up and then measured; or a trace. */
import { bootCell, type Cell, type CellWatcher, measure } from './measure.js';
import type { ModelRow } from './row.js';
import { runTrace, TRACE } from './trace.js';
import { type ModelWorkload, WORKLOADS } from './workloads.js';

export function runCell(cell: Cell, watcher: CellWatcher): Promise<ModelRow> {
  return cell.workload.startsWith(TRACE) ? runTrace(cell, watcher) : runWorkload(cell, watcher);
}

async function runWorkload(cell: Cell, watcher: CellWatcher): Promise<ModelRow> {
  const workload = WORKLOADS[cell.workload as ModelWorkload];
  const machine = await bootCell(cell, workload.cpus(cell.cpus ?? 2));
  const { engine, as } = machine;
  const type = as(0, () => engine.phases.defineTypes({ cpu: 0, rank: 0, parties: 1 }, [cell.workload])[0]!);
  const prepared = workload.prepare(machine, type, cell.seed);
  const ops = Math.max(1, Math.round((cell.ops ?? workload.ops) / prepared.step)) * prepared.step;
  const half = Math.max(1, Math.round(ops / 2 / prepared.step)) * prepared.step;
  const warm = Math.max(half, workload.warmUp ?? 0);
  return measure(cell, watcher, {
    machine, warmUp: () => prepared.programs(warm), parts: [() => prepared.programs(ops)], zones: false,
  });
}
