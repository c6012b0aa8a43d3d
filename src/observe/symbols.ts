/**
 * symbols.ts — names for words: what a word of a machine's memory is, who may write it, what its value says.
 *
 *   place     'zone 0x40000.z_RChunks', 'gd cpu1.gd_npoll', 'ipiq 0->1 slot 3.func', 'scratch[3]'
 *   rule      the writing rule of its 64-byte line, as the layouts say it
 *   structAt  the structure around it, field by field
 *
 * The kernel's image is a table made once; rules of its words are kept. Pages are looked at as they are at the call.
 * Words behind the heap stand for what is no memory: the interrupt masks of the CPUs, and the wait loop's turn.
 */
import type { StructDescription } from '../base/struct.js';
import { typeName } from './malloc_types.js';
import type { Memory } from './memory.js';
import { dumpStruct } from './panic_report.js';
import { holdsAddress, valueText } from './spelling.js';
import { type Area, imageAreas, type WordRule } from './symbol_areas.js';
import { pagesArea } from './symbol_pages.js';

export type { WordRule } from './symbol_areas.js';

export interface StructDump {
  readonly name: string;
  readonly address: number;
  /** name and address, then a field a line */
  readonly lines: string[];
}

export interface Symbols {
  /** @param word index in the heap; from its length on: virtual words */
  place(word: number): string;
  rule(word: number): WordRule;
  /** How people write `value` where it stands in this word. */
  value(word: number, value: number): string;
  structAt(word: number): StructDump | null;
}

export function symbols(memory: Memory): Symbols {
  const pages = pagesArea(memory);
  const virtual = virtualWords(memory.i32.length);
  const areas = [...imageAreas(memory), pages, virtual];
  const starts = areas.map(({ start }) => start);
  const kept: (WordRule | undefined)[] = new Array(pages.start);
  const find = (word: number): Area => areas[lastAtMost(starts, word)]!;

  function rule(word: number): WordRule {
    if (word >= virtual.start) return virtual.rule(word - virtual.start);
    if (word >= pages.start) return pages.rule(word - pages.start);
    kept[word] ??= ruleIn(find(word), word);
    return kept[word];
  }

  function place(word: number): string {
    const area = find(word);
    const title = area.title(word - area.start);
    const { field } = rule(word);
    if (field === '') return title;
    return field.startsWith('+') ? `${title} ${field}` : `${title}.${field}`;
  }

  return {
    place,
    rule,
    value(word, value) {
      const name = place(word);
      return (holdsAddress(name) && typeAt(memory, areas, value)) || valueText(name, value);
    },
    structAt(word) {
      const area = find(word);
      const dump = area.dump(word - area.start);
      return dump && dumped(memory, dump.description, (area.start + dump.at) * 4);
    },
  };
}

function ruleIn(area: Area, word: number): WordRule {
  return area.rule(word - area.start);
}

/** Index of the last of the ascending `starts` that is not above `word`. */
function lastAtMost(starts: readonly number[], word: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (starts[middle]! <= word) low = middle;
    else high = middle - 1;
  }
  return low;
}

function dumped(memory: Memory, description: StructDescription, address: number): StructDump {
  return { name: description.name, address, lines: dumpStruct(memory, description, address) };
}

/** Name of the malloc_type whose record begins at this address, '' when none does. */
function typeAt(memory: Memory, areas: readonly Area[], address: number): string {
  if (address <= 0 || address % 4 !== 0 || address >= memory.heap.byteLength) return '';
  const area = areas.findLast(({ start }) => start <= address >>> 2)!;
  const dump = area.dump((address >>> 2) - area.start);
  if (dump?.description.name !== 'malloc_type' || area.start + dump.at !== address >>> 2) return '';
  return typeName(memory, address);
}

/** words behind the heap until the one a turn of a wait loop is logged at (hw/stepped) */
const PAUSE_WORD = 32;

function virtualWords(start: number): Area {
  const all: WordRule = { rule: 'none', owner: -1, struct: 'virtual', field: '' };
  return {
    start,
    title: (at) => (at < PAUSE_WORD ? `interrupt mask cpu${at}` : 'wait loop'),
    rule: () => all,
    dump: () => null,
  };
}
