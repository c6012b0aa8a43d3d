/**
 * ddb.ts — smpalloc ddb CORE: the debugger's prompt on a core dump, or its commands from -c or a pipe.
 *
 * At a terminal: history and completion by readline, ^D leaves. From -c or a pipe every command runs, a wrong one is
 * said on stderr, and the exit code is 2 then.
 */
import { createInterface, type Interface } from 'node:readline';
import type { CAC } from 'cac';
import { SmpallocError } from '../base/errors.js';
import { type Core, openCore } from '../host/core.js';
import { DDB_COMMANDS, type DdbState, ddb, ddbLeaves, ddbSplit, ddbState } from '../observe/ddb/ddb.js';
import { Memory } from '../observe/memory.js';
import { panicRecord } from '../observe/panic_report.js';
import { colorsFor } from './colors.js';
import { EXIT_OK, EXIT_USAGE, UsageError } from './exit.js';
import type { Session } from './session.js';

interface DdbFlags {
  c?: unknown;
}

export function ddbCommand(cli: CAC, session: Session): void {
  cli
    .command('ddb <core>', "The kernel debugger on a core dump: malloc types, zones, queues, events, who holds memory")
    .option('-c <COMMANDS>', "run these, with ';' between them, instead of a prompt; - a pipe does the same")
    .example("smpalloc ddb vmcore                             # a prompt; 'help' lists its commands")
    .example("smpalloc ddb vmcore -c 'show panic; show malloc; leaks'")
    .example('smpalloc bench ring --core vmcore               # a panic of this run leaves a core dump')
    .action((path: string, flags: DdbFlags) => session.run(() => run(path, flags, session)));
}

async function run(path: string, flags: DdbFlags, session: Session): Promise<number> {
  const commands = [flags.c ?? []].flat();
  if (commands.some((one) => typeof one === 'boolean' || one === '')) {
    throw new UsageError("-c: commands are missing, such as -c 'show malloc'");
  }
  const core = await openCore(path);
  const debug = new Debugger(opened(path, core), core);
  if (commands.length > 0) {
    for (const line of commands) if (!debug.line(String(line))) break;
    return debug.exitCode;
  }
  return process.stdin.isTTY && process.stdout.isTTY ? prompt(debug, path, core) : piped(debug, session.signal);
}

function opened(path: string, { memory }: Core): Memory {
  try {
    return new Memory(memory);
  } catch (cause) {
    throw new SmpallocError('ESMP_INPUT', `${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Runs lines, prints what they say, remembers whether one was wrong. */
class Debugger {
  readonly memory: Memory;
  readonly state: DdbState;
  exitCode = EXIT_OK;

  constructor(memory: Memory, { header }: Core) {
    this.memory = memory;
    this.state = ddbState(memory, header.cpu);
  }

  /** @returns false when the line ends the session */
  line(line: string): boolean {
    for (const command of ddbSplit(line)) {
      if (ddbLeaves(command)) return false;
      try {
        const lines = ddb(this.memory, command, this.state);
        if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
      } catch (error) {
        if (!SmpallocError.is(error)) throw error;
        process.stderr.write(`${colorsFor(process.stderr).red('error:')} ${error.message}\n`);
        this.exitCode = EXIT_USAGE;
      }
    }
    return true;
  }
}

/** @param signal ^C: session.ts says the rest */
async function piped(debug: Debugger, signal: AbortSignal): Promise<number> {
  for await (const line of createInterface({ input: process.stdin, signal })) if (!debug.line(line)) break;
  signal.throwIfAborted();
  return debug.exitCode;
}

/** At a terminal: a wrong command is said, and no reason to leave with an error. */
function prompt(debug: Debugger, path: string, core: Core): Promise<number> {
  process.stdout.write(`${welcome(debug, path, core).join('\n')}\n`);
  const readline: Interface = createInterface({
    input: process.stdin, output: process.stdout, completer: complete, historySize: 1000, removeHistoryDuplicates: true,
  });
  const ask = () => {
    readline.setPrompt(`db{${debug.state.cpu}}> `);
    readline.prompt();
  };
  return new Promise((resolve) => {
    let left = false;
    readline.on('line', (line) => {
      if (debug.line(line)) return ask();
      left = true;
      readline.close();
    });
    // what is typed is given up, not the session
    readline.on('SIGINT', () => {
      process.stdout.write('^C\n');
      readline.write(null, { ctrl: true, name: 'e' });
      readline.write(null, { ctrl: true, name: 'u' });
      ask();
    });
    readline.on('close', () => {
      if (!left) process.stdout.write('\n');
      resolve(EXIT_OK);
    });
    ask();
  });
}

function welcome({ memory, state }: Debugger, path: string, { header }: Core): string[] {
  const record = panicRecord(memory);
  const mib = header.bytes / 2 ** 20;
  return [
    `${path}: ${memory.ncpu} CPUs, ${mib} MiB, of ${header.time}, smpalloc ${header.smpalloc}`,
    ...(header.argv === '' ? [] : [`written by: smpalloc ${header.argv}`]),
    record ? `panic: ${record.message.trimEnd()}` : 'no panic',
    `cpu${state.cpu} is selected; help lists the commands`,
  ];
}

/** The rest of a command's name, word by word. */
export function complete(line: string): [string[], string] {
  const start = line.lastIndexOf(';') + 1;
  const typed = line.slice(start).trimStart();
  const names = DDB_COMMANDS.map(({ name, args }) => (args === '' ? name : `${name} `));
  return [names.filter((name) => name.startsWith(typed)), typed];
}
