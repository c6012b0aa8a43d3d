/**
 * malloc_abi.ts — types that modules define: a static structure of theirs, in the layout they were compiled with
 * (FreeBSD sys/kern/kern_malloc.c malloc_init, before and after rev. 63a7e0a3).
 *
 *   the module's            the machine's                the allocator's
 *   │ magic, shortdesc,  │
 *   │ ks_handle          ├─► │ struct malloc_type    ├─► │ mti_stats[cpu] ... │
 *
 * A module is the same on machines of one CPU and of many, and need not be compiled again for statistics per CPU: of
 * its structure nothing is used but magic and shortdesc, which it wrote, and the first word of its old mutex.
 * Runs in  thread context.
 */
import { P_BAD_MALLOC_TYPE, P_DEREGISTER, P_TYPE_LACKS_MAGIC } from '../base/panics_freebsd.js';
import { i32 } from '../hw/heap.js';
import { stringAt } from '../kern/libkern.js';
import { KS_SHORTDESC_BYTES, M_MAGIC } from '../kern/malloc_type.layout.js';
import { panic } from '../kern/panic.js';
import { KSN_HANDLE, KSN_MAGIC, KSN_SHORTDESC } from './malloc_abi.layout.js';
import { mallocTypeCreate, mallocUninit } from './malloc_init.js';

/**
 * malloc_init for a module's structure: makes the type it describes. Again for the same structure changes nothing.
 * @param module its address, in either layout
 * @returns the type's address, 0 when there is no room for another
 * @throws panic malloc type lacks magic
 */
export function moduleInit(module: number): number {
  const words = module >>> 2;
  if (i32[words + KSN_MAGIC] !== M_MAGIC) panic(P_TYPE_LACKS_MAGIC, module);
  if (i32[words + KSN_HANDLE] === 0) {
    i32[words + KSN_HANDLE] = mallocTypeCreate(stringAt(i32[words + KSN_SHORTDESC], KS_SHORTDESC_BYTES));
  }
  return i32[words + KSN_HANDLE];
}

/** The type a module's structure stands for: what it gives to malloc and free. @throws panic for one without a type */
export function moduleType(module: number): number {
  const type = i32[(module >>> 2) + KSN_HANDLE];
  if (i32[(module >>> 2) + KSN_MAGIC] !== M_MAGIC || type === 0) panic(P_BAD_MALLOC_TYPE, module);
  return type;
}

/** malloc_uninit: the module goes. @returns bytes of the type that were still allocated */
export function moduleUninit(module: number): number {
  const type = i32[(module >>> 2) + KSN_HANDLE];
  if (type === 0) panic(P_DEREGISTER, module);
  i32[(module >>> 2) + KSN_HANDLE] = 0;
  return mallocUninit(type);
}
