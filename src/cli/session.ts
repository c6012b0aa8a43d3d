/**
 * session.ts — one run of the command: ^C, broken pipes, errors to exit codes.
 *
 * The first ^C stops the machines and prints what is known; the second leaves at once. npm and npx pass on a ^C that
 * the terminal has sent to everybody already: signals SAME_MS together are one.
 */
import { colorsFor } from './colors.js';
import { type CoreFlags, coreDump, coreFile } from './core_flag.js';
import { EXIT_INTERRUPTED, EXIT_OK, failure } from './exit.js';
import { Progress } from './progress.js';

const SAME_MS = 250;

export class Session {
  /** the command line, as it would be typed again */
  readonly command: string;
  readonly #abort = new AbortController();
  #progress: Progress | null = null;

  constructor(argv: readonly string[]) {
    this.command = argv.map(quoted).join(' ');
    let first = 0;
    process.on('SIGINT', () => {
      const now = performance.now();
      if (first === 0) {
        first = now;
        this.#abort.abort(new Error('interrupted'));
      } else if (now - first > SAME_MS) process.exit(EXIT_INTERRUPTED);
    });
    // a reader that has seen enough is no error
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(EXIT_OK);
      throw error;
    });
    // nor is one that does not want to hear our talk
    process.stderr.on('error', () => {});
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  progress(quiet: boolean): Progress {
    this.#progress = new Progress(quiet);
    return this.#progress;
  }

  /**
   * Runs a command and leaves with its code.
   * @param flags of a command that has --core
   */
  async run(command: () => Promise<number>, flags: CoreFlags | null = null): Promise<void> {
    let core: string | null = null;
    try {
      core = flags && coreFile(flags);
      process.exitCode = await command();
    } catch (error) {
      this.fail(error, flags ? await coreDump(error, core) : []);
    }
  }

  /** @param more what to say behind the error */
  fail(error: unknown, more: readonly string[] = []): void {
    this.#progress?.clear();
    if (this.#abort.signal.aborted) {
      process.stderr.write('interrupted\n');
      process.exitCode = EXIT_INTERRUPTED;
      return;
    }
    const { code, lines } = failure(error, this.command);
    const [first, ...rest] = lines;
    process.stderr.write(`${colorsFor(process.stderr).red('error:')} ${[first, ...rest, ...more].join('\n')}\n`);
    process.exitCode = code;
  }
}

/** A word as a shell wants it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
