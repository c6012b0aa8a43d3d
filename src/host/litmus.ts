/**
 * litmus.ts — a litmus test on worker threads, one an actor.
 *
 * Nothing waits for ever: a worker that throws or dies ends the others, and one that hangs is ended with them.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { SmpallocError } from '../base/errors.js';
import {
  LITMUS_OVER, litmusBytes, type LitmusMessage, type LitmusTally, type LitmusTask, LT_ARRIVED,
  LT_SAMPLES, LT_STATE,
} from '../base/litmus.js';
import { distUrl } from './root.js';
import { workerMessage } from './scenario_worker.js';
import { sharedPages } from './shared_pages.js';

/** a stride takes milliseconds, or a second where all cores are busy */
const PATIENCE_MS = 20_000;
const LOOK_MS = 100;
/** after somebody has said it is over: how long the others may take to notice */
const LEAVE_MS = 1000;

export interface LitmusRun extends Pick<LitmusTask, 'registers' | 'seed' | 'ms' | 'warmUpMs'> {
  readonly name: string;
  /** JavaScript of each actor (lab/litmus/actor.ts) */
  readonly parts: readonly Pick<LitmusTask, 'part' | 'reset' | 'final'>[];
  /** milliseconds without the end of a stride, after which an actor is said to hang */
  readonly patience?: number;
}

/** More threads than this wait for each other's time slices: what they do not show then means nothing. */
export const litmusCores = (): number => availableParallelism();

/**
 * @param progress told the instances counted so far, now and then
 * @throws SmpallocError ESMP_HALTED when an actor throws or dies, ESMP_TIMEOUT when one hangs; what `signal` says
 */
export async function runLitmus(
  run: LitmusRun, signal?: AbortSignal, progress?: (samples: number) => void,
): Promise<LitmusTally> {
  signal?.throwIfAborted();
  const { name, parts, patience = PATIENCE_MS, ...rest } = run;
  const crowded = parts.length > litmusCores();
  const page = sharedPages(litmusBytes(parts.length));
  const control = new Int32Array(page);
  const workers = parts.map((part, actor) => {
    const task: LitmusTask = { ...part, ...rest, page, actor, actors: parts.length, crowded };
    // no execArgv: Node refuses V8's flags there, and --no-opt is worth a measurement
    return new Worker(distUrl('litmus.js'), { name: `litmus${actor}`, workerData: task });
  });
  const limit = new AbortController();
  let last = { strides: 0, at: performance.now() };
  const watch = setInterval(() => {
    const [strides, now] = [Atomics.load(control, LT_ARRIVED), performance.now()];
    if (strides !== last.strides) last = { strides, at: now };
    else if (now - last.at > patience) {
      limit.abort(new SmpallocError('ESMP_TIMEOUT', `litmus ${name}: an actor hangs: no stride in ${patience} ms`));
    }
    progress?.(Atomics.load(control, LT_SAMPLES));
  }, LOOK_MS);
  const any = AbortSignal.any([limit.signal, ...(signal ? [signal] : [])]);
  const ends = workers.map((worker, actor) => ending(worker, `litmus ${name}: actor ${actor}`, any));
  try {
    const [tally] = await Promise.all(ends);
    if (tally) return tally;
    throw new SmpallocError('ESMP_HALTED', `litmus ${name}: ended without a result`);
  } catch (cause) {
    Atomics.store(control, LT_STATE, LITMUS_OVER);
    await Promise.race([Promise.allSettled(ends), new Promise((resolve) => setTimeout(resolve, LEAVE_MS).unref())]);
    throw cause;
  } finally {
    clearInterval(watch);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** What a worker says in the end. */
async function ending(worker: Worker, who: string, signal: AbortSignal): Promise<LitmusTally | null> {
  const message = await workerMessage<LitmusMessage>(worker, `${who} died`, signal);
  if ('error' in message) throw new SmpallocError('ESMP_HALTED', `${who} threw ${message.error}`);
  return message.tally;
}
