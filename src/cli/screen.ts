/**
 * screen.ts — the whole terminal for a while: alternate screen, keys as they are typed, lines drawn where they changed.
 *
 * However the process ends, the terminal gets back what stood on it: at leave(), at process.exit(), after an exception,
 * and when it is told to end by SIGTERM or SIGHUP. SIGKILL nobody survives.
 */
import { writeSync } from 'node:fs';
import { emitKeypressEvents, type Key } from 'node:readline';

const ESC = '\x1b[';
/** alternate screen, no cursor, no wrapping: a line is never longer than the screen, and would not be if it were */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l`;
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`;
/** synchronised output: a terminal that knows it shows a frame whole, all others ignore it */
const BEGIN = `${ESC}?2026h`;
const END = `${ESC}?2026l`;
/** by then a process that was told to stop has stopped, or never will */
const STOPPED_MS = 200;
const DEADLY = ['SIGTERM', 'SIGHUP'] as const;
/** where a terminal does not say how large it is */
const DEFAULT_SIZE = { columns: 80, rows: 24 };

export interface ScreenEvents {
  /** a key by its name: 'q', 'up', 'tab', 'ctrl-z' */
  key(name: string): void;
  /** the size has changed: everything has to be drawn again */
  resize(): void;
  /** the terminal is gone, or nobody types there any more */
  end(): void;
}

/** Is there a screen to draw on? */
export function hasScreen(): boolean {
  return process.stdout.isTTY === true && process.env.TERM !== 'dumb';
}

/** Does the terminal's user read UTF-8? */
export function readsUnicode({ LC_ALL, LC_CTYPE, LANG } = process.env): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}

export class Screen {
  readonly #events: ScreenEvents;
  readonly #keys: boolean;
  #drawn: string[] = [];
  #entered = false;
  #suspended = false;

  constructor(events: ScreenEvents) {
    this.#events = events;
    this.#keys = process.stdin.isTTY === true;
  }

  get size(): { columns: number; rows: number } {
    const { columns, rows } = process.stdout;
    return { columns: columns || DEFAULT_SIZE.columns, rows: rows || DEFAULT_SIZE.rows };
  }

  enter(): void {
    if (this.#entered) return;
    this.#entered = true;
    this.#suspended = false;
    process.on('exit', this.#atExit);
    for (const signal of DEADLY) process.on(signal, this.#die);
    process.stdout.on('resize', this.#resized);
    if (this.#keys) {
      emitKeypressEvents(process.stdin);
      process.stdin.setRawMode(true).on('keypress', this.#pressed).on('end', this.#ended).on('error', this.#ended);
      process.stdin.resume();
    }
    process.stdout.write(ENTER);
    this.#drawn = [];
  }

  /** Writes the lines that are not there yet. @param lines one a row, none wider than the screen */
  draw(lines: readonly string[]): void {
    if (!this.#entered || process.stdout.writableNeedDrain) return;
    let text = this.#drawn.length === 0 ? `${ESC}2J` : '';
    for (const [n, line] of lines.entries()) {
      if (line !== (this.#drawn[n] ?? '')) text += `${ESC}${n + 1};1H${ESC}2K${line}`;
    }
    if (text !== '') process.stdout.write(`${BEGIN}${text}${END}`);
    this.#drawn = [...lines];
  }

  leave(): void {
    this.#suspended = false;
    if (!this.#entered) return;
    this.#entered = false;
    process.off('exit', this.#atExit);
    for (const signal of DEADLY) process.off(signal, this.#die);
    process.stdout.off('resize', this.#resized);
    if (this.#keys) {
      process.stdin.off('keypress', this.#pressed).off('end', this.#ended).off('error', this.#ended);
      process.stdin.setRawMode(false);
      process.stdin.pause();
    }
    try {
      // not through the stream: what it has not written by the end of the process is lost
      writeSync(process.stdout.fd, LEAVE);
    } catch {
      // a terminal that is gone has nothing to be restored
    }
  }

  /** ^Z, as a shell knows it; on its return the screen is ours again. Where no shell waits, nothing stops. */
  suspend(): void {
    this.leave();
    this.#suspended = true;
    const back = () => {
      // SIGCONT and the timer both come; and it may have been left for good by then
      if (!this.#suspended) return;
      this.enter();
      this.#events.resize();
    };
    process.once('SIGCONT', back);
    process.kill(0, 'SIGTSTP');
    setTimeout(back, STOPPED_MS);
  }

  readonly #atExit = (): void => this.leave();

  readonly #die = (signal: NodeJS.Signals): void => {
    this.leave();
    process.kill(process.pid, signal);
  };

  readonly #resized = (): void => {
    this.#drawn = [];
    this.#events.resize();
  };

  readonly #ended = (): void => this.#events.end();

  readonly #pressed = (text: string | undefined, { name, ctrl }: Key): void => {
    if (ctrl) this.#events.key(`ctrl-${name}`);
    else this.#events.key(text !== undefined && /^[!-~]$/.test(text) ? text : (name ?? ''));
  };
}
