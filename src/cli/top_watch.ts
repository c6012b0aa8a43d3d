/** top_watch.ts — sample after sample of a source, drawn on the screen or printed as lines, until somebody ends it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SmpallocError } from '../base/errors.js';
import { type Interval, intervalBetween } from '../observe/interval.js';
import { SysctlError, type SysctlSource } from '../observe/memstat/source.js';
import { readSample, type Sample } from '../observe/sample.js';
import { painted, type RolePaint } from '../report/lines.js';
import { FIRST_VIEW, topBlock, topScreen, type TopScreen, type TopView } from '../report/top_text.js';
import { colorsFor } from './colors.js';
import { hasScreen, readsUnicode, Screen } from './screen.js';
import type { Session } from './session.js';
import { keyPressed } from './top_keys.js';

export interface TopWatch {
  /** what is watched, for the title */
  readonly name: string;
  readonly source: SysctlSource;
  /** why there will be no more samples, null while there are */
  gone(): string | null;
  /** settles when what is watched has ended */
  readonly ended?: Promise<void>;
  readonly waitMs: number;
  /** intervals that are shown */
  readonly count: number;
  /** milliseconds after which it ends; null: when somebody says so */
  readonly durationMs: number | null;
  readonly json: boolean;
  /** aborted: leave, all is well */
  readonly stop: AbortController;
  readonly session: Session;
}

/** columns of a line where no terminal says how many it has */
const LINE_COLUMNS = 132;
/** rates that are remembered for the curve */
const HISTORY = 240;
const FOR_EVER_MS = 2 ** 31 - 1;

/** @throws the session's interruption; SmpallocError ESMP_INPUT when the source makes no sense */
export async function watchTop(top: TopWatch): Promise<void> {
  const { session, stop, ended, durationMs } = top;
  void ended?.then(() => stop.abort(), () => stop.abort());
  const signal = AbortSignal.any([session.signal, stop.signal]);
  const timer = durationMs === null ? undefined : setTimeout(() => stop.abort(), durationMs);
  try {
    if (!top.json && hasScreen()) await new ScreenLoop(top, signal).run();
    else await printed(top, signal);
  } catch (cause) {
    if (top.gone() === null && !signal.aborted) throw cause;
  } finally {
    clearTimeout(timer);
  }
  session.signal.throwIfAborted();
}

async function sampled({ source, name, gone }: TopWatch): Promise<Sample> {
  try {
    return await readSample(source);
  } catch (cause) {
    const foreign = cause instanceof SysctlError || cause instanceof SyntaxError;
    if (!foreign || gone() !== null) throw cause;
    throw new SmpallocError('ESMP_INPUT', `${name}: no machine of this version: ${cause.message}`, { cause });
  }
}

// ---- lines

async function printed(top: TopWatch, signal: AbortSignal): Promise<void> {
  const view: TopView = { ...FIRST_VIEW, source: top.name, waitMs: top.waitMs, look: 'plain' };
  let before = await sampled(top);
  for (let n = 0; n < top.count; n++) {
    await sleep(top.waitMs, undefined, { signal });
    const now = await sampled(top);
    const interval = intervalBetween(before, now);
    const columns = process.stdout.columns || LINE_COLUMNS;
    process.stdout.write(top.json ? `${JSON.stringify(interval)}\n` : topBlock(interval, view, columns));
    before = now;
  }
}

// ---- the screen

class ScreenLoop {
  readonly #top: TopWatch;
  readonly #signal: AbortSignal;
  readonly #screen: Screen;
  readonly #paint: RolePaint = rolePaint();
  #view: TopView;
  #shown: TopScreen['shown'] = {};
  #before: Sample | null = null;
  #interval: Interval | null = null;
  #sampledAt = 0;
  #wake = (): void => {};

  constructor(top: TopWatch, signal: AbortSignal) {
    this.#top = top;
    this.#signal = signal;
    this.#view = { ...FIRST_VIEW, source: top.name, waitMs: top.waitMs, look: readsUnicode() ? 'unicode' : 'ascii' };
    this.#screen = new Screen({
      key: (name) => this.#key(name), resize: () => this.#draw(), end: () => top.stop.abort(),
    });
  }

  async run(): Promise<void> {
    const wake = () => this.#wake();
    this.#signal.addEventListener('abort', wake);
    this.#screen.enter();
    try {
      // the first sample has no rates yet
      for (let n = 0; n <= this.#top.count && !this.#signal.aborted; n++) {
        await this.#sample();
        await this.#untilDue();
      }
    } finally {
      this.#screen.leave();
      this.#signal.removeEventListener('abort', wake);
    }
  }

  async #sample(): Promise<void> {
    this.#sampledAt = performance.now();
    const now = await sampled(this.#top);
    this.#interval = intervalBetween(this.#before, now);
    this.#before = now;
    const { seconds, perSecond: { allocs } } = this.#interval;
    if (seconds !== null) {
      this.#view = { ...this.#view, history: [...this.#view.history, allocs ?? 0].slice(-HISTORY) };
    }
    this.#draw();
  }

  /** Until the next sample, for which a key may change the time. */
  async #untilDue(): Promise<void> {
    while (!this.#signal.aborted) {
      const { paused, waitMs } = this.#view;
      const left = paused ? FOR_EVER_MS : this.#sampledAt + waitMs - performance.now();
      if (left <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  #key(name: string): void {
    // as it would be without a screen: the session hears of it
    if (name === 'ctrl-c') process.kill(process.pid, 'SIGINT');
    else if (name === 'ctrl-z') this.#screen.suspend();
    else if (name === 'q' || name === 'ctrl-d') this.#top.stop.abort();
    else {
      this.#view = keyPressed(this.#view, name, this.#shown, this.#before?.machine.ncpu ?? 1);
      this.#draw();
      this.#wake();
    }
  }

  #draw(): void {
    if (!this.#interval) return;
    const { lines, shown } = topScreen(this.#interval, this.#view, this.#screen.size);
    this.#shown = shown;
    this.#screen.draw(lines.map((line) => painted(line, this.#paint)));
  }
}

function rolePaint(): RolePaint {
  const colors = colorsFor(process.stdout);
  return {
    strong: colors.bold, dim: colors.dim, good: colors.green, warn: colors.yellow, bad: colors.red,
    head: (text) => colors.underline(colors.bold(text)), focus: colors.inverse,
  };
}
