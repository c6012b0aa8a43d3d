/**
 * engine_access.ts — what an access costs in the engine's own code, with the instructions around it: the time of a
 * native malloc and free of 64 bytes, over the accesses the model counts in one. A tight loop over the same heap takes
 * half of it, as it decides nothing between two accesses.
 */
import { median } from 'simple-statistics';
import { boot } from '../../host/machine.js';
import type { Lap } from '../../workload/phases.js';
import { runCell } from './cell.js';
import { profileByName } from './profiles.js';

const WORKLOADS = 'smpalloc:workloads';
const BYTES = 64;
const ROUND_OPS = 200_000;
const ROUNDS = 15;
/** V8 has settled after about so long */
const WARM_UP_MS = 600;

export interface EngineAccess {
  /** nanoseconds of an access, median of rounds, and the fastest */
  readonly ns: number;
  readonly min: number;
  /** accesses of a malloc and a free, and what those take */
  readonly accesses: number;
  readonly pairNs: number;
}

export async function engineAccess(signal?: AbortSignal): Promise<EngineAccess> {
  const rounds = await nativeRounds(signal);
  const { counts, ops } = await runCell(
    {
      cell: 0, workload: 'pair', alloc: 'dragonfly', free: 'rbatch', stats: 'critical', cpus: 1, signalDelay: 'profile',
      profile: profileByName('one-socket'), seed: 1, ops: 1000, memory: '', tunables: {},
    },
    { goesOn: () => true },
  );
  const accesses = counts.accesses / ops;
  const pairNs = median(rounds);
  return { ns: pairNs / accesses, min: Math.min(...rounds) / accesses, accesses, pairNs };
}

/** @returns nanoseconds of a malloc and a free, a round each */
async function nativeRounds(signal?: AbortSignal): Promise<number[]> {
  const machine = await boot({ cpus: 1, memory: '32MiB' });
  try {
    const options = signal ? { signal } : {};
    const [types] = (await machine.run(WORKLOADS, 'defineTypes', [['probe']], options)) as number[][];
    const round = async (): Promise<number> => {
      const { values } = await machine.measure(WORKLOADS, 'pair', [types![0], BYTES, ROUND_OPS], options);
      return ((values[0] as Lap).ms * 1e6) / ROUND_OPS;
    };
    for (const start = performance.now(); performance.now() - start < WARM_UP_MS; ) await round();
    const rounds: number[] = [];
    for (let n = 0; n < ROUNDS; n++) rounds.push(await round());
    return rounds;
  } finally {
    await machine.stop();
  }
}
