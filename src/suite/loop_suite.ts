/**
 * loop_suite.ts — the loops of loops.ts, measured: every suite is the same experiment.
 *
 * Machines, one an allocator and policy, are set up, warmed up, then take rounds in turn; with `peers` the C programs
 * of bench/peers run one round in between. What is counted has machines of its own (sample.ts), after the rounds.
 */
import type { Machine } from '../host/machine.js';
import type { BootOptions } from '../host/options.js';
import { findPeers, type Peer, type PeerWorkload, runPeer } from '../host/peers.js';
import {
  mallocProfile, type ProfileRow, profileSince, profileTotal, wastePercent,
} from '../observe/malloc_profile.js';
import { failedSince, narrowFailures, noSuchType } from './failures.js';
import {
  LARSON_STEP, type Loop, type LoopName, type LoopRow, LOOPS, type Runner, XMALLOC_BATCH,
} from './loops.js';
import { type Sample, sample } from './sample.js';
import {
  addKnown, auditText, calibrate, type Contender, contenderName, contenderOptions, contenders, defineType, median,
  pagesPeak, pairedRatio, rounds, suiteMemory, type SuiteOptions, withMachines,
} from './suite.js';

const ROUNDS = 9;
/** V8 has settled after about this long; rounds before that are not measured */
const WARM_UP_MS = 1200;
/** operations of the passes that count */
const SAMPLE_OPS = 10_000;
const COUNTERS = ['kern.slab.remote_frees', 'lwkt.ipiq_count', 'lwkt.ipiq_interrupts'] as const;

/** Default policies: the sound fast one, what the commit did, and the baseline. One CPU has no remote frees. */
function chosen(o: SuiteOptions, cpus: number): Contender[] {
  const frees = o.free ?? (cpus === 1 ? (['rbatch'] as const) : (['rbatch', 'rchunks', 'locked'] as const));
  return contenders(o, frees, o.stats ?? ['critical']);
}

export async function loopSuite(name: LoopName, o: SuiteOptions): Promise<LoopRow[]> {
  const loop = LOOPS[name];
  const cpus = loop.cpus(o);
  const field = chosen(o, cpus);
  const memory = suiteMemory(o, cpus, loop.memory);
  const options = field.map((contender) => contenderOptions(o, contender, { cpus, ...memory }));
  const rows = await withMachines(options, (machines) => measured(name, o, cpus, field, machines));
  const samples = new Map<number, Sample>();
  for (const [n, option] of options.entries()) {
    if (rows[n] === undefined) continue;
    o.progress(1, 1, `${contenderName(field[n]!)}, counting`);
    samples.set(n, await counted(loop, o, option));
  }
  // a profile of the whole run says more than the sample's
  return rows.map((row, n) => ({ ...row, ...samples.get(n), ...(row.profile && { waste: waste(row.profile) }) }));
}

async function measured(
  name: LoopName, o: SuiteOptions, cpus: number, field: readonly Contender[], machines: readonly Machine[],
): Promise<LoopRow[]> {
  const count = o.rounds ?? ROUNDS;
  const contestants: Contestant[] = [];
  for (const machine of machines) contestants.push(await Contestant.prepare(LOOPS[name], machine, o));
  const peers = o.peers ? findPeers() : [];
  const peerNs = new Map<string, number[]>(peers.map(({ name: peer }) => [peer, []]));
  await rounds(o, count, async (round) => {
    for (const [n, contestant] of contestants.entries()) {
      const done = (round + n / contestants.length) / count;
      o.progress(done, 1, `${contenderName(field[n]!)}, round ${round + 1} of ${count}`);
      await contestant.round();
    }
    for (const peer of peers) {
      o.progress((round + 1) / count, 1, `${peer.name}, round ${round + 1} of ${count}`);
      peerNs.get(peer.name)!.push(await peerRound(peer, name, cpus, contestants[0]!.ops, o));
    }
  });
  const timedPeers = [...peerNs].filter(([, values]) => values.length > 0);
  const peerMedians = Object.fromEntries(timedPeers.map(([peer, values]) => [peer, median(values)]));
  const rows: LoopRow[] = [];
  for (const [n, contestant] of contestants.entries()) {
    if (contestant.ns.length === 0) break;
    const row = await contestant.row(name, cpus, field[n]!);
    const ratio = ratioToDragonfly(field, contestants, n);
    rows.push({ ...row, ...ratio, ...(timedPeers.length > 0 && { peers: peerMedians }) });
  }
  return rows;
}

/** Another allocator against dragonfly's first policy with the same statistics, round by round. */
function ratioToDragonfly(field: readonly Contender[], contestants: readonly Contestant[], n: number) {
  const { alloc, stats } = field[n]!;
  const reference = field.findIndex((other) => other.alloc === 'dragonfly' && other.stats === stats);
  if (alloc === 'dragonfly' || reference < 0) return {};
  const [ours, theirs] = [contestants[n]!.ns, contestants[reference]!.ns];
  const both = Math.min(ours.length, theirs.length);
  const { ratio, low, high } = pairedRatio(ours.slice(0, both), theirs.slice(0, both));
  return { ratioToDragonfly: ratio, ratioLow: low, ratioHigh: high };
}

