/**
 * symbol_areas.ts — what stands where in the kernel's image: one area after the other, each of equal structures.
 *
 * Nothing here knows an offset: words are named by the struct() descriptions, areas found by the superblock. What
 * depends on a policy is decided once, when the table is made; only names of malloc types are read at each call.
 */
import { LINE_WORDS, PAGE_SHIFT } from '../base/param.js';
import { FREE_LOCKED, STATS_ATOMIC } from '../base/policy.js';
import type { LineRule, StructDescription } from '../base/struct.js';
import { SLGLOBALDATA } from '../dragonfly/slaballoc.layout.js';
import { KERN_MALLOC, KERN_MALLOC_STRUCT } from '../freebsd/kern_malloc.layout.js';
import { UMA } from '../freebsd/uma_int.layout.js';
import { INTR } from '../hw/intr.layout.js';
import {
  SB_FREE, SB_GD, SB_INTR, SB_IPIQ, SB_IPIQ_FIFO, SB_KMU, SB_KTR, SB_KTR_ENTRIES, SB_MALLOC, SB_MPROF, SB_MSGBUF,
  SB_PGA, SB_SLGD, SB_STATS, SB_UMA, SB_VM, SB_WORDS, SB_ZINDEX, SUPERBLOCK,
} from '../hw/superblock.layout.js';
import { GLOBALDATA } from '../kern/globaldata.layout.js';
import { KTR_ENTRY } from '../kern/ktr.layout.js';
import { INFO_WORDS, IP_INFO, IPIQ, ipiqBytes } from '../kern/lwkt_ipiq.layout.js';
import { MP_WORDS, MPROF } from '../kern/malloc_profile.layout.js';
import { KM_WORDS, KMEMSTATISTICS, MALLOC_TYPE, mallocTypeBytes } from '../kern/malloc_type.layout.js';
import { MSG_ENTRY_WORDS, MSG_HEAD_WORDS, MSGBUF, MSGBUF_ENTRY } from '../kern/msgbuf.layout.js';
import { VM, VM_PAGE } from '../vm/vm_page.layout.js';
import type { Memory } from './memory.js';
import { fieldNames, hex } from './spelling.js';
import { typeTail, typeTitle } from './symbol_types.js';

/** Who may write a word, and what it is called inside its structure. */
export interface WordRule {
  readonly rule: LineRule | 'none';
  /** -1: not one CPU's */
  readonly owner: number;
  readonly struct: string;
  readonly field: string;
}

export interface Area {
  /** first word */
  readonly start: number;
  /** @param at words from the start of the area */
  rule(at: number): WordRule;
  /** which of the structures: 'gd cpu1' */
  title(at: number): string;
  /** the structure around the word: its description and its first word in the area */
  dump(at: number): { description: StructDescription; at: number } | null;
}

export interface Row {
  /** words from one structure to the next */
  readonly stride?: number;
  /** @param n which, from 0 @param word inside it */
  readonly title: (n: number, word: number) => string;
  /** CPU of `owner` lines of the n-th */
  readonly owner?: (n: number, word: number) => number;
  /** words behind the description, or ruled otherwise than it says */
  readonly other?: (n: number, word: number) => Omit<WordRule, 'struct'> | null;
}

/** Structures of one kind, one after the other. */
export function row(start: number, description: StructDescription, of: Row): Area {
  const { name: struct, lines } = description;
  const { stride = Number.POSITIVE_INFINITY, title, owner = () => -1, other = () => null } = of;
  const names = fieldNames(description);
  const nth = (at: number) => Math.floor(at / stride);
  return {
    start,
    title: (at) => title(nth(at), at % stride),
    dump: (at) => ({ description, at: at - (at % stride) }),
    rule(at) {
      const word = at % stride;
      const special = other(nth(at), word);
      if (special) return { struct, ...special };
      const rule = lines[Math.min(Math.floor(word / LINE_WORDS), lines.length - 1)]!;
      const field = names[word] ?? `+${word * 4}`;
      return { rule, owner: rule === 'owner' ? owner(nth(at), word) : -1, struct, field };
    },
  };
}

/** Words that are no structure's. */
function plain(start: number, struct: string, rule: WordRule['rule'], title: (at: number) => string): Area {
  const all: WordRule = { rule, owner: -1, struct, field: '' };
  return { start, title, rule: () => all, dump: () => null };
}

