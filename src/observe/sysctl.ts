/**
 * sysctl.ts — everything a machine answers to by name, as bytes: for sockets, files and programs.
 *
 *   binary    kern.malloc_stats, vm.zone_stats
 *   text      kern.malloc, kern.mprof, vm.zone, kern.msgbuf; counts, and every variable of Memory.sysctl, as a number
 *   JSON      machine: what it is; kern.malloc_limit, kern.slab.classes, kern.slab.owned, machine.cpus, vm.pages: what
 *             FreeBSD's streams have no place for
 *
 * Making an answer reads memory and does nothing else: no lock, no message, no CPU that notices.
 */
import { ALLOC_NAMES, FREE_NAMES, STATS_NAMES } from '../base/policy.js';
import { SB_ALLOC, SB_FREE, SB_STATS, SB_UPTIME } from '../hw/superblock.layout.js';
import { cpuCounters, pageCounts } from './cpu_counters.js';
import { mallocStream } from './malloc_stream.js';
import { mallocText, mprofText } from './malloc_text.js';
import { mallocCount, mallocTypeStats } from './malloc_types.js';
import { type Memory, sysctlNames } from './memory.js';
import { SysctlError, type SysctlSource } from './memstat/source.js';
import { kernelMessages } from './msgbuf.js';
import { panicRecord } from './panic_report.js';
import { slabClasses } from './slab_classes.js';
import { slabZones } from './slab_zones.js';
import { maxcpuFor } from './stream.js';
import { umaStream } from './uma_stream.js';
import { umaZoneCount } from './uma_zones.js';
import { isFreebsd } from './walk_uma.js';
import { zoneText } from './zone_text.js';

/** What 'machine' says. */
export interface MachineFacts {
  readonly alloc: string;
  readonly ncpu: number;
  readonly stats: string;
  readonly free: string;
  /** seconds */
  readonly uptime: number;
}

type Value = string | Uint8Array;

const VALUES: Readonly<Record<string, (memory: Memory) => Value>> = {
  'kern.malloc': mallocText,
  'kern.malloc_count': (memory) => String(mallocCount(memory)),
  'kern.malloc_limit': (memory) => JSON.stringify(limits(memory)),
  'kern.malloc_stats': mallocStream,
  'kern.mprof': mprofText,
  'kern.msgbuf': (memory) => kernelMessages(memory).map((line) => `${line}\n`).join(''),
  'kern.panicstr': (memory) => panicRecord(memory)?.message.trimEnd() ?? '',
  'kern.slab.classes': (memory) => JSON.stringify(slabClasses(memory)),
  'kern.slab.owned': (memory) => JSON.stringify(slabZones(memory)),
  'kern.smp.maxcpus': (memory) => String(maxcpuFor(memory.ncpu)),
  machine: (memory) => JSON.stringify(machineFacts(memory)),
  'machine.cpus': (memory) => JSON.stringify(cpuCounters(memory)),
  'vm.pages': (memory) => JSON.stringify(pageCounts(memory)),
  'vm.zone': zoneText,
  'vm.zone_count': (memory) => String(umaZoneCount(memory)),
  'vm.zone_stats': umaStream,
};

/** Names whose values are streams; all others are text. */
export const BINARY_NAMES: readonly string[] = ['kern.malloc_stats', 'vm.zone_stats'];

const NAMES: ReadonlySet<string> = new Set([...Object.keys(VALUES), ...sysctlNames()].sort());

/** Every name there is an answer to. */
export function observableNames(): string[] {
  return [...NAMES];
}

/** @throws SysctlError ENOENT naming the value */
export function observe(memory: Memory, name: string): Uint8Array {
  if (!NAMES.has(name)) throw new SysctlError('ENOENT', `no variable '${name}'`);
  const value = VALUES[name]?.(memory) ?? String(memory.sysctl(name));
  return typeof value === 'string' ? new TextEncoder().encode(value) : value;
}

/** A memory as a source: a live machine in this process, or a core dump. */
export function memorySource(memory: Memory): SysctlSource {
  return {
    read: (name, room) => fitting(observe(memory, name), room),
  };
}

/** @throws SysctlError ENOMEM when there is less room than that */
export function fitting(value: Uint8Array, room = Number.POSITIVE_INFINITY): Uint8Array {
  if (value.length <= room) return value;
  throw new SysctlError('ENOMEM', `${value.length} bytes do not fit into ${room}`);
}

export function machineFacts(memory: Memory): MachineFacts {
  const named = (names: readonly string[], word: number) => names[memory.sb(word)] ?? '?';
  return {
    alloc: named(ALLOC_NAMES, SB_ALLOC), ncpu: memory.ncpu, stats: named(STATS_NAMES, SB_STATS),
    // UMA has no remote-free policy: a block goes into the bucket of whoever frees it
    free: isFreebsd(memory) ? '-' : named(FREE_NAMES, SB_FREE), uptime: memory.sb(SB_UPTIME),
  };
}

/** Bytes each type may have in use; 0: no limit was set. */
function limits(memory: Memory): Record<string, number> {
  return Object.fromEntries(mallocTypeStats(memory).map(({ name, limit }) => [name, limit]));
}
