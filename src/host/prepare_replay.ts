/** prepare_replay.ts — a whole trace read and folded, as a job: programs are shared memory and cross for nothing. */
import { ReplayPlan, type Window } from './replay_plan.js';
import { readTrace } from './trace/read.js';
import type { TraceSummary } from './trace/trace.js';

export interface PreparedReplay {
  readonly summary: TraceSummary;
  readonly windows: Window[];
  /** CPU of each thread of the trace */
  readonly fold: [thread: number, cpu: number][];
}

export interface ReplayWish {
  readonly path: string;
  readonly cpus: number;
  /** of a caller in the same thread */
  readonly signal?: AbortSignal;
}

export async function prepareReplay({ path, cpus, signal }: ReplayWish): Promise<PreparedReplay> {
  const windows: Window[] = [];
  const plan = new ReplayPlan(cpus, async (window) => {
    windows.push(window);
  });
  const summary = await readTrace(path, plan, { ...(signal && { signal }) });
  await plan.end();
  return { summary, windows, fold: [...plan.fold] };
}
