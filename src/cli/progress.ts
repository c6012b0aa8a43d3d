/** progress.ts — one line on stderr that says how far we are; nothing where nobody is looking. */

const BAR_CELLS = 24;
/** milliseconds between two drawings */
const REDRAW_MS = 100;

export class Progress {
  readonly #visible: boolean;
  readonly #start = performance.now();
  #suite = '';
  #drawn = 0;

  constructor(quiet: boolean) {
    this.#visible = !quiet && process.stderr.isTTY === true && !process.env.CI;
  }

  suite(name: string): void {
    this.#suite = name;
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
    const line = `${this.#suite}  ${bar}${what}  ${seconds} s`;
    process.stderr.write(`\r${line.slice(0, (process.stderr.columns || 80) - 1)}\x1b[K`);
  }

  clear(): void {
    if (this.#visible) process.stderr.write('\r\x1b[K');
  }
}
