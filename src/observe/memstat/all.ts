/** all.ts — both allocators at once: memstat_sysctl_all, memstat_kvm_all (FreeBSD lib/libmemstat/memstat_all.c). */
import { ALLOC_FREEBSD } from '../../base/policy.js';
import { SB_ALLOC } from '../../hw/superblock.layout.js';
import { Memory } from '../memory.js';
import type { MemoryTypeList } from './list.js';
import { memstatKvmMalloc, memstatSysctlMalloc } from './malloc.js';
import type { SysctlSource } from './source.js';
import { memstatKvmUma, memstatSysctlUma } from './uma.js';

/** @returns 0, or -1: memstatMtlGeterror says what it was */
export async function memstatSysctlAll(list: MemoryTypeList, source: SysctlSource): Promise<0 | -1> {
  if ((await memstatSysctlMalloc(list, source)) !== 0) return -1;
  return memstatSysctlUma(list, source);
}

/** A machine without UMA has malloc types only. */
export function memstatKvmAll(list: MemoryTypeList, heap: Memory | SharedArrayBuffer | ArrayBuffer): 0 | -1 {
  if (memstatKvmMalloc(list, heap) !== 0) return -1;
  const memory = heap instanceof Memory ? heap : new Memory(heap);
  return memory.sb(SB_ALLOC) === ALLOC_FREEBSD ? memstatKvmUma(list, memory) : 0;
}
