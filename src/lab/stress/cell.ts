/** cell.ts — one cell of a stress run: a scenario under one configuration, sampled, as a record. */
import { availableParallelism, cpus, release, type } from 'node:os';
import type { Window } from '../../base/stress.js';
import { configure } from '../../host/options.js';
import type { StressPulse } from '../../host/stress.js';
import type { Reference } from '../farm/reference.js';
import type { Scenario } from '../scenario.js';
import { machineFor, type SubjectOptions } from '../subject.js';
import type { StressRecord } from './record.js';
import { graded, Stress } from './stress.js';
import type { Known } from './window.js';

export interface Cell {
  readonly scenario: Scenario;
  readonly reference: Reference;
  readonly settings: Omit<SubjectOptions, 'on' | 'dropped'>;
  readonly time: number;
  readonly seed: number;
  /** hold threads up where `known` says */
  readonly widened: boolean;
  readonly known: (Known & { readonly defect: string }) | null;
}

/** Samples on workers of a cell that are there already. */
export async function sampleCell(
  stress: Stress, cell: Cell, onPulse: (pulse: StressPulse) => void, signal?: AbortSignal,
): Promise<StressRecord> {
  const { scenario, settings, time, seed, widened, known } = cell;
  const windows: readonly Window[] = widened ? (known?.windows ?? []) : [];
  const report = await stress.sample({ time, seed, windows }, onPulse, signal);
  const { machine } = machineFor(scenario, settings);
  const options = { ...machine, cpus: scenario.cpus.length };
  const { alloc, free, stats, mutex, invariants } = configure(options, { stepped: true });
  return {
    schema: 'smpalloc-race-stress-1',
    scenario: scenario.name,
    title: scenario.title ?? '',
    origin: scenario.origin,
    cpus: [...scenario.cpus],
    machine: { alloc, free, stats, mutex, invariants },
    defects: [...(settings.defects ?? [])],
    widened,
    seeds: [seed],
    workers: scenario.cpus.length,
    cores: availableParallelism(),
    samples: report.samples,
    seconds: report.seconds,
    rows: graded(scenario, report.counts),
    known: known && {
      cls: known.cls, token: known.token, defect: known.defect, preemptions: known.preemptions,
      schedules: known.schedules, failing: known.failing, all: known.all,
    },
    unseen: scenario.lesson?.unseen ?? '',
    environment: { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', os: `${type()} ${release()}` },
  };
}

/** Starts the workers, samples, stops them. */
export async function runCell(
  cell: Cell, onPulse: (pulse: StressPulse) => void, signal?: AbortSignal,
): Promise<StressRecord> {
  await using stress = await Stress.start(cell.scenario, cell.reference, cell.settings, signal);
  return await sampleCell(stress, cell, onPulse, signal);
}
