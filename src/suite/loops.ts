/**
 * loops.ts — pair, local, larson, xmalloc, ring: the allocator at work, and the C allocators beside it.
 *
 * Every suite is the same experiment: machines, one a policy, set up, warmed up, then rounds in turn; with `peers` the
 * C programs of bench/peers run one round in between. Parameters: bench/peers/README.md.
 */
import type { FreePolicy, StatsPolicy } from '../base/policy.js';
import type { BootOptions } from '../host/options.js';
import type { Machine } from '../host/machine.js';
import { findPeers, type Peer, type PeerWorkload, runPeer } from '../host/peers.js';
import type { Lap } from '../workload/phases.js';
import {
  auditText, bootOptions, calibrate, defineType, median, phase, type RowBase, rounds, suiteMemory, type SuiteOptions,
  withMachines,
} from './suite.js';

export type LoopName = 'pair' | 'local' | 'larson' | 'xmalloc' | 'ring';
export const LOOP_NAMES: readonly LoopName[] = ['pair', 'local', 'larson', 'xmalloc', 'ring'];

export interface LoopRow extends RowBase {
  suite: LoopName;
  /** pair and local: nanoseconds of a malloc and a free; the others: the same figure, an operation of one CPU */
  nsPerPair: number;
  nsMin: number;
  nsMax: number;
  mops: number;
  remoteFrees: number;
  ipiMessages: number;
  ipiInterrupts: number;
  zonesPeak: number;
  lockedPerOp: number | null;
  rounds: number;
  cpuSeconds: number | null;
  /** nanoseconds of the C allocators in the same rounds, by name */
  peers?: Record<string, number>;
}

/** How one workload is set up and run. */
interface Loop {
  /** CPUs it runs on */
  cpus(o: SuiteOptions): number;
  memory: string;
  /** operations of the first trial, per CPU, and the granularity of a round */
  trial: number;
  step: number;
  setup(machine: Machine, o: SuiteOptions, type: number): Promise<Runner>;
}

/** Runs `ops` operations a CPU. @returns milliseconds */
type Runner = (ops: number) => Promise<number>;

const PAIR_BYTES = 64;
const XMALLOC_BATCH = 4096;
const LARSON_BLOCKS = 5000;
const LARSON_LAPS = 10;
const RING_DEPTH = 1024;
const ROUNDS = 9;
/** V8 has settled after about this long; rounds before that are not measured */
const WARM_UP_MS = 1200;

const slowest = (laps: Lap[]): number => Math.max(...laps.map((lap) => lap.ms));

const LOOPS: Record<LoopName, Loop> = {
  pair: {
    cpus: (o) => (o.cpusGiven ? o.cpus : 1), memory: '32MiB', trial: 20_000, step: 1,
    setup: async (machine, o, type) => async (ops) =>
      slowest(await phase<Lap>(machine, o, 'pair', type, PAIR_BYTES, ops)),
  },
  local: {
    cpus: (o) => (o.cpusGiven ? o.cpus : 1), memory: '64MiB', trial: 20_000, step: 1,
    setup: async (machine, o, type) => {
      const areas = await phase<number>(machine, o, 'allocateArea', 4096, type);
      let x = areas.map(() => 0);
      return async (ops) => {
        const laps = await phase<Lap & { x: number }>(machine, o, 'local', type, areas, ops, x);
        x = laps.map((lap) => lap.x);
        return slowest(laps);
      };
    },
  },
  larson: {
    cpus: (o) => o.cpus, memory: '256MiB', trial: LARSON_LAPS * LARSON_BLOCKS, step: LARSON_LAPS * LARSON_BLOCKS,
    setup: async (machine, o, type) => {
      const areas = await phase<number>(machine, o, 'allocateArea', LARSON_BLOCKS * 4, type);
      let x = await phase<number>(machine, o, 'larsonSetup', type, areas, o.seed);
      let generation = 0;
      return async (ops) => {
        const generations = ops / (LARSON_LAPS * LARSON_BLOCKS);
        const laps = await phase<Lap & { x: number }>(
          machine, o, 'larson', type, areas, LARSON_LAPS, generation, generations, x,
        );
        generation += generations;
        x = laps.map((lap) => lap.x);
        return slowest(laps);
      };
    },
  },
  xmalloc: {
    cpus: (o) => Math.max(2, o.cpus & ~1), memory: '256MiB', trial: XMALLOC_BATCH, step: XMALLOC_BATCH,
    setup: async (machine, o, type) => {
      const [queue] = await phase<number>(machine, o, 'allocateArea', 128, type);
      const producers = machine.configuration.cpus / 2;
      return async (ops) =>
        slowest(await phase<Lap>(machine, o, 'xmalloc', type, queue, PAIR_BYTES, ops / XMALLOC_BATCH, producers));
    },
  },
  ring: {
    cpus: (o) => o.cpus, memory: '128MiB', trial: 5000, step: 1,
    setup: async (machine, o, type) => {
      const rings = await phase<number>(machine, o, 'allocateArea', (32 + RING_DEPTH) * 4, type);
      return async (ops) => slowest(await phase<Lap>(machine, o, 'ring', type, rings, RING_DEPTH, PAIR_BYTES, ops));
    },
  },
};

