/**
 * examine.ts — `x/FORMAT ADDR,COUNT`: words as they are, each line with the name of its first one.
 *
 * Formats  x  words in hexadecimal        d  words as signed numbers        s  text, each string to its NUL
 */
import type { Memory } from '../memory.js';
import { peekText } from '../peek.js';
import { symbols } from '../symbols.js';
import { addressOf, countOf, type DdbCommand, type DdbState, wrong } from './command.js';

const MOST_WORDS = 4096;
const WORDS_A_LINE = 4;
const MOST_TEXT = 256;

function address(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

function words(memory: Memory, from: number, count: number, decimal: boolean): string[] {
  const { place } = symbols(memory);
  const lines: string[] = [];
  const last = Math.min(count, (memory.heap.byteLength - from) >>> 2);
  for (let n = 0; n < last; n += WORDS_A_LINE) {
    const at = (from >>> 2) + n;
    const values = [...memory.i32.subarray(at, at + Math.min(WORDS_A_LINE, last - n))];
    const shown = values.map((value) =>
      decimal ? String(value).padStart(11) : (value >>> 0).toString(16).padStart(8, '0'));
    const width = WORDS_A_LINE * (decimal ? 12 : 9) - 1;
    lines.push(`${address(at * 4)}  ${shown.join(' ').padEnd(width)}  ${place(at)}`);
  }
  return lines;
}

function strings(memory: Memory, from: number, count: number): { lines: string[]; next: number } {
  const lines: string[] = [];
  let at = from;
  for (let n = 0; n < count && at < memory.heap.byteLength; n++) {
    const text = peekText(memory, at, MOST_TEXT);
    lines.push(`${address(at)}  "${text}"`);
    at += text.length + 1;
  }
  return { lines, next: at };
}

function examine(memory: Memory, format: string, typed: readonly string[], state: DdbState): string[] {
  const [where, many, ...rest] = typed.flatMap((word) => word.split(',')).filter((word) => word !== '');
  if (rest.length > 0) throw wrong(`x/${format}: '${rest[0]}' is one argument too many; expected ADDR,COUNT`);
  const from = where === undefined ? state.next : addressOf(memory, `x/${format}`, where);
  const count = many === undefined ? 1 : countOf(`x/${format}`, 'COUNT', many, 1, MOST_WORDS);
  if (from >= memory.heap.byteLength) throw wrong(`x/${format}: the memory ends here`);
  if (format === 's') {
    const { lines, next } = strings(memory, from, count);
    state.next = next;
    return lines;
  }
  state.next = (from & ~3) + count * 4;
  return words(memory, from & ~3, count, format === 'd');
}

function command(format: string, doc: string): DdbCommand {
  return {
    name: `x/${format}`, args: '[ADDR][,COUNT]', doc,
    run: (memory, args, state) => examine(memory, format, args, state),
  };
}

export const EXAMINE: readonly DdbCommand[] = [
  command('x', 'words in hexadecimal, with the name of the first of a line; without ADDR: go on'),
  command('d', 'the same as signed numbers'),
  command('s', 'text'),
];
