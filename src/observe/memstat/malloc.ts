/**
 * malloc.ts — malloc types into a list: memstat_sysctl_malloc, memstat_kvm_malloc (FreeBSD
 * lib/libmemstat/memstat_malloc.c).
 */
import { SB_MALLOC } from '../../hw/superblock.layout.js';
import { KM_STATISTICS, KS_NEXT, mallocTypeBytes } from '../../kern/malloc_type.layout.js';
import { MALLOC_NAME_BYTES, mallocStreamBytes } from '../malloc_stream.js';
import { type CpuStats, typeAddresses, typeStats } from '../malloc_types.js';
import { Memory } from '../memory.js';
import { peek } from '../peek.js';
import { PERCPU_BYTES } from '../stream.js';
import { kvmOpen, linksAway } from './kvm.js';
import type { MemoryTypeList } from './list.js';
import { MEMSTAT_ERROR_KVM_SHORTREAD } from './list.js';
import { fetchStream, openStream } from './reader.js';
import type { SysctlSource } from './source.js';
import { ALLOCATOR_MALLOC, type MemoryType } from './type.js';

/**
 * Fills or updates the list from kern.malloc_stats.
 * @returns 0, or -1: memstatMtlGeterror says what it was
 */
export async function memstatSysctlMalloc(list: MemoryTypeList, source: SysctlSource): Promise<0 | -1> {
  const bytes = await fetchStream(source, 'kern.malloc_stats', 'kern.malloc_count', mallocStreamBytes);
  return typeof bytes === 'number' ? list.fail(bytes) : memstatParseMalloc(list, bytes);
}

/** The same from the bytes of a stream. */
export function memstatParseMalloc(list: MemoryTypeList, bytes: Uint8Array): 0 | -1 {
  const stream = openStream(bytes, (maxcpus) => MALLOC_NAME_BYTES + maxcpus * PERCPU_BYTES);
  if (typeof stream === 'number') return list.fail(stream);
  const { maxcpus, count, read } = stream;
  const search = !list.empty;
  for (let n = 0; n < count; n++) {
    const type = list.entry(ALLOCATOR_MALLOC, read.text(MALLOC_NAME_BYTES), search);
    for (let cpu = 0; cpu < maxcpus; cpu++) {
      addCpu(type, cpu, {
        memalloced: read.u64(), memfreed: read.u64(), numallocs: read.u64(), numfrees: read.u64(), size: read.u64(),
      });
      read.skip(24);
    }
    type.derive();
  }
  return 0;
}

/** Fills or updates the list from a machine's memory, such as that of a core dump. */
export function memstatKvmMalloc(list: MemoryTypeList, heap: Memory | SharedArrayBuffer | ArrayBuffer): 0 | -1 {
  const memory = kvmOpen(heap, SB_MALLOC);
  if (!(memory instanceof Memory)) return list.fail(memory);
  const types = typeAddresses(memory);
  const last = types.at(-1);
  const link = last === undefined ? (memory.sb(SB_MALLOC) + KM_STATISTICS * 4) : last + KS_NEXT * 4;
  if (linksAway(memory, peek(memory, link), types, mallocTypeBytes(memory.ncpu))) {
    return list.fail(MEMSTAT_ERROR_KVM_SHORTREAD);
  }
  const search = !list.empty;
  for (const address of types) {
    const { name, cpus } = typeStats(memory, address);
    const type = list.entry(ALLOCATOR_MALLOC, name, search);
    for (const [cpu, stats] of cpus.entries()) addCpu(type, cpu, stats);
    type.derive();
  }
  return 0;
}

function addCpu(type: MemoryType, cpu: number, stats: CpuStats): void {
  const own = type.percpu(cpu);
  own.memalloced = stats.memalloced;
  own.memfreed = stats.memfreed;
  own.numallocs = stats.numallocs;
  own.numfrees = stats.numfrees;
  own.sizemask = stats.size;
  type.memalloced = BigInt.asUintN(64, type.memalloced + stats.memalloced);
  type.memfreed = BigInt.asUintN(64, type.memfreed + stats.memfreed);
  type.numallocs = BigInt.asUintN(64, type.numallocs + stats.numallocs);
  type.numfrees = BigInt.asUintN(64, type.numfrees + stats.numfrees);
  type.sizemask |= stats.size;
}
