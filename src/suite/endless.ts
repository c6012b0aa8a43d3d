/**
 * endless.ts — a suite's work, or a trace's, again and again on one machine: for those who watch and measure nothing.
 *
 * Work goes in steps of about STEP_MS, phases as the suites have them; every CPU takes part.
 */
import type { Machine } from '../host/machine.js';
import type { BootOptions } from '../host/options.js';
import { type PreparedReplay, prepareReplay } from '../host/prepare_replay.js';
import { tracePath } from '../host/trace/bundled.js';
import { narrowFailures, noSuchType } from './failures.js';
import { IPI_TRACES } from './ipi.js';
import { LOOP_NAMES, LOOPS } from './loops.js';
import { emptyPass, Replayer } from './replay.js';
import { calibrate, contenderOptions, contenders, defineType, phase, suiteMemory, type SuiteOptions } from './suite.js';
import type { Lap } from '../workload/phases.js';

const STEP_MS = 500;
const TRIAL_OPS = 20_000;
const STATS_BYTES = 64;

/** Does a step of the work; rejects when the machine panics, or is stopped. */
export type Step = () => Promise<void>;

export interface Endless {
  /** of the machine it runs on */
  readonly options: BootOptions;
  /** sets the machine up */
  start(machine: Machine): Promise<Step>;
}

/** @param name a suite, or a trace's file */
export async function endless(name: string, wanted: SuiteOptions): Promise<Endless> {
  const o: SuiteOptions = { ...wanted, cpusGiven: true };
  const [contender] = contenders(o, o.free ?? ['rbatch'], [o.stats?.[0] ?? 'critical']);
  const loop = LOOP_NAMES.find((one) => one === name);
  if (loop) {
    const { cpus, memory } = { cpus: LOOPS[loop].cpus(o), memory: LOOPS[loop].memory };
    const options = contenderOptions(o, contender!, { cpus, ...suiteMemory(o, cpus, memory) });
    return { options, start: async (machine) => loopStep(loop, machine, o) };
  }
  const options = contenderOptions(o, contender!);
  if (name === 'stats') return { options, start: async (machine) => statsStep(machine, o) };
  const paths = name === 'ipi' ? IPI_TRACES.map(tracePath) : [name];
  return { options, start: await traceStep(paths, o) };
}

async function loopStep(name: keyof typeof LOOPS, machine: Machine, o: SuiteOptions): Promise<Step> {
  const loop = LOOPS[name];
  const type = await defineType(machine, o, 'temp');
  if (!narrowFailures(o, machine)) throw noSuchType(o, machine);
  const run = await loop.setup(machine, o, type);
  return stepOf(loop.trial, loop.step, async (ops) => (await run(ops)).ms);
}

async function statsStep(machine: Machine, o: SuiteOptions): Promise<Step> {
  const type = await defineType(machine, o, 'temp');
  if (!narrowFailures(o, machine)) throw noSuchType(o, machine);
  return stepOf(TRIAL_OPS, 1, async (ops) => {
    const laps = await phase<Lap>(machine, o, 'statsMalloc', type, STATS_BYTES, ops);
    return Math.max(...laps.map(({ ms }) => ms));
  });
}

/** Steps of about the same length, of whole granules. @param run runs so many operations @returns milliseconds */
function stepOf(trial: number, granule: number, run: (ops: number) => Promise<number>): Step {
  let ops = trial;
  return async () => {
    const ms = await run(ops);
    ops = Math.max(1, Math.round(calibrate(ops, ms, STEP_MS) / granule)) * granule;
  };
}

/** The traces one after the other; what they leave alive is freed before the next begins. */
async function traceStep(paths: readonly string[], o: SuiteOptions): Promise<Endless['start']> {
  const traces: PreparedReplay[] = [];
  for (const path of paths) traces.push(await prepareReplay({ path, cpus: o.cpus, signal: o.signal }));
  return async (machine) => {
    const replayers = traces.map((trace) => ({ trace, replayer: new Replayer(machine, o) }));
    return async () => {
      for (const { trace, replayer } of replayers) {
        for (const window of trace.windows) await replayer.window(window, trace.summary.types, emptyPass());
        await replayer.end(trace.windows.at(-1)!);
        replayer.checkFailures();
      }
    };
  };
}
