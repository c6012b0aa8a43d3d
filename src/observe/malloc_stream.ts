/**
 * malloc_stream.ts — kern.malloc_stats: every malloc type and what each CPU did with it, as FreeBSD's kernel streams it
 * (sys/kern/kern_malloc.c, sysctl_kern_malloc_stats; opaque type s,malloc_type_ustats).
 *
 *   16 bytes       │ u32 mtsh_version = 1 │ u32 mtsh_maxcpus │ u32 mtsh_count │ u32 - │
 *   count times
 *     32 bytes     │ char mth_name[32], with a NUL at its end                        │
 *     maxcpus ×
 *     64 bytes     │ u64 memalloced │ memfreed │ numallocs │ numfrees │ size │ - │ - │ - │
 *
 * mtsh_maxcpus is MAXCPU of such a kernel: 1 on one CPU, 16 up to sixteen, then powers of two. Slots of CPUs that are
 * not there are zero. Where statistics are shared (policies atomic, mutex, mutex-up) nobody knows which CPU did what:
 * the totals stand in CPU 0's slot; the mutex record knows live bytes only, which stand as allocated, none as freed.
 */
import { type CpuStats, mallocCount, mallocTypeStats } from './malloc_types.js';
import type { Memory } from './memory.js';
import { maxcpuFor, PERCPU_BYTES, STREAM_HEADER_BYTES, StreamWriter, sized } from './stream.js';

export const MALLOC_NAME_BYTES = 32;
const RESERVED_BYTES = 24;

/** Bytes of a stream of so many types. */
export function mallocStreamBytes(count: number, maxcpus: number): number {
  return STREAM_HEADER_BYTES + count * (MALLOC_NAME_BYTES + maxcpus * PERCPU_BYTES);
}

export function mallocStream(memory: Memory): Uint8Array {
  const maxcpus = maxcpuFor(memory.ncpu);
  const types = sized(() => mallocCount(memory), () => mallocTypeStats(memory));
  const out = new StreamWriter(mallocStreamBytes(types.length, maxcpus));
  out.header(maxcpus, types.length);
  for (const { name, cpus } of types) {
    out.text(name, MALLOC_NAME_BYTES);
    for (const cpu of cpus) record(out, cpu);
    out.zeroes((maxcpus - cpus.length) * PERCPU_BYTES);
  }
  return out.bytes;
}

function record(out: StreamWriter, { memalloced, memfreed, numallocs, numfrees, size }: CpuStats): void {
  out.u64(memalloced, memfreed, numallocs, numfrees, size);
  out.zeroes(RESERVED_BYTES);
}
