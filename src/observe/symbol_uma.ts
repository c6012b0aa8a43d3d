/** symbol_uma.ts — the pages of a freebsd machine: what words of its structures are called, and whose line it is. */
import { LINE_WORDS, PAGE_SIZE } from '../base/param.js';
import type { StructDescription } from '../base/struct.js';
import * as U from '../freebsd/uma_int.layout.js';
import { SB_FIRST_PAGE } from '../hw/superblock.layout.js';
import type { Memory } from './memory.js';
import { fieldNames, hex } from './spelling.js';
import type { Area, WordRule } from './symbol_areas.js';
import { statsWord } from './symbol_types.js';
import { type Part, UmaFinder } from './uma_finder.js';

const HEADER_WORDS = U.US_FREELIST;

const STRUCTS: Readonly<Partial<Record<Part['kind'], StructDescription>>> = {
  keg: U.UMA_KEG, zone: U.UMA_ZONE, slab: U.UMA_SLAB, bucket: U.UMA_BUCKET,
};
const NAMES = Object.fromEntries(Object.entries(STRUCTS).map(([kind, struct]) => [kind, fieldNames(struct)]));
const CACHE_NAMES = fieldNames(U.UMA_CACHE);

export function umaPagesArea(memory: Memory): Area {
  const start = memory.sb(SB_FIRST_PAGE) * (PAGE_SIZE / 4);
  const finder = new UmaFinder(memory);
  return {
    start,
    rule: (at) => ruleOf(memory, finder.part((start + at) * 4), (start + at) * 4),
    title: (at) => titleOf(memory, finder.part((start + at) * 4), (start + at) * 4),
    dump(at) {
      const part = finder.part((start + at) * 4);
      const description = STRUCTS[part.kind];
      return description ? { description, at: (part.at >>> 2) - start } : null;
    },
  };
}

/** CPU of a word of a zone's caches, -1 of the words before them. */
function cacheOf(word: number): number {
  return word < U.UZ_CPU ? -1 : Math.floor((word - U.UZ_CPU) / U.UC_WORDS);
}

function ruleOf(memory: Memory, { kind, at }: Part, address: number): WordRule {
  if (kind === 'stats') {
    const { cpu, field } = statsWord(memory, (address - at) >>> 2);
    return { rule: 'owner', owner: cpu, struct: 'malloc_type_stats', field };
  }
  const description = STRUCTS[kind];
  if (!description) return { rule: 'none', owner: -1, struct: kind, field: '' };
  const word = (address - at) >>> 2;
  const owner = kind === 'zone' ? cacheOf(word) : -1;
  if (owner >= 0) {
    const inside = (word - U.UZ_CPU) % U.UC_WORDS;
    return { rule: 'owner', owner, struct: 'uma_cache', field: CACHE_NAMES[inside] ?? `+${inside * 4}` };
  }
  const field = behind(kind, word) ?? NAMES[kind]![word] ?? `+${word * 4}`;
  // a bucket is whoever's it hangs with; a slab's header may share its line with items
  if (kind === 'bucket' || kind === 'slab') return { rule: 'none', owner: -1, struct: description.name, field };
  const rule = description.lines[Math.min(Math.floor(word / LINE_WORDS), description.lines.length - 1)]!;
  return { rule, owner: -1, struct: description.name, field };
}

/** Words that follow a description. */
function behind(kind: Part['kind'], word: number): string | null {
  if (kind === 'bucket' && word >= U.UB_BUCKET) return `ub_bucket[${word - U.UB_BUCKET}]`;
  return kind === 'slab' && word >= HEADER_WORDS ? `us_freelist[${(word - HEADER_WORDS) * 4}]` : null;
}

function titleOf(memory: Memory, { kind, at, name }: Part, address: number): string {
  const offset = address - at;
  if (kind === 'stats') return `malloc_type ${name} mti_stats cpu${statsWord(memory, offset >>> 2).cpu}`;
  if (kind === 'page') return `page ${hex(at)} +${offset}`;
  if (kind === 'item') return `item ${hex(at)} of zone "${name}"${offset === 0 ? '' : ` +${offset}`}`;
  if (kind === 'bucket') return `bucket ${hex(at)}`;
  if (kind === 'slab') return `slab ${hex(at)} of keg "${name}"`;
  const cpu = kind === 'zone' ? cacheOf(offset >>> 2) : -1;
  return `${kind} "${name}"${cpu < 0 ? '' : ` uz_cpu[${cpu}]`}`;
}
