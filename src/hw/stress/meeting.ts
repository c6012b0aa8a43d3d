/**
 * meeting.ts — where the threads of a sample stand, as each of them sees it.
 *
 * A sample hangs when nobody gets anywhere: every CPU has gone round its wait loop, or looked for interrupts with its
 * operations done, so many times, and no operation of any CPU has returned and no interrupt been served meanwhile. It
 * is counted in turns, not in time: a thread that the host does not let run makes none, and is waited for. And in
 * rounds: what another CPU did late in one round is seen by this one in the next.
 */
import { SC_OPS, SC_TURNS, ST_CPU, ST_CPU_WORDS, ST_STOP } from '../../base/stress.js';

/** Thrown to leave an operation that will not end. Engine code has no business catching them. */
export const HANG = Object.assign(new Error('nobody gets anywhere'), { name: 'Hang' });
export const ENDLESS = Object.assign(new Error('no end after a million accesses'), { name: 'Endless' });

/** turns of every CPU in a round, and rounds in which nothing happens */
const TURNS = 40;
const ROUNDS = 3;
const NAP_MS = 0.2;

class Meeting {
  control = new Int32Array(new SharedArrayBuffer(4096));
  cpus = 1;
  crowded = false;
  #me = 0;
  #ops = 0;
  #rounds = 0;
  readonly #turns: number[] = [];

  join(control: SharedArrayBuffer, cpu: number, cpus: number): void {
    this.control = new Int32Array(control);
    this.cpus = cpus;
    this.#me = ST_CPU + cpu * ST_CPU_WORDS;
  }

  /** A sample begins. */
  begin(): void {
    this.#ops = -1;
  }

  /** An operation of this CPU has returned, or an interrupt been served. */
  progress(): void {
    Atomics.add(this.control, this.#me + SC_OPS, 1);
  }

  /** Somebody has to do something first. @param word of `control` to sleep on, -1: none @throws HANG */
  nap(word: number, value: number): void {
    const { control } = this;
    Atomics.add(control, this.#me + SC_TURNS, 1);
    if (Atomics.load(control, ST_STOP) === 2) throw HANG;
    if (word < 0) Atomics.wait(control, this.#me + SC_TURNS, Atomics.load(control, this.#me + SC_TURNS), NAP_MS);
    else Atomics.wait(control, word, value, NAP_MS);
    if (this.#stuck()) throw HANG;
  }

  /** Its operations are done, and those of others are not. */
  look(): void {
    Atomics.add(this.control, this.#me + SC_TURNS, 1);
  }

  /** Holds this thread up. */
  idle(turns: number): void {
    let seen = 0;
    for (let n = 0; n < turns; n++) seen += this.control[ST_STOP];
    // so that the loop is not taken out
    if (seen < 0) throw HANG;
  }

  #stuck(): boolean {
    const ops = this.#sum(SC_OPS);
    if (ops !== this.#ops) return this.#round(ops, 0);
    for (let cpu = 0; cpu < this.cpus; cpu++) if (this.#of(cpu, SC_TURNS) - this.#turns[cpu] < TURNS) return false;
    return this.#round(ops, this.#rounds + 1);
  }

  #round(ops: number, round: number): boolean {
    this.#ops = ops;
    this.#rounds = round;
    for (let cpu = 0; cpu < this.cpus; cpu++) this.#turns[cpu] = this.#of(cpu, SC_TURNS);
    return round >= ROUNDS;
  }

  #of(cpu: number, word: number): number {
    return Atomics.load(this.control, ST_CPU + cpu * ST_CPU_WORDS + word);
  }

  #sum(word: number): number {
    let sum = 0;
    for (let cpu = 0; cpu < this.cpus; cpu++) sum += this.#of(cpu, word);
    return sum;
  }
}

export const meeting = new Meeting();
