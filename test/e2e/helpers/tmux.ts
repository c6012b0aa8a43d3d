/**
 * tmux.ts — a command on a terminal that can be looked at, typed into and made smaller: tmux, with a server of its own.
 *
 * What is waited for is text on the screen, polled with a deadline.
 */
import { execFileSync } from 'node:child_process';
import { cli, environment, runs, until } from './cli.js';

export const hasTmux = runs('tmux', '-V');

export interface Size {
  columns: number;
  rows: number;
}

export class Terminal {
  readonly #socket: string;

  /**
   * `smpalloc args` in a shell that says BEFORE first, and the exit code when it is over.
   * @param name of the server: no two at once
   * @param script the shell's, around the command
   */
  constructor(
    name: string, args: string, { columns, rows }: Size, env: Record<string, string> = {},
    script = (command: string) => `${command}; echo "code $?"`,
  ) {
    this.#socket = `smpalloc-${process.pid}-${name}`;
    const command = script(`sh -c 'echo "pid $$"; exec "${process.execPath}" "${cli}" ${args}'`);
    const own = { LC_ALL: 'C.UTF-8', SHELL: '/bin/sh', ...env };
    const size = ['-x', String(columns), '-y', String(rows)];
    execFileSync('tmux', [
      '-u', '-L', this.#socket, '-f', '/dev/null', 'new-session', '-d', ...size,
      '/bin/sh', '-c', `echo BEFORE; ${command}; exec sleep 60`,
    ], { env: environment(own) });
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' });
  }

  /** The screen, line by line. @param colours with the escapes that colour it */
  lines(colours = false): string[] {
    return this.#tmux('capture-pane', '-p', ...(colours ? ['-e'] : [])).trimEnd().split('\n');
  }

  get text(): string {
    return this.lines().join('\n');
  }

  /** Waits until the screen has it. */
  async shows(what: RegExp): Promise<string> {
    try {
      return await until(String(what), () => what.test(this.text) && this.text, 20_000);
    } catch (cause) {
      throw new Error(`${(cause as Error).message}; the screen:\n${this.text}`);
    }
  }

  type(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  resize({ columns, rows }: Size): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Is the cursor there to be seen, and has the program left the alternate screen? */
  get restored(): boolean {
    return this.#tmux('display-message', '-p', '#{cursor_flag} #{alternate_on}').trim() === '1 0';
  }

  /** of smpalloc itself, from what stands behind the screen it draws on */
  get pid(): number {
    return Number(/pid (\d+)/.exec(this.#tmux('capture-pane', '-p', '-a'))?.[1]);
  }

  [Symbol.dispose](): void {
    try {
      this.#tmux('kill-server');
    } catch {
      // it ended by itself
    }
  }
}
