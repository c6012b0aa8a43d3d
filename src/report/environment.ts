/** environment.ts — where a run ran, and what a reader of its numbers should know about that. */
import { arch, availableParallelism, cpus, release, type } from 'node:os';
import { packageVersion } from '../host/root.js';
import type { RunRecord } from './record.js';

/** @param ncpu virtual CPUs of the run */
export function environment(ncpu: number, invariants: boolean): RunRecord['environment'] {
  const cores = availableParallelism();
  const warnings: string[] = [];
  if (ncpu > cores) {
    warnings.push(`${ncpu} virtual CPUs on ${cores} cores: times measure the scheduler too; counts are what they are`);
  }
  if (invariants) warnings.push('invariants flavour: checks are on, times are not those of the release flavour');
  return {
    smpalloc: packageVersion,
    node: process.version,
    v8: process.versions.v8,
    os: `${type()} ${release()}`,
    arch: arch(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores,
    time: new Date().toISOString(),
    flavour: invariants ? 'invariants' : 'release',
    warnings,
  };
}
