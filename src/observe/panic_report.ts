/**
 * panic_report.ts — what a panicked machine says: the kernel's message, the structures it is about, the last events of
 * each CPU. Works on live memory and on a core dump.
 */
import { panicText } from '../base/panics.js';
import type { StructDescription } from '../base/struct.js';
import { SLZONE, ZALLOC_SLAB_MAGIC } from '../dragonfly/slaballoc.layout.js';
import {
  SB_EXCEPTION, SB_FIRST_PAGE, SB_KTR, SB_KTR_ENTRIES, SB_NPAGES, SB_PANIC, SB_PANIC_A, SB_PANIC_B, SB_PANIC_C,
  SB_PANIC_CPU, SB_ZONE_SIZE,
} from '../hw/superblock.layout.js';
import { GD_KTR } from '../kern/globaldata.layout.js';
import { KTR_A, KTR_EVENT, KTR_FORMATS, KTR_TIME, KTR_WORDS } from '../kern/ktr.layout.js';
import { typeName } from './malloc_types.js';
import type { Memory } from './memory.js';

export interface PanicRecord {
  readonly code: number;
  readonly cpu: number;
  readonly args: readonly [number, number, number];
  /** the kernel's own words */
  readonly message: string;
}

/** The panic of a machine, or null when it has not panicked. */
export function panicRecord(memory: Memory): PanicRecord | null {
  const code = memory.sb(SB_PANIC);
  if (code === 0) return null;
  const args = [memory.sb(SB_PANIC_A), memory.sb(SB_PANIC_B), memory.sb(SB_PANIC_C)] as const;
  const message = panicText(code, args, {
    type: (address) => typeName(memory, address),
    exception: () => exceptionText(memory),
  });
  return { code, cpu: memory.sb(SB_PANIC_CPU), args: [...args], message };
}

/** The report, line by line. @param events how many ktr records a CPU */
export function panicReport(memory: Memory, events = 32): string[] {
  const record = panicRecord(memory);
  if (!record) return ['no panic'];
  const lines = [`panic: ${record.message}`, `cpuid = ${record.cpu}`];
  const zone = zoneOf(memory, record.args[0]);
  if (zone !== 0) lines.push('', ...dumpStruct(memory, SLZONE, zone));
  for (let cpu = 0; cpu < memory.ncpu; cpu++) lines.push(...ktrTail(memory, cpu, events));
  return lines;
}

/** `name 0xaddress` and its fields, one a line. */
export function dumpStruct(memory: Memory, description: StructDescription, address: number): string[] {
  const lines = [`${description.name} 0x${address.toString(16)}`];
  for (const [field, word] of Object.entries(description.fields)) {
    const value = memory.i32[(address >>> 2) + word]!;
    lines.push(`  ${field.padEnd(16)} ${String(value).padStart(12)}  0x${(value >>> 0).toString(16)}`);
  }
  return lines;
}

/** The last `events` records of a CPU, oldest first. */
export function ktrTail(memory: Memory, cpu: number, events: number): string[] {
  const entries = memory.sb(SB_KTR_ENTRIES);
  if (entries === 0) return [];
  const next = memory.i32[memory.gd(cpu) + GD_KTR]! >>> 0;
  const lines = ['', `ktr cpu${cpu} (${next} events)`];
  for (let n = Math.max(0, next - Math.min(events, entries)); n < next; n++) {
    const entry = (memory.sb(SB_KTR) >>> 2) + (cpu * entries + (n % entries)) * KTR_WORDS;
    const word = (offset: number) => memory.i32[entry + offset]!;
    let argument = KTR_A;
    const text = (KTR_FORMATS[word(KTR_EVENT)] ?? `event ${word(KTR_EVENT)} %p %p %p`).replace(/%[pd]/g, (spec) =>
      spec === '%p' ? `0x${(word(argument++) >>> 0).toString(16)}` : String(word(argument++)),
    );
    lines.push(`  ${String(n).padStart(8)} ${String(word(KTR_TIME) >>> 0).padStart(10)} µs  ${text}`);
  }
  return lines;
}

function exceptionText(memory: Memory): string {
  const bytes = memory.u8.slice(SB_EXCEPTION * 4 + 4, SB_EXCEPTION * 4 + 4 + memory.sb(SB_EXCEPTION));
  return new TextDecoder().decode(bytes) || 'its worker was ended';
}

/** The zone an address lies in, if there is one. */
function zoneOf(memory: Memory, address: number): number {
  const base = address & ~(memory.sb(SB_ZONE_SIZE) - 1);
  // the header's place in its zone: dragonfly/slglobaldata.ts, zoneOf
  const zone = base + ((base / memory.sb(SB_ZONE_SIZE)) % 16) * 256;
  if (zone >>> 12 < memory.sb(SB_FIRST_PAGE) || zone >>> 12 >= memory.sb(SB_NPAGES)) return 0;
  return memory.i32[zone >>> 2] === ZALLOC_SLAB_MAGIC ? zone : 0;
}