/** Everything below the first page of the page allocator, in order. */
export function imageAreas(memory: Memory): Area[] {
  const at = (sb: number) => memory.sb(sb) >>> 2;
  const cpu = (n: number) => n;
  const slgd = memory.sb(SB_FREE) === FREE_LOCKED ? ruled(SLGLOBALDATA, 'owner', 'lock sl_mtx') : SLGLOBALDATA;
  const areas = [
    row(0, SUPERBLOCK, { title: () => 'sb' }),
    plain(SB_WORDS, 'scratch', 'none', scratchTitle),
    row(at(SB_INTR), INTR, { stride: INTR.words, title: (n) => `intr cpu${n}`, owner: cpu }),
    row(at(SB_GD), GLOBALDATA, { stride: GLOBALDATA.words, title: (n) => `gd cpu${n}`, owner: cpu }),
    row(at(SB_SLGD), slgd, { stride: slgd.words, title: (n) => `slgd cpu${n}`, owner: cpu }),
    row(at(SB_VM), VM, { title: () => 'vm' }),
    plain(at(SB_ZINDEX), 'zindex', 'const', (word) => `zindex[${word * 4}]`),
    row(at(SB_UMA), UMA, { title: () => 'uma' }),
    row(at(SB_UMA) + KERN_MALLOC, KERN_MALLOC_STRUCT, { title: () => 'kern_malloc' }),
    row(at(SB_MSGBUF), MSGBUF, { title: () => 'msgbuf' }),
    row(at(SB_MSGBUF) + MSG_HEAD_WORDS, MSGBUF_ENTRY, { stride: MSG_ENTRY_WORDS, title: (n) => `msgbuf entry ${n}` }),
    row(at(SB_MPROF), MPROF, { stride: MP_WORDS, title: (n) => `mprof ${n * 16}` }),
    row(at(SB_MALLOC), KMEMSTATISTICS, { title: () => 'kmemstatistics' }),
    typeArea(memory, at(SB_MALLOC) + KM_WORDS),
    ipiqArea(memory, at(SB_IPIQ)),
    ktrArea(memory, at(SB_KTR)),
    plain(at(SB_KMU), 'kmemusage', 'none', (page) => `kmemusage ${hex(page << PAGE_SHIFT)}`),
    row(at(SB_PGA), VM_PAGE, { stride: VM_PAGE.words, title: (n) => `vm_page ${n}` }),
  ];
  areas.sort((a, b) => a.start - b.start);
  // without ktr its area is empty
  return areas.filter(({ start }, n) => start !== areas[n + 1]?.start);
}

/** The description where a policy has another rule for some of its lines. */
function ruled(description: StructDescription, from: LineRule, to: LineRule): StructDescription {
  return { ...description, lines: description.lines.map((rule) => (rule === from ? to : rule)) };
}

function typeArea(memory: Memory, start: number): Area {
  const stride = mallocTypeBytes(memory.ncpu) >>> 2;
  const atomic = memory.sb(SB_STATS) === STATS_ATOMIC;
  return row(start, atomic ? ruled(MALLOC_TYPE, 'lock ks_mtx', 'atomic') : MALLOC_TYPE, {
    stride,
    title: (n, word) => typeTitle(memory, (start + n * stride) * 4, word),
    other: (_, word) => typeTail(memory, word),
  });
}

const SLOT = ['func', 'arg1', 'arg2', ''];

function ipiqArea(memory: Memory, start: number): Area {
  const source = (n: number) => Math.floor(n / memory.ncpu);
  const target = (n: number) => n % memory.ncpu;
  const slot = (word: number) => Math.floor((word - IP_INFO) / INFO_WORDS);
  return row(start, IPIQ, {
    stride: ipiqBytes(memory.sb(SB_IPIQ_FIFO)) >>> 2,
    title: (n, word) => `ipiq ${source(n)}->${target(n)}${word < IP_INFO ? '' : ` slot ${slot(word)}`}`,
    owner: target,
    other(n, word) {
      if (word < IP_INFO) return null;
      return { rule: 'owner', owner: source(n), field: SLOT[(word - IP_INFO) % INFO_WORDS]! };
    },
  });
}

function ktrArea(memory: Memory, start: number): Area {
  const entries = Math.max(1, memory.sb(SB_KTR_ENTRIES));
  const owner = (n: number) => Math.floor(n / entries);
  return row(start, KTR_ENTRY, {
    stride: KTR_ENTRY.words, title: (n) => `ktr cpu${owner(n)} entry ${n % entries}`, owner,
  });
}

/** Scenarios are given whole lines of it: 'scratch[3]' is the first word of the fourth. */
function scratchTitle(word: number): string {
  const inside = word % LINE_WORDS;
  return `scratch[${Math.floor(word / LINE_WORDS)}]${inside === 0 ? '' : ` +${inside * 4}`}`;
}
