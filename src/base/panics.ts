/**
 * panics.ts — what a violated invariant says: numbers on the machine, words for people.
 *
 * panic(CODE, a, b, c) records four integers; the text is made here, by whoever prints it. The texts are the
 * kernels' own (reference: DragonFly kern_slaballoc.c, lwkt_ipiq.c; FreeBSD vm_phys.c, kern_mutex.c).
 * Arguments are taken in order: %p address, %d integer, %x hexadecimal of 8 digits, %h as printf's %x, %t malloc type
 * (its name), %n the same or 'none', %z zone (its name), %Z zone as 'name(address)', %y as 'address(name)', %a
 * assertion, %e the exception recorded by the host.
 */
import { FREEBSD_PANICS } from './panics_freebsd.js';

export const P_NULLFREE = 1;
export const P_FREE_MAGIC = 2;
export const P_BADFREE = 3;
export const P_BADFREE2 = 4;
export const P_CORRUPTED_ZONE = 5;
export const P_MALLOC_LIMIT = 6;
export const P_BIT_ILLEGAL = 7;
export const P_CHUNK_ALLOCATED = 8;
export const P_CHUNK_FREE = 9;
export const P_BYTE_COUNT = 10;
export const P_SLAB_FLAGS = 11;
export const P_KERNEL_MAP = 12;
export const P_KKASSERT = 13;
export const P_IPIQ_NESTED = 14;
export const P_WAIT_IPIQ = 15;
export const P_PHYS_FREE_ORDER = 16;
export const P_PHYS_SPLIT_ORDER = 17;
export const P_PHYS_ORDER = 18;
export const P_ALL_WAIT = 19;
export const P_UNINIT_TYPE = 20;
export const P_MTX_RECURSED = 21;
export const P_MTX_NOTOWNED = 22;
export const P_CRIT_SLEEP = 23;
export const P_CRIT_UNBALANCED = 24;
export const P_SLOT_WRITER = 25;
export const P_CPU_DIED = 26;
export const P_EXCEPTION = 27;
export const P_MODIFIED = 28;
export const P_MALLOC_MAGIC = 29;

const PANICS: Readonly<Record<number, string>> = {
  [P_NULLFREE]: 'trying to free NULL pointer',
  [P_FREE_MAGIC]: 'free: malloc type lacks magic',
  [P_BADFREE]: 'BADFREE %p',
  [P_BADFREE2]: 'BADFREE2 %p',
  [P_CORRUPTED_ZONE]: 'slaballoc: corrupted zone',
  [P_MALLOC_LIMIT]: '%t: malloc limit exceeded',
  [P_BIT_ILLEGAL]: 'memory chunk %p bit index %d is illegal',
  [P_CHUNK_ALLOCATED]: 'memory chunk %p is already allocated!',
  [P_CHUNK_FREE]: 'memory chunk %p is already free!',
  [P_BYTE_COUNT]: 'Unexpected byte count %d',
  [P_SLAB_FLAGS]: 'kmem_slab_alloc: bad flags %x (%d)',
  [P_KERNEL_MAP]: 'kmem_slab_alloc(): kernel_map ran out of space!',
  [P_KKASSERT]: 'assertion: %a (%p)',
  [P_IPIQ_NESTED]: 'lwkt_send_ipiq: TOO HEAVILY NESTED!',
  [P_WAIT_IPIQ]: 'LWKT_WAIT_IPIQ',
  [P_PHYS_FREE_ORDER]: 'vm_phys_free_pages: page %p has unexpected order %d',
  [P_PHYS_SPLIT_ORDER]: 'vm_phys_split_pages: page %p has unexpected order %d',
  [P_PHYS_ORDER]: 'vm_phys_alloc_pages: order %d is out of range',
  [P_ALL_WAIT]: 'vm_wait: every CPU waits for memory (%d waiting, %d pages free)',
  [P_UNINIT_TYPE]: 'malloc_uninit on uninitialized type',
  [P_MTX_RECURSED]: '_mtx_lock_sleep: recursed on non-recursive mutex %p',
  [P_MTX_NOTOWNED]: 'mutex %p not owned',
  [P_CRIT_SLEEP]: 'tsleep: sleeping in a critical section (%d deep)',
  [P_CRIT_UNBALANCED]: 'critical section count %d where %d was expected',
  [P_SLOT_WRITER]: 'malloc_type_stats %p of cpu%d written by cpu%d',
  [P_CPU_DIED]: 'cpu%d died (exit code %d): %e',
  [P_EXCEPTION]: '%e',
  [P_MODIFIED]: 'memory chunk %p was modified after free: %x at offset %d',
  [P_MALLOC_MAGIC]: 'malloc: malloc type lacks magic',
  ...FREEBSD_PANICS,
};

