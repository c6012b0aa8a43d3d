/** progress.ts — one line on stderr that says how far we are; nothing where nobody is looking. */

const BAR_CELLS = 24;
/** share of the work that must be done before anybody says how long the rest will take */
const ETA_FROM = 0.1;
/** milliseconds between two drawings */
const REDRAW_MS = 100;

export class Progress {
  readonly #visible: boolean;
  readonly #start = performance.now();
  #begun = this.#start;
  #suite = '';
  #drawn = 0;

  constructor(quiet: boolean) {
    this.#visible = !quiet && process.stderr.isTTY === true && !process.env.CI;
  }

  suite(name: string): void {
    this.#suite = name;
    this.#begun = performance.now();
    this.#drawn = 0;
  }

  /** @param of 0: nobody knows how much there is */
  update(done: number, of: number, what: string): void {
    const now = performance.now();
    if (!this.#visible || now - this.#drawn < REDRAW_MS) return;
    this.#drawn = now;
    const seconds = ((now - this.#start) / 1000).toFixed(0);
    const cells = of > 0 ? Math.round((Math.min(done, of) / of) * BAR_CELLS) : 0;
    const bar = of > 0 ? `${'#'.repeat(cells)}${'.'.repeat(BAR_CELLS - cells)} ` : '';
    const line = `${this.#suite}  ${bar}${what}  ${seconds} s${this.#left(now, done, of)}`;
    process.stderr.write(`\r${line.slice(0, (process.stderr.columns || 80) - 1)}\x1b[K`);
  }

  /** How long the suite's rest will take, if it goes on as it did. */
  #left(now: number, done: number, of: number): string {
    if (of <= 0 || done / of < ETA_FROM || done >= of) return '';
    return `, about ${Math.ceil(((now - this.#begun) * (of - done)) / done / 1000)} s left`;
  }

  clear(): void {
    if (this.#visible) process.stderr.write('\r\x1b[K');
  }
}
