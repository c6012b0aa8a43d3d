/**
 * race_farm.ts — worker threads for programs nobody trusts to come back: a scenario file may loop for ever.
 *
 * Each task gets eight words it beats in: executions, the entity and operation under way, the phase. A task whose words
 * stand still for `patience` is ended with its thread, and its owner names what was under way. A word the other way
 * says stop: what is known by then is the answer.
 */
import type { Piscina } from 'piscina';
import { type Answer, errorOf } from './plain_error.js';
import { distUrl } from './root.js';

/** Words of a task's heart; the first three are hw/stepped/run.ts BEAT_*. */
export const BEAT_PHASE = 3;
export const BEAT_STOP = 4;
/** counted by tasks that do something else than executions */
export const BEAT_WORK = 5;
const BEAT_WORDS = 8;

export const PHASE_WAITING = 0;
export const PHASE_LOADING = 1;
export const PHASE_SETUP = 2;
export const PHASE_RUNNING = 3;
/** machines come and go, and nobody beats: it has a time limit of its own */
export const PHASE_SHRINKING = 4;
const SHRINKING_MS = 15_000;

/** What a task was doing. */
export interface Pulse {
  readonly executions: number;
  readonly entity: number;
  readonly operation: number;
  readonly phase: number;
}

/** What its owner makes of a task that stopped beating, or whose thread ended under it. */
export interface Mourner {
  stuck(pulse: Pulse): Error;
  died(cause: Error): Error;
}

const LOOK_MS = 100;
const STOP_MS = 500;

export class RaceFarm {
  readonly lanes: number;
  readonly patience: number;
  #pool: Promise<Piscina> | null = null;
  readonly #beats = new Set<Int32Array>();
  #past = 0;
  #pastWork = 0;
  /** when all were told to stop, 0: not yet */
  #stoppedAt = 0;

  /** @param patience milliseconds */
  constructor(lanes: number, patience: number) {
    this.lanes = lanes;
    this.patience = patience;
  }

  /** Loaded when it is wanted (jobs.ts). */
  async #start(): Promise<Piscina> {
    const { Piscina } = await import('piscina');
    return new Piscina({
      filename: distUrl('job.js').href,
      minThreads: 0,
      maxThreads: this.lanes,
      concurrentTasksPerWorker: 1,
      // a worker keeps its scenario: it must not go between two passes
      idleTimeout: Number.POSITIVE_INFINITY,
    });
  }

  /**
   * @param onBeat gets the task's words: to stop it alone
   * @throws what the task threw, or what its mourner says
   */
  async run<T>(task: object, mourner: Mourner, onBeat: (beat: Int32Array) => void = () => {}): Promise<T> {
    const beat = new Int32Array(new SharedArrayBuffer(BEAT_WORDS * 4));
    onBeat(beat);
    if (this.stopped) beat[BEAT_STOP] = 1;
    this.#beats.add(beat);
    const abort = new AbortController();
    let stuck: Error | null = null;
    const timer = this.#watch(beat, (pulse) => {
      stuck = mourner.stuck(pulse);
      abort.abort();
    });
    try {
      this.#pool ??= this.#start();
      const pool = await this.#pool;
      const answer: Answer<T> = await pool.run({ ...task, beat }, { name: 'raceJob', signal: abort.signal });
      if (answer.ok) return answer.value;
      throw new Revived(errorOf(answer.error));
    } catch (cause) {
      if (stuck) throw stuck;
      throw cause instanceof Revived ? cause.error : mourner.died(cause as Error);
    } finally {
      clearInterval(timer);
      this.#beats.delete(beat);
      this.#past += beat[0]!;
      this.#pastWork += beat[BEAT_WORK]!;
    }
  }

  #watch(beat: Int32Array, onStuck: (pulse: Pulse) => void): NodeJS.Timeout {
    let seen = '';
    let since = performance.now();
    return setInterval(() => {
      const now = performance.now();
      const signs = beat.join();
      const phase = beat[BEAT_PHASE]!;
      const pulse = { executions: beat[0]!, entity: beat[1]!, operation: beat[2]!, phase };
      // who loads or sets up does not look whether it should stop
      const deaf = phase === PHASE_LOADING || phase === PHASE_SETUP;
      if (deaf && this.stopped && now - this.#stoppedAt > STOP_MS) onStuck(pulse);
      else if (signs !== seen || phase === PHASE_WAITING) {
        seen = signs;
        since = now;
      } else if (now - since > this.patience + (phase === PHASE_SHRINKING ? SHRINKING_MS : 0)) {
        onStuck(pulse);
      }
    }, Math.min(LOOK_MS, this.patience / 4));
  }

  /** All tasks end as soon as they look, and those to come at once. */
  stop(): void {
    this.#stoppedAt ||= performance.now();
    for (const beat of this.#beats) beat[BEAT_STOP] = 1;
  }

  get stopped(): boolean {
    return this.#stoppedAt !== 0;
  }

  /** executions begun by all tasks so far */
  get executions(): number {
    return [...this.#beats].reduce((sum, beat) => sum + beat[0]!, this.#past);
  }

  get work(): number {
    return [...this.#beats].reduce((sum, beat) => sum + beat[BEAT_WORK]!, this.#pastWork);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#pool)?.destroy();
  }
}

/** An answer, not an accident. */
class Revived extends Error {
  readonly error: Error;
  constructor(error: Error) {
    super(error.message);
    this.error = error;
  }
}
