/**
 * fail_malloc.ts — mallocs that are made to fail, while the machine runs (FreeBSD's MALLOC_MAKE_FAILURES).
 *
 * Only M_NOWAIT mallocs of malloc(9) fail; callers have to be written for it. The built-in workloads say M_NOWAIT on a
 * machine that was booted with tunable debug.malloc.failure_rate above 0.
 */
import { SmpallocError } from '../base/errors.js';
import { ALLOC_FREEBSD } from '../base/policy.js';
import { KERN_MALLOC, MF_CPU, MF_FAILURE_COUNT, MF_RATE } from '../freebsd/kern_malloc.layout.js';
import { SB_ALLOC, SB_UMA } from '../hw/superblock.layout.js';
import { KS_FAILRATE } from '../kern/malloc_type.layout.js';
import { mallocTypes } from '../observe/malloc_types.js';
import type { Memory } from '../observe/memory.js';

export interface MallocFailure {
  /** one of so many M_NOWAIT mallocs fails; 0: none */
  readonly rate: number;
  /** only mallocs of the type of this name; default: all. The type's rate stays until it is given another */
  readonly type?: string;
  /** only mallocs on this CPU; default: all */
  readonly cpu?: number;
}

const MOST = 0x7fffffff;

/** @throws SmpallocError ESMP_OPTION naming the value and what would be right */
export function failMalloc(memory: Memory, { rate, type, cpu }: MallocFailure): void {
  if (memory.sb(SB_ALLOC) !== ALLOC_FREEBSD) {
    throw bad("failMalloc: the slab allocator of DragonFly does not fail on demand; boot with alloc: 'freebsd'");
  }
  if (!Number.isInteger(rate) || rate < 0 || rate > MOST) {
    throw bad(`rate: ${rate} is not usable; expected a whole number from 0 to ${MOST}`);
  }
  if (cpu !== undefined && !(Number.isInteger(cpu) && cpu >= 0 && cpu < memory.ncpu)) {
    throw bad(`cpu: ${cpu} is not usable; expected a whole number from 0 to ${memory.ncpu - 1}`);
  }
  const words = mallocWords(memory);
  Atomics.store(memory.i32, words + MF_CPU, cpu === undefined ? 0 : cpu + 1);
  if (type === undefined) return void Atomics.store(memory.i32, words + MF_RATE, rate);
  const types = mallocTypes(memory);
  const found = types.find(({ name }) => name === type);
  if (!found) throw bad(`type: no type '${type}'; there are ${types.map(({ name }) => name).join(', ')}`);
  Atomics.store(memory.i32, words + MF_RATE, 0);
  Atomics.store(memory.i32, (found.address >>> 2) + KS_FAILRATE, rate);
}

/** Mallocs that were made to fail so far; 0 on a machine that cannot. */
export function mallocFailures(memory: Memory): number {
  if (memory.sb(SB_ALLOC) !== ALLOC_FREEBSD) return 0;
  return Atomics.load(memory.i32, mallocWords(memory) + MF_FAILURE_COUNT) >>> 0;
}

function mallocWords(memory: Memory): number {
  return (memory.sb(SB_UMA) >>> 2) + KERN_MALLOC;
}

function bad(message: string): SmpallocError {
  return new SmpallocError('ESMP_OPTION', message);
}
