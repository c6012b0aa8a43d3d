/**
 * rules.ts — one line, one rule, checked at every write: what the layouts say of who may write a 64-byte line.
 *
 *   atomic   written by atomic operations only
 *   owner    written by one CPU only; a zone's by the CPU it belongs to
 *   const    the superblock: by nobody any more; a zone's first line: by its owner, which has it to itself
 *   lock     not checked here: a write without the lock is a data race. Under policy `locked` zones are such lines
 *   UMA      kegs' lock lines are atomic, uz_cpu[i] is CPU i's; zones made in the run are not known
 */
import { LOAD } from '../base/access.js';
import { LINE_BYTES, LINE_WORDS, PAGE_SHIFT } from '../base/param.js';
import { ALLOC_FREEBSD, FREE_LOCKED } from '../base/policy.js';
import { SLZONE } from '../dragonfly/slaballoc.layout.js';
import { UC_WORDS, UZ_CPU } from '../freebsd/uma_int.layout.js';
import { SB_ALLOC, SB_FIRST_PAGE, SB_FREE, SB_KMU } from '../hw/superblock.layout.js';
import type { Memory } from '../observe/memory.js';
import { symbols } from '../observe/symbols.js';
import { kegZones, umaKegs } from '../observe/walk_uma.js';
import type { SteppedMachine } from './stepped.js';

/** @returns what is wrong with the write, '' if nothing is */
export type RuleCheck = (word: number, kind: number, cpu: number) => string;

const FREE = 0;
const ATOMIC = 1;
const CONST = 2;
/** + the CPU */
const OWNER = 3;

export function ruleChecker({ memory, engine }: SteppedMachine): RuleCheck {
  const { i32 } = memory;
  const names = symbols(memory);
  const first = memory.sb(SB_FIRST_PAGE) << (PAGE_SHIFT - 2);
  const kmu = memory.sb(SB_KMU) >>> 2;
  const unruled = new Uint8Array(first);
  engine.access.hooks.unruled = unruled;
  const locked = memory.sb(SB_FREE) === FREE_LOCKED;
  const codes = Int16Array.from({ length: first }, () => -1);

  function imageRule(word: number): number {
    if (codes[word]! < 0) {
      const { rule, owner, struct } = names.rule(word);
      codes[word] = FREE;
      if (rule === 'atomic') codes[word] = ATOMIC;
      if (rule === 'owner' && owner >= 0) codes[word] = OWNER + owner;
      if (rule === 'const' && struct === 'superblock') codes[word] = CONST;
      if (codes[word] === FREE) unruled[word] = 1;
    }
    return codes[word]!;
  }

  /** Zones come and go: what the word is depends on what its page is now. */
  function slabRule(word: number): number {
    const z = engine.zoneOf(word << 2);
    const pagecnt = i32[kmu + (z >>> PAGE_SHIFT)]!;
    const offset = word - (z >>> 2);
    if (pagecnt >= 0 || offset < 0 || offset >= SLZONE.words) return FREE;
    if (SLZONE.lines[Math.floor(offset / LINE_WORDS)] === 'atomic') return ATOMIC;
    return locked ? FREE : OWNER - pagecnt - 1;
  }

  const umaLines = umaRules(memory);
  const pageRule = memory.sb(SB_ALLOC) === ALLOC_FREEBSD
    ? (word: number) => umaLines.get(Math.floor(word / LINE_WORDS)) ?? FREE
    : slabRule;

  return (word, kind, cpu) => {
    const code = word < first ? imageRule(word) : pageRule(word);
    if (code === FREE || code === OWNER + cpu) return '';
    if (code === ATOMIC) return kind < LOAD ? `${names.place(word)} is written plainly, its line is atomic` : '';
    if (code === CONST) return `${names.place(word)} is written after boot`;
    return `${names.place(word)} belongs to cpu${code - OWNER}, and cpu${cpu} writes it`;
  };
}

/** Rules of the kegs and zones there are when the scenario begins, by line: the atomic ones, and the CPUs' caches. */
function umaRules(memory: Memory): Map<number, number> {
  const lines = new Map<number, number>();
  for (const keg of umaKegs(memory)) {
    lines.set(keg / LINE_BYTES, ATOMIC);
    for (const zone of kegZones(memory, keg)) {
      for (let cpu = 0; cpu < memory.ncpu; cpu++) {
        lines.set(zone / LINE_BYTES + (UZ_CPU + cpu * UC_WORDS) / LINE_WORDS, OWNER + cpu);
      }
    }
  }
  return lines;
}
