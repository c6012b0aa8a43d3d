/** symbol_types.ts — the words of a malloc_type: its counters by policy, and what it keeps for each CPU. */
import { STATS_ATOMIC, STATS_MUTEX, STATS_MUTEX_UP } from '../base/policy.js';
import type { LineRule } from '../base/struct.js';
import { SB_STATS } from '../hw/superblock.layout.js';
import {
  KS64_CALLS, KS64_INUSE, KS64_MAXUSED, KS64_MEMUSE, KS_USE, KSA_MEMALLOCED, KSA_MEMFREED, KSA_NUMALLOCS,
  KSA_NUMFREES, KU_ALLOWANCE, KU_WORDS, KU_WRITER, MTS_MEMALLOCED, MTS_MEMFREED, MTS_NUMALLOCS, MTS_NUMFREES,
  MTS_SIZE, mtsOffset, mtsStride,
} from '../kern/malloc_type.layout.js';
import { typeName } from './malloc_types.js';
import type { Memory } from './memory.js';

interface Tail {
  readonly rule: LineRule | 'none';
  readonly owner: number;
  readonly field: string;
}

/** @param dwords 64-bit fields by offset: 'x' and 'x+4' */
function halves(dwords: Readonly<Record<number, string>>): Readonly<Record<number, string>> {
  const words: Record<number, string> = {};
  for (const [dword, name] of Object.entries(dwords)) {
    words[Number(dword) * 2] = name;
    words[Number(dword) * 2 + 1] = `${name}+4`;
  }
  return words;
}

const USE: Readonly<Record<number, string>> = { [KU_ALLOWANCE]: 'allowance', [KU_WRITER]: 'writer' };
const STATS = halves({
  [MTS_MEMALLOCED]: 'memalloced', [MTS_MEMFREED]: 'memfreed', [MTS_NUMALLOCS]: 'numallocs',
  [MTS_NUMFREES]: 'numfrees', [MTS_SIZE]: 'size',
});
const MUTEX = halves({
  [KS64_MEMUSE]: 'memuse', [KS64_INUSE]: 'inuse', [KS64_CALLS]: 'calls', [KS64_MAXUSED]: 'maxused',
});
const ATOMIC = halves({
  [KSA_MEMALLOCED / 2]: 'memalloced', [KSA_MEMFREED / 2]: 'memfreed', [KSA_NUMALLOCS / 2]: 'numallocs',
  [KSA_NUMFREES / 2]: 'numfrees',
});

/** CPU a word of the per-CPU part belongs to, and the word inside its slot; null: before or behind that part. */
function slotOf(memory: Memory, word: number): { stats: boolean; cpu: number; at: number } | null {
  const first = mtsOffset(memory.ncpu) * 2;
  if (word < KS_USE) return null;
  const use = word - KS_USE;
  if (word < first) return { stats: false, cpu: Math.floor(use / KU_WORDS), at: use % KU_WORDS };
  const stride = mtsStride(memory.sb(SB_STATS)) * 2;
  const cpu = Math.floor((word - first) / stride);
  return cpu < memory.ncpu ? { stats: true, cpu, at: (word - first) % stride } : null;
}

/** 'malloc_type temp', and which of its parts. @param address of the record @param word inside it */
export function typeTitle(memory: Memory, address: number, word: number): string {
  const title = `malloc_type ${typeName(memory, address) || `0x${address.toString(16)}`}`;
  const slot = slotOf(memory, word);
  return slot ? `${title} ${slot.stats ? 'mti_stats' : 'ks_use'} cpu${slot.cpu}` : title;
}

/** Words the description leaves to the policy, or to a CPU; null: those it has. */
export function typeTail(memory: Memory, word: number): Tail | null {
  const policy = memory.sb(SB_STATS);
  const slot = slotOf(memory, word);
  if (slot) {
    const field = (slot.stats ? STATS : USE)[slot.at] ?? `+${slot.at * 4}`;
    return { rule: 'owner', owner: slot.cpu, field };
  }
  if (word >= KS_USE) return { rule: 'none', owner: -1, field: `+${word * 4}` };
  if (policy === STATS_ATOMIC && ATOMIC[word]) return { rule: 'atomic', owner: -1, field: ATOMIC[word] };
  const mutex = policy === STATS_MUTEX || policy === STATS_MUTEX_UP;
  return mutex && MUTEX[word] ? { rule: 'lock ks_mtx', owner: -1, field: MUTEX[word] } : null;
}

/** CPU and field of a word of an array of struct malloc_type_stats that stands by itself (malloc_type_internal). */
export function statsWord(memory: Memory, word: number): { cpu: number; field: string } {
  const stride = mtsStride(memory.sb(SB_STATS)) * 2;
  return { cpu: Math.floor(word / stride), field: STATS[word % stride] ?? `+${(word % stride) * 4}` };
}