export const PANIC_CODES: readonly number[] = Object.keys(PANICS).map(Number);

/** KKASSERTs by number: the condition that must hold. */
export const A_ZONE_MAGIC = 2;
export const A_ZONE_CPU = 3;
export const A_OVSZ_MAGIC = 4;
export const A_RCOUNT = 5;
export const A_ZONE_LIVE = 6;
export const A_IPIQ_USED = 7;
export const A_CS_NESTED = 9;
export const A_REALLOC_ZERO = 10;
export const A_IPIF_BOUND = 11;

const ASSERTIONS: Readonly<Record<number, string>> = {
  [A_ZONE_MAGIC]: 'z->z_Magic == ZALLOC_SLAB_MAGIC',
  [A_ZONE_CPU]: 'z->z_Cpu == gd->gd_cpuid',
  [A_OVSZ_MAGIC]: 'z->z_Magic == ZALLOC_OVSZ_MAGIC',
  [A_RCOUNT]: 'z->z_RCount > 0',
  [A_ZONE_LIVE]: 'kup->ku_pagecnt < 0',
  [A_IPIQ_USED]: 'ip->ip_windex - ip->ip_rindex != MAXCPUFIFO - 1',
  [A_CS_NESTED]: 'td->td_cscount == 0',
  [A_REALLOC_ZERO]: '(flags & M_ZERO) == 0',
  [A_IPIF_BOUND]: 'ip->ip_func[ri] != NULL',
};

export interface PanicNames {
  /** name of the malloc type at an address */
  type(address: number): string;
  /** name of the UMA zone at an address */
  zone(address: number): string;
  /** text of the exception kept by the host */
  exception(): string;
}

/** The message of panic `code`, as the kernel would have printed it. */
export function panicText(code: number, args: readonly number[], names: PanicNames): string {
  return formatText(PANICS[code] ?? `panic ${code}`, args, names);
}

const CONVERSION = /%[pdxhtnzZyae]/g;

/** Those of a panic's arguments that are addresses: the text says so, or does not mention them. */
export function panicAddresses(code: number, args: readonly number[]): number[] {
  const specs = ((PANICS[code] ?? '').match(CONVERSION) ?? []).filter((spec) => spec !== '%e');
  return args.filter((_, n) => specs[n] === undefined || ['%p', '%z', '%Z', '%y'].includes(specs[n]));
}

const address = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/** printf with the conversions above. */
export function formatText(text: string, args: readonly number[], names: PanicNames): string {
  let next = 0;
  return text.replace(CONVERSION, (spec) => {
    if (spec === '%e') return names.exception();
    const value = args[next++] ?? 0;
    if (spec === '%p') return address(value);
    if (spec === '%x') return (value >>> 0).toString(16).padStart(8, '0');
    if (spec === '%h') return (value >>> 0).toString(16);
    if (spec === '%t') return names.type(value);
    if (spec === '%n') return value === 0 ? 'none' : names.type(value);
    if (spec === '%z') return names.zone(value);
    if (spec === '%Z') return `${names.zone(value)}(${address(value)})`;
    if (spec === '%y') return `${address(value)}(${names.zone(value)})`;
    if (spec === '%a') return ASSERTIONS[value] ?? String(value);
    return String(value);
  });
}
