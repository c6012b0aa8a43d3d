/**
 * session.ts — one run of the command: ^C, broken pipes, errors to exit codes.
 *
 * The first ^C stops the machines and prints what is known; the second leaves at once.
 */
import colors from 'picocolors';
import { EXIT_INTERRUPTED, EXIT_OK, failure } from './exit.js';
import { Progress } from './progress.js';

export class Session {
  /** the command line, as it would be typed again */
  readonly command: string;
  readonly #abort = new AbortController();
  #progress: Progress | null = null;

  constructor(argv: readonly string[]) {
    this.command = argv.join(' ');
    process.on('SIGINT', () => {
      if (this.#abort.signal.aborted) process.exit(EXIT_INTERRUPTED);
      this.#abort.abort(new Error('interrupted'));
    });
    // a reader that has seen enough is no error
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(EXIT_OK);
      throw error;
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  progress(quiet: boolean): Progress {
    this.#progress = new Progress(quiet);
    return this.#progress;
  }

  /** Runs a command and leaves with its code. */
  async run(command: () => Promise<number>): Promise<void> {
    try {
      process.exitCode = await command();
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.#progress?.clear();
    if (this.#abort.signal.aborted) {
      process.stderr.write('interrupted\n');
      process.exitCode = EXIT_INTERRUPTED;
      return;
    }
    const { code, lines } = failure(error, this.command);
    const [first, ...rest] = lines;
    process.stderr.write(`${colors.red('error:')} ${[first, ...rest].join('\n')}\n`);
    process.exitCode = code;
  }
}
