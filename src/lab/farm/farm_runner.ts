/**
 * farm_runner.ts — passes over a subject that lives in workers: cut into slices, so that something can be saved between
 * them, and into parts, so that several cores have work.
 *
 * The parts of a pass have to agree on which words are shared (pass.ts): when they come back knowing more than they
 * were told, the pass is done again with what all of them know.
 */
import {
  BEAT_STOP, PHASE_LOADING, PHASE_SETUP, type Mourner, type Pulse, type RaceFarm,
} from '../../host/race_farm.js';
import { SmpallocError } from '../../base/errors.js';
import { classOfUsers } from '../../base/sharing.js';
import type { Checkpoint, PassRunner } from '../explore.js';
import type { FoundReport, Prepared, Results, Settings, Work } from './job.js';
import type { PassReport, PassRequest } from '../pass.js';
import { type Reference, spelled } from './reference.js';
import type { Counterexample, Exploration, Pass } from '../result.js';
import { isExhaustive } from '../search/index.js';
import type { Shard } from '../search/search.js';

export interface FarmRunnerOptions {
  /** always that many parts at once; null: as many as there are lanes, where it is worth it */
  readonly jobs: number | null;
  /** milliseconds between two looks at what could be saved; Infinity: never */
  readonly slice: number;
  /** there is something new to save */
  readonly onSlice?: (checkpoint: Checkpoint) => void;
  readonly checkpoint?: Checkpoint | undefined;
}

/** A pass under way, as it is saved. */
interface PassState {
  readonly of: number;
  readonly parts: readonly PartState[];
  readonly outcomes: Readonly<Record<string, number>>;
  readonly heaps: readonly string[] | null;
}

interface PartState {
  readonly pass: Pass;
  readonly state: unknown;
}

/** a pass that promises more executions than this is divided */
const WORTH_DIVIDING = 20_000;
/** parts a lane: they are not alike, and who is done takes another */
const PARTS = 4;

type Found = NonNullable<PassReport['found']>;

export class FarmRunner implements PassRunner {
  readonly prepared: Prepared;
  /** what could be saved by now */
  checkpoint: Checkpoint | null = null;
  readonly #farm: RaceFarm;
  readonly #reference: Reference;
  readonly #settings: Settings;
  readonly #options: FarmRunnerOptions;
  readonly #counterexamples = new Map<Found, Counterexample>();
  #sharing = new Map<number, number>();
  readonly #passes: Pass[];
  #accesses: number;
  #seconds: number;
  #before = 0;
  #last = 0;

  /** @throws SmpallocError when scenario or settings are not usable */
  static async prepare(
    farm: RaceFarm, reference: Reference, settings: Settings, options: FarmRunnerOptions,
  ): Promise<FarmRunner> {
    const prepared = await farm.run<Prepared>(
      { do: 'prepare', reference, settings } satisfies Work, mournerFor(farm, reference, null),
    );
    return new FarmRunner(farm, reference, settings, options, prepared);
  }

  private constructor(
    farm: RaceFarm, reference: Reference, settings: Settings, options: FarmRunnerOptions, prepared: Prepared,
  ) {
    this.#farm = farm;
    this.#reference = reference;
    this.#settings = settings;
    this.#options = options;
    this.prepared = prepared;
    const from = options.checkpoint;
    this.#passes = [...(from?.passes ?? [])];
    this.#accesses = from?.accesses ?? 0;
    this.#seconds = from?.seconds ?? 0;
  }

  get machine(): Exploration['machine'] {
    return this.prepared.machine;
  }

  get cpus(): readonly string[] {
    return this.prepared.threads.map(({ title }) => title);
  }

  get memory(): 'sc' | 'tso' {
    return this.prepared.memory;
  }

  get points(): 'shared' | 'all' {
    return this.prepared.points;
  }

  /** executions the pass under way will probably have: 0 when nobody knows */
  expected = 0;
  estimated = Number.POSITIVE_INFINITY;

