/**
 * lines.ts — names for lines: which structure a 64-byte line is of, and which of its fields stand there.
 *
 *   'SLZone z_RChunks z_RSignal z_RCount'   'lwkt_ipiq ip_windex'   'malloc_type mti_stats'   'chunk'
 *
 * A name is that of the kind, never of one structure: no CPU, address or index is in it, so what happened to lines can
 * be summed by name over zones, queues and CPUs. They are made from the descriptions that name words (symbols.ts).
 */
import { LINE_WORDS } from '../base/param.js';
import { UMA_BUCKET, UMA_SLAB } from '../freebsd/uma_int.layout.js';
import { KTR_ENTRY } from '../kern/ktr.layout.js';
import { MPROF } from '../kern/malloc_profile.layout.js';
import { VM_PAGE } from '../vm/vm_page.layout.js';
import type { Memory } from './memory.js';
import { imageAreas, type WordRule } from './symbol_areas.js';
import { pagesArea } from './symbol_pages.js';

/** more fields than these, and the last of them are '...' */
const MOST_FIELDS = 4;
/** smaller than a line, or anywhere in it: fields would only say how they happen to lie */
const WHOLE = new Set([VM_PAGE, KTR_ENTRY, MPROF, UMA_SLAB, UMA_BUCKET].map(({ name }) => name));
/** words of which so many lie side by side that they are said as one */
const TOGETHER: readonly [struct: string, field: RegExp, name: string][] = [
  ['lwkt_ipiq', /^(func|arg\d)$/, 'slots'],
  ['SLGlobalData', /^(slc_\w+|Zone(Big|Gen)Alloc)$/, 'counters'],
  ['SLGlobalData', /^batch$/, 'batches'],
];
/** what each CPU has of a malloc_type, wherever the allocator keeps it */
const PER_CPU: Readonly<Record<string, string>> = { allowance: 'ks_use', writer: 'ks_use' };

/**
 * Names of a machine's lines. The image's are made once each; pages are looked at as they are at the call.
 * @returns the name of a line; its argument is the line's byte address >>> 6
 */
export function lineNames(memory: Memory): (line: number) => string {
  const areas = imageAreas(memory);
  const pages = pagesArea(memory);
  const firstOfPages = pages.start / LINE_WORDS;
  const kept: string[] = [];

  function imageRule(word: number): WordRule {
    const area = areas.findLast(({ start }) => start <= word)!;
    return area.rule(word - area.start);
  }

  return (line) => {
    const word = line * LINE_WORDS;
    if (line >= firstOfPages) return pageName((at) => pages.rule(word - pages.start + at));
    kept[line] ??= nameOf((at) => imageRule(word + at));
    return kept[line];
  };
}

/** Most lines of pages are chunks, items or nothing from end to end; no other structure fits between two of those. */
function pageName(rule: (at: number) => WordRule): string {
  const [first, last] = [rule(0), rule(LINE_WORDS - 1)];
  const plain = first.field === '' && last.field === '' && first.struct === last.struct;
  return plain ? first.struct : nameOf(rule);
}

/** @param rule of a word of the line, 0 to 15 */
function nameOf(rule: (at: number) => WordRule): string {
  const structs = new Map<string, Set<string>>();
  for (let at = 0; at < LINE_WORDS; at++) {
    const here = rule(at);
    const struct = here.struct === 'malloc_type_stats' ? 'malloc_type' : here.struct;
    const fields = structs.get(struct) ?? new Set();
    structs.set(struct, fields);
    const field = WHOLE.has(struct) ? '' : fieldName(struct, here);
    if (field !== '') fields.add(field);
  }
  return [...structs].map(([struct, fields]) => text(struct, [...fields])).join(', ');
}

/** 'ZoneAry[3]' -> 'ZoneAry', 'batch[5].head' -> 'batches'; nothing for what follows a field, 'gd_ipiq_count+4' */
function fieldName(struct: string, { field, rule }: WordRule): string {
  if (field === '' || field.includes('+')) return '';
  const name = field.replace(/[[.].*/, '');
  if (struct === 'malloc_type' && rule === 'owner') return PER_CPU[name] ?? 'mti_stats';
  return TOGETHER.find(([of, fields]) => of === struct && fields.test(name))?.[2] ?? name;
}

function text(struct: string, fields: readonly string[]): string {
  const shown = fields.length > MOST_FIELDS ? [...fields.slice(0, MOST_FIELDS - 1), '...'] : fields;
  return [struct, ...shown].join(' ');
}
