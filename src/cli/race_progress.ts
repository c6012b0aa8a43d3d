/** race_progress.ts — how far an exploration is, while it runs: executions, how fast, how long it will take. */
import type { RaceFarm } from '../host/race_farm.js';
import { integer } from '../report/table.js';
import type { Progress } from './progress.js';

const LOOK_MS = 200;

export class Ticker {
  readonly #farm: RaceFarm;
  readonly #progress: Progress;
  readonly #timer: NodeJS.Timeout;
  #what = '';
  #from = 0;
  #since = performance.now();
  /** executions the pass will have, 0 when nobody knows */
  expected: () => number = () => 0;

  constructor(farm: RaceFarm, progress: Progress) {
    this.#farm = farm;
    this.#progress = progress;
    this.#timer = setInterval(() => this.#draw(), LOOK_MS);
  }

  /** Something begins whose executions are counted from here. */
  begins(name: string, what = ''): void {
    this.#progress.suite(name);
    this.#what = what;
    this.#from = this.#farm.executions;
    this.#since = performance.now();
  }

  #draw(): void {
    const done = this.#farm.executions - this.#from;
    const rate = done / ((performance.now() - this.#since) / 1000);
    const expected = this.expected();
    const left = expected > done && rate > 0 ? (expected - done) / rate : 0;
    // what matters comes first: a terminal may be narrow
    const parts = [this.#what, left > 0 ? `ETA ${duration(left)}` : '', integer(done), `${integer(rate)}/s`];
    this.#progress.update(done, expected, parts.filter((part) => part !== '').join('  '));
  }

  /** Before something is printed. */
  clear(): void {
    this.#progress.clear();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#progress.clear();
  }
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
