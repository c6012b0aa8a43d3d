/**
 * host_profile.ts — the cost profile `host`: what the probe measured on this machine, as costs of the model.
 *
 * A machine of worker threads has no interrupt controller: its interrupts are words in memory, so what an IPI costs
 * here follows from what locked operations and lines on their way cost. What takes two cores to measure, and cannot be
 * measured on one, is taken from the profile one-socket, and its source says so.
 */
import { measureHost, type Probe, type ProbeOptions, type Sample, type SampleName } from '../../host/probe.js';
import { type EngineAccess, engineAccess } from './engine_access.js';
import type { Cost, Costs, CostProfile } from './profile.js';
import { COSTS, parseProfile, profileByName } from './profiles.js';

export interface HostProfile {
  readonly profile: CostProfile;
  readonly probe: Probe;
  /** what a reader of the numbers should know */
  readonly notes: readonly string[];
}

/** CPUs of the model beyond the machine's cores cost what its cores do */
const CLUSTER = 256;
/** batches this far apart are of two regimes */
const TWO_REGIMES = 2;
/** more of the batches of one kind than this without a core, and the others are not to be trusted much */
const BUSY_SHARE = 0.1;

/**
 * Measures this machine, which takes some seconds; it should have nothing else to do.
 * @throws SmpallocError ESMP_HALTED when a worker dies, ESMP_TIMEOUT when they hang; what `signal` says
 */
export async function probe(options: ProbeOptions = {}): Promise<HostProfile> {
  const measured = await measureHost(options);
  return hostProfile(measured, await engineAccess(options.signal));
}

export function hostProfile(measured: Probe, engine: EngineAccess): HostProfile {
  const sources: Partial<Record<Cost, string>> = {};
  const ns: Partial<Record<Cost, number>> = {};
  const fallback = profileByName('one-socket');
  const derived = costsOf(measured.samples, engine);
  for (const cost of COSTS) {
    const { value, source } = derived[cost] ?? {
      value: fallback.ns[cost], source: `not measured, as this takes two cores: that of ${fallback.name}`,
    };
    ns[cost] = rounded(value);
    sources[cost] = source;
  }
  const profile = parseProfile({
    name: 'host', title: `this machine, as probed with ${measured.cores} core${measured.cores === 1 ? '' : 's'}`,
    cluster: CLUSTER, sockets: 1, ns: ns as Costs, sources,
  });
  return { profile, probe: measured, notes: notesOf(measured) };
}

interface Derived {
  readonly value: number;
  readonly source: string;
}

type Samples = Probe['samples'];

function costsOf(samples: Samples, engine: EngineAccess): Partial<Record<Cost, Derived>> {
  const { access, turn, miss } = samples as Required<Samples>;
  const atomics = [samples.store, samples.cas, samples.add] as Sample[];
  const locked = Math.max(0, middle(atomics.map(({ median }) => median)) - access.median);
  const three = atomics.map(({ median }) => rounded(median)).join(', ');
  const alone = {
    access: {
      value: engine.ns,
      source: `measured: a native malloc and free of 64 bytes, ${rounded(engine.pairNs)} ns, over the ` +
        `${engine.accesses} accesses of one; ${from(access, 'in a tight loop over lists of chunks')}`,
    },
    locked: {
      value: locked,
      source: `measured: the middle one of Atomics.store, compareExchange and add, less an access; ${three} ns`,
    },
    memory: {
      value: Math.max(miss.median, access.median),
      source: from(miss, 'a walk over the lines of 64 MiB, each telling the next, a step'),
    },
    pause: {
      value: Math.max(0, turn.median - access.median),
      source: from(turn, 'a turn of a wait loop, less an access'),
    },
  };
  return { ...alone, ...pairCosts(samples, access.median, locked, engine.ns) };
}

/** @param least what an access costs: a host that was busy may have measured less for a line on its way */
function pairCosts(
  samples: Samples, access: number, locked: number, least: number,
): Partial<Record<Cost, Derived>> {
  const { passed, seen, sleep, call, notify, wake } = samples;
  if (!passed || !seen || !sleep || !call || !notify || !wake) return {};
  const transfer = Math.max(least, passed.median - locked - access);
  const way = 'a line that two threads take from each other by compareExchange, one way, less the locked access';
  const far = 'the probe does not know where its threads run: as transferCluster';
  return {
    transferCluster: { value: transfer, source: from(passed, way) },
    transferSocket: { value: transfer, source: far },
    transferRemote: { value: transfer, source: far },
    ipiSend: { value: access + locked, source: 'derived: an interrupt is a word in memory; a locked operation on it' },
    ipiDeliver: { value: seen.median, source: from(seen, 'from a store to when a thread that keeps looking sees it') },
    ipiEntry: { value: transfer + locked, source: 'derived: the line of that word comes over, a locked operation' },
    futexWait: {
      value: Math.max(sleep.median, call.median),
      source: from(sleep, 'from the call of Atomics.wait until it can be rung; not less than a call that returns'),
    },
    futexNotify: { value: notify.median, source: from(notify, 'Atomics.notify with a sleeper') },
    futexWake: { value: wake.median, source: from(wake, "from Atomics.notify to the sleeper's next instruction") },
  };
}

/** 'measured: a step; 40 batches, min 80, median 90, 10 % above 95 ns' */
function from({ n, min, median, p90 }: Sample, what: string): string {
  return `measured: ${what}; n ${n}, min ${rounded(min)}, median ${rounded(median)}, p90 ${rounded(p90)} ns`;
}

function notesOf({ cores, samples }: Probe): string[] {
  const { passed } = samples;
  if (!passed) {
    const costs = 'transfers, interrupts, sleeping and waking';
    return [`${cores} core: ${costs} take two cores and were not measured; they are those of one-socket`];
  }
  const notes: string[] = [];
  const share = Math.max(...Object.values(samples).map(({ n, busy }) => busy / (n + busy)));
  if (share > BUSY_SHARE) {
    const percent = Math.round(share * 100);
    notes.push(`the machine was busy: in up to ${percent} % of the batches a thread had no core; probe it again later`);
  }
  if (passed.p90 > TWO_REGIMES * passed.p10) {
    const range = `${rounded(passed.p10)} ns in a tenth of the batches, over ${rounded(passed.p90)} in another`;
    notes.push(`the way of a line has two regimes (${range}): the host moves threads between groups of cores`);
  }
  return notes;
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** three significant digits: more would be said than is known */
function rounded(ns: number): number {
  return Number(ns.toPrecision(3));
}

export const SAMPLE_TITLES: Readonly<Record<SampleName, string>> = {
  access: 'plain access to a line this CPU has',
  store: 'Atomics.store', cas: 'Atomics.compareExchange', add: 'Atomics.add',
  turn: 'turn of a wait loop', call: 'Atomics.wait that returns at once',
  touch: 'first touch of a line, page faults with it', miss: 'access to a line no CPU has',
  passed: 'line taken from another CPU, locked', seen: 'a store seen by another CPU',
  sleep: 'going to sleep', notify: 'ringing a sleeper', wake: 'ringing to running',
};
