/**
 * ddb.ts — the debugger: a line in, lines out (FreeBSD ddb(4), DragonFly ddb(4)).
 *
 * It reads, and does nothing else: no lock, no allocation, no message, so it works on a machine that has panicked, on a
 * core dump, and on a machine that runs, whose numbers may be a moment apart.
 */
import { didYouMean } from '../../base/nearest.js';
import { SB_PANIC, SB_PANIC_CPU } from '../../hw/superblock.layout.js';
import type { Memory } from '../memory.js';
import { type DdbCommand, type DdbState, wrong } from './command.js';
import { CPU, SHOW_PCPU, SHOW_REGISTERS } from './cpus.js';
import { SHOW_KTR, SHOW_MSGBUF, SHOW_PANIC } from './events.js';
import { EXAMINE } from './examine.js';
import { SHOW_IPIQ } from './ipiq.js';
import { LEAKS } from './leaks.js';
import { SHOW_MALLOC } from './malloc.js';
import { SHOW_FREEPAGES, SHOW_PAGE } from './pages.js';
import { SHOW_BUCKET, SHOW_SLAB, SHOW_ZONE } from './slab.js';
import { SHOW_SYSCTL } from './sysctl.js';
import { SHOW_UMA } from './uma.js';

export type { DdbState } from './command.js';

const HELP: DdbCommand = {
  name: 'help', args: '', doc: 'this list',
  run: () => DDB_COMMANDS.map(({ name, args, doc }) => `${`${name} ${args}`.trimEnd().padEnd(24)} ${doc}`),
};

const QUIT: DdbCommand = { name: 'quit', args: '', doc: 'leave; ^D too', run: () => [] };

export const DDB_COMMANDS: readonly DdbCommand[] = [
  SHOW_PANIC, SHOW_MALLOC, LEAKS, SHOW_UMA, SHOW_ZONE, SHOW_SLAB, SHOW_BUCKET, SHOW_PAGE, SHOW_FREEPAGES, SHOW_IPIQ,
  SHOW_KTR, SHOW_MSGBUF, SHOW_PCPU, SHOW_REGISTERS, CPU, SHOW_SYSCTL, ...EXAMINE, HELP, QUIT,
];

/** A fresh prompt. @param cpu the CPU to look at; default: the one that panicked */
export function ddbState(memory: Memory, cpu: number | null = null): DdbState {
  const panicked = memory.sb(SB_PANIC) === 0 ? 0 : memory.sb(SB_PANIC_CPU);
  const wanted = cpu ?? panicked;
  return { cpu: wanted >= 0 && wanted < memory.ncpu ? wanted : 0, next: 4096 };
}

/** The commands of a line. */
export function ddbSplit(line: string): string[] {
  return line.split(';').map((command) => command.trim()).filter((command) => command !== '');
}

/**
 * @param memory live, or of a core dump
 * @param line one command or several, between them `;`
 * @returns what they print
 * @throws SmpallocError ESMP_INPUT naming the word and what would be right
 */
export function ddb(memory: Memory, line: string, state: DdbState = ddbState(memory)): string[] {
  return ddbSplit(line).flatMap((command) => runOne(memory, command, state));
}

/** Does this command end the prompt? */
export function ddbLeaves(command: string): boolean {
  return ['quit', 'exit', 'q'].includes(command);
}

function runOne(memory: Memory, text: string, state: DdbState): string[] {
  if (ddbLeaves(text)) return [];
  const words = text.replace(/^x(?=\s|$)/, 'x/x').split(/\s+/);
  const found = DDB_COMMANDS.find(({ name }) => name === words.slice(0, name.split(' ').length).join(' '));
  if (!found) throw unknown(words);
  return found.run(memory, words.slice(found.name.split(' ').length), state);
}

function unknown(words: readonly string[]): Error {
  const names = DDB_COMMANDS.map(({ name }) => name);
  if (words[0] === 'show') {
    const what = names.flatMap((name) => (name.startsWith('show ') ? [name.slice(5)] : []));
    if (words[1] === undefined) return wrong(`show: what? there are ${what.join(', ')}`);
    return wrong(`show: no '${words[1]}'; ${didYouMean(words[1], what)}there are ${what.join(', ')}`);
  }
  if (words[0]!.startsWith('x/')) {
    return wrong(`${words[0]}: no such format; there are x/x (hexadecimal), x/d (numbers), x/s (text)`);
  }
  const others = [...new Set(names.map((name) => name.split(' ')[0]!))];
  const near = didYouMean(words.slice(0, 2).join(' '), names) || didYouMean(words[0]!, others);
  return wrong(`no command '${words[0]}'; ${near}there are ${others.join(', ')} (help)`);
}
