/** command.ts — what a command of the debugger is, and how its words are read. */
import { SmpallocError } from '../../base/errors.js';
import type { Memory } from '../memory.js';
import { readable } from '../peek.js';

/** What a prompt remembers from one line to the next. */
export interface DdbState {
  /** the CPU that is looked at: of a core dump, the one it is about */
  cpu: number;
  /** where `x` goes on */
  next: number;
}

export interface DdbCommand {
  /** 'show malloc' */
  readonly name: string;
  /** its arguments, as help writes them */
  readonly args: string;
  readonly doc: string;
  /** @throws SmpallocError ESMP_INPUT naming the word and what would be right */
  run(memory: Memory, args: readonly string[], state: DdbState): string[];
}

export function wrong(message: string): SmpallocError {
  return new SmpallocError('ESMP_INPUT', message);
}

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** Columns as C's printf makes them: `%18s` is 18, `%-18s` is -18. */
export function columns(widths: readonly number[], cells: readonly (string | number | bigint)[]): string {
  return cells
    .map((cell, n) => (widths[n]! < 0 ? String(cell).padEnd(-widths[n]!) : String(cell).padStart(widths[n]!)))
    .join(' ')
    .trimEnd();
}

/** An address, hexadecimal with or without 0x, of a word that can be read. */
export function addressOf(memory: Memory, command: string, word: string | undefined): number {
  const example = `such as ${command} 0x${(memory.heap.byteLength >>> 1).toString(16)}`;
  if (word === undefined) throw wrong(`${command}: an address is missing, ${example}`);
  if (!/^(0x)?[0-9a-f]{1,8}$/i.test(word)) throw wrong(`${command}: '${word}' is no address; expected one ${example}`);
  const address = Number.parseInt(word.replace(/^0x/i, ''), 16);
  if (address < memory.heap.byteLength) return address;
  throw wrong(`${command}: ${hex(address)} is behind the memory, which ends at ${hex(memory.heap.byteLength)}`);
}

/** The same, of a structure: on a boundary of words, not in NULL's page. */
export function structureAt(memory: Memory, command: string, word: string | undefined): number {
  const address = addressOf(memory, command, word) & ~3;
  if (readable(memory, address)) return address;
  throw wrong(`${command}: ${hex(address)} is in the superblock's page; structures lie behind it`);
}

/** A whole number, decimal. */
export function countOf(command: string, what: string, word: string, low: number, high: number): number {
  const value = /^\d{1,9}$/.test(word) ? Number(word) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw wrong(`${command}: ${what} '${word}' is not usable; expected a whole number from ${low} to ${high}`);
}

/** A CPU: 1, or cpu1. */
export function cpuOf(memory: Memory, command: string, word: string): number {
  return countOf(command, 'CPU', word.replace(/^cpu/, ''), 0, memory.ncpu - 1);
}

export function noMore(command: string, args: readonly string[], most: number): void {
  if (args.length > most) throw wrong(`${command}: '${args[most]}' is one argument too many`);
}