  async estimate(samples: number, seed: number): Promise<{ schedules: number; error: number }> {
    const { sharing, ...size } = await this.#post<Results['estimate']>({
      do: 'estimate', reference: this.#reference, settings: this.#settings, samples, seed,
    });
    this.#learn(sharing);
    this.estimated = size.schedules;
    return size;
  }

  async counterexample(found: Found): Promise<Counterexample> {
    return this.#counterexamples.get(found)!;
  }

  async pass(request: PassRequest): Promise<PassReport> {
    const start = performance.now();
    const elapsed = () => performance.now() - start;
    this.#learn(request.sharing);
    this.expected = this.#expect(request);
    const saved = PassUnderWay.from(request.state as PassState | undefined);
    let under = saved ?? new PassUnderWay(this.#partsOf(request));
    const resumable = request.algorithm === 'bound' || !isExhaustive(request.algorithm);
    for (;;) {
      const shards = under.shards(request.shard);
      const left = Math.max(1, request.budget - elapsed());
      const known = pointsIn(this.#sharing, this.prepared.cpuOf);
      await this.#slice(under, shards, { ...request, budget: resumable ? Math.min(left, this.#options.slice) : left });
      const { found, complete } = under;
      // what was done was done too coarsely
      const moved = pointsIn(this.#sharing, this.prepared.cpuOf) !== known;
      const stale = found === null && moved && (under.of > 1 || !complete);
      const over = this.#farm.stopped || elapsed() >= request.budget || under.spent(request, shards);
      if (stale && !over) {
        under = new PassUnderWay(under.of);
        continue;
      }
      if (found === null || request.allFailures) this.#save(request, stale ? null : under, elapsed() / 1000);
      if (over || complete || !under.resumable || (found && !request.allFailures)) {
        return this.#report(request, under, elapsed() / 1000);
      }
    }
  }

  /** All parts that are not complete go on for a while. */
  async #slice(under: PassUnderWay, shards: readonly (Shard | undefined)[], request: PassRequest): Promise<void> {
    const beats: Int32Array[] = [];
    const sharing = pairs(this.#sharing);
    const work = shards.map(async (shard, n) => {
      const part = under.parts[n];
      if (part?.pass.complete) return;
      const { state: _, ...rest } = request;
      const { report, counterexamples } = await this.#post<FoundReport>({
        do: 'pass', reference: this.#reference, settings: this.#settings,
        request: {
          ...rest, shard, sharing, executions: shareOf(request, shard),
          ...(part?.state != null && { state: part.state }),
        },
      }, (beat) => {
        beats[n] = beat;
      });
      for (const [at, found] of [report.found, ...report.others].filter((one) => one !== null).entries()) {
        this.#counterexamples.set(found, counterexamples[at]!);
      }
      // the first part that fails speaks for all; those before it may still fail
      if (report.found && !request.allFailures) for (const beat of beats.slice(n + 1)) if (beat) beat[BEAT_STOP] = 1;
      under.take(n, report);
      this.#learn(report.sharing);
    });
    await Promise.all(work);
  }

  #save(request: PassRequest, under: PassUnderWay | null, seconds: number): void {
    const { algorithm, bound } = request;
    this.checkpoint = {
      scenario: this.prepared.name, algorithm, bound, sharing: pairs(this.#sharing), passes: [...this.#passes],
      outcomes: {}, accesses: this.#accesses + (under?.accesses ?? 0), seconds: this.#seconds + seconds,
      state: under?.save() ?? null,
    };
    this.#options.onSlice?.(this.checkpoint);
  }

  #report(request: PassRequest, under: PassUnderWay, seconds: number): PassReport {
    const pass = under.pass(request.algorithm === 'bound' ? request.bound : null);
    this.#passes.push(pass);
    this.#accesses += under.accesses;
    this.#seconds += seconds;
    this.#before = this.#last;
    this.#last = pass.executions;
    return {
      pass, seconds, accesses: under.accesses, outcomes: under.outcomes, heaps: under.heaps && [...under.heaps],
      states: under.states, sharing: pairs(this.#sharing), found: under.found, others: under.others,
      state: pass.complete ? null : under.save(),
    };
  }

  #learn(known: readonly number[]): void {
    for (let n = 0; n < known.length; n += 2) {
      this.#sharing.set(known[n]!, (this.#sharing.get(known[n]!) ?? 0) | known[n + 1]!);
    }
  }

  /** Executions of this pass, from those before it. */
  #expect({ algorithm, executions }: PassRequest): number {
    if (!isExhaustive(algorithm)) return executions;
    if (algorithm !== 'bound' || this.#before === 0) return 0;
    return Math.min(this.estimated, Math.round((this.#last * this.#last) / this.#before));
  }

  #partsOf({ algorithm, bound, executions }: PassRequest): number {
    const lanes = this.#options.jobs ?? this.#farm.lanes;
    const divisible = algorithm === 'bound' ? bound >= 2 : !isExhaustive(algorithm);
    if (lanes < 2 || !divisible) return 1;
    const worth = this.#options.jobs !== null || Math.min(this.expected, executions) > WORTH_DIVIDING;
    if (!worth) return 1;
    return algorithm === 'bound' ? lanes * PARTS : lanes;
  }

  #post<T>(work: Work, onBeat?: (beat: Int32Array) => void): Promise<T> {
    return this.#farm.run<T>(work, mournerFor(this.#farm, this.#reference, this.prepared), onBeat);
  }
}

/** A pass in parts, each somewhere. */
class PassUnderWay {
  readonly of: number;
  readonly parts: PartState[] = [];
  readonly outcomes: Record<string, number> = {};
  heaps: Set<string> | null = null;
  states: number | null = null;
  accesses = 0;
  readonly #found: (readonly Found[])[] = [];