/** Default policies: the sound fast one, what the commit did, and the baseline. One CPU has no remote frees. */
function policies(o: SuiteOptions, cpus: number): { free: FreePolicy; stats: StatsPolicy }[] {
  const frees = o.free ?? (cpus === 1 ? (['rbatch'] as const) : (['rbatch', 'rchunks', 'locked'] as const));
  return frees.flatMap((free) => (o.stats ?? ['critical' as const]).map((stats) => ({ free, stats })));
}

export async function loopSuite(name: LoopName, o: SuiteOptions): Promise<LoopRow[]> {
  const loop = LOOPS[name];
  const cpus = loop.cpus(o);
  const count = o.rounds ?? ROUNDS;
  const chosen = policies(o, cpus);
  const memory = suiteMemory(o, cpus, loop.memory);
  const own = (policy: BootOptions): BootOptions => bootOptions(o, { cpus, ...memory, ...policy });
  return withMachines(chosen.map(own), async (machines) => {
    const contestants: Contestant[] = [];
    for (const machine of machines) contestants.push(await prepare(loop, machine, o));
    const peers = o.peers ? findPeers() : [];
    const peerNs = new Map<string, number[]>(peers.map(({ name: peer }) => [peer, []]));
    await rounds(o, count, async (round) => {
      for (const [n, contestant] of contestants.entries()) {
        o.progress((round + n / contestants.length) / count, 1, `${chosen[n]!.free}, round ${round + 1} of ${count}`);
        contestant.ns.push(await contestant.round());
      }
      for (const peer of peers) {
        o.progress((round + 1) / count, 1, `${peer.name}, round ${round + 1} of ${count}`);
        peerNs.get(peer.name)!.push(await peerRound(peer, name, cpus, contestants[0]!.ops, o));
      }
    });
    const rows: LoopRow[] = [];
    for (const contestant of contestants) {
      if (contestant.ns.length > 0) rows.push(await contestant.row(name, cpus, peerNs));
    }
    return rows;
  });
}

async function prepare(loop: Loop, machine: Machine, o: SuiteOptions): Promise<Contestant> {
  const type = await defineType(machine, o, 'temp');
  const run = await loop.setup(machine, o, type);
  // a round is made of whole steps
  let ops = Math.ceil((o.ops ?? loop.trial) / loop.step) * loop.step;
  const end = performance.now() + WARM_UP_MS;
  while (performance.now() < end) {
    const ms = await run(ops);
    if (o.ops === null) ops = Math.max(1, Math.round(calibrate(ops, ms, o.roundMs) / loop.step)) * loop.step;
  }
  return new Contestant(machine, o, run, ops);
}

class Contestant {
  readonly ns: number[] = [];
  readonly ops: number;
  readonly #machine: Machine;
  readonly #o: SuiteOptions;
  readonly #run: Runner;
  readonly #before: number[];

  constructor(machine: Machine, o: SuiteOptions, run: Runner, ops: number) {
    this.#machine = machine;
    this.#o = o;
    this.#run = run;
    this.ops = ops;
    this.#before = this.#counters();
  }

  async round(): Promise<number> {
    return ((await this.#run(this.ops)) * 1e6) / this.ops;
  }

  #counters(): number[] {
    const names = ['kern.slab.remote_frees', 'lwkt.ipiq_count', 'lwkt.ipiq_interrupts'];
    return names.map((name) => this.#machine.sysctl(name));
  }

  async row(suite: LoopName, cpus: number, peerNs: Map<string, number[]>): Promise<LoopRow> {
    const [remoteFrees, ipiMessages, ipiInterrupts] = this.#counters().map((value, n) => value - this.#before[n]!);
    const { text } = await auditText(this.#machine, this.#o);
    const { free, stats } = this.#machine.configuration;
    const ns = median(this.ns);
    const measured = [...peerNs].filter(([, values]) => values.length > 0);
    const peers = Object.fromEntries(measured.map(([peer, values]) => [peer, median(values)]));
    return {
      suite, alloc: 'dragonfly', free, stats, cpus, audit: text, nsPerPair: ns, nsMin: Math.min(...this.ns),
      nsMax: Math.max(...this.ns), mops: (1000 * cpus) / ns, remoteFrees: remoteFrees!, ipiMessages: ipiMessages!,
      ipiInterrupts: ipiInterrupts!, zonesPeak: this.#machine.sysctl('kern.slab.zones_peak'), lockedPerOp: null,
      rounds: this.ns.length,
      cpuSeconds: null,
      ...(measured.length > 0 && { peers }),
    };
  }
}

/** One round of a C allocator: its own warm-up pass, then one timed pass of about the same length. */
async function peerRound(peer: Peer, name: LoopName, cpus: number, ops: number, o: SuiteOptions): Promise<number> {
  const units: Record<LoopName, number> = {
    pair: ops, local: ops, larson: Math.max(1, ops / (LARSON_LAPS * LARSON_BLOCKS)),
    xmalloc: Math.max(1, ops / XMALLOC_BATCH), ring: ops,
  };
  const options = { threads: cpus, ops: Math.round(units[name]), rounds: 1, seed: o.seed };
  const { nsPerOp } = await runPeer(peer, name as PeerWorkload, options);
  return nsPerOp[0]!;
}
