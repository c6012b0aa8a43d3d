/**
 * symbol_pages.ts — the pages behind the kernel's image, which are what they are at the moment: a zone with its chunks,
 * or just pages.
 *
 * A zone has rules from the moment its kmemusage word is set to the moment it is off service; before and after that its
 * lines are written by whoever has the pages. Rules are asked for at every write, so they are made once a CPU.
 */
import { LINE_WORDS, PAGE_SHIFT, PAGE_SIZE } from '../base/param.js';
import { FREE_LOCKED } from '../base/policy.js';
import {
  SLZONE, Z_BASEPTR, Z_BITMAP, Z_CHUNKSIZE, Z_CPU, Z_NMAX, Z_WORDS, ZALLOC_FREE_MAGIC, ZALLOC_SLAB_MAGIC,
} from '../dragonfly/slaballoc.layout.js';
import { SB_FIRST_PAGE, SB_FREE, SB_KMU, SB_NPAGES } from '../hw/superblock.layout.js';
import type { Memory } from './memory.js';
import { fieldNames, hex } from './spelling.js';
import type { Area, WordRule } from './symbol_areas.js';
import { umaPagesArea } from './symbol_uma.js';
import { isFreebsd } from './walk_uma.js';

const NAMES = fieldNames(SLZONE);
const nobodys = (struct: string, field: string): WordRule => ({ rule: 'none', owner: -1, struct, field });
const CHUNK = nobodys('chunk', '');
const PAGE = nobodys('page', '');

export function pagesArea(memory: Memory): Area {
  return isFreebsd(memory) ? umaPagesArea(memory) : zonePagesArea(memory);
}

function zonePagesArea(memory: Memory): Area {
  const { i32 } = memory;
  const start = memory.sb(SB_FIRST_PAGE) * (PAGE_SIZE / 4);
  const locked = memory.sb(SB_FREE) === FREE_LOCKED;
  const zones = new ZoneFinder(memory);
  const rules: WordRule[][] = [];
  const spare: WordRule[] = [];

  function zoneRule(z: number, word: number): WordRule {
    const cpu = i32[(z >>> 2) + Z_CPU]!;
    if (!zones.live(z)) {
      spare[word] ??= nobodys(SLZONE.name, zoneField(word));
      return spare[word];
    }
    rules[cpu] ??= [];
    rules[cpu][word] ??= liveRule(cpu, word);
    return rules[cpu][word];
  }

  function liveRule(cpu: number, word: number): WordRule {
    const line = word < Z_WORDS ? SLZONE.lines[Math.floor(word / LINE_WORDS)]! : 'owner';
    const rule = line === 'owner' && locked ? 'lock sl_mtx' : line;
    return { rule, owner: rule === 'owner' ? cpu : -1, struct: SLZONE.name, field: zoneField(word) };
  }

  return {
    start,
    rule(at) {
      const z = zones.around(start + at);
      if (z === 0) return PAGE;
      return zones.inHeader(z, start + at) ? zoneRule(z, start + at - (z >>> 2)) : CHUNK;
    },
    title(at) {
      const address = (start + at) * 4;
      const z = zones.around(start + at);
      if (z === 0) return `page ${hex(address & -PAGE_SIZE)} +${address & (PAGE_SIZE - 1)}`;
      return zones.inHeader(z, start + at) ? `zone ${hex(z)}` : zones.chunkTitle(z, address);
    },
    dump(at) {
      const z = zones.around(start + at);
      return z === 0 ? null : { description: SLZONE, at: (z >>> 2) - start };
    },
  };
}

function zoneField(word: number): string {
  return word < Z_WORDS ? NAMES[word]! : `z_Bitmap[${word - Z_BITMAP}]`;
}

/** Zones, found by their headers. */
class ZoneFinder {
  readonly #i32: Int32Array;
  readonly #memory: Memory;
  readonly #kmu: number;
  readonly #first: number;
  readonly #end: number;

  constructor(memory: Memory) {
    this.#i32 = memory.i32;
    this.#memory = memory;
    this.#kmu = memory.sb(SB_KMU) >>> 2;
    this.#first = memory.sb(SB_FIRST_PAGE);
    this.#end = memory.sb(SB_NPAGES);
  }

  /** In service: its memory is ruled by its layout. */
  live(z: number): boolean {
    return this.#i32[z >>> 2] === ZALLOC_SLAB_MAGIC && this.#i32[this.#kmu + (z >>> PAGE_SHIFT)]! < 0;
  }

  /** Address of the header of the zone the word is part of, 0 without one; of a spare zone only the header counts. */
  around(word: number): number {
    const z = this.#memory.zoneHeader(word * 4);
    const page = z >>> PAGE_SHIFT;
    if (page < this.#first || page >= this.#end || word < z >>> 2) return 0;
    if (this.live(z)) return z;
    return this.#i32[z >>> 2] === ZALLOC_FREE_MAGIC && word - (z >>> 2) < Z_WORDS ? z : 0;
  }

  inHeader(z: number, word: number): boolean {
    return word - (z >>> 2) < Z_WORDS || (this.live(z) && word < this.#i32[(z >>> 2) + Z_BASEPTR]! >>> 2);
  }

  /** 'chunk 0x40400 of zone 0x40000 +4'; its first word, which is the link of a free one, is '.next'. */
  chunkTitle(z: number, address: number): string {
    const word = (offset: number) => this.#i32[(z >>> 2) + offset]!;
    const index = Math.floor((address - word(Z_BASEPTR)) / word(Z_CHUNKSIZE));
    if (!(index >= 0 && index < word(Z_NMAX))) return `zone ${hex(z)} +${address - z}`;
    const chunk = word(Z_BASEPTR) + index * word(Z_CHUNKSIZE);
    return `chunk ${hex(chunk)} of zone ${hex(z)}${address === chunk ? '.next' : ` +${address - chunk}`}`;
  }
}