/** Locked operations and waste, on machines of their own. */
function counted(loop: Loop, o: SuiteOptions, options: BootOptions): Promise<Sample> {
  return sample(o, options, async (machine) => {
    const run = await loop.setup(machine, o, await defineType(machine, o, 'temp'));
    const ops = Math.ceil(SAMPLE_OPS / loop.step) * loop.step;
    const { cpus } = machine.configuration;
    await run(ops);
    return async () => ({ locked: (await run(ops)).locked, ops: ops * loop.working(cpus) });
  });
}

const waste = (profile: readonly ProfileRow[]): number => wastePercent(profileTotal(profile));

class Contestant {
  readonly ns: number[] = [];
  readonly ops: number;
  readonly #machine: Machine;
  readonly #o: SuiteOptions;
  readonly #loop: Loop;
  readonly #run: Runner;
  readonly #before: readonly number[];
  readonly #failedBefore: number;
  readonly #profileBefore: readonly ProfileRow[];
  #wallMs = 0;
  #cpuMs: number | null = 0;

  private constructor(machine: Machine, o: SuiteOptions, loop: Loop, run: Runner, ops: number) {
    this.#machine = machine;
    this.#o = o;
    this.#loop = loop;
    this.#run = run;
    this.ops = ops;
    this.#before = this.#counters();
    this.#failedBefore = machine.mallocFailures;
    this.#profileBefore = o.profile ? mallocProfile(machine.memory) : [];
  }

  /** Sets up and warms up; a round is made of whole steps. */
  static async prepare(loop: Loop, machine: Machine, o: SuiteOptions): Promise<Contestant> {
    const type = await defineType(machine, o, 'temp');
    if (!narrowFailures(o, machine)) throw noSuchType(o, machine);
    const run = await loop.setup(machine, o, type);
    let ops = Math.ceil((o.ops ?? loop.trial) / loop.step) * loop.step;
    const end = performance.now() + (o.warmUpMs ?? WARM_UP_MS);
    while (performance.now() < end) {
      const { ms } = await run(ops);
      if (o.ops === null) ops = Math.max(1, Math.round(calibrate(ops, ms, o.roundMs) / loop.step)) * loop.step;
    }
    return new Contestant(machine, o, loop, run, ops);
  }

  async round(): Promise<void> {
    const { ms, cpuMs } = await this.#run(this.ops);
    this.ns.push((ms * 1e6) / this.ops);
    this.#wallMs += ms;
    this.#cpuMs = addKnown(this.#cpuMs, cpuMs);
  }

  #counters(): number[] {
    return COUNTERS.map((name) => this.#machine.sysctl(name));
  }

  async row(suite: LoopName, cpus: number, { alloc, free, stats }: Contender): Promise<LoopRow> {
    const machine = this.#machine;
    const [remoteFrees, ipiMessages, ipiInterrupts] = this.#counters().map((value, n) => value - this.#before[n]!);
    const failed = failedSince(this.#o, machine, this.#failedBefore);
    const profile = this.#o.profile ? profileSince(mallocProfile(machine.memory), this.#profileBefore) : null;
    const peak = pagesPeak(machine);
    const { text } = await auditText(machine, this.#o);
    const ns = median(this.ns);
    const zones = alloc === 'dragonfly';
    return {
      suite, alloc, free, stats, cpus, audit: text, nsPerPair: ns, nsMin: Math.min(...this.ns),
      nsMax: Math.max(...this.ns), samples: this.ns, mops: (1000 * cpus) / ns,
      remoteFrees: zones ? remoteFrees! : this.#loop.remote(this.ops, cpus) * this.ns.length,
      remoteFrom: zones ? 'zones' : 'loop',
      ipiMessages: ipiMessages!, ipiInterrupts: ipiInterrupts!,
      zonesPeak: machine.sysctl('kern.slab.zones_peak'), pagesPeak: peak, askedPeak: this.#loop.live(cpus),
      lockedPerOp: null, waste: null, rounds: this.ns.length,
      wallSeconds: this.#wallMs / 1000, cpuSeconds: this.#cpuMs === null ? null : this.#cpuMs / 1000,
      ...failed, ...(profile && { profile }),
    };
  }
}

/** One round of a C allocator: its own warm-up pass, then one timed pass of about the same length. */
async function peerRound(peer: Peer, name: LoopName, cpus: number, ops: number, o: SuiteOptions): Promise<number> {
  const units: Record<LoopName, number> = {
    pair: ops, local: ops, larson: Math.max(1, ops / LARSON_STEP), xmalloc: Math.max(1, ops / XMALLOC_BATCH), ring: ops,
  };
  const options = { threads: cpus, ops: Math.round(units[name]), rounds: 1, seed: o.seed };
  const { nsPerOp } = await runPeer(peer, name as PeerWorkload, options);
  return nsPerOp[0]!;
}
