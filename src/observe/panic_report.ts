/**
 * panic_report.ts — what a panicked machine says: the kernel's message, the structures it is about, the last events of
 * each CPU. Works on live memory and on a core dump.
 */
import { panicAddresses, panicText } from '../base/panics.js';
import { PAGE_SIZE } from '../base/param.js';
import type { StructDescription } from '../base/struct.js';
import { SLZONE, ZALLOC_SLAB_MAGIC } from '../dragonfly/slaballoc.layout.js';
import {
  SB_EXCEPTION, SB_EXCEPTION_BYTES, SB_FIRST_PAGE, SB_KTR, SB_KTR_ENTRIES, SB_PANIC, SB_PANIC_A, SB_PANIC_B,
  SB_PANIC_C, SB_PANIC_CPU, SB_PANIC_D,
} from '../hw/superblock.layout.js';
import { GD_KTR } from '../kern/globaldata.layout.js';
import { KTR_A, KTR_EVENT, KTR_FORMATS, KTR_TIME, KTR_WORDS } from '../kern/ktr.layout.js';
import { typeName } from './malloc_types.js';
import type { Memory } from './memory.js';
import { peek, readable } from './peek.js';
import { umaStructures } from './uma_structures.js';
import { zoneName } from './uma_zones.js';
import { isFreebsd } from './walk_uma.js';

export interface PanicRecord {
  readonly code: number;
  readonly cpu: number;
  readonly args: readonly [number, number, number, number];
  /** the kernel's own words */
  readonly message: string;
}

/** The panic of a machine, or null when it has not panicked. */
export function panicRecord(memory: Memory): PanicRecord | null {
  const code = memory.sb(SB_PANIC);
  if (code === 0) return null;
  const args = [memory.sb(SB_PANIC_A), memory.sb(SB_PANIC_B), memory.sb(SB_PANIC_C), memory.sb(SB_PANIC_D)] as const;
  const message = panicText(code, args, {
    type: (address) => typeName(memory, address),
    zone: (address) => zoneName(memory, address),
    exception: () => exceptionText(memory),
  });
  return { code, cpu: memory.sb(SB_PANIC_CPU), args: [...args], message };
}

/** The report, line by line. @param events how many ktr records a CPU */
export function panicReport(memory: Memory, events = 32): string[] {
  const record = panicRecord(memory);
  if (!record) return ['no panic'];
  // some of the kernel's texts end their line themselves
  const lines = [`panic: ${record.message.trimEnd()}`, `cpuid = ${record.cpu}`];
  lines.push(...structures(memory, panicAddresses(record.code, record.args)));
  for (let cpu = 0; cpu < memory.ncpu; cpu++) lines.push(...ktrTail(memory, cpu, events));
  return lines;
}

/** The structures around the addresses a panic is about. */
function structures(memory: Memory, addresses: readonly number[]): string[] {
  if (isFreebsd(memory)) return umaStructures(memory, addresses).flatMap((lines) => ['', ...lines]);
  const zones = new Set(addresses.map((address) => zoneOf(memory, address)).filter((zone) => zone !== 0));
  return [...zones].flatMap((zone) => ['', ...dumpStruct(memory, SLZONE, zone)]);
}

/** `name 0xaddress` and its fields, one a line. */
export function dumpStruct(memory: Memory, description: StructDescription, address: number): string[] {
  const lines = [`${description.name} 0x${address.toString(16)}`];
  for (const [field, word] of Object.entries(description.fields)) {
    const value = memory.i32[(address >>> 2) + word] ?? 0;
    lines.push(`  ${field.padEnd(16)} ${String(value).padStart(12)}  0x${(value >>> 0).toString(16)}`);
  }
  return lines;
}

/** The last `events` records of a CPU, oldest first. */
export function ktrTail(memory: Memory, cpu: number, events: number): string[] {
  const entries = memory.sb(SB_KTR_ENTRIES);
  if (entries === 0 || events === 0) return [];
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
  const length = Math.min(SB_EXCEPTION_BYTES, Math.max(0, memory.sb(SB_EXCEPTION)));
  const bytes = memory.u8.slice(SB_EXCEPTION * 4 + 4, SB_EXCEPTION * 4 + 4 + length);
  return new TextDecoder().decode(bytes) || 'its worker was ended';
}

/** The zone an address lies in, if there is one. */
function zoneOf(memory: Memory, address: number): number {
  if (address < memory.sb(SB_FIRST_PAGE) * PAGE_SIZE || address >= memory.heap.byteLength) return 0;
  const zone = memory.zoneHeader(address);
  return peek(memory, zone) === ZALLOC_SLAB_MAGIC && readable(memory, zone, SLZONE.words * 4) ? zone : 0;
}