  static from(state: PassState | undefined): PassUnderWay | null {
    if (!state) return null;
    const under = new PassUnderWay(state.of);
    under.parts.push(...state.parts);
    Object.assign(under.outcomes, state.outcomes);
    if (state.heaps) under.heaps = new Set(state.heaps);
    return under;
  }

  constructor(of: number) {
    this.of = of;
  }

  /** Parts of a part: each of them is one of more. */
  shards(base: Shard | undefined): (Shard | undefined)[] {
    if (this.of === 1) return [base];
    const { index, of } = base ?? { index: 0, of: 1 };
    return Array.from({ length: this.of }, (_, n) => ({ index: index + of * n, of: of * this.of }));
  }

  take(n: number, report: PassReport): void {
    this.parts[n] = { pass: report.pass, state: report.state };
    this.accesses += report.accesses;
    for (const [name, count] of Object.entries(report.outcomes)) {
      this.outcomes[name] = (this.outcomes[name] ?? 0) + count;
    }
    if (report.heaps) this.heaps = new Set([...(this.heaps ?? []), ...report.heaps]);
    if (report.states !== null) this.states = (this.states ?? 0) + report.states;
    if (report.found) this.#found[n] = [report.found, ...report.others];
  }

  get found(): Found | null {
    return this.#all[0] ?? null;
  }

  /** the first failure of each other class */
  get others(): readonly Found[] {
    const classes = new Set<string>();
    const first = this.#all.filter(({ failure: { cls } }) => !classes.has(cls) && classes.add(cls));
    return first.slice(1);
  }

  get #all(): Found[] {
    return this.#found.flatMap((found) => found ?? []);
  }

  get complete(): boolean {
    return this.parts.length === this.of && this.parts.every(({ pass }) => pass.complete);
  }

  /** All executions that were asked for have been made. */
  spent(request: PassRequest, shards: readonly (Shard | undefined)[]): boolean {
    const made = ({ executions, cut }: Pass) => executions + cut;
    return this.parts.every(({ pass }, n) => pass.complete || made(pass) >= shareOf(request, shards[n]));
  }

  /** Can those that are not complete go on? */
  get resumable(): boolean {
    return this.parts.length === this.of && this.parts.every(({ pass, state }) => pass.complete || state != null);
  }

  pass(bound: number | null): Pass {
    const total = (of: (pass: Pass) => number) => this.parts.reduce((n, { pass }) => n + of(pass), 0);
    return {
      bound, executions: total((p) => p.executions), cut: total((p) => p.cut), failures: total((p) => p.failures),
      complete: this.complete,
    };
  }

  save(): PassState | null {
    if (!this.resumable) return null;
    return { of: this.of, parts: this.parts, outcomes: this.outcomes, heaps: this.heaps && [...this.heaps] };
  }
}

/** Of the executions that are asked for, those of a part. */
function shareOf({ algorithm, executions }: PassRequest, shard: Shard | undefined): number {
  if (!shard || executions > 1e12) return executions;
  if (isExhaustive(algorithm)) return Math.ceil(executions / shard.of);
  return Math.max(1, Math.ceil((executions - shard.index) / shard.of));
}

const pairs = (sharing: ReadonlyMap<number, number>): number[] => [...sharing].flat();

/** Changes with every word that has become a scheduling point, and with nothing else. */
function pointsIn(sharing: ReadonlyMap<number, number>, cpuOf: readonly number[]): number {
  let sum = 0;
  for (const users of sharing.values()) sum += classOfUsers(users, cpuOf);
  return sum;
}

/** Says which scenario it was, and what it was doing. @param prepared null: not set up yet */
export function mournerFor(farm: RaceFarm, reference: Reference, prepared: Prepared | null): Mourner {
  const who = prepared ? `scenario '${prepared.name}'` : `'${spelled(reference)}'`;
  const limit = `${farm.patience / 1000} s (--patience)`;
  const input = (what: string) => new SmpallocError('ESMP_INPUT', what);
  return {
    stuck({ entity, operation, phase }: Pulse): Error {
      if (phase === PHASE_LOADING) return input(`${who}: loading it has not ended after ${limit}`);
      if (phase === PHASE_SETUP) return input(`${who}: setting it up has not ended after ${limit}`);
      const thread = prepared?.threads[entity];
      const name = thread?.operations[operation];
      const what = name === undefined ? 'an operation' : `operation '${name}' of ${thread!.title}`;
      const right = 'a loop that waits needs c.pause()';
      return input(`${who}: ${what} never yields: no access and no end for ${limit}; ${right}`);
    },
    died(cause: Error): Error {
      if (reference.kind !== 'file') return cause;
      return input(`${who}: its worker has ended: ${cause.name}: ${cause.message}`);
    },
  };
}
