/** machine.ts — a modelled machine whose CPUs do what a test says, access by access. */
import { bootModelled, type ModelledMachine } from '../../src/lab/model/machine.js';
import type { CostProfile } from '../../src/lab/model/profile.js';
import { SB_WORDS } from '../../src/hw/superblock.layout.js';

/** Round numbers: what a test adds up by hand. */
export const SIMPLE: CostProfile = {
  name: 'simple', title: 'round numbers', cluster: 2, sockets: 1,
  ns: {
    access: 1, locked: 10, memory: 100, transferCluster: 50, transferSocket: 70, transferRemote: 200, pause: 5,
    ipiSend: 20, ipiDeliver: 400, ipiEntry: 30, futexWait: 60, futexNotify: 80, futexWake: 1000,
  },
  sources: {} as CostProfile['sources'],
};

export const boot = (cpus: number, options = {}, profile = SIMPLE): Promise<ModelledMachine> =>
  bootModelled({ cpus, memory: '8MiB', mutex: 'adaptive', ...options }, profile, null);

/** Word of the n-th scratch line: nobody else's. */
export const scratch = (n: number): number => Math.ceil(SB_WORDS / 16) * 16 + n * 16;

/** Word of the first of many fresh lines: memory nobody has touched. */
export function fresh({ engine, as }: ModelledMachine, lines: number): number {
  const part = { cpu: 0, rank: 0, parties: 1 };
  return as(0, () => {
    const [type] = engine.phases.defineTypes(part, ['lines']);
    return engine.phases.allocateArea(part, lines * 64, type!) >>> 2;
  });
}

/** `times` accesses to a line of one's own, an operation each: time that passes. */
export function busy(m: ModelledMachine, word: number, times: number): Step[] {
  return Array.from({ length: times }, () => () => void m.engine.access.ld32(word));
}

export type Step = () => void;

/** Runs a list of operations a CPU. @returns virtual nanoseconds */
export function play(m: ModelledMachine, lists: readonly (readonly Step[])[]): number {
  const programs = lists.map((steps) => {
    let next = 0;
    return {
      step(): number {
        if (next === steps.length) return 0;
        steps[next]!();
        next++;
        return 1;
      },
    };
  });
  return m.engine.run.run(programs);
}

/** What has been counted since the run began. */
export function counts({ engine: { tally: t } }: ModelledMachine) {
  return {
    accesses: t.tally[t.ACCESSES], locked: t.tally[t.LOCKED_OPS], transfers: t.tally[t.TRANSFERS],
    upgrades: t.tally[t.UPGRADES], invalidations: t.tally[t.INVALIDATIONS], misses: t.tally[t.MISSES],
  };
}
